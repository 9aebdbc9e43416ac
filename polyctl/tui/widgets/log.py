"""The log of a run: it follows the newest line or stands still and counts what is new; filter and search."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.text import Text
from textual.widget import Widget

from polyctl.tui.history import LogLine
from polyctl.tui.words import clean, clock

COLOURS = {
    "error": "red",
    "broken": "red",
    "long": "yellow",
    "eval": "green",
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

    @property
    def following(self) -> bool:
        return self._last is None

    def show(self, lines: Sequence[LogLine]) -> None:
        """The lines there are now, oldest first."""
        if self._last is not None and lines and lines[-1].number < self._last:
            self._last = None  # another file
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
            return "nothing is searched: f"
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
        """How the log stands, in words."""
        said = "following" if self._last is None else f"paused, {self._new} new"
        if self._pattern is not None:
            said += f", {len(self._lines):,} of {len(self._all):,} fit /{self._pattern.pattern}/"
        return said

    @property
    def _new(self) -> int:
        return sum(self._last is not None and line.number > self._last for line in self._lines)

    def render(self) -> Text:
        height = max(1, self.size.height)
        lines = self._lines
        if self._last is not None:
            lines = lines[: max(sum(line.number <= self._last for line in lines), min(height, len(lines)))]
        text = Text(no_wrap=True, overflow="ellipsis")
        if not lines:
            text.append("no lines fit" if self._pattern else "nothing written yet", style="dim")
        for line in lines[-height:]:
            row = Text(_text(line) + "\n")
            row.stylize("dim", 0, 8)
            row.stylize(COLOURS.get(line.kind, ""), 9, 9 + len(line.kind))
            if self._search is not None:
                row.highlight_regex(self._search, "reverse")
            text.append_text(row)
        return text


def _text(line: LogLine) -> str:
    return f"{clock(line.time)} {clean(line.kind):<10} {clean(line.text)}"
