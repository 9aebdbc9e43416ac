"""Experiments: the registry, and trainings and evaluations started from here."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.widgets import Static

from polyctl.config.registry import load_registry
from polyctl.config.schema import Experiment
from polyctl.errors import PolyctlError
from polyctl.tui.actions import make_bindings
from polyctl.tui.panes.host import Host
from polyctl.tui.panes.job_pane import JobPane
from polyctl.tui.views.experiments import (
    JobState,
    format_experiment,
    format_jobs,
    select_experiments,
)
from polyctl.tui.widgets.ask import Ask
from polyctl.tui.widgets.table import Table


class ExperimentsPane(JobPane):
    """The registry on the left, the chosen experiment on the right, what was started below."""

    BINDINGS = make_bindings("experiments")

    class CostMeasured(Message):
        """What `train --dry-run` reports of an experiment."""

        def __init__(self, name: str, text: str) -> None:
            super().__init__()
            self.name, self.text = name, text

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.experiments: list[Experiment] = []
        self.pattern = ""
        self.costs: dict[str, str] = {}
        self.jobs: Sequence[JobState] = []

    def compose(self) -> ComposeResult:
        yield Static("", id="experiments-title", markup=False)
        with Horizontal(id="registry"):
            yield Table(id="experiments-table")
            with VerticalScroll(id="experiment"):
                yield Static("", id="experiment-text", markup=False)
        yield Static("", id="jobs", markup=False)
        yield Ask(id="experiments-ask")

    def on_mount(self) -> None:
        self.query_one("#jobs").border_title = "Started from here"
        try:
            registry = load_registry(self.host.registry)
        except PolyctlError as error:
            self.query_one("#experiments-title", Static).update(f"{error.message}\n{error.hint or ''}")
            return
        self.experiments = list(registry.experiments.values())
        self._fill()
        self.redraw()

    def arrive(self) -> None:
        self.query_one(Table).focus()
        self.redraw()

    def _fill(self) -> None:
        found = select_experiments(self.experiments, self.pattern)
        title = f"{len(found)} of {len(self.experiments)} experiments"
        title += f" with {self.pattern!r}" if self.pattern else ""
        self.query_one("#experiments-title", Static).update(title)
        self.query_one(Table).fill(
            ["experiment", "paper"], [(e.name, [e.name, e.paper or "-"]) for e in found]
        )
        self._detail()

    @property
    def chosen(self) -> Experiment | None:
        """The experiment under the cursor."""
        key = self.query_one(Table).key
        return next((e for e in self.experiments if e.name == key), None)

    def on_table_highlighted(self) -> None:
        self._detail()

    def _detail(self) -> None:
        experiment = self.chosen
        text = Text("")
        if experiment is not None:
            text = format_experiment(experiment, self.costs.get(experiment.name))
        self.query_one("#experiment-text", Static).update(text)

    def matters(self, action: str) -> bool:
        return bool(self.experiments) if action != "stop" else any(job.running for job in self.jobs)

    def redraw(self) -> None:
        """Show how the started processes stand."""
        self.show_keys()
        text = format_jobs(self.jobs, self.directories([]), self.size.width)
        self.query_one("#jobs", Static).update(text)

    # -- actions

    def action_filter(self) -> None:
        self.query_one(Ask).ask(
            "part of a name, a paper section or a family", self.pattern, self._filter, self._filter
        )

    def _filter(self, pattern: str) -> None:
        self.pattern = pattern
        self._fill()

    def action_train(self) -> None:
        if (experiment := self.chosen) is not None:
            self.propose(f"train {experiment.name}")

    def action_eval(self) -> None:
        if (experiment := self.chosen) is not None:
            self.propose(f"eval {experiment.name} --beam {experiment.eval.beam}")

    def action_rl(self) -> None:
        if (experiment := self.chosen) is not None:
            self.propose(f"rl {experiment.name} --algo {experiment.rl.algorithm}")

    def action_cost(self) -> None:
        if (experiment := self.chosen) is not None and self.may_start():
            self.costs[experiment.name] = "measuring …"
            self._detail()
            self._measure(experiment.name)

    @work(thread=True, group="cost", exit_on_error=False)
    def _measure(self, name: str) -> None:
        command = [sys.executable, "-m", "polyctl", "train", name, "--dry-run"]
        if self.host.registry is not None:
            command += ["--registry", str(self.host.registry)]
        began = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        text = (done.stdout + done.stderr).strip()
        self.post_message(
            self.CostMeasured(name, text or f"no answer after {time.monotonic() - began:.0f} s")
        )

    def on_experiments_pane_cost_measured(self, event: CostMeasured) -> None:
        self.costs[event.name] = event.text
        self._detail()

    def action_stop(self) -> None:
        self.host.stop_job(None)
