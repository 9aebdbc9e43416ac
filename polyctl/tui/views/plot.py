"""A line plot in braille: minimum and maximum per column, gaps, a log axis, several runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from polyctl.formatting import format_number, format_percent
from polyctl.tui.series import Column, Point, columns, smooth
from polyctl.tui.views.axis import log_ticks, ticks, widen, x_labels

COLOURS = ("cyan", "yellow", "magenta", "green", "blue", "red")
DASHES = ((1, 0), (5, 3), (2, 2), (9, 2))  # columns of dots that are drawn and left out
SAMPLES = ("━━━", "╍╍╍", "┅┅┅", "━╍━")  # of the same
LETTERS = "abcdefghijklmnopqrstuvwxyz"
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
GUTTER = 9
CHECKPOINT, RESUMED = "┊", "╏"
GRID = 3  # columns from dot to dot
SPARSE = 8  # columns a mark from which on checkpoints are lines, otherwise ticks


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
    run: int | None = None  # whose colour it has, if several runs are compared

    @property
    def now(self) -> float | None:
        """The newest value."""
        last = next((p.last for p in reversed(self.points) if p.last is not None), None)
        return last if self.newest is None else self.newest

    def at(self, x: float) -> float | None:
        """The last value that was measured up to a place of the axis."""
        return next((p.last for p in reversed(self.points) if p.first_x <= x and p.last is not None), None)


@dataclass(frozen=True)
class Mark:
    """A place of the axis where a checkpoint was written, or from which a training was resumed."""

    x: float
    resumed: bool = False
    run: int | None = None  # whose colour it has, if several runs are compared


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
    unit: str = "step"  # of the x axis: step, time (in seconds) or problems
    cursor: float | None = None  # a place on that axis at which values are read
    marks: tuple[Mark, ...] = ()


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
    shares = all(line.percent for line in known)
    low, high = widen(min(c.low for c in shown), max(c.high for c in shown), shares and not view.log)
    text = _draw_legend(known, width, max(1, height // 4), view.cursor)
    rows = height - 1 - text.plain.count("\n")
    canvas = _Canvas(cells, rows, [_colour(line, index) for index, line in enumerate(known)])
    canvas.dashes = [DASHES[(line.run or 0) % len(DASHES)] for line in known]
    if view.cursor is not None and first <= view.cursor <= last:
        canvas.cursor = min(cells - 1, int((view.cursor - first) / ((last - first) or 1.0) * cells))
    canvas.mark(view.marks, first, last)
    if view.smoothing:
        for index, line in enumerate(known):
            if line.smoothed and line.joined:
                raw = columns(line.points, cells * 2, first, last, view.log)
                canvas.line(_within(raw, low, high), low, high, index, lettered=False, faint=True)
    for index, drawn in enumerate(reduced):
        if known[index].joined:
            canvas.line(drawn, low, high, index, lettered=len(known) > 1)
        else:
            canvas.points(drawn, low, high, index)
    labels = _label_rows(low, high, rows, view.log, shares)
    canvas.grid = frozenset(labels)
    for row in range(rows):
        label = labels.get(row)
        text.append(f"{label or '':>{GUTTER - 2}} {'│' if label is None else '┤'}", style="dim")
        canvas.append_row(text, row)
        text.append("\n")
    text.append(f"{view.unit:<{GUTTER}}{x_labels(first, last, view.unit, cells)}", style="dim")
    return text


def _colour(line: Line, index: int) -> str:
    """A run's own colour if several are compared, else the line's."""
    return COLOURS[(index if line.run is None else line.run) % len(COLOURS)]


def _within(reduced: list[Column | None], low: float, high: float) -> list[Column | None]:
    """The columns cut to a range, which that of a smoothed line may be."""

    def cut(value: float) -> float:
        return min(max(value, low), high)

    return [c and Column(cut(c.low), cut(c.high), cut(c.first), cut(c.last), c.gap) for c in reduced]


def _label_rows(low: float, high: float, rows: int, log: bool, shares: bool) -> dict[int, str]:
    """The rows that have a label, a round number each."""
    found: dict[int, str] = {}
    most = max(2, rows // 2 if rows < 12 else rows // 3)
    for value in log_ticks(low, high, most) if log else ticks(low, high, most):
        row = round((high - value) / (high - low) * (rows * 4 - 1)) // 4
        found.setdefault(row, _format_label(10**value if log else value, shares))
    return found


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
        return f"{100 * value:g}%" if abs(100 * value - round(100 * value)) < 1e-9 else format_percent(value)
    room = GUTTER - 2
    return next(
        (text for digits in (4, 3, 2) if len(text := format_number(value, digits)) <= room),
        format_number(value, 1),
    )


def _draw_legend(lines: Sequence[Line], width: int, rows: int, cursor: float | None) -> Text:
    """Letters, labels and values in at most so many rows; values only if there is room for all.

    They are the newest ones, or those at the cursor.
    """
    short = [f"{LETTERS[i % 26]} {line.label}" for i, line in enumerate(lines)]
    values = [line.now if cursor is None else line.at(cursor) for line in lines]
    full = [
        f"{label} {format_percent(value) if line.percent else format_number(value)}"
        for label, line, value in zip(short, lines, values, strict=True)
    ]
    packed = _pack(full, width)
    packed = packed if len(packed) <= rows else _pack(short, width)
    colours = [_colour(line, index) for index, line in enumerate(lines)]
    text, index = Text(no_wrap=True, overflow="crop"), 0
    for row in packed[:rows]:
        items = Text()
        for item in row:
            items.append(f"{item}  ", style=colours[index])
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

    def __init__(self, cells: int, rows: int, colours: Sequence[str]) -> None:
        self.cells, self.rows, self.colours = cells, rows, colours
        self.bits = [[0] * cells for _ in range(rows)]
        self.faint = [[False] * cells for _ in range(rows)]
        self.owner = [[0] * cells for _ in range(rows)]
        self.marks: dict[tuple[int, int], int] = {}  # where a line's letter stands
        self.dashes: Sequence[tuple[int, int]] = [DASHES[0]] * len(colours)  # of each line
        self.cursor: int | None = None  # its column of cells
        self.behind: dict[int, tuple[str, str]] = {}  # columns with a mark: what stands there, and its style
        self.ticks: set[int] = set()  # those of them that are marked only in the lowest row
        self.grid: frozenset[int] = frozenset()  # rows with a label

    def mark(self, marks: Sequence[Mark], first: float, last: float) -> None:
        """Lines behind everything else; only ticks where checkpoints are too many for lines."""
        for one in sorted(marks, key=lambda mark: mark.resumed):
            if first <= one.x <= last:
                at = min(self.cells - 1, int((one.x - first) / ((last - first) or 1.0) * self.cells))
                colour = "" if one.run is None else COLOURS[one.run % len(COLOURS)]
                self.behind[at] = (RESUMED if one.resumed else CHECKPOINT, f"dim {colour}".strip())
        saved = {at for at, (sign, _) in self.behind.items() if sign == CHECKPOINT}
        self.ticks = saved if len(saved) * SPARSE > self.cells else set()

    def line(
        self,
        reduced: Sequence[Column | None],
        low: float,
        high: float,
        index: int,
        lettered: bool,
        faint: bool = False,
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
                self._join((before[0], dot(before[1].last)), (at, dot(column.first)), index, faint)
            x = self._drawn(at, index)
            for y in range(dot(column.high), dot(column.low) + 1):
                self._set(x, y, index, faint)
            before = (at, column)
        alone = sum(column is not None for column in reduced) == 1
        if before is not None and (lettered or (alone and not faint)):
            self.marks[(dot(before[1].last) // 4, before[0] // 2)] = index

    def points(self, reduced: Sequence[Column | None], low: float, high: float, index: int) -> None:
        """A letter at the smallest and at the largest value of each column."""
        for at, column in enumerate(reduced):
            for value in () if column is None else (column.low, column.high):
                row = round((high - value) / (high - low) * (self.rows * 4 - 1)) // 4
                self.marks[(row, at // 2)] = index

    def _join(self, start: tuple[int, int], end: tuple[int, int], index: int, faint: bool) -> None:
        (x0, y0), (x1, y1) = start, end
        for x in range(x0, x1 + 1):
            a = y0 + (y1 - y0) * (x - x0 - 0.5) / (x1 - x0)
            b = y0 + (y1 - y0) * (x - x0 + 0.5) / (x1 - x0)
            bounds = (min(y0, y1), max(y0, y1))
            low, high = (min(max(round(v), bounds[0]), bounds[1]) for v in (min(a, b), max(a, b)))
            drawn = self._drawn(x, index)
            for y in range(low, high + 1):
                self._set(drawn, y, index, faint)

    def _drawn(self, x: int, index: int) -> int:
        """The column of dots itself, or in a gap between dashes the last one drawn: so no spike is lost."""
        drawn, left_out = self.dashes[index]
        return x - max(0, x % (drawn + left_out) - drawn + 1) if left_out else x

    def _set(self, x: int, y: int, index: int, faint: bool) -> None:
        row, cell = y // 4, x // 2
        self.bits[row][cell] |= DOTS[y % 4][x % 2]
        self.owner[row][cell] = index
        self.faint[row][cell] = faint

    def append_row(self, text: Text, row: int) -> None:
        """One row of cells; neighbours of one style are appended together, as each piece costs time."""
        piece, style = "", ""
        for cell in range(self.cells):
            character, own = self._cell(row, cell)
            if own != style and (character != " " or style == "reverse"):
                text.append(piece, style=style)
                piece, style = "", own
            piece += character
        text.append(piece, style=style)

    def _cell(self, row: int, cell: int) -> tuple[str, str]:
        """What stands in a cell, and its style."""
        if (mark := self.marks.get((row, cell))) is not None:
            return LETTERS[mark % 26], f"bold {self.colours[mark]}"
        bits = self.bits[row][cell]
        if cell == self.cursor:
            return (chr(0x2800 + bits), "reverse") if bits else ("│", "bold")
        if bits:
            colour = self.colours[self.owner[row][cell]]
            return chr(0x2800 + bits), f"dim {colour}" if self.faint[row][cell] else colour
        if cell in self.behind and (cell not in self.ticks or row == self.rows - 1):
            return self.behind[cell]
        return ("·", "dim") if row in self.grid and cell % GRID == GRID - 1 else (" ", "")
