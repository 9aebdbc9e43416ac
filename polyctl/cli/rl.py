"""polyctl rl: improve a trained model by reinforcement learning, every answer verified."""

from __future__ import annotations

import math
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polyctl.cli import output
from polyctl.cli.options import (
    DeviceOption,
    DryRunOption,
    JsonOption,
    MinutesOption,
    RegistryOption,
    RunsOption,
    SeedOption,
    SetOption,
    SmokeOption,
)
from polyctl.errors import EXIT_INTERRUPTED, FileError, UsageError

if TYPE_CHECKING:
    from polyctl.config.schema import Experiment
    from polyctl.runtime.processes import Processes
    from polyctl.store.runs import Run
    from polyctl.training.loop import TrainResult

ALGORITHMS = ("bgrpo", "grpo", "boost")
LINE_SECONDS = 5.0


def rl(
    experiment: Annotated[
        str, typer.Argument(help="The experiment whose trained model to improve (see `polyctl experiments`).")
    ],
    algo: Annotated[
        str | None,
        typer.Option("--algo", metavar="NAME", help="bgrpo (beam groups), grpo (samples) or boost (expert)."),
    ] = None,
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="RUN", help="The run or file to start from (else the newest run)."),
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
        bool, typer.Option("--track", help="Follow it with trackio too (pip install 'polyctl[track]').")
    ] = False,
    device: DeviceOption = "auto",
    seed: SeedOption = None,
    runs: RunsOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads of this process (else one for a small model).")
    ] = None,
) -> None:
    """Improve a trained model by search, exact verification and reinforcement (docs/rl.md).

    Its runs are called EXPERIMENT_ALGO. Ctrl-C saves and leaves, --resume goes on exactly there.

    Exit codes: 0 finished, or stopped by --max-minutes; 2 usage; 3 files; 130 interrupted.
    """
    from polyctl.runtime.device import limit_threads
    from polyctl.runtime.processes import join_processes

    if algo is not None and algo not in ALGORITHMS:
        raise UsageError(f"there is no algorithm {algo!r}", f"choose {', '.join(ALGORITHMS)}")
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
    supervised, chosen = _choose(experiment, smoke, changes, registry)
    limit_threads(chosen.model, threads)
    with join_processes(device) as processes:
        if dry_run:
            _dry_run(chosen, processes, as_json)
            return
        old, chosen = _old(chosen, changes, runs) if resume else (None, chosen)
        start = None if resume else _start(supervised, from_, smoke, runs, processes)
        result = _reinforce(chosen, old, start, processes, runs, max_minutes, track, as_json)
    if result.state == "interrupted":
        raise typer.Exit(EXIT_INTERRUPTED)


def _choose(
    name: str, smoke: bool, changes: list[str], registry: Path | None
) -> tuple[Experiment, Experiment]:
    """The supervised experiment, and the one to run under the name that its runs get."""
    from polyctl.config.registry import load_experiment
    from polyctl.rl.trainer import with_algorithm_name

    chosen = load_experiment(name, changes, small=smoke, registry=registry)
    return chosen, with_algorithm_name(chosen)


def _old(chosen: Experiment, changes: list[str], runs: Path | None) -> tuple[Run, Experiment]:
    """The run to resume, and its experiment with the changes laid over it."""
    from polyctl.config.registry import override
    from polyctl.store.runs import find_run

    old = find_run(chosen.name, runs)
    return old, override(old.config(), changes)


