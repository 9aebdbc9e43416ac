"""Whether a training is too large for this machine, or so long that somebody should be asked first."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from polyctl.cli import output
from polyctl.errors import UsageError
from polyctl.formatting import format_bytes, format_duration

if TYPE_CHECKING:
    from polyctl.config.schema import Experiment
    from polyctl.runtime.processes import Processes

LONG = 86_400.0  # seconds; whoever starts what takes longer is asked


def check_size(
    experiment: Experiment, processes: Processes, *, force: bool, reinforced: bool = False
) -> float:
    """The seconds that a training takes at least; UsageError if it needs more memory than there is."""
    from polyctl.training.foresight import available_memory, foresee

    found = foresee(experiment, processes.device, processes.world)
    there = available_memory(processes.device)
    needed = found.weights_bytes if reinforced else found.memory_bytes
    if there is not None and needed > there:
        what = (
            f"{experiment.name} needs about {format_bytes(needed)} of memory with its "
            f"{found.parameters / 1e6:,.1f}M parameters; {processes.device.type} has {format_bytes(there)}"
        )
        if not force:
            hint = "make model.width, model.layers or train.batch smaller, or raise train.accumulate"
            raise UsageError(what, f"{hint}; --force tries it all the same")
        output.say(f"warning: {what}")
    return found.seconds


def ask_if_long(experiment: Experiment, seconds: float, least: bool, yes: bool) -> None:
    """Say that a training takes more than a day, and on a terminal ask whether it should begin."""
    if seconds <= LONG:
        return
    words = f"{'at least' if least else 'about'} {format_duration(seconds)}"
    output.say(f"warning: {experiment.name} takes {words} here; --max-minutes limits it, --smoke shrinks it")
    if not yes and sys.stdin.isatty() and sys.stderr.isatty():
        typer.confirm("begin?", abort=True, err=True)
