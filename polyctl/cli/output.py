"""Output: results go to stdout; messages, errors and progress to stderr."""

from __future__ import annotations

import json
import re
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from polyctl.errors import ParseError, PolyctlError
from polyctl.formatting import format_duration

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

LINE_SECONDS = 10.0  # between two lines of progress where there is no bar


def stderr_console() -> Console:
    """A console on stderr; colours only on a terminal without NO_COLOR."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


_PLACES: dict[str, str] = {}  # the options that named a place, which commands in hints need, too
_TAKES: dict[str, set[str]] = {  # by option, the commands that take it; `experiments run` takes them all
    "--runs": {"decompose", "verify", "train", "rl", "report", "eval", "export", "import", "demo", "tui"}
    | {"runs", "doctor"},
    "--registry": {"gen", "train", "rl", "report", "eval", "import", "tui", "experiments", "doctor"},
    "--data": set(),
}
_interrupted = False  # whether a message has said that the command was interrupted
_quiet = False  # whether --quiet was given; a command line has one answer to that


def start_afresh() -> None:
    """Forget what the options of another command line have said."""
    global _interrupted
    _interrupted = False
    _PLACES.clear()
    be_quiet(False)


def remember_place(option: str, value: str | None) -> None:
    """Give this option to every command that is printed from now on, in a hint or as the next step."""
    if value is not None:
        _PLACES[option] = value


def with_places(text: str) -> str:
    """The text, the commands in it with the places that this command line was given (--runs, --registry)."""

    def complete(found: re.Match[str]) -> str:
        command, more = found["command"], found["more"] or ""
        options = {
            option: value
            for option, value in _PLACES.items()
            if command in _TAKES[option] or more.strip() == "run"
        }
        given = "".join(f" {option} {shlex.quote(value)}" for option, value in options.items())
        return f"{found[0]}{given}"

    if not _PLACES:
        return text
    return re.sub(
        r"polyctl (?P<command>[a-z]+)(?P<more> (?:list|show|run|tail|compare|rm)\b)?", complete, text
    )


def be_quiet(quiet: bool) -> bool:
    """Leave out progress and notes from now on, or no longer."""
    global _quiet
    _quiet = quiet
    return quiet


def say(text: str) -> None:
    """Print a message to stderr; with --quiet only warnings and what an interrupted command has kept."""
    global _interrupted
    _interrupted |= text.startswith("interrupted")
    if not _quiet or text.startswith(("warning: ", "interrupted")):
        print(with_places(text), file=sys.stderr, flush=True)


def said_interrupted() -> bool:
    """Whether `say` has said that the command was interrupted."""
    return _interrupted


def say_notes(notes: Sequence[str]) -> None:
    """Print notes to stderr, one a line."""
    for note in notes:
        say(f"note: {_visible(note)}")


def print_json(value: Any) -> None:
    """`value` as indented JSON on stdout; ValueError for NaN and infinities, which JSON does not have."""
    _print_json(value, indent=2)


def print_json_line(value: Any) -> None:
    """`value` as JSON on one line of stdout; ValueError for NaN and infinities."""
    _print_json(value, indent=None)


def _print_json(value: Any, indent: int | None) -> None:
    ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only, allow_nan=False)
    # of the characters that steer a terminal JSON leaves these as they are
    print(re.sub(r"[\x7f-\x9f]", lambda found: f"\\u{ord(found[0]):04x}", text), flush=True)


def print_error(error: PolyctlError) -> None:
    """`error: ...` and `hint: ...` on stderr; for a ParseError also the text with a caret."""
    message = error.message
    if isinstance(error, ParseError):
        from polyctl.cli.caret import show_caret

        message = show_caret(error)
    print_problem(message, error.hint)


def print_problem(message: str, hint: str | None = None) -> None:
    """Print an error and a hint to stderr."""
    from rich.markup import escape

    console, hint = stderr_console(), None if hint is None else with_places(hint)
    console.print(f"[bold red]error:[/] {escape(_visible(message))}", soft_wrap=True)
    if hint:
        console.print(f"[cyan]hint:[/] {escape(_visible(hint))}", soft_wrap=True)


def _visible(text: str) -> str:
    """The text with control characters spelled out: a name in it must not steer the terminal."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", lambda found: ascii(found[0])[1:-1], text)


# -- tables --------------------------------------------------------------------------------------


def print_table(header: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[str] = ()) -> None:
    """A table on stdout: fitted to a terminal, else plain lines that are never wrapped or cut.

    `right` names the columns to align right; None is shown as a dash.
    """
    cells = [["-" if cell is None else str(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _terminal_table(header, cells, right)
        return
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    for row in [list(header), *cells]:
        parts = [
            cell.rjust(width) if name in right else cell.ljust(width)
            for name, cell, width in zip(header, row, widths, strict=True)
        ]
        print("  ".join(parts).rstrip())


def _terminal_table(header: Sequence[str], cells: Sequence[Sequence[str]], right: Sequence[str]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for index, name in enumerate(header):
        justify: Literal["left", "right"] = "right" if name in right else "left"
        # The first column names things, so that it must stay readable and be the last to shrink.
        table.add_column(name, justify=justify, overflow="fold", no_wrap=index == 0)
    for row in cells:
        table.add_row(*map(Text, row))
    Console(highlight=False).print(table)


# -- progress ------------------------------------------------------------------------------------


class Bar:
    """A progress bar, or nothing if stderr is not a terminal."""

    def __init__(self, progress: Progress | None = None, task: TaskID | None = None) -> None:
        self._progress = progress
        self._task = task

    def advance(self, count: float = 1) -> None:
        """Count more work as done."""
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task, count)

    def update(
        self, done: float | None = None, total: float | None = None, description: str | None = None
    ) -> None:
        """Set how much is done, how much there is to do, or the description."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=done, total=total, description=description)


class Lines(Bar):
    """A line of progress on stderr now and then, where a bar cannot be drawn."""

    def __init__(self, description: str, total: float | None) -> None:
        super().__init__()
        self._what, self._done, self._total = description, 0.0, total
        self._began = self._said = time.monotonic()
        self._first = 0.0

    def advance(self, count: float = 1) -> None:
        """Count more work as done."""
        self.update(self._done + count)

    def update(
        self, done: float | None = None, total: float | None = None, description: str | None = None
    ) -> None:
        """Set how much is done, how much there is to do, or the description."""
        if description not in (None, self._what):
            self._what, self._began, self._first = description or "", time.monotonic(), done or 0.0
        self._done = self._done if done is None else done
        self._total = self._total if total is None else total
        now = time.monotonic()
        if self._total is not None and now - self._said >= LINE_SECONDS:
            self._said = now
            left = (self._total - self._done) * (now - self._began) / max(1, self._done - self._first)
            text = f"{self._what}: {self._done:,.0f} of {self._total:,.0f}"
            say(f"{text}, {format_duration(left)} left" if self._done > self._first else text)


@contextmanager
def progress(description: str, total: float | None = None, *, lines: bool = True) -> Iterator[Bar]:
    """A progress bar on stderr while the block runs; it leaves nothing behind.

    Not on a terminal it is a line every LINE_SECONDS, or nothing if those who report to it print `lines` of
    their own.
    """
    if _quiet or not sys.stderr.isatty():
        yield Lines(description, total) if lines else Bar()
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=stderr_console(), transient=True) as bars:
        yield Bar(bars, bars.add_task(description, total=total))
