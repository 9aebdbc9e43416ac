"""The application: tabs, the threads that watch files, and the process that solves."""

from __future__ import annotations

import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.message import Message
from textual.widgets import Footer, TabbedContent, TabPane

from polyctl.store.runs import SILENT_SECONDS, Run, list_runs, runs_root
from polyctl.tui import launch
from polyctl.tui.actions import TABS, Action, bindings, keys_of, of
from polyctl.tui.panes.beam import BeamPane
from polyctl.tui.panes.decompose import DecomposePane
from polyctl.tui.panes.experiments import ExperimentsPane
from polyctl.tui.panes.pane import Pane
from polyctl.tui.panes.run import RunPane
from polyctl.tui.panes.runs import Row, RunsPane, summarise
from polyctl.tui.run_log import History
from polyctl.tui.screens.help import HelpScreen
from polyctl.tui.solver_client import Solver

REDRAW_SECONDS = 0.5
LIST_SECONDS = 2.0
SLOW_FACTOR = 20  # a summary that took a second is made again after twenty
THEMES = ("textual-dark", "textual-light", "ansi-dark")
PANES: dict[str, tuple[str, type[Pane]]] = {
    "decompose": ("Decompose", DecomposePane),
    "runs": ("Runs", RunsPane),
    "run": ("Run", RunPane),
    "beam": ("Beam", BeamPane),
    "experiments": ("Experiments", ExperimentsPane),
}


class ActionCommands(Provider):
    """The command palette: every action of the tab that is seen, and those of everywhere."""

    def _found(self) -> list[tuple[Action, Any, str]]:
        """(action, how to run it, words for it)."""
        app = self.app
        assert isinstance(app, Dashboard)
        everywhere: list[tuple[Action, Pane | Dashboard]] = [
            (a, app) for a in of("app") if "palette" not in a.name
        ]
        return [
            (a, partial(app.run_action, a.name, where), f"{a.help}  {keys_of(a, app.keys)}")
            for a, where in [*((a, app.pane(app.place)) for a in of(app.place)), *everywhere]
        ]

    async def discover(self) -> Hits:
        for action, run, words in self._found():
            yield DiscoveryHit(action.word, run, help=words)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for action, run, words in self._found():
            score = matcher.match(f"{action.word} {action.help}")
            if score > 0:
                yield Hit(score, matcher.highlight(action.word), run, help=words)


