"""The registry, and what was started from the dashboard, as text."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from polyctl.config.registry import to_toml
from polyctl.config.schema import Experiment
from polyctl.formatting import format_age
from polyctl.tui.format import clean, format_status
from polyctl.tui.launch import ERROR, Job

JOBS_SHOWN = 4


@dataclass(frozen=True)
class JobState:
    """A started process: whether it still runs, and the last line that it has written."""

    job: Job
    running: bool
    last_line: str

    @classmethod
    def of(cls, job: Job) -> JobState:
        """Look at the process and its output."""
        return cls(job, job.running, job.last_line())

    @property
    def status(self) -> str:
        if self.running:
            return "running"
        return "crashed" if self.last_line.startswith(ERROR) else "ended"


def select_experiments(experiments: Sequence[Experiment], pattern: str) -> list[Experiment]:
    """The experiments whose name, paper section, family or description contains the pattern."""
    return [e for e in experiments if pattern.lower() in _searchable(e)]


def _searchable(experiment: Experiment) -> str:
    return f"{experiment.name} {experiment.paper} {experiment.data.family} {experiment.description}".lower()


def format_experiment(experiment: Experiment, cost: str | None) -> Text:
    """An experiment's purpose, its cost if that was measured, and all its settings."""
    text = Text()
    text.append(clean(experiment.name), style="bold")
    text.append(f"\n{clean(experiment.description)}\n")
    if experiment.paper:
        text.append(f"paper: {clean(experiment.paper)}\n", style="cyan")
    text.append("\n")
    text.append("cost: " + (cost if cost is not None else "c measures it (`train --dry-run`)") + "\n\n")
    text.append(to_toml(experiment), style="dim")
    return text


def format_jobs(jobs: Sequence[JobState], places: Sequence[str], width: int) -> Text:
    """A line for each of the newest jobs; the options `places`, which all have, are left out."""
    text = Text(no_wrap=True, overflow="ellipsis")
    if not jobs:
        text.append("nothing yet: t trains, e evaluates, r improves by reinforcement learning", style="dim")
    room = max(20, width // 2 - 20)  # the other half is for its last line
    for index, state in enumerate(jobs[:JOBS_SHOWN]):
        text.append("\n" if index else "")
        text.append_text(format_status(state.status))
        command = clean(shlex.join(state.job.command).removesuffix(f" {shlex.join(places)}"))
        command = command if len(command) <= room else f"{command[: room - 1]}…"
        text.append(f", started {format_age(state.job.started)} ago  {command}", style="bold")
        text.append(f"  {clean(state.last_line)}")
    return text


def directory_options(arguments: Sequence[str], root: Path, registry: Path | None) -> list[str]:
    """The dashboard's own --runs and --registry unless `arguments` name others."""
    found = [] if "--runs" in arguments else ["--runs", str(root)]
    if registry is not None and "--registry" not in arguments:
        found += ["--registry", str(registry)]
    return found
