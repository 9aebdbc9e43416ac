"""Runs: all runs with their state, to filter, sort, mark and open."""

from __future__ import annotations

from collections.abc import Callable

from rich.text import Text
from textual import work
from textual.app import ComposeResult, SuspendNotSupported
from textual.containers import Container
from textual.message import Message
from textual.widgets import Static

from polyctl.errors import PolyctlError
from polyctl.store.remove import remove_run
from polyctl.store.runs import Run
from polyctl.tui.actions import config_path, make_bindings
from polyctl.tui.editor import find_editor, show_copy
from polyctl.tui.format import clean
from polyctl.tui.panes.host import NO_FILES, NO_TERMINAL, Host
from polyctl.tui.panes.job_pane import JobPane
from polyctl.tui.panes.pane import BESIDE
from polyctl.tui.run_commands import evaluate_command, resume_command
from polyctl.tui.run_files import archive, write_note
from polyctl.tui.run_list import RunRow
from polyctl.tui.run_settings import list_settings, load_columns, save_columns
from polyctl.tui.screens.find import FindScreen
from polyctl.tui.views.run_columns import GROUP, Group, format_value
from polyctl.tui.views.runs import WIDTHS, RunsView, choose_columns, describe_run
from polyctl.tui.widgets.ask import Ask
from polyctl.tui.widgets.preview import RunPreview
from polyctl.tui.widgets.table import Table


