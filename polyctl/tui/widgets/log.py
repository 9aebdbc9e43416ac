"""The log of a run: it follows the newest line or stands still and counts what is new; filter and search.

A line wider than the log continues in the next row, unless it is a step: those numbers are plotted. Lines
of evaluations, checkpoints and the like end in a rule.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.text import Text
from textual.widget import Widget

from polyctl.tui.format import clean, format_clock, format_date
from polyctl.tui.run_log import LogLine

INDENT = 20  # of a line's further rows
RULED = ("checkpoint", "end", "evaluation", "run", "validation")  # kinds that divide the log by a rule
COLOURS = {
    "error": "red",
    "broken": "red",
    "long": "yellow",
    "validation": "green",
    "evaluation": "green",
    "checkpoint": "blue",
    "end": "yellow",
    "run": "cyan",
}


class LogView(Widget):
    """Draws the lines that fit, nothing else, so that it costs the same for any length."""

    DEFAULT_CSS = "LogView { height: 1fr; }"

    def __init__(self, **more: str) -> None:
        super().__init__(**more)  # type: ignore[arg-type]
        self._all: list[LogLine] = []
        self._lines: list[LogLine] = []
        self._pattern: re.Pattern[str] | None = None
        self._search: re.Pattern[str] | None = None
        self._last: int | None = None  # number of the lowest line shown; None follows
        self._of, self._total, self._empty = "", 0, ""

    @property
    def following(self) -> bool:
        return self._last is None

    @property
    def pattern(self) -> str:
        """What lines have to fit to be shown."""
        return "" if self._pattern is None else self._pattern.pattern

    def show(self, lines: Sequence[LogLine], of: str = "", total: int = 0, empty: str = "") -> None:
        """The newest lines, oldest first, of `total` of the run `of`; `empty` is shown if there are none."""
        if of != self._of or (self._last is not None and lines and lines[-1].number < self._last):
            self._last = None  # another file
        self._of, self._total, self._empty = of, max(total, len(lines)), empty
        self._all = list(lines)
        self._keep()

    def filter(self, pattern: str) -> str | None:
        """Show only lines that fit; what is wrong with the pattern, if anything."""
        try:
            self._pattern = re.compile(pattern, re.IGNORECASE) if pattern else None
        except re.error as error:
            return f"not a regular expression: {error}"
        self._keep()
        return None

    def search(self, pattern: str) -> str | None:
        """Mark what fits and go to the newest such line; what is wrong, if anything."""
        try:
            self._search = re.compile(pattern, re.IGNORECASE) if pattern else None
        except re.error as error:
            return f"not a regular expression: {error}"
        return self.search_next(again=False) if pattern else None

    def search_next(self, again: bool = True) -> str | None:
        """Go to the next older line that fits, from the newest again behind the oldest."""
        if self._search is None:
            return "no search yet: press f"
        hits = [line.number for line in self._lines if self._search.search(_text(line))]
        if not hits:
            self.refresh()
            return "not found"
        older = [n for n in hits if self._last is None or n < self._last] if again else hits
        self._last = older[-1] if older else hits[-1]
        self.refresh()
        return None

    def toggle(self) -> None:
        """Pause where it stands, or follow again."""
        self._last = None if self._last is not None else (self._lines[-1].number if self._lines else None)
        self.refresh()

    def move_by(self, rows: int) -> None:
        """Move by rows; past the newest line it follows again."""
        if not self._lines:
            return
        numbers = [line.number for line in self._lines]
        at = len(numbers) - 1 if self._last is None else sum(n <= self._last for n in numbers) - 1
        at = max(0, at + rows)
        self._last = None if at >= len(numbers) else numbers[at]
        if rows > 0 and at >= len(numbers) - 1:
            self._last = None
        self.refresh()

    def _keep(self) -> None:
        fits = self._pattern
        self._lines = [line for line in self._all if fits is None or fits.search(_text(line))]
        self.refresh()

    @property
    def state(self) -> str:
        """Whether the log follows, and how many lines there are."""
        parts = ["following" if self._last is None else f"paused, {self._new} new"]
        if self._total > len(self._all):
            parts.append(f"{len(self._all):,} of {self._total:,} lines")
        if self._pattern is not None:
            parts.append(f"{len(self._lines):,} of {len(self._all):,} fit /{self.pattern}/")
        return ", ".join(parts)

    @property
    def day(self) -> str:
        """The date of the line where the log stands."""
        return format_date(self._lines[self._end - 1].time) if self._end else ""

    @property
    def page(self) -> int:
        """How many lines are seen but for one, which stays in sight when a page is turned."""
        return max(1, len({number for number, _ in self._rows()} - {None}) - 1)

    @property
    def _new(self) -> int:
        return sum(self._last is not None and line.number > self._last for line in self._lines)

    @property
    def _end(self) -> int:
        """How many lines there are up to the one where the log stands."""
        if self._last is None:
            return len(self._lines)
        return sum(line.number <= self._last for line in self._lines)

    def _rows(self) -> list[tuple[int | None, Text]]:
        """The rows that fit, each with its line: up from the current line, then down if there is room."""
        height, end = max(1, self.size.height), self._end
        rows: list[tuple[int | None, Text]] = []
        for at in range(end - 1, -1, -1):
            if len(rows) >= height:
                break
            rows = self._rows_of(at) + rows
        if len(rows) >= height:
            return rows[-height:]
        for at in range(end, min(len(self._lines), end + height - len(rows))):
            rows += self._rows_of(at)
        return rows[:height]

    def _rows_of(self, at: int) -> list[tuple[int | None, Text]]:
        """A line's rows; where a day begins its date stands above."""
        line, before = self._lines[at], self._lines[max(0, at - 1)]
        day = format_date(line.time)
        head = [] if day == format_date(before.time) else [(None, Text(day, style="dim"))]
        return [*head, *((line.number, row) for row in self._wrapped(line, max(20, self.size.width)))]

    def _wrapped(self, line: LogLine, width: int) -> list[Text]:
        row = Text(_text(line))
        row.stylize("dim", 0, 8)
        row.stylize(COLOURS.get(line.kind, ""), 9, 9 + len(line.kind))
        if self._search is not None:
            row.highlight_regex(self._search, "reverse")
        if line.kind == "step":
            return [row]
        first, *more = row.divide(_breaks(row.plain, width))
        rows = [first, *(Text(" " * INDENT).append_text(part) for part in more)]
        if line.kind in RULED and rows[-1].cell_len < width - 1:
            rows[-1].append(" " + "─" * (width - 1 - rows[-1].cell_len), style="dim")
        return rows

    def render(self) -> Text:
        rows = [row for _, row in self._rows()]
        if not rows:
            rows = [Text("no lines fit" if self._pattern else self._empty, style="dim")]
        return Text("\n", no_wrap=True, overflow="ellipsis").join(rows)


def _text(line: LogLine) -> str:
    return f"{format_clock(line.time)} {clean(line.kind):<10} {clean(line.text)}"


def _breaks(text: str, width: int) -> list[int]:
    """Where a text is broken into rows, at spaces if there are any."""
    at, room, found = 0, width, []
    while len(text) - at > room:
        space = text.rfind(" ", at, at + room + 1)
        at = space + 1 if space > at else at + room
        found.append(at)
        room = max(10, width - INDENT)
    return found