class Dashboard(App[None]):
    """polyctl tui. Threads read files and post messages; only handlers touch widgets."""

    TITLE = "polyctl"
    CSS_PATH = "polyctl.tcss"
    # Ctrl-Q leaves from a dialogue, too, whatever has the focus
    BINDINGS = [Binding("ctrl+q", "quit", "Quit", priority=True), *bindings("app")]  # noqa: RUF012
    COMMANDS = {ActionCommands}  # noqa: RUF012
    # Classes of the screen, set before its layout: a table that is at first too narrow keeps a scrollbar.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (72, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]  # noqa: RUF012

    class Listed(Message):
        """The runs as they stand."""

        def __init__(self, rows: list[Row], problem: str | None) -> None:
            super().__init__()
            self.rows, self.problem = rows, problem

    class Watched(Message):
        """The open runs have been read on."""

    class Jobs(Message):
        """How the started processes stand."""

        def __init__(self, jobs: list[tuple[launch.Job, bool, str]]) -> None:
            super().__init__()
            self.jobs = jobs

    class Said(Message):
        """A message of the solving process."""

        def __init__(self, message: dict[str, Any]) -> None:
            super().__init__()
            self.message = message

    def __init__(
        self,
        runs: Path | None = None,
        registry: Path | None = None,
        start: str = "decompose",
        keymap: dict[str, str] | None = None,
        text: str = "",
    ) -> None:
        super().__init__()
        self.root = runs_root(runs)
        self.registry = registry
        self.histories: list[History] = []
        self.rows: list[Row] = []
        self.keys = keymap or {}
        self.solver = Solver(self._hear, self.root)
        self._first, self._text = start, text
        self._chosen = False  # until runs are opened by hand the newest one is shown
        self._stop = threading.Event()
        self.animation_level = "none"  # every frame of one would travel over SSH
        if self.keys:
            self.set_keymap(self.keys)

    def compose(self) -> ComposeResult:
        with TabbedContent(id="tabs", initial=f"tab-{self._first}"):
            for place in TABS:
                title, pane = PANES[place]
                with TabPane(title, id=f"tab-{place}"):
                    yield pane()
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        # Everything that takes time begins behind the first paint.
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        sys.setswitchinterval(0.001)  # a key waits for at most this long a slice of each reader
        self.pane(self.place).arrive()
        self._start_solver()
        self._list()
        self._watch()
        if self._text:
            decompose = self.pane("decompose")
            assert isinstance(decompose, DecomposePane)
            decompose._enter(self._text)
            decompose.solve(self._text)

    @work(thread=True, group="solver")
    def _start_solver(self) -> None:
        self.solver.start()

    def _hear(self, message: dict[str, Any]) -> None:
        self.post_message(self.Said(message))

    def on_unmount(self) -> None:
        self._stop.set()
        self.solver.close()

    # -- threads

    @work(thread=True, group="list", exit_on_error=False)
    def _list(self) -> None:
        """Look for runs and read their summaries, again only where their events have changed."""
        known: dict[str, tuple[Any, float, Row]] = {}
        while not self._stop.is_set():
            problem, rows = None, []
            try:
                found = list_runs(self.root)
            except OSError as error:
                found, problem = [], f"{self.root} cannot be read: {error.strerror}"
            if not known:  # the names at once, whatever the files hold
                self.post_message(self.Listed([Row(run, None) for run in found], problem))
            for run in found:
                if self._stop.is_set():
                    return
                mark, now = _mark(run), time.monotonic()
                old = known.get(run.name)
                if old is None or (old[0] != mark and now > old[1]) or _may_crash(old[2]):
                    row = summarise(run)
                    took = time.monotonic() - now
                    known[run.name] = (mark, time.monotonic() + took * SLOW_FACTOR, row)
                rows.append(known[run.name][2])
            self.post_message(self.Listed(rows, problem))
            listed = [(job, job.running, job.last_line()) for job in launch.jobs(self.root)[:20]]
            self.post_message(self.Jobs(listed))
            self._stop.wait(LIST_SECONDS)

    @work(thread=True, group="watch", exit_on_error=False)
    def _watch(self) -> None:
        """Read the open runs on; at most two messages a second, however much is written."""
        told = 0.0
        while not self._stop.is_set():
            more = False
            for history in self.histories:
                more |= history.refresh()
            if time.monotonic() - told >= REDRAW_SECONDS:
                told = time.monotonic()
                self.post_message(self.Watched())
            # Between two pieces the other threads get the lock, so that keys are answered.
            self._stop.wait(0.01 if more else REDRAW_SECONDS / 2)

    # -- messages; those that are still under way while the application ends find no widgets any more

    def on_dashboard_listed(self, event: Listed) -> None:
        if not self.is_running:
            return
        self.rows = event.rows
        pane = self.pane("runs")
        assert isinstance(pane, RunsPane)
        pane.rows, pane.problem = event.rows, event.problem
        if event.rows and not self._chosen:
            self._open([event.rows[0].run])
        if self.place in ("decompose", "runs"):
            self.pane(self.place).redraw()

    def on_dashboard_watched(self) -> None:
        if self.is_running and self.place in ("run", "beam"):
            self.pane(self.place).redraw()

    def on_dashboard_jobs(self, event: Jobs) -> None:
        if not self.is_running:
            return
        pane = self.pane("experiments")
        assert isinstance(pane, ExperimentsPane)
        pane.jobs = event.jobs
        if self.place == "experiments":
            pane.redraw()

    def on_dashboard_said(self, event: Said) -> None:
        if not self.is_running:
            return
        pane = self.pane("decompose")
        assert isinstance(pane, DecomposePane)
        pane.hear(event.message)

    # -- what the tabs ask for

    @property
    def place(self) -> str:
        """The tab that is seen."""
        tabs = self.query(TabbedContent)
        return (tabs.first().active.removeprefix("tab-") if tabs else "") or self._first

    def pane(self, place: str) -> Pane:
        """A tab's content."""
        return self.query_one(f"#tab-{place}").query_one(PANES[place][1])

    def on_tabbed_content_tab_activated(self) -> None:
        if self.is_running:
            self.pane(self.place).arrive()

    def _open(self, runs: list[Run]) -> None:
        old = {h.run.name: h for h in self.histories}
        self.histories = [old.get(run.name) or History(run) for run in runs]

    def open_runs(self, names: list[str]) -> None:
        """Show these runs in the tab Run."""
        chosen = [row.run for name in names for row in self.rows if row.run.name == name]
        if chosen:
            self._chosen = True
            self._open(chosen)
            self.action_run()

    def next_run(self) -> None:
        """Show the run that comes after the open one in the list."""
        names = [row.run.name for row in self.rows]
        if names:
            now = self.histories[0].run.name if self.histories else None
            at = (names.index(now) + 1) % len(names) if now in names else 0
            self.open_runs([names[at]])

    def stop_job(self, run: str | None) -> None:
        """Stop the process that works on that run, or the newest that was started from here."""
        row = next((row for row in self.rows if row.run.name == run), None)
        if row is not None and row.summary is not None and row.summary.state != "running":
            self.notify(f"{run} is not running", severity="warning", markup=False)
        else:
            self._stop_job(run)

    @work(thread=True, group="launch", exit_on_error=False)
    def _stop_job(self, run: str | None) -> None:
        for job in launch.jobs(self.root):
            if (run is None or job.concerns(run)) and launch.stop(job):
                self.notify(f"asked to save and end: {job.words}", markup=False)
                return
        what = "nothing that was started from here" if run is None else f"{run} was not started from here, or"
        self.notify(f"{what} is running", severity="warning", markup=False)

    # -- actions

    def _go(self, place: str) -> None:
        tabs = self.query_one(TabbedContent)
        if tabs.active == f"tab-{place}":
            self.pane(place).arrive()
        tabs.active = f"tab-{place}"

    def action_decompose(self) -> None:
        self._go("decompose")

    def action_runs(self) -> None:
        self._go("runs")

    def action_run(self) -> None:
        self._go("run")

    def action_beam(self) -> None:
        self._go("beam")

    def action_experiments(self) -> None:
        self._go("experiments")

    def action_help(self) -> None:
        self.push_screen(HelpScreen(self.keys))

    def action_change_theme(self) -> None:
        names = [name for name in THEMES if name in self.available_themes]
        at = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(at + 1) % len(names)]


def _mark(run: Run) -> Any:
    try:
        status = run.events.stat()
    except OSError:
        return None
    return (status.st_ino, status.st_size, status.st_mtime_ns)


def _may_crash(row: Row) -> bool:
    """Whether silence alone may have changed a run's state."""
    s = row.summary
    return (
        s is not None
        and s.state == "running"
        and s.updated is not None
        and time.time() - s.updated > SILENT_SECONDS
    )