class RunsPane(JobPane):
    """The table of runs."""

    BINDINGS = make_bindings("runs")

    class SettingsRead(Message):
        """The settings of the chosen columns have been read."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.view = RunsView()
        self._title = Text()
        self._of: tuple[object, ...] | None = None  # what `shown` was found for
        self._shown: list[RunRow] = []
        self._reading = False  # whether settings are being read
        self._read = 0  # how often they have been
        self._columns_file = config_path().with_name("tui_columns")
        self.view.choose_columns(load_columns(self._columns_file))

    def compose(self) -> ComposeResult:
        yield Static("", id="runs-title", markup=False)
        with Container(id="runs-both"):
            yield Table(id="runs-table")
            yield RunPreview(id="preview")
        yield Static("", id="runs-about", markup=False)
        yield Ask(id="runs-ask")

    def on_mount(self) -> None:
        self.redraw()

    def arrive(self) -> None:
        self.query_one(Table).focus()
        self.redraw()

    def on_resize(self) -> None:
        self.query_one("#runs-both").set_class(self.size.width >= BESIDE, "beside")
        self.redraw()

    @property
    def shown(self) -> list[RunRow]:
        """The rows that match the filter, sorted; found again only if something has changed."""
        of = (self.host.runs.rows, self.view.pattern, self.view.sort, self.view.reverse, self._read)
        if self._of is None or self._of[0] is not of[0] or self._of[1:] != of[1:]:
            self._of, self._shown = of, self.view.select(of[0])
        return self._shown

    def redraw(self) -> None:
        """Fill the table from the rows; a run that has gone is no longer marked."""
        runs = self.host.runs
        if runs.listed:
            self.view.drop_gone(runs.rows)
        shown = self.shown
        columns = choose_columns(shown, self.list_width, self.view.columns, self.view.settings.get)
        hidden = sorted({*self.view.columns} - {column.label for column in columns})
        told = f", no room for {', '.join(hidden)}" if hidden and shown else ""
        title = Text(self.view.describe(runs, len(shown)) + clean(told))
        if runs.rows and runs.problem is None:
            title.no_wrap, title.overflow = True, "ellipsis"
        if title != self._title:
            self._title = title
            self.query_one("#runs-title", Static).update(title)
        entries = self.view.list_entries(shown)

        def cells(at: int) -> list[Text | str]:
            entry = entries[at]
            if isinstance(entry, Group):
                return entry.format_cells(columns)
            return self.view.format_cells(entry, columns)

        keys = [one.key if isinstance(one, Group) else one.run.name for one in entries]
        self.query_one(Table).show(columns, keys, cells)
        self._describe()
        self._read_settings()

    def _read_settings(self) -> None:
        """Read the settings that are shown, if there are any that are not known."""
        runs, keys = [row.run for row in self.host.runs.rows], self.view.own_columns
        if not self._reading and self.view.settings.wants(runs, keys):
            self._reading = True
            self._read_them(runs, keys)

    @work(thread=True, group="settings", exit_on_error=False)
    def _read_them(self, runs: list[Run], keys: tuple[str, ...]) -> None:
        self.view.settings.read(runs, keys)
        self.post_message(self.SettingsRead())

    def on_runs_pane_settings_read(self) -> None:
        self._reading = False
        self._read += 1
        self.redraw()

    def on_table_highlighted(self) -> None:
        self._describe()

    def on_table_heading_clicked(self, event: Table.HeadingClicked) -> None:
        self.view.sort_by(event.label)
        self.redraw()

    def _describe(self) -> None:
        row = self.host.runs.find(self.query_one(Table).key)
        about = clean(describe_run(row)) if row else ""
        self.show_keys()
        self.query_one("#runs-about", Static).update(about, layout=False)
        if self.size.width >= BESIDE:
            self.query_one(RunPreview).show(row)

    def on_table_selected(self) -> None:
        if (experiment := self._group) is None:
            self.action_open()
        else:
            self.view.toggle_group(experiment)
            self.redraw()

    @property
    def _group(self) -> str | None:
        """The experiment whose heading is under the cursor."""
        key = self.query_one(Table).key or ""
        return key.removeprefix(GROUP) if key.startswith(GROUP) else None

    def action_group(self) -> None:
        self.view.grouped = not self.view.grouped
        self.redraw()

    def action_columns(self) -> None:
        row = self._row or next(iter(self.shown), None)
        metrics = (
            {} if row is None or row.summary is None else {**row.summary.step_metrics, **row.summary.metrics}
        )
        names = [(label, "") for label in WIDTHS if label not in ("*", "state", "run")]
        names += [(name, f"metric, {format_value(name, value)}") for name, value in sorted(metrics.items())]
        names += [(name, "setting") for name in list_settings()]
        now = self.view.columns or tuple(column.label for column in self.query_one(Table).columns[3:])

        def choose(chosen: list[str] | None) -> None:
            if chosen is not None:
                self.view.choose_columns(chosen)
                save_columns(self._columns_file, self.view.columns)
                self.redraw()

        title = "Columns, in the order in which they are marked; none: what there is room for"
        self.app.push_screen(FindScreen(title, names, now), choose)

    def action_open(self) -> None:
        key = self.query_one(Table).key
        names = self.view.marked or ([key] if key else [])
        if names:
            self.host.open_runs(names)

    def action_problems(self) -> None:
        if (row := self._row) is not None:
            self.host.open_problems(row.run.name)

    def action_mark(self) -> None:
        if (experiment := self._group) is not None:
            several = [row.run.name for row in self.shown if row.run.experiment == experiment]
            left = [name for name in several if name not in self.view.marked]
            for name in left or several:
                self.view.toggle_mark(name)
            self.redraw()
        elif (key := self.query_one(Table).key) is not None:
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

    def matters(self, action: str) -> bool:
        if action in ("stop", "resume", "evaluate"):
            row = self._row
            s = None if row is None else row.summary
            if row is None or s is None:
                return False
            works = s.state == "running" or s.evaluation is not None
            done = s.ended == "complete" or s.state == "running"
            return works if action == "stop" else row.has_model and (action == "evaluate" or not done)
        return bool(self.host.runs.rows)

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
            self._report(error)
        else:
            self.app.notify(f"{done}: {row.run.name}", markup=False)

    def _report(self, error: PolyctlError) -> None:
        text = f"{error.message}; {error.hint}" if error.hint else error.message
        self.app.notify(text, severity="error", markup=False)

    def action_resume(self) -> None:
        row = self._row
        if row is not None and row.summary is not None and row.summary.state == "running":
            self.app.notify(f"{row.run.name} is running", severity="warning", markup=False)
        elif row is not None:
            self._propose_for(lambda: resume_command(row.run, self.host.runs.root))

    def action_evaluate(self) -> None:
        if (row := self._row) is not None:
            self._propose_for(lambda: evaluate_command(row.run))

    def _propose_for(self, make_command: Callable[[], str]) -> None:
        """Propose a command, or say why there is none."""
        if not self.may_start():
            return
        try:
            command = make_command()
        except PolyctlError as error:
            self._report(error)
        else:
            self.propose(command)

    def action_settings(self) -> None:
        if (row := self._row) is None:
            return
        try:
            editor = find_editor()
            with self.app.suspend():
                changed = show_copy(row.run.config_path, editor)
        except SuspendNotSupported:
            self.app.notify(NO_TERMINAL, severity="warning", markup=False)
        except PolyctlError as error:
            self._report(error)
        else:
            if changed:
                self.app.notify(f"only a copy was changed: {row.run.name} keeps its settings", markup=False)

    def action_filter(self) -> None:
        self.query_one(Ask).ask("part of a name or a state", self.view.pattern, self._filter, self._filter)

    def _filter(self, pattern: str) -> None:
        self.view.pattern = pattern
        self.redraw()

    def action_stop(self) -> None:
        if (row := self._row) is not None:
            self.host.stop_job(row.run.name)
