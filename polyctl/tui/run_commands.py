"""The commands that go on with a run, as one would type them: resuming it, and evaluating its model."""

from __future__ import annotations

import shlex
from pathlib import Path

from polyctl.config.as_typed import command_that_resumes
from polyctl.errors import UsageError
from polyctl.store.runs import Run, find_run


def resume_command(run: Run, root: Path) -> str:
    """The command that resumes a run. Raises FileError if its settings cannot be read.

    Of the runs of reinforcement learning `polyctl rl` resumes the newest: UsageError for any other.
    """
    config = run.config()
    if not config.name.endswith(f"_{config.rl.algorithm}"):
        return f"train --resume {shlex.quote(run.name)}"
    newest = find_run(config.name, root)
    if newest.name != run.name:
        raise UsageError(
            f"`polyctl rl --resume` continues the newest run of {config.name} only, {newest.name}",
            "choose that run",
        )
    return command_that_resumes(config.name)


def evaluate_command(run: Run) -> str:
    """The command that evaluates a run's model. Raises FileError if its settings cannot be read.

    UsageError if it has no model yet.
    """
    if not run.has_checkpoint:
        raise UsageError(f"{run.name} has no model yet", "wait for its first checkpoint")
    return f"eval {shlex.quote(run.name)} --beam {run.config().eval.beam}"
