"""polyctl rl: improve a trained model by reinforcement learning, every answer verified."""

from __future__ import annotations

import math
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from polyctl.cli import completion, output
from polyctl.cli.options import (
    DeviceOption,
    DryRunOption,
    JsonOption,
    MinutesOption,
    QuietOption,
    RegistryOption,
    RunsOption,
    SeedOption,
    SetOption,
    SmokeOption,
    ThreadsOption,
    YesOption,
)
from polyctl.cli.size import ask_if_long, check_size
from polyctl.cli.training import check_resumable, kept_from, print_cost, print_result, progress_reporter
from polyctl.errors import EXIT_INTERRUPTED, FileError, UsageError

if TYPE_CHECKING:
    from polyctl.config.schema import Experiment
    from polyctl.runtime.processes import Processes
    from polyctl.store.event_kinds import Event
    from polyctl.store.runs import Run
    from polyctl.training.journal import OnEvent
    from polyctl.training.loop import TrainResult


def rl(
    experiment: Annotated[
        str,
        typer.Argument(
            help="The experiment whose trained model to improve (see `polyctl experiments`).",
            autocompletion=completion.experiment_names,
        ),
    ],
    algo: Annotated[
        str | None,
        typer.Option(
            "--algo",
            metavar="NAME",
            help="bgrpo (groups from a beam), grpo (samples) or boost (expert iteration).",
            autocompletion=completion.algorithm_names,
        ),
    ] = None,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="RUN",
            help="Run or model file to start from (default: rl.init_from, else the newest run).",
            autocompletion=completion.run_names,
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="FILE", help="Learn from the problems of this file, not drawn ones."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the newest run of this experiment and algorithm.")
    ] = False,
    smoke: SmokeOption = False,
    set_: SetOption = None,
    max_minutes: MinutesOption = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Steps, each of rl.groups_per_step groups.")
    ] = None,
    dry_run: DryRunOption = False,
    track: Annotated[
        bool, typer.Option("--track", help="Also track it with trackio (pip install 'polyctl[track]').")
    ] = False,
    device: DeviceOption = "auto",
    seed: SeedOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Try it even if it needs more memory than there is.")
    ] = False,
    yes: YesOption = False,
    runs: RunsOption = None,
    registry: RegistryOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    threads: ThreadsOption = None,
) -> None:
    """Improve a trained model by reinforcement learning on verified answers (docs/rl.md).

    Its runs are called EXPERIMENT_ALGO. Ctrl-C saves and exits; --resume continues from the last step.

    Exit codes: 0 finished, or stopped by --max-minutes; 2 usage; 3 files; 130 interrupted.
    """
    from polyctl.config.schema import AlgorithmName
    from polyctl.data.manifest import explain_directory

    algorithms = get_args(AlgorithmName)
    if algo is not None and algo not in algorithms:
        raise UsageError(f"there is no algorithm {algo!r}", f"choose {', '.join(algorithms)}")
    if resume and from_ is not None:
        raise UsageError("--from starts a new run and --resume continues an old one", "leave one of them out")
    if track:
        from polyctl.rl.trackio_logger import load_trackio

        load_trackio()  # before a run is made for nothing
    changes = list(set_ or [])
    if algo is not None:
        changes.append(f"rl.algorithm={algo}")
    if steps is not None:
        changes.append(f"rl.steps={steps}")
    if seed is not None:
        changes.append(f"seed={seed}")
    if data is not None:
        if data.is_dir():
            raise FileError(*explain_directory(data))
        if not data.is_file():
            raise FileError(f"there is no file {data}", "give problems in the published format, one a line")
        changes.append(f"rl.questions={data.absolute()}")
    supervised, chosen = _choose(experiment, smoke, changes, registry)

    from polyctl.rl.cost import estimate  # loads torch, so after the checks
    from polyctl.rl.risks import risks
    from polyctl.runtime.device import limit_threads
    from polyctl.runtime.processes import join_processes

    limit_threads(chosen.model, threads)
    for risk in risks(chosen.rl):
        output.say(f"warning: {risk}")
    with join_processes(device) as processes:
        least = check_size(chosen, processes, "rl", force=force)
        if dry_run:
            if processes.main:
                print_cost(estimate(chosen, processes.device), chosen, as_json)
            return
        limit = math.inf if max_minutes is None else 60 * max_minutes
        ask = partial(ask_if_long, chosen.name, min(least, limit), True, yes or processes.world > 1)
        processes.from_main(ask)
        again = f"polyctl rl {experiment}{' --smoke' if smoke else ''} --algo {chosen.rl.algorithm}"
        old, chosen = _old(chosen, changes, runs, again) if resume else (None, chosen)
        start = None if resume else _start(supervised, from_, smoke, runs, processes)
        if start is not None:
            chosen = kept_from(chosen, start, processes)
        result = _reinforce(chosen, old, start, processes, runs, max_minutes, track)
        if processes.main:
            learned, run = result
            begun = None if start is None else str(start)
            algorithm, onward = chosen.rl.algorithm, f"{again} --resume"
            print_result(learned, run, chosen, onward, as_json, algorithm=algorithm, start=begun)
    if result[0].state == "interrupted":
        raise typer.Exit(EXIT_INTERRUPTED)


