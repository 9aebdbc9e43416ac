"""A table that draws only the rows that are seen, so that it costs the same for any number of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.events import Click, Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from polyctl.tui.actions import make_bindings
from polyctl.tui.format import Column, clean

Cell = Text | str
Cells = Callable[[int], Sequence[Cell]]  # of the row with that number


class Table(ScrollView):
    """Rows with a cursor, one line each below the headings; refilled, the cursor keeps its row's key.

    Cells are text and never markup. Enter or a second click chooses a row, a click on a heading its column.
    """

    can_focus = True
    COMPONENT_CLASSES: ClassVar[set[str]] = {"table--header", "table--cursor", "table--blurred"}
    DEFAULT_CSS = """
    Table { overflow-x: hidden; overflow-y: auto; }
    Table > .table--header { text-style: bold; color: $text-muted; }
    Table > .table--cursor { background: $block-cursor-background; color: $block-cursor-foreground; }
    Table > .table--blurred { background: $surface-lighten-1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", show=False),
        Binding("up", "cursor_up", show=False),
        Binding("down", "cursor_down", show=False),
        Binding("pageup", "page_up", show=False),
        Binding("pagedown", "page_down", show=False),
        Binding("home", "scroll_top", show=False),
        Binding("end", "scroll_bottom", show=False),
        *make_bindings("table"),
    ]

    class Highlighted(Message):
        """The cursor has come to another row."""

    class Selected(Message):
        """The row under the cursor was chosen."""

    class HeadingClicked(Message):
        """A heading was clicked."""

        def __init__(self, label: str) -> None:
            super().__init__()
            self.label = label

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.columns: Sequence[Column] = ()
        self.keys: list[str] = []
        self.cursor_row = 0
        self._cells: Cells = lambda row: ()
        self._drawn: dict[int, Sequence[Cell]] = {}

    @property
    def row_count(self) -> int:
        return len(self.keys)

    @property
    def key(self) -> str | None:
        """The key of the row under the cursor."""
        return self.key_at(self.cursor_row)

    def show(self, columns: Sequence[Column], keys: Sequence[str], cells: Cells) -> None:
        """Show a row for each of these keys; `cells` is asked for the rows that are seen.

        Only lines that differ from what is shown are drawn again.
        """
        kept, same = self.key, columns == self.columns
        self.columns, self.keys, self._cells = columns, list(keys), cells
        if kept is not None and kept != self.key_at(self.cursor_row) and kept in self.keys:
            self.cursor_row = self.keys.index(kept)
        self.virtual_size = Size(0, len(self.keys) + 1)
        self._move(self.cursor_row, before=kept)
        drawn, self._drawn = self._drawn, {}
        if not same:
            self.refresh()
            return
        top = int(self.scroll_offset.y)
        for row in range(top, top + self.size.height - 1):
            if self._cells_at(row) != drawn.get(row):
                self._refresh_row(row)

    def key_at(self, row: int) -> str | None:
        """The key of that row, if there is one."""
        return self.keys[row] if 0 <= row < len(self.keys) else None

    def _cells_at(self, row: int) -> Sequence[Cell] | None:
        """The cells of a row as they are drawn, remembered until the next `show`."""
        if not 0 <= row < len(self.keys):
            return None
        if row not in self._drawn:
            self._drawn[row] = self._cells(row)
        return self._drawn[row]

    def _refresh_row(self, row: int) -> None:
        self.refresh(Region(0, row + 1 - int(self.scroll_offset.y), self.size.width, 1))

    def fill(self, labels: Sequence[str], rows: Sequence[tuple[str, Sequence[Cell]]]) -> None:
        """Show these (key, cells), the columns as wide as their widest cell."""
        columns = [
            Column(label, max([cell_len(label), *(_length(cells[at]) for _, cells in rows)]))
            for at, label in enumerate(labels)
        ]
        self.show(columns, [key for key, _ in rows], lambda row: rows[row][1])

    def clear(self) -> None:
        """Remove all rows; the cursor goes to the first one that comes."""
        self.cursor_row = 0
        self.show(self.columns, [], self._cells)

    def move_cursor(self, row: int) -> None:
        """Go to that row, or to the nearest there is."""
        self._move(row, before=self.key)

    def _move(self, row: int, before: str | None) -> None:
        old, self.cursor_row = self.cursor_row, max(0, min(row, len(self.keys) - 1))
        height = max(1, self.size.height - 1)
        if not self.scroll_offset.y <= self.cursor_row < self.scroll_offset.y + height:
            top = self.cursor_row if self.cursor_row < self.scroll_offset.y else self.cursor_row - height + 1
            self.scroll_to(y=top, animate=False, immediate=True)
        for changed in {old, self.cursor_row} if old != self.cursor_row else ():
            self._refresh_row(changed)
        if self.key != before:
            self.post_message(self.Highlighted())

    # -- drawing

    def on_resize(self, event: Resize) -> None:
        self._move(self.cursor_row, before=self.key)

    def render_line(self, y: int) -> Strip:
        width, base = self.size.width, self.rich_style
        if y == 0:
            labels = [column.label for column in self.columns]
            return self._draw(labels, self.get_component_rich_style("table--header"), width)
        row = y - 1 + int(self.scroll_offset.y)
        cells = self._cells_at(row)
        if cells is None:
            return Strip.blank(width, base)
        style = base
        if row == self.cursor_row:
            name = "table--cursor" if self.has_focus else "table--blurred"
            style = self.get_component_rich_style(name)
        return self._draw(cells, style, width, plain=row == self.cursor_row and self.has_focus)

    def _draw(self, cells: Sequence[Cell], style: Style, width: int, plain: bool = False) -> Strip:
        """A line of cells; where the cursor's colours stand, cells keep no colours of their own."""
        segments: list[Segment] = []
        for cell, column in zip(cells, self.columns, strict=False):
            text = cell.plain if isinstance(cell, Text) else clean(cell)
            own = style
            if isinstance(cell, Text) and cell.style and not plain:
                own = style + self.app.console.get_style(cell.style)
            length = cell_len(text)
            if length > column.width:
                text = set_cell_size(text, column.width - 1) + "…"
            elif column.right:
                text = " " * (column.width - length) + text
            else:
                text += " " * (column.width - length)
            segments.append(Segment(f" {text} ", own))
        return Strip(segments).adjust_cell_length(width, style)

    # -- keys and mouse

    def action_select(self) -> None:
        if self.keys:
            self.post_message(self.Selected())

    def action_cursor_down(self) -> None:
        self.move_cursor(self.cursor_row + 1)

    def action_cursor_up(self) -> None:
        self.move_cursor(self.cursor_row - 1)

    def action_page_down(self) -> None:
        self.move_cursor(self.cursor_row + max(1, self.size.height - 2))

    def action_page_up(self) -> None:
        self.move_cursor(self.cursor_row - max(1, self.size.height - 2))

    def action_scroll_top(self) -> None:
        self.move_cursor(0)

    def action_scroll_bottom(self) -> None:
        self.move_cursor(len(self.keys) - 1)

    def on_click(self, event: Click) -> None:
        if event.y == 0:
            at = 0
            for column in self.columns:
                at += column.width + 2
                if event.x < at:
                    self.post_message(self.HeadingClicked(column.label))
                    return
            return
        row = event.y - 1 + int(self.scroll_offset.y)
        if row < len(self.keys):
            if row == self.cursor_row:
                self.action_select()
            else:
                self.move_cursor(row)


def _length(cell: Cell) -> int:
    return cell.cell_len if isinstance(cell, Text) else cell_len(clean(cell))
