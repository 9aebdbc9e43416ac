"""Whether something is too large for this machine, or so long that somebody should be asked first."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

import typer

from polyctl.cli import output
from polyctl.errors import FileError, UsageError
from polyctl.formatting import format_bytes, format_duration

if TYPE_CHECKING:
    import torch

    from polyctl.config.schema import Experiment
    from polyctl.plans.stages import Directories, Task
    from polyctl.runtime.processes import Processes

LONG = 86_400.0  # seconds; whoever starts what takes longer is asked
PLAN_SECONDS = 1.5  # in which a plan is looked through
LIMITED = "--max-minutes limits it, --smoke shrinks it"
SMALLER = {
    "train": "model.width, model.layers or train.batch smaller, or raise train.accumulate",
    "rl": "model.width or model.layers smaller",
    "eval": "--beam or --batch smaller",
}


def check_size(
    experiment: Experiment,
    processes: Processes,
    stage: Literal["train", "rl", "eval"] = "train",
    *,
    force: bool,
    problems: int | None = None,
) -> float:
    """The seconds that a stage takes at least; UsageError if it needs more memory than there is."""
    return _check(experiment, processes.device, processes.world, stage, force, problems)


def check_plan(tasks: Iterable[Task], directories: Directories, device: str, force: bool) -> float:
    """The seconds that a plan takes here at least, as far as it is known within a second or two.

    The largest come first. Raises UsageError for one that needs more memory than there is. What is done does
    not count.
    """
    from polyctl.plans.stages import standing
    from polyctl.runtime.device import choose_device

    chosen, seconds, deadline = choose_device(device), 0.0, time.monotonic() + PLAN_SECONDS
    for task in sorted(tasks, key=_work, reverse=True):
        if time.monotonic() > deadline:
            break
        with suppress(FileError):  # what it works on is made by an earlier task
            if task.stage == "gen" or standing(task, directories).state == "done":
                continue
        if task.stage != "gen":
            seconds += _check(task.experiment, chosen, 1, task.stage, force, None)
    return seconds


def check_task(task: Task, device: torch.device, force: bool) -> None:
    """UsageError if a task of a plan needs more memory than there is."""
    if task.stage != "gen":
        _check(task.experiment, device, 1, task.stage, force, None)


def _work(task: Task) -> int:
    """Roughly what a stage computes."""
    model, train = task.experiment.model, task.experiment.train
    steps = train.batch * train.steps if task.stage == "train" else 1
    return model.layers * model.width**2 * steps


def _check(
    experiment: Experiment, device: torch.device, world: int, stage: str, force: bool, problems: int | None
) -> float:
    from polyctl.training.foresight import (
        available_memory,
        foresee,
        foresee_evaluation,
        foresee_reinforcement,
    )

    if stage == "eval":
        found = foresee_evaluation(experiment, device, problems or experiment.eval.problems, world)
    else:
        found = (foresee_reinforcement if stage == "rl" else foresee)(experiment, device, world)
    there = available_memory(device)
    if there is not None and found.memory_bytes > there:
        what = (
            f"{experiment.name} needs about {format_bytes(found.memory_bytes)} of memory with its "
            f"{found.parameters / 1e6:,.1f}M parameters; {device.type} has {format_bytes(there)}"
        )
        if not force:
            raise UsageError(what, f"make {SMALLER[stage]}; --force tries it all the same")
        output.say(f"warning: {what}")
    return found.seconds


def ask_if_long(name: str, seconds: float, least: bool, yes: bool, remedy: str = LIMITED) -> None:
    """Say that something takes more than a day, and on a terminal ask whether it should begin."""
    if seconds <= LONG:
        return
    words = f"{'at least' if least else 'about'} {format_duration(seconds)}"
    output.say(f"warning: {name} takes {words} here; {remedy}")
    if not yes and sys.stdin.isatty() and sys.stderr.isatty():
        typer.confirm("begin?", abort=True, err=True)
