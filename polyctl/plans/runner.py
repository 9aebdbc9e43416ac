"""Carrying out a plan: one task after the other; finished ones are skipped, interrupted ones resumed.

`perform` is called by every process of a task, one or several (torchrun, SLURM): the main one decides what
there is to do, and all do it together.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from polyctl.config.schema import Experiment
from polyctl.data.dataset import generate
from polyctl.errors import PolyctlError
from polyctl.evaluation.accuracy import evaluation_problems
from polyctl.evaluation.run import EvaluationOptions, evaluate_run
from polyctl.model.serialization import load_model
from polyctl.plans.progress import OnEvent, Progress
from polyctl.plans.stages import Directories, Task, TaskStatus, resolve_start, standing, summarise
from polyctl.rl.trainer import reinforce
from polyctl.runtime.device import limit_threads
from polyctl.runtime.processes import Processes, join_processes
from polyctl.store.evaluation_report import EvaluationReport, ProblemSet
from polyctl.store.places import refuse_links
from polyctl.store.runs import Run, create_run, find_run
from polyctl.training import supervised
from polyctl.training.loop import TrainResult

State = Literal["done", "skipped", "failed", "blocked", "interrupted"]


@dataclass(frozen=True)
class Options:
    """How tasks are carried out: device, worker processes for making data, minutes for one training."""

    device: str = "auto"
    workers: int = 1
    max_minutes: float | None = None


@dataclass(frozen=True)
class Outcome:
    """How a task ended; `figures` are its numbers, `message` and `hint` say what went wrong."""

    stage: str
    experiment: str
    state: State
    run: str | None = None
    seconds: float = 0.0
    figures: dict[str, Any] = field(default_factory=dict)
    message: str | None = None
    hint: str | None = None

    @property
    def good(self) -> bool:
        """Whether the tasks that need this one can begin."""
        return self.state in ("done", "skipped")

    def to_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return asdict(self)


# -- a plan ----------------------------------------------------------------------------------------


def run_plan(
    tasks: Sequence[Task],
    carry_out: Callable[[Task], Outcome],
    on_start: Callable[[int, Task], None] | None = None,
    *,
    fail_fast: bool = False,
) -> Iterator[Outcome]:
    """The outcome of each task, as it comes. A task is blocked if one that it needs did not succeed.

    An interrupted task is the last one; with fail_fast a failed one is, too.
    """
    outcomes: dict[tuple[str, str], Outcome] = {}
    for number, task in enumerate(tasks, 1):
        missing = [key for key in task.needs if not outcomes[key].good]
        if missing:
            words = " and ".join(f"{stage} {name}" for stage, name in missing)
            outcome = Outcome(*task.key, "blocked", message=f"{words} did not succeed")
        else:
            if on_start is not None:
                on_start(number, task)
            outcome = carry_out(task)
        outcomes[task.key] = outcome
        yield outcome
        if outcome.state == "interrupted" or (fail_fast and not outcome.good):
            return


# -- a task ----------------------------------------------------------------------------------------


def perform(
    task: Task, directories: Directories, options: Options, on_event: OnEvent | None = None
) -> Outcome:
    """Carry out one task, in one process or together with others; what goes wrong is in the outcome.

    Ctrl-C ends it as interrupted, with everything saved that resuming needs.
    """
    began = time.monotonic()
    try:
        with join_processes(options.device) as processes:
            outcome = _perform(task, directories, options, processes, on_event)
    except KeyboardInterrupt:
        outcome = Outcome(*task.key, "interrupted")
    except PolyctlError as error:
        outcome = Outcome(*task.key, "failed", message=error.message, hint=error.hint)
    except Exception as error:  # a plan of days continues with the other experiments
        traceback.print_exc(file=sys.stderr)
        outcome = Outcome(*task.key, "failed", message=f"{type(error).__name__}: {error}")
    seconds = time.monotonic() - began
    return replace(outcome, seconds=seconds)


def _perform(
    task: Task,
    directories: Directories,
    options: Options,
    processes: Processes,
    on_event: OnEvent | None,
) -> Outcome:
    limit_threads(task.experiment.model)
    found = processes.from_main(lambda: _prepare(task, directories))
    if found.state == "done":
        run = None if found.run is None else found.run.name
        return Outcome(*task.key, "skipped", run, figures=found.figures)
    if task.stage == "gen":
        figures = processes.from_main(lambda: _generate(task, options, on_event))
        return Outcome(*task.key, "done", figures=figures)
    assert found.run is not None
    if task.stage == "eval":
        report = _evaluate(found.run, task.experiment, processes, on_event)
        return Outcome(*task.key, "done", found.run.name, figures=summarise(report))
    result = _learn(task, found, directories, options, processes, on_event)
    figures = {"step": result.step, **result.to_dict()["metrics"]}
    state: State = "done" if result.state == "complete" else "interrupted"
    if result.state == "time limit":
        hint = "run the same command again to continue"
        return Outcome(
            *task.key,
            "failed",
            found.run.name,
            figures=figures,
            message="the time limit was reached",
            hint=hint,
        )
    return Outcome(*task.key, state, found.run.name, figures=figures)


def _prepare(task: Task, directories: Directories) -> TaskStatus:
    """How the task stands, a directory made for a new run."""
    found = standing(task, directories)
    if found.state == "new" and found.run is None and task.stage in ("train", "rl"):
        return TaskStatus("new", create_run(resolve_start(task, directories), directories.runs))
    return found


def _generate(task: Task, options: Options, on_event: OnEvent | None) -> dict[str, Any]:
    assert task.data is not None
    refuse_links(task.data)

    def progress(name: str, done: int, total: int) -> None:
        if on_event is not None:
            on_event(Progress(name, done, total))

    def notice(text: str) -> None:
        print(text, file=sys.stderr)

    manifest = generate(task.experiment, task.data, workers=options.workers, progress=progress, notice=notice)
    return {"counts": manifest.counts}


def _learn(
    task: Task,
    found: TaskStatus,
    directories: Directories,
    options: Options,
    processes: Processes,
    on_event: OnEvent | None,
) -> TrainResult:
    """Supervised training or reinforcement learning, begun or resumed."""
    assert found.run is not None
    resume = found.state == "resume"
    experiment: Experiment = processes.from_main(found.run.config)
    minutes = options.max_minutes
    if task.stage == "train":
        return supervised.train(
            experiment,
            found.run,
            processes,
            resume=resume,
            max_minutes=minutes,
            on_event=on_event,
            data=task.data,
        )
    start = None if resume else _start(experiment, directories.runs)
    return reinforce(experiment, found.run, processes, start=start, max_minutes=minutes, on_event=on_event)


def _start(experiment: Experiment, runs: Path) -> Path:
    assert experiment.train.init_from is not None
    return find_run(experiment.train.init_from, runs).weights()


def _evaluate(
    run: Run, experiment: Experiment, processes: Processes, on_event: OnEvent | None
) -> EvaluationReport:
    """Greedy, pass@k and rank score on the experiment's test problems, each process taking its share."""
    loaded = load_model(run.checkpoint("best"), processes.device)
    problems = evaluation_problems(loaded.experiment.data, experiment.seed, experiment.eval.problems)
    done = 0

    def advance() -> None:
        nonlocal done
        done += processes.world
        if on_event is not None and processes.main:
            total = len(problems)
            on_event(Progress("evaluating", min(done, total), total))

    return evaluate_run(
        run,
        loaded,
        problems,
        ProblemSet(experiment.name),
        EvaluationOptions(experiment.eval, baseline=False),
        processes,
        on_done=advance,
    )
