"""Experiments: the registry, and trainings and evaluations started from here."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.widgets import Static

from polyctl.config.registry import load_registry, to_toml
from polyctl.config.schema import Experiment
from polyctl.errors import PolyctlError
from polyctl.formatting import format_age
from polyctl.tui import launch
from polyctl.tui.actions import bindings
from polyctl.tui.format import clean, format_status
from polyctl.tui.panes.pane import Pane
from polyctl.tui.widgets.ask import Ask
from polyctl.tui.widgets.table import Table

JOBS_SHOWN = 4


class ExperimentsPane(Pane):
    """The registry on the left, the chosen experiment on the right, what was started below."""

    BINDINGS = bindings("experiments")
    place = "experiments"

    class Cost(Message):
        """What `train --dry-run` says of an experiment."""

        def __init__(self, name: str, text: str) -> None:
            super().__init__()
            self.name, self.text = name, text

    def __init__(self) -> None:
        super().__init__()
        self.experiments: list[Experiment] = []
        self.pattern = ""
        self.costs: dict[str, str] = {}
        self.jobs: list[tuple[launch.Job, bool, str]] = []

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
        self.query_one(Table).head(["experiment", "paper"])
        try:
            registry = load_registry(self.dashboard.registry)
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
        found = [e for e in self.experiments if self.pattern.lower() in _searched(e)]
        said = f"{len(found)} of {len(self.experiments)} experiments"
        said += f" with {self.pattern!r}" if self.pattern else ""
        self.query_one("#experiments-title", Static).update(said)
        self.query_one(Table).fill([(e.name, [e.name, e.paper or "-"]) for e in found])
        self._detail()

    @property
    def chosen(self) -> Experiment | None:
        """The experiment under the cursor."""
        key = self.query_one(Table).key
        return next((e for e in self.experiments if e.name == key), None)

    def on_data_table_row_highlighted(self) -> None:
        self._detail()

    def _detail(self) -> None:
        experiment = self.chosen
        text = (
            Text("") if experiment is None else experiment_text(experiment, self.costs.get(experiment.name))
        )
        self.query_one("#experiment-text", Static).update(text)

    def redraw(self) -> None:
        """Show how the started processes stand."""
        text = Text(no_wrap=True, overflow="ellipsis")
        for index, (job, running, line) in enumerate(self.jobs[:JOBS_SHOWN]):
            text.append("\n" if index else "")
            ended = "crashed" if line.startswith(launch.ERROR) else "ended"
            text.append_text(format_status("running" if running else ended))
            words = clean(shlex.join(job.command).removesuffix(f" {shlex.join(self._places([]))}"))
            room = max(20, self.size.width // 2 - 20)  # the other half is for what it has said last
            words = words if len(words) <= room else f"{words[: room - 1]}…"
            text.append(f", started {format_age(job.started)} ago  {words}", style="bold")
            text.append(f"  {clean(line)}")
        if not self.jobs:
            text.append(
                "nothing yet: t trains, e evaluates, r improves by reinforcement learning", style="dim"
            )
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
            self._propose(f"train {experiment.name}")

    def action_eval(self) -> None:
        if (experiment := self.chosen) is not None:
            self._propose(f"eval {experiment.name} --beam {experiment.eval.beam}")

    def action_rl(self) -> None:
        if (experiment := self.chosen) is not None:
            self._propose(f"rl {experiment.name} --algo {experiment.rl.algorithm}")

    def _propose(self, line: str) -> None:
        self.query_one(Ask).ask("polyctl …, Enter starts it, Escape does not", line, self._start)

    def _start(self, line: str) -> None:
        try:
            arguments = shlex.split(line)
        except ValueError as error:
            self.app.notify(f"not started: {error}", severity="error", markup=False)
            return
        if not arguments or arguments[0] not in ("train", "eval", "rl"):
            self.app.notify("only train, eval and rl are started from here", severity="error", markup=False)
            return
        self._launch([*arguments, *self._places(arguments)])

    def _places(self, arguments: list[str]) -> list[str]:
        """The dashboard's own --runs and --registry, so that both look at the same files."""
        found = [] if "--runs" in arguments else ["--runs", str(self.dashboard.root)]
        if self.dashboard.registry is not None and "--registry" not in arguments:
            found += ["--registry", str(self.dashboard.registry)]
        return found

    @work(thread=True, group="launch", exit_on_error=False)
    def _launch(self, arguments: list[str]) -> None:
        try:
            job = launch.start(arguments, self.dashboard.root)
        except PolyctlError as error:
            self.app.notify(error.message, severity="error", markup=False)
        else:
            self.app.notify(f"started {job.words}; it goes on when the dashboard is closed", markup=False)

    def action_cost(self) -> None:
        if (experiment := self.chosen) is not None:
            self.costs[experiment.name] = "measuring …"
            self._detail()
            self._measure(experiment.name)

    @work(thread=True, group="cost", exit_on_error=False)
    def _measure(self, name: str) -> None:
        command = [sys.executable, "-m", "polyctl", "train", name, "--dry-run"]
        if self.dashboard.registry is not None:
            command += ["--registry", str(self.dashboard.registry)]
        began = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        text = (done.stdout + done.stderr).strip()
        self.post_message(self.Cost(name, text or f"no answer after {time.monotonic() - began:.0f} s"))

    def on_experiments_pane_cost(self, event: Cost) -> None:
        self.costs[event.name] = event.text
        self._detail()

    def action_stop(self) -> None:
        self.dashboard.stop_job(None)


def experiment_text(experiment: Experiment, cost: str | None) -> Text:
    """An experiment's purpose, cost where it was measured, and all its settings."""
    text = Text()
    text.append(clean(experiment.name), style="bold")
    text.append(f"\n{clean(experiment.description)}\n")
    if experiment.paper:
        text.append(f"paper: {clean(experiment.paper)}\n", style="cyan")
    text.append("\n")
    text.append("cost: " + (cost if cost is not None else "c measures it (`train --dry-run`)") + "\n\n")
    text.append(to_toml(experiment), style="dim")
    return text


def _searched(experiment: Experiment) -> str:
    return f"{experiment.name} {experiment.paper} {experiment.data.family} {experiment.description}".lower()
