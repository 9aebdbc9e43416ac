"""The application: tabs, the threads that watch files, and the process that solves."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.message import Message
from textual.widgets import TabbedContent, TabPane

from polyctl.store.runs import runs_root
from polyctl.store.summary import Summary
from polyctl.tui import launch
from polyctl.tui.actions import Action, format_keys, list_actions, make_bindings
from polyctl.tui.colours import LIGHT
from polyctl.tui.format import clean
from polyctl.tui.panes.beam import BeamPane
from polyctl.tui.panes.decompose import DecomposePane
from polyctl.tui.panes.experiments import ExperimentsPane
from polyctl.tui.panes.host import NO_JOBS
from polyctl.tui.panes.pane import Pane
from polyctl.tui.panes.problems import ProblemsPane
from polyctl.tui.panes.run import RunPane
from polyctl.tui.panes.runs import RunsPane
from polyctl.tui.run_list import Listing, RunList, RunScanner
from polyctl.tui.screens.help import HelpScreen
from polyctl.tui.solver_client import Solver
from polyctl.tui.tabs import TABS
from polyctl.tui.views.experiments import JobState
from polyctl.tui.widgets.ask import Ask
from polyctl.tui.widgets.keys import Keys

REDRAW_SECONDS = 1.0  # a drawing of all plots takes some hundredths of a second
LIST_SECONDS = 2.0
AGE_SECONDS = 10.0  # how old the shown ages of runs may be
JOBS_LOOKED_AT = 20
ALWAYS = ("help", "quit", "take_back")  # actions whose keys the footer shows wherever they act
THEMES = ("textual-dark", "textual-light", "ansi-dark")
PANES: dict[str, type[Pane]] = {
    "decompose": DecomposePane,
    "runs": RunsPane,
    "run": RunPane,
    "beam": BeamPane,
    "experiments": ExperimentsPane,
    "problems": ProblemsPane,
}


class ActionCommands(Provider):
    """The command palette: every action of the tab that is seen, and those of everywhere."""

    def _find(self) -> list[tuple[Action, Any, str]]:
        """(action, how to run it, its help and keys)."""
        app = self.app
        assert isinstance(app, Dashboard)
        everywhere: list[tuple[Action, Pane | Dashboard]] = [
            (a, app) for a in list_actions("app") if "palette" not in a.name
        ]
        return [
            (a, partial(app.run_action, a.name, where), f"{a.help}  {format_keys(a, app.keys)}")
            for a, where in [*((a, app.pane(app.place)) for a in list_actions(app.place)), *everywhere]
        ]

    async def discover(self) -> Hits:
        for action, run, text in self._find():
            yield DiscoveryHit(action.word, run, help=text)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for action, run, text in self._find():
            score = matcher.match(f"{action.word} {action.help}")
            if score > 0:
                yield Hit(score, matcher.highlight(action.word), run, help=text)


class Dashboard(App[None]):
    """polyctl tui. Threads read files and post messages; only handlers touch widgets."""

    TITLE = "polyctl"
    CSS_PATH = "polyctl.tcss"
    # Ctrl-Q leaves from a dialogue, too, whatever has the focus
    BINDINGS = [Binding("ctrl+q", "quit", "Quit", priority=True), *make_bindings("app")]  # noqa: RUF012
    COMMANDS = {ActionCommands}  # noqa: RUF012
    # Classes of the screen, set before its layout: a table that is at first too narrow keeps a scrollbar.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (72, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]  # noqa: RUF012

    class RunsListed(Message):
        """The runs as they stand."""

        def __init__(self, listing: Listing) -> None:
            super().__init__()
            self.listing = listing

    class RunsRead(Message):
        """More of the open runs' files has been read."""

    class JobsListed(Message):
        """The started processes as they stand."""

        def __init__(self, jobs: Sequence[JobState]) -> None:
            super().__init__()
            self.jobs = jobs

    class SolverReported(Message):
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
        jobs: bool = True,
    ) -> None:
        super().__init__()
        self.ansi_theme_light = LIGHT
        self.registry = registry
        self.allows_jobs = jobs
        self.runs = RunList(runs_root(runs))
        self.keys = keymap or {}
        self.solver = Solver(self._post_report, self.runs.root)
        self._first, self._text = start, text
        self._stop = threading.Event()
        self._listed = 0.0  # when the runs were last drawn
        self._opened = time.time()
        self._failed: set[Path] = set()  # outputs of processes whose errors have been told
        self.animation_level = "none"  # every frame of one would travel over SSH
        if self.keys:
            self.set_keymap(self.keys)

    def compose(self) -> ComposeResult:
        with TabbedContent(id="tabs", initial=f"tab-{self._first}"):
            for place, title in TABS.items():
                with TabPane(title, id=f"tab-{place}"):
                    yield PANES[place](self)
        yield Keys(self.matters)

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
            self.decompose_pane.enter(self._text)
            self.decompose_pane.solve(self._text)

    @work(thread=True, group="solver")
    def _start_solver(self) -> None:
        self.solver.start()

    def _post_report(self, message: dict[str, Any]) -> None:
        self.post_message(self.SolverReported(message))

    def on_unmount(self) -> None:
        self._stop.set()
        self.solver.close()

    # -- threads

    @work(thread=True, group="list", exit_on_error=False)
    def _list(self) -> None:
        """Look for runs and started processes again and again."""
        scanner = RunScanner(self.runs.root)
        while not self._stop.is_set():
            for listing in scanner.scan(self._stop.is_set):
                self.post_message(self.RunsListed(listing))
            jobs = [JobState.of(job) for job in launch.list_jobs(self.runs.root)[:JOBS_LOOKED_AT]]
            self.post_message(self.JobsListed(jobs))
            self._stop.wait(LIST_SECONDS)

    @work(thread=True, group="watch", exit_on_error=False)
    def _watch(self) -> None:
        """Read the open runs on; at most one message a second, however much is written."""
        posted, known = 0.0, None
        while not self._stop.is_set():
            more, run_logs = False, self.runs.run_logs
            for run_log in run_logs:
                more |= run_log.refresh()
            state: list[object] = [(h, h.changes, h.unread, h.looked) for h in run_logs]
            if (problems := self.runs.problems) is not None:
                more |= problems.refresh()
                state.append((problems, problems.changes))
            if state != known and time.monotonic() - posted >= REDRAW_SECONDS:
                posted, known = time.monotonic(), state
                self.post_message(self.RunsRead())
            # Between two pieces the other threads get the lock, so that keys are answered.
            self._stop.wait(0.01 if more else REDRAW_SECONDS / 2)

    # -- messages; those that are still under way while the application ends find no widgets any more

    def on_dashboard_runs_listed(self, event: RunsListed) -> None:
        if self.is_running:
            old, now = self.runs.rows, time.monotonic()
            self.runs.update(event.listing)
            changed = old != self.runs.rows or now - self._listed >= AGE_SECONDS
            if changed and self.place in ("decompose", "runs", "run", "problems"):
                self._listed = now
                self.pane(self.place).redraw()

    def on_dashboard_runs_read(self) -> None:
        if self.is_running and self.place in ("run", "beam", "problems"):
            self.pane(self.place).redraw()

    def on_dashboard_jobs_listed(self, event: JobsListed) -> None:
        if self.is_running:
            self.experiments_pane.jobs = event.jobs
            self._tell_failures(event.jobs)
            if self.place == "experiments":
                self.experiments_pane.redraw()

    def _tell_failures(self, jobs: Sequence[JobState]) -> None:
        """Say once of each process that was started since the dashboard was which error ended it."""
        for state in jobs:
            job = state.job
            if state.status == "crashed" and job.started >= self._opened and job.log not in self._failed:
                self._failed.add(job.log)
                self.notify(f"{job.command_line}: {clean(state.last_line)}", severity="error", markup=False)

    def on_dashboard_solver_reported(self, event: SolverReported) -> None:
        if self.is_running:
            self.decompose_pane.receive(event.message)

    # -- what the tabs ask for

    @property
    def place(self) -> str:
        """The tab that is seen."""
        tabs = self.query(TabbedContent)
        return (tabs.first().active.removeprefix("tab-") if tabs else "") or self._first

    def pane(self, place: str) -> Pane:
        """A tab's content."""
        return self.query_one(f"#tab-{place}").query_one(PANES[place])

    def matters(self, action: str) -> bool:
        """Whether the footer shows an action's key."""
        if action in ALWAYS or not self.query(PANES[self.place]):
            return True
        return not isinstance(self.focused, Ask) and self.pane(self.place).matters(action)

    @property
    def decompose_pane(self) -> DecomposePane:
        return self.query_one(DecomposePane)

    @property
    def experiments_pane(self) -> ExperimentsPane:
        return self.query_one(ExperimentsPane)

    def on_tabbed_content_tab_activated(self) -> None:
        if self.is_running:
            self.pane(self.place).arrive()

    def open_runs(self, names: list[str]) -> None:
        """Show these runs in the tab Run."""
        if self.runs.open(names):
            self.action_run()

    def open_next_run(self) -> None:
        """Show the run that comes after the open one in the list."""
        if (name := self.runs.next_name()) is not None:
            self.open_runs([name])

    def open_problems(self, name: str) -> None:
        """Show the problems of a run's evaluations."""
        if self.runs.open([name]):
            self.action_problems()

    def decompose(self, text: str, run: str, width: int | None) -> None:
        """Ask the model of that run in the tab Decompose, with a beam of that width."""
        pane = self.decompose_pane
        pane.ask_model(run, width)
        self.action_decompose()
        pane.solve(text)

    def stop_job(self, run: str | None) -> None:
        """Stop the processes that train or evaluate that run, or the newest that was started from here."""
        if not self.allows_jobs:
            self.notify(NO_JOBS, severity="warning", markup=False)
            return
        row = self.runs.find(run)
        summary = None if row is None else row.summary
        if summary is not None and summary.state != "running" and summary.evaluation is None:
            self.notify(f"{run} is not running", severity="warning", markup=False)
        else:
            self._stop_job(run, summary)

    @work(thread=True, group="launch", exit_on_error=False)
    def _stop_job(self, run: str | None, summary: Summary | None) -> None:
        if summary is not None and (writers := launch.stop_writers(summary)):
            self.notify(f"asked to save and end: {', '.join(map(str, writers))}", markup=False)
            return
        for job in launch.list_jobs(self.runs.root):
            if (run is None or job.concerns(run)) and launch.stop(job):
                self.notify(f"asked to save and end: {job.command_line}", markup=False)
                return
        if run is None:
            problem = "no process started from this dashboard is running"
        else:
            problem = f"no process of this machine is known to run {run}"
        self.notify(problem, severity="warning", markup=False)

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

    def action_problems(self) -> None:
        self._go("problems")

    def action_help(self) -> None:
        self.push_screen(HelpScreen(self.keys))

    def action_change_theme(self) -> None:
        names = [name for name in THEMES if name in self.available_themes]
        at = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(at + 1) % len(names)]