def _start(
    supervised: Experiment, name: str | None, smoke: bool, runs: Path | None, processes: Processes
) -> Path:
    """The weights to start from: of `name`, else of the experiment's newest run.

    A smoke run trains a model of seconds first where there is none.
    """
    from polyctl.store.runs import create_run, find_run
    from polyctl.training.start import weights_of
    from polyctl.training.supervised import train

    if name is not None:
        return weights_of(name, runs)
    try:
        return find_run(supervised.name, runs).weights()
    except FileError as error:
        if not smoke:
            hint = f"train one first: polyctl train {supervised.name}, or name one with --from"
            raise FileError(f"there is no trained model of {supervised.name} to improve", hint) from error
    if processes.main:
        output.say(f"no model of {supervised.name} yet: training one for seconds")
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
    as_json: bool,
) -> TrainResult:
    """Run, with progress on stderr, and print the result."""
    from polyctl.rl.trackio_logger import Tracker
    from polyctl.rl.trainer import reinforce
    from polyctl.store.runs import create_run

    run = old or processes.from_main(lambda: create_run(experiment, runs))
    with ExitStack() as stack:
        teller = Teller(stack.enter_context(output.progress("reinforcing")), plain=not sys.stderr.isatty())
        tracking = track and processes.main
        tracker = stack.enter_context(Tracker(experiment, run)) if tracking else None

        def tell(kind: str, event: dict[str, Any]) -> None:
            teller(kind, event)
            if tracker is not None:
                tracker(kind, event)

        result = reinforce(
            experiment,
            run,
            processes,
            start=start,
            max_minutes=max_minutes,
            on_event=tell,
        )
    if not processes.main:
        return result
    found = None if result.checkpoint is None else str(result.checkpoint)
    if as_json:
        report = {
            "run": str(run.path),
            "experiment": experiment.name,
            "algorithm": experiment.rl.algorithm,
            "start": None if start is None else str(start),
            "state": result.state,
            "step": result.step,
            "metrics": _numbers(result.metrics),
            "best": _numbers(result.best),
            "checkpoint": found,
        }
        output.print_json(report)
        return result
    print(f"{result.state} at step {result.step:,}: {found or 'no checkpoint yet'}")
    again = f"polyctl rl {experiment.name.rpartition('_')[0]} --algo {experiment.rl.algorithm} --resume"
    output.say(f"next: {f'polyctl eval {run.name}' if result.state == 'complete' else again}")
    return result


def _numbers(metrics: dict[str, float]) -> dict[str, float | None]:
    """Metrics for JSON, which has no NaN."""
    return {name: value if math.isfinite(value) else None for name, value in metrics.items()}


def _dry_run(experiment: Experiment, processes: Processes, as_json: bool) -> None:
    from polyctl.rl.cost import estimate

    if not processes.main:
        return
    cost = estimate(experiment, processes.device)
    if as_json:
        output.print_json({"experiment": experiment.name, **cost.to_dict()})
        return
    seconds = (
        f"{cost.search_seconds_per_step:.2g} s to search, {cost.update_seconds_per_step:.2g} s to update"
    )
    rows = [
        ("device", cost.device),
        ("parameters", f"{cost.parameters:,}"),
        ("memory", f"about {cost.memory_bytes / 1e6:.0f} MB and activations"),
        ("disk", f"{cost.disk_bytes / 1e6:.0f} MB of checkpoints"),
        ("in all", f"{cost.steps:,} steps, {cost.problems:,} problems, {cost.hypotheses:,} hypotheses"),
        ("probed", f"{cost.probed:,} problems for the pools"),
        ("time", f"at most about {cost.seconds / 60:.1f} min: a step {seconds}; validations come on top"),
    ]
    output.print_table(("cost", experiment.name), rows)


class Teller:
    """Tells a run's events on stderr: steps on the bar where there is one, else a line now and then."""

    def __init__(self, bar: output.Bar, plain: bool) -> None:
        self.bar, self.plain = bar, plain
        self.total = 0
        self.said = 0.0

    def __call__(self, kind: str, event: dict[str, Any]) -> None:
        """One event, as the trainer reports it."""
        if kind == "run":
            self.total = event["total_steps"]
            self.bar.update(done=event["step"], total=self.total)
            output.say(
                f"{event['algorithm']} {event['state']} at step {event['step']:,} of {self.total:,} on "
                f"{event['device']}, {event['parameters']:,} parameters"
            )
        elif kind == "step":
            self._step(event)
        elif kind == "pool":
            output.say(
                f"step {event['step']:,}: {event['kept']} of {event['candidates']} problems in the band, "
                f"first answer right {event['first_right']:.1%}"
            )
        elif kind == "eval":
            output.say(
                f"step {event['step']:,}: held out: greedy verified {event['greedy_verified']:.1%}, pass@1 "
                f"{event['pass_at_1']:.1%}, pass@w {event['pass_at_w']:.1%}, rank score "
                f"{event['rank_score']:.3f}"
            )

    def _step(self, event: dict[str, Any]) -> None:
        text = (
            f"reward {event['reward']:.3f}  pass@1 {event['pass_at_1']:.0%}  skipped {event['skipped']:.0f}  "
            f"kl {event['kl']:.4f}"
        )
        self.bar.update(done=event["step"], description=text)
        now = time.monotonic()
        if self.plain and (now - self.said >= LINE_SECONDS or event["step"] == self.total):
            self.said = now
            output.say(f"step {event['step']:,} of {self.total:,}  {text}")
