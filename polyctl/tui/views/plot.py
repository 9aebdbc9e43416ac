"""A line plot in braille: minimum and maximum per column, gaps, a log axis, several runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from polyctl.formatting import format_number, format_percent
from polyctl.tui.series import Column, Point, columns, smooth

COLOURS = ("cyan", "yellow", "magenta", "green", "blue", "red")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
GUTTER = 9


@dataclass(frozen=True)
class Line:
    """One line of a plot; its letter stands at its end, so that colour is not needed to tell lines apart.

    Only what each step measures is `smoothed`. What is not `joined` are lone points, each with the letter.
    """

    label: str
    points: Sequence[Point]
    smoothed: bool = True
    joined: bool = True
    percent: bool = False
    newest: float | None = None  # if that is not the value of the last point

    @property
    def now(self) -> float | None:
        """The newest value."""
        last = next((p.last for p in reversed(self.points) if p.last is not None), None)
        return last if self.newest is None else self.newest


@dataclass(frozen=True)
class PlotView:
    """What is drawn and how: `window` is a part, in fractions, of `steps`, by default of all there are.

    `empty` is shown if there is nothing to draw.
    """

    log: bool = False
    smoothing: float = 0.0
    window: tuple[float, float] = (0.0, 1.0)
    steps: tuple[float, float] | None = None
    empty: str = "nothing measured yet"


def draw_plot(lines: Sequence[Line], view: PlotView, width: int, height: int) -> Text:
    """The plot as text of `width` by `height` cells."""
    cells = width - GUTTER
    known = [line for line in lines if any(p.last is not None for p in line.points)]
    if cells < 4 or height < 3:
        return Text("")
    if not known:
        return Text(view.empty, style="dim")
    first, last = _find_range(known, view)
    reduced = [
        columns(
            smooth(list(line.points), view.smoothing if line.smoothed else 0),
            cells * 2,
            first,
            last,
            view.log,
        )
        for line in known
    ]
    shown = [c for line in reduced for c in line if c is not None]
    if not shown:
        return Text(_explain_nothing(known, first, last), style="dim")
    low, high = min(c.low for c in shown), max(c.high for c in shown)
    if high - low < 1e-12 * max(1.0, abs(high)):
        low, high = low - 0.1 * (abs(low) or 1), high + 0.1 * (abs(high) or 1)
    text = _draw_legend(known, width, max(1, height // 4))
    rows = height - 1 - text.plain.count("\n")
    canvas = _Canvas(cells, rows)
    for index, line in enumerate(reduced):
        if known[index].joined:
            canvas.line(line, low, high, index, lettered=len(known) > 1)
        else:
            canvas.points(line, low, high, index)
    shares = all(line.percent for line in known)
    for row in range(rows):
        share = 1 - row / max(rows - 1, 1)
        value = low + (high - low) * share
        marked = row in (0, rows - 1) or (rows > 6 and row == (rows - 1) // 2)
        label = _format_label(10**value if view.log else value, shares) if marked else ""
        text.append(f"{label:>{GUTTER - 2}} ┤" if marked else f"{'':>{GUTTER - 2}} │", style="dim")
        canvas.append_row(text, row)
        text.append("\n")
    left, right = f"{first:,.0f}", f"step {last:,.0f}"
    text.append(f"{'':>{GUTTER}}{left}{right:>{max(cells - len(left), 0)}}", style="dim")
    return text


def _explain_nothing(lines: Sequence[Line], first: float, last: float) -> str:
    """Why no column holds a value."""
    here = [p for line in lines for p in line.points if first <= p.x <= last and p.low is not None]
    return "nothing above 0 here, as a log axis needs" if here else "nothing measured at these steps"


def _find_range(lines: Sequence[Line], view: PlotView) -> tuple[float, float]:
    xs = [x for line in lines for p in line.points for x in (p.first_x, p.x)]
    first, last = view.steps or (min(xs), max(xs))
    span = last - first
    return first + view.window[0] * span, first + view.window[1] * span


def _format_label(value: float, share: bool) -> str:
    """A value that fits beside the axis."""
    if share:
        return format_percent(value)
    room = GUTTER - 2
    return next(
        (text for digits in (4, 3, 2) if len(text := format_number(value, digits)) <= room),
        format_number(value, 1),
    )


def _draw_legend(lines: Sequence[Line], width: int, rows: int) -> Text:
    """Letters, labels and newest values in at most so many rows; values only if there is room for all."""
    short = [f"{LETTERS[i % 26]} {line.label}" for i, line in enumerate(lines)]
    full = [
        f"{label} {format_percent(line.now) if line.percent else format_number(line.now)}"
        for label, line in zip(short, lines, strict=True)
    ]
    packed = _pack(full, width)
    packed = packed if len(packed) <= rows else _pack(short, width)
    text, index = Text(no_wrap=True, overflow="crop"), 0
    for row in packed[:rows]:
        items = Text()
        for item in row:
            items.append(f"{item}  ", style=COLOURS[index % len(COLOURS)])
            index += 1
        items.truncate(width)
        text.append_text(items)
        text.append("\n")
    return text


def _pack(items: Sequence[str], width: int) -> list[list[str]]:
    """The items in rows of at most that width, two spaces between them."""
    rows: list[list[str]] = []
    for item in items:
        if rows and sum(len(i) + 2 for i in rows[-1]) + len(item) <= width:
            rows[-1].append(item)
        else:
            rows.append([item])
    return rows


class _Canvas:
    """Cells of two by four dots."""

    def __init__(self, cells: int, rows: int) -> None:
        self.cells, self.rows = cells, rows
        self.bits = [[0] * cells for _ in range(rows)]
        self.owner = [[0] * cells for _ in range(rows)]
        self.marks: dict[tuple[int, int], int] = {}  # where a line's letter stands

    def line(
        self, reduced: Sequence[Column | None], low: float, high: float, index: int, lettered: bool
    ) -> None:
        """Each column from its minimum to its maximum, joined to the one before unless a gap is between.

        At its end stands its letter if it is `lettered`, or a lone point that one would not see.
        """
        top = self.rows * 4 - 1

        def dot(value: float) -> int:
            return round((high - value) / (high - low) * top)

        before: tuple[int, Column] | None = None
        for at, column in enumerate(reduced):
            if column is None:
                continue
            if before is not None and not column.gap:
                self._join(before[0], dot(before[1].last), at, dot(column.first), index)
            for y in range(dot(column.high), dot(column.low) + 1):
                self._set(at, y, index)
            before = (at, column)
        alone = sum(column is not None for column in reduced) == 1
        if before is not None and (lettered or alone):
            self.marks[(dot(before[1].last) // 4, before[0] // 2)] = index

    def points(self, reduced: Sequence[Column | None], low: float, high: float, index: int) -> None:
        """A letter at the smallest and at the largest value of each column."""
        for at, column in enumerate(reduced):
            for value in () if column is None else (column.low, column.high):
                row = round((high - value) / (high - low) * (self.rows * 4 - 1)) // 4
                self.marks[(row, at // 2)] = index

    def _join(self, x0: int, y0: int, x1: int, y1: int, index: int) -> None:
        for x in range(x0, x1 + 1):
            a = y0 + (y1 - y0) * (x - x0 - 0.5) / (x1 - x0)
            b = y0 + (y1 - y0) * (x - x0 + 0.5) / (x1 - x0)
            bounds = (min(y0, y1), max(y0, y1))
            low, high = (min(max(round(v), bounds[0]), bounds[1]) for v in (min(a, b), max(a, b)))
            for y in range(low, high + 1):
                self._set(x, y, index)

    def _set(self, x: int, y: int, index: int) -> None:
        row, cell = y // 4, x // 2
        self.bits[row][cell] |= DOTS[y % 4][x % 2]
        self.owner[row][cell] = index

    def append_row(self, text: Text, row: int) -> None:
        """One row of cells."""
        for cell in range(self.cells):
            mark = self.marks.get((row, cell))
            bits = self.bits[row][cell]
            colour = COLOURS[(self.owner[row][cell] if mark is None else mark) % len(COLOURS)]
            if mark is not None:
                text.append(LETTERS[mark % 26], style=f"bold {colour}")
            else:
                text.append(chr(0x2800 + bits) if bits else " ", style=colour if bits else "")
