"""polyctl train: train a model on an experiment, or continue a run."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
from polyctl.cli.size import LONG, ask_if_long, check_size
from polyctl.cli.training import check_resumable, kept_from, print_cost, print_result, progress_reporter
from polyctl.errors import EXIT_INTERRUPTED, UsageError
from polyctl.formatting import format_bytes, format_duration

if TYPE_CHECKING:
    from polyctl.config.schema import Experiment
    from polyctl.runtime.processes import Processes
    from polyctl.store.runs import Run
    from polyctl.training.loop import TrainResult

LONG_SECONDS = 120.0  # a CPU training that takes longer than this is announced with its cost
SLOW_FLOPS = 2e10


def train(
    experiment: Annotated[
        str | None,
        typer.Argument(
            help="The experiment to train (see `polyctl experiments`).",
            autocompletion=completion.experiment_names,
        ),
    ] = None,
    run: Annotated[
        str | None,
        typer.Argument(help="With --resume: the run to continue.", autocompletion=completion.run_names),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue RUN, or else the experiment's newest run.")
    ] = False,
    smoke: SmokeOption = False,
    set_: SetOption = None,
    max_minutes: MinutesOption = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Optimizer steps.")] = None,
    dry_run: DryRunOption = False,
    device: DeviceOption = "auto",
    seed: SeedOption = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="A data set of `polyctl gen`, or a file in the published format."),
    ] = None,
    reweigh: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="For a mixture: weight each family by how poorly train.init_from does on N held-out "
            "problems from it.",
        ),
    ] = None,
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
    """Train an experiment. Ctrl-C saves and exits; --resume continues from the last step.

    If an experiment's data set has not been made, it is trained on fresh problems instead.

    With `--set train.end_with_clock=true` and --max-minutes the learning rate comes down within that time.

    Exit codes: 0 finished, or stopped by --max-minutes; 2 usage; 3 files; 130 interrupted.
    """
    changes = list(set_ or [])
    if steps is not None:
        changes += [f"train.steps={steps}", "train.epochs=0"]
    if seed is not None:
        changes.append(f"seed={seed}")
    if data is not None:
        changes.append("train.source=files")
    chosen, old = _choose(experiment, run, resume, smoke, changes, runs, registry)
    if old is not None and not dry_run:
        check_resumable(old)

    from polyctl.runtime.device import limit_threads  # loads torch, so after the checks
    from polyctl.runtime.processes import join_processes
    from polyctl.training.cost import estimate
    from polyctl.training.loader import data_workers
    from polyctl.training.start import weights_of

    limit_threads(chosen.model, threads)
    with join_processes(device) as processes:
        if old is None and data is None:
            chosen = _fresh_without_files(chosen, processes)
        if old is None and chosen.train.init_from is not None:
            chosen = kept_from(chosen, weights_of(chosen.train.init_from, runs), processes)
        if reweigh is not None:
            chosen = _reweighed(chosen, old, processes, reweigh, runs)
        least = check_size(chosen, processes, force=force)
        if dry_run:
            if processes.main:
                print_cost(estimate(chosen, processes.device, data), chosen, as_json)
            return
        data_workers(chosen.train.workers, processes.device, processes.world)  # refused before a run is made
        ask = partial(_ask, chosen, processes, least, max_minutes, data, yes)
        processes.from_main(ask)
        result = _train(chosen, old, processes, runs, max_minutes, data, as_json)
    if result.state == "interrupted":
        raise typer.Exit(EXIT_INTERRUPTED)


def _choose(
    experiment: str | None,
    run: str | None,
    resume: bool,
    smoke: bool,
    changes: list[str],
    runs: Path | None,
    registry: Path | None,
) -> tuple[Experiment, Run | None]:
    """The experiment to train, with all changes, and the run to resume or None."""
    from polyctl.config.registry import load_experiment, override
    from polyctl.store.runs import run_to_resume

    if resume:
        if experiment is not None and smoke:
            experiment = load_experiment(experiment, small=True, registry=registry).name
        name = run or experiment
        if run is not None and "/" not in run:
            name = f"{experiment}/{run}"
        old = run_to_resume(name, runs)
        config = old.config()
        if run is not None and experiment != config.name:
            raise UsageError(
                f"the run {run} is of {config.name}, not of {experiment}",
                f"polyctl train {config.name} --resume {run}",
            )
        return override(config, changes), old
    if experiment is None:
        raise UsageError("which experiment?", "polyctl train quick; `polyctl experiments list` shows all")
    if run is not None:
        raise UsageError(f"{run!r} is an unexpected argument", "name a run only with --resume")
    return load_experiment(experiment, changes, small=smoke, registry=registry), None


def _fresh_without_files(experiment: Experiment, processes: Processes) -> Experiment:
    """The experiment on a stream of fresh problems, with a message, if its data set has not been made."""
    from polyctl.config.as_typed import as_typed
    from polyctl.config.registry import override
    from polyctl.data.manifest import explain_unfinished

    train, directory = experiment.train, Path("data") / experiment.name
    if train.source == "stream" or (directory / "train.txt").is_file():
        return experiment
    steps = max(1, experiment.data.train_size * train.epochs // train.batch) if train.epochs else train.steps
    if processes.main:
        what, remedy = explain_unfinished(directory) or (
            f"no data set at {directory}",
            f"`polyctl gen {as_typed(experiment.name)}` makes it",
        )
        output.say(
            f"{what} ({remedy}): drawing fresh "
            f"problems of the same family instead, for as many steps ({steps:,})"
        )
    return override(experiment, ["train.source=stream", "train.epochs=0", f"train.steps={steps}"])


def _reweighed(
    experiment: Experiment, old: Run | None, processes: Processes, count: int, runs: Path | None
) -> Experiment:
    """The experiment with its mixture's weights set by what the weights it starts from can do."""
    from polyctl.store.runs import runs_root
    from polyctl.training.reweigh import reweigh

    start = experiment.train.init_from
    if old is not None or start is None:
        raise UsageError(
            "--reweigh needs weights to start from, in a new run",
            "--set train.init_from=RUN, without --resume",
        )
    changed, cells = processes.from_main(lambda: reweigh(experiment, start, runs_root(runs), count))
    if processes.main:
        for cell in cells:
            output.say(f"{cell.name}: {cell.accuracy:.0%} verified, {cell.share:.1%} of the problems")
    return changed


