"""A table whose cells are text and never markup, with vim keys; refilled, it keeps its place."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text
from textual.coordinate import Coordinate
from textual.widgets import DataTable

from polyctl.tui.actions import make_bindings
from polyctl.tui.format import clean


class Table(DataTable[Text]):
    """A DataTable with rows as cursor; `fill` replaces all rows and keeps the cursor on the same key."""

    BINDINGS = make_bindings("table")

    def __init__(self, **more: str) -> None:
        super().__init__(cursor_type="row", zebra_stripes=False, **more)  # type: ignore[arg-type]

    @property
    def key(self) -> str | None:
        """The key of the row under the cursor."""
        if not 0 <= self.cursor_row < self.row_count:
            return None
        return self.coordinate_to_cell_key(self.cursor_coordinate).row_key.value

    def set_columns(self, labels: Sequence[str]) -> None:
        """Set the columns."""
        if [str(c.label) for c in self.ordered_columns] != list(labels):
            self.clear(columns=True)
            for label in labels:
                self.add_column(Text(label), key=label, width=cell_len(label))

    def fill(self, rows: Sequence[tuple[str, Sequence[Text | str]]]) -> None:
        """Show these (key, cells); if the keys are the same, only what differs is changed."""
        texts = [(k, [c if isinstance(c, Text) else Text(clean(c)) for c in cells]) for k, cells in rows]
        # DataTable measures columns when it is idle, and by then may have drawn, and kept, cells cut off.
        for at, column in enumerate(self.ordered_columns):
            column.width = max([column.label.cell_len, *(cells[at].cell_len for _, cells in texts)])
        if [k for k, _ in texts] == [key.value for key in self.rows]:
            for row, (_, cells) in enumerate(texts):
                for at, cell in enumerate(cells):
                    if self.get_cell_at(Coordinate(row, at)) != cell:
                        self.update_cell_at(Coordinate(row, at), cell, update_width=True)
            return
        kept, place = self.key, self.cursor_row
        self.clear()
        for key, cells in texts:
            self.add_row(*cells, key=key)
        names = [k for k, _ in texts]
        if names:
            self.move_cursor(row=names.index(kept) if kept in names else min(place, len(names) - 1))
