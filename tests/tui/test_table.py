"""The table: its cursor, its lines, and how little of many rows it asks for."""

from rich.text import Text
from textual.app import App

from polyctl.tui.format import Column
from polyctl.tui.widgets.table import Table
from tests.tui.shared import drive, screen_text

COLUMNS = [Column("name", 8), Column("n", 3, right=True)]


class Holder(App):
    def __init__(self):
        super().__init__()
        self.asked: list[int] = []
        self.heard: list[str] = []

    def compose(self):
        yield Table(id="table")

    def cells(self, row):
        self.asked.append(row)
        return [f"row {row:,}", Text(str(row % 100))]

    def fill(self, count):
        self.query_one(Table).show(COLUMNS, [str(i) for i in range(count)], self.cells)

    def on_table_highlighted(self):
        self.heard.append(f"at {self.query_one(Table).key}")

    def on_table_selected(self):
        self.heard.append(f"chose {self.query_one(Table).key}")

    def on_table_heading_clicked(self, event):
        self.heard.append(f"heading {event.label}")


def test_only_rows_that_are_seen_are_asked_for():
    app = Holder()

    async def script(pilot):
        app.fill(100_000)
        await pilot.pause()
        assert set(app.asked) <= set(range(12))
        await pilot.press("G")
        await pilot.pause()
        assert len(set(app.asked)) < 40
        lines = screen_text(app).splitlines()
        assert lines[0].split() == ["name", "n"]
        assert lines[-1].split()[:3] == ["row", "99,…", "99"]
        app.asked.clear()
        await pilot.press("k")
        assert not app.asked, "a cursor that moves asks for nothing"

    drive(app, script, (40, 12))


def test_the_cursor_keeps_its_row_and_says_where_it_is():
    app = Holder()

    async def script(pilot):
        table = app.query_one(Table)
        table.focus()
        app.fill(5)
        await pilot.press("j", "j", "down", "up")
        assert table.key == "2"
        table.show(COLUMNS, ["9", "2", "0"], app.cells)
        assert (table.cursor_row, table.key) == (1, "2")
        table.show(COLUMNS, ["9"], app.cells)
        assert table.key == "9"
        table.clear()
        assert table.key is None
        app.fill(3)
        await pilot.press("end", "enter", "home")
        await pilot.pause()
        assert table.key == "0"
        assert app.heard[-3:] == ["at 2", "chose 2", "at 0"]

    drive(app, script, (40, 12))


def test_the_mouse_chooses_rows_and_columns():
    app = Holder()

    async def script(pilot):
        app.fill(50)
        await pilot.click(Table, offset=(3, 4))
        await pilot.click(Table, offset=(3, 4))
        await pilot.click(Table, offset=(12, 0))
        await pilot.click(Table, offset=(30, 0))
        await pilot.pause()
        assert app.heard == ["at 0", "at 3", "chose 3", "heading n"]

    drive(app, script, (40, 12))