def _train(
    experiment: Experiment,
    old: Run | None,
    processes: Processes,
    runs: Path | None,
    max_minutes: float | None,
    data: Path | None,
    as_json: bool,
) -> TrainResult:
    """Train, with progress on stderr, and print the result."""
    from polyctl.store.runs import create_run
    from polyctl.training.supervised import train as run_training

    run = old or processes.from_main(lambda: create_run(experiment, runs))
    with progress_reporter("training") as reporter:
        result = run_training(
            experiment,
            run,
            processes,
            resume=old is not None,
            max_minutes=max_minutes,
            on_event=reporter,
            data=data,
        )
    if processes.main:
        print_result(result, run, experiment, f"polyctl train --resume {run.name}", as_json)
    return result


# -- what it costs ---------------------------------------------------------------------------------


def _ask(
    experiment: Experiment,
    processes: Processes,
    least: float,
    max_minutes: float | None,
    data: Path | None,
    yes: bool,
) -> None:
    """Ask before a training of more than a day; it is not timed if that is sure by its `least` seconds."""
    limit = math.inf if max_minutes is None else 60 * max_minutes
    surely = least > LONG
    seconds = least if surely else _warn_if_long(experiment, processes, max_minutes, data)
    ask_if_long(experiment.name, min(seconds, limit), surely, yes or processes.world > 1)


def _warn_if_long(
    experiment: Experiment, processes: Processes, max_minutes: float | None, data: Path | None
) -> float:
    """Report on stderr what a long training on a CPU will cost; its seconds, 0 if they need not be known."""
    from polyctl.training.cost import estimate

    limited = max_minutes is not None and 60 * max_minutes <= LONG_SECONDS
    if not processes.main or processes.device.type != "cpu" or limited or _surely_short(experiment):
        return 0.0
    cost = estimate(experiment, processes.device, data)
    if cost.seconds > LONG_SECONDS:
        assert cost.steps is not None
        assert cost.parameters is not None
        output.say(
            f"{experiment.name} on this CPU: about {format_duration(cost.seconds)} "
            f"({cost.steps:,} steps of {cost.seconds / cost.steps:.2g} s; "
            f"{cost.parameters / 1e6:.1f}M parameters, {format_bytes(cost.memory_bytes)} of memory).\n"
            "Ctrl-C saves and --resume continues; --max-minutes M limits it; --smoke shrinks it to seconds."
        )
    return cost.seconds


def _surely_short(experiment: Experiment) -> bool:
    """Whether full-length sequences on a slow CPU stay under LONG_SECONDS; then there is no need to probe."""
    model, train = experiment.model, experiment.train
    tokens = train.steps * train.batch * model.context_length
    return not train.epochs and 6 * 12 * model.layers * model.width**2 * tokens < LONG_SECONDS * SLOW_FLOPS
