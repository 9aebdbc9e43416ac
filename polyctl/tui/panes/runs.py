"""Runs: all runs with their state, to filter, sort, mark and open."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import DataTable, Static

from polyctl.tui.actions import make_bindings
from polyctl.tui.format import clean
from polyctl.tui.panes.host import Host
from polyctl.tui.panes.pane import Pane
from polyctl.tui.run_list import RunRow
from polyctl.tui.views.runs import RunsView, choose_columns, describe_run
from polyctl.tui.widgets.ask import Ask
from polyctl.tui.widgets.table import Table


class RunsPane(Pane):
    """The table of runs."""

    BINDINGS = make_bindings("runs")

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.view = RunsView()

    def compose(self) -> ComposeResult:
        yield Static("", id="runs-title", markup=False)
        yield Table(id="runs-table")
        yield Static("", id="runs-about", markup=False)
        yield Ask(id="runs-ask")

    def on_mount(self) -> None:
        self.redraw()

    def arrive(self) -> None:
        self.query_one(Table).focus()
        self.redraw()

    def on_resize(self) -> None:
        self.redraw()

    @property
    def shown(self) -> list[RunRow]:
        """The rows that match the filter, sorted."""
        return self.view.select(self.host.runs.rows)

    def redraw(self) -> None:
        """Fill the table from the rows; a run that has gone is no longer marked."""
        runs = self.host.runs
        if runs.listed:
            self.view.drop_gone(runs.rows)
        title = Text(self.view.describe(runs))
        if runs.rows and runs.problem is None:
            title.no_wrap, title.overflow = True, "ellipsis"
        self.query_one("#runs-title", Static).update(title)
        table, labels, shown = self.query_one(Table), choose_columns(self.size.width), self.shown
        table.set_columns(labels)
        cells = self.view.format_rows(shown, labels, self.size.width)
        table.fill([(row.run.name, some) for row, some in zip(shown, cells, strict=True)])
        self._describe()

    def on_data_table_row_highlighted(self) -> None:
        self._describe()

    def _describe(self) -> None:
        row = self.host.runs.find(self.query_one(Table).key)
        self.query_one("#runs-about", Static).update(clean(describe_run(row)) if row else "")

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        event.stop()
        self.action_open()

    def action_open(self) -> None:
        key = self.query_one(Table).key
        names = self.view.marked or ([key] if key else [])
        if names:
            self.host.open_runs(names)

    def action_mark(self) -> None:
        key = self.query_one(Table).key
        if key is not None:
            self.view.toggle_mark(key)
            self.redraw()

    def action_unmark(self) -> None:
        self.view.marked = []
        self.redraw()

    def action_sort(self) -> None:
        self.view.next_sort()
        self.redraw()

    def action_filter(self) -> None:
        self.query_one(Ask).ask("part of a name or a state", self.view.pattern, self._filter, self._filter)

    def _filter(self, pattern: str) -> None:
        self.view.pattern = pattern
        self.redraw()

    def action_stop(self) -> None:
        key = self.query_one(Table).key
        if key is not None:
            self.host.stop_job(key)