def _choose(
    name: str, smoke: bool, changes: list[str], registry: Path | None
) -> tuple[Experiment, Experiment]:
    """The supervised experiment, and the one to run under the name that its runs get."""
    from polyctl.config.registry import load_experiment

    chosen = load_experiment(name, changes, small=smoke, registry=registry)

    from polyctl.rl.trainer import with_algorithm_name  # loads torch

    return chosen, with_algorithm_name(chosen)


def _old(chosen: Experiment, changes: list[str], runs: Path | None, again: str) -> tuple[Run, Experiment]:
    """The run to resume, and its experiment with the changes applied on top; `again` begins a new one."""
    from polyctl.config.registry import override
    from polyctl.store.runs import run_to_resume

    try:
        old = run_to_resume(chosen.name, runs)
    except FileError as error:
        raise FileError(error.message, f"there is nothing to continue yet: {again}") from error
    if not old.resumable:
        raise FileError(f"{old.path} has nothing to continue from", again)
    check_resumable(old)
    return old, override(old.config(), changes)


def _start(
    supervised: Experiment, name: str | None, smoke: bool, runs: Path | None, processes: Processes
) -> Path:
    """The weights to start from: of `name` or rl.init_from, else of the experiment's newest run.

    A smoke run first trains a model for seconds if there is none.
    """
    from polyctl.store.runs import create_run, find_run
    from polyctl.training.start import weights_of
    from polyctl.training.supervised import train

    if (wanted := name or supervised.rl.init_from) is not None:
        return weights_of(wanted, runs)
    try:
        found = find_run(supervised.name, runs)
        if smoke and processes.main:
            output.say(
                f"starting from {found.name}, which a few steps of --smoke have taught next to nothing"
            )
        return found.weights()
    except FileError as error:
        if not smoke:
            hint = f"train one first: polyctl train {supervised.name}, or name one with --from"
            raise FileError(f"there is no trained model of {supervised.name} to improve", hint) from error
    if processes.main:
        output.say(f"no model of {supervised.name} yet: training a small one first")
    run = processes.from_main(lambda: create_run(supervised, runs))
    train(supervised, run, processes)
    return run.weights()


def _reinforce(
    experiment: Experiment,
    old: Run | None,
    start: Path | None,
    processes: Processes,
    runs: Path | None,
    max_minutes: float | None,
    track: bool,
) -> tuple[TrainResult, Run]:
    """Run, with progress on stderr; the result and the run."""
    from polyctl.rl.trackio_logger import Tracker
    from polyctl.rl.trainer import reinforce
    from polyctl.store.runs import create_run

    run = old or processes.from_main(lambda: create_run(experiment, runs))
    with ExitStack() as stack:
        listeners: list[OnEvent] = [stack.enter_context(progress_reporter("reinforcing"))]
        if track and processes.main:
            listeners.append(stack.enter_context(Tracker(experiment, run)))

        def report(event: Event) -> None:
            for listener in listeners:
                listener(event)

        result = reinforce(experiment, run, processes, start=start, max_minutes=max_minutes, on_event=report)
    return result, run
