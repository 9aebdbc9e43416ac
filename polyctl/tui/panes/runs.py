"""Runs: all runs with their state, to filter, sort, mark and open."""

from __future__ import annotations

from collections.abc import Callable

from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import Static

from polyctl.errors import PolyctlError
from polyctl.store.remove import remove_run
from polyctl.tui.actions import make_bindings
from polyctl.tui.format import clean
from polyctl.tui.panes.host import NO_FILES, Host
from polyctl.tui.panes.pane import Pane
from polyctl.tui.run_files import archive, write_note
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
        self._title = Text()
        self._of: tuple[list[RunRow], str, str, bool] | None = None  # what `shown` was found for
        self._shown: list[RunRow] = []

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
        """The rows that match the filter, sorted; found again only if something has changed."""
        of = (self.host.runs.rows, self.view.pattern, self.view.sort, self.view.reverse)
        if self._of is None or self._of[0] is not of[0] or self._of[1:] != of[1:]:
            self._of, self._shown = of, self.view.select(of[0])
        return self._shown

    def redraw(self) -> None:
        """Fill the table from the rows; a run that has gone is no longer marked."""
        runs = self.host.runs
        if runs.listed:
            self.view.drop_gone(runs.rows)
        shown = self.shown
        title = Text(self.view.describe(runs, len(shown)))
        if runs.rows and runs.problem is None:
            title.no_wrap, title.overflow = True, "ellipsis"
        if title != self._title:
            self._title = title
            self.query_one("#runs-title", Static).update(title)
        columns = choose_columns(shown, self.size.width)
        self.query_one(Table).show(
            columns, [row.run.name for row in shown], lambda at: self.view.format_cells(shown[at], columns)
        )
        self._describe()

    def on_table_highlighted(self) -> None:
        self._describe()

    def on_table_heading_clicked(self, event: Table.HeadingClicked) -> None:
        self.view.sort_by(event.label)
        self.redraw()

    def _describe(self) -> None:
        row = self.host.runs.find(self.query_one(Table).key)
        about = clean(describe_run(row)) if row else ""
        self.query_one("#runs-about", Static).update(about, layout=False)

    def on_table_selected(self) -> None:
        self.action_open()

    def action_open(self) -> None:
        key = self.query_one(Table).key
        names = self.view.marked or ([key] if key else [])
        if names:
            self.host.open_runs(names)

    def action_problems(self) -> None:
        if (key := self.query_one(Table).key) is not None:
            self.host.open_problems(key)

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

    def action_reverse(self) -> None:
        self.view.reverse = not self.view.reverse
        self.redraw()

    def action_note(self) -> None:
        if (row := self._row) is not None:
            self.query_one(Ask).ask(
                f"note or tags for {row.run.name}",
                row.note,
                lambda text: self._change(row, "noted", lambda: write_note(row.run, text)),
            )

    def action_archive(self) -> None:
        if (row := self._row) is not None:
            root = self.host.runs.root
            self._ask_first(row, "archive", lambda: archive(row.run, root))

    def action_delete(self) -> None:
        if (row := self._row) is not None:
            self._ask_first(row, "delete", lambda: remove_run(row.run))

    @property
    def _row(self) -> RunRow | None:
        """The run under the cursor."""
        return self.host.runs.find(self.query_one(Table).key)

    def _ask_first(self, row: RunRow, word: str, change: Callable[[], object]) -> None:
        """Do it only for an answer `yes`."""

        def then(text: str) -> None:
            if text.strip().lower() == "yes":
                self._change(row, f"{word}d", change)
            else:
                self.app.notify(f"{row.run.name} stays", markup=False)

        self.query_one(Ask).ask(f"{word} {row.run.name}? type yes and press Enter", "", then)

    def _change(self, row: RunRow, done: str, change: Callable[[], object]) -> None:
        if not self.host.allows_jobs:
            self.app.notify(NO_FILES, severity="warning", markup=False)
            return
        try:
            change()
        except PolyctlError as error:
            self.app.notify(f"{error.message}; {error.hint}", severity="error", markup=False)
        else:
            self.app.notify(f"{done}: {row.run.name}", markup=False)

    def action_filter(self) -> None:
        self.query_one(Ask).ask("part of a name or a state", self.view.pattern, self._filter, self._filter)

    def _filter(self, pattern: str) -> None:
        self.view.pattern = pattern
        self.redraw()

    def action_stop(self) -> None:
        key = self.query_one(Table).key
        if key is not None:
            self.host.stop_job(key)
