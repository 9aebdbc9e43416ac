"""polyctl experiments run: a set of experiments through all their stages."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polyctl.cli import completion, output
from polyctl.cli.options import (
    DeviceOption,
    JsonOption,
    QuietOption,
    RegistryOption,
    RunsOption,
    SetOption,
    SmokeOption,
    YesOption,
    check_processes,
)
from polyctl.cli.size import ask_if_long, check_plan, check_task
from polyctl.cli.training import ProgressReporter
from polyctl.errors import EXIT_INTERRUPTED, EXIT_NOT_VERIFIED, UsageError
from polyctl.formatting import format_bytes, format_duration, format_percent

if TYPE_CHECKING:
    from polyctl.plans.cost import StageCost
    from polyctl.plans.launch import Cluster
    from polyctl.plans.runner import Options, Outcome
    from polyctl.plans.stages import Directories, Task

PLAN_REMEDY = "--dry-run shows the cost of each stage, --max-minutes limits each training"


def run(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAMES...",
            help="Experiments, or patterns such as `d1_var_*`.",
            autocompletion=completion.experiment_names,
        ),
    ],
    stage: Annotated[
        str | None,
        typer.Option(
            "--stage", metavar="LIST", help="Only these of gen,train,eval,rl (default: those needed)."
        ),
    ] = None,
    smoke: SmokeOption = False,
    set_: SetOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Estimate the cost without running anything.")
    ] = False,
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Stop at the first stage that fails.")
    ] = False,
    max_minutes: Annotated[
        float | None, typer.Option(min=0, help="Save and stop each training after M minutes.")
    ] = None,
    data: Annotated[Path, typer.Option(metavar="DIR", help="Directory of the data sets.")] = Path("data"),
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, help="Processes that make data (default: one for each core).", callback=check_processes
        ),
    ] = None,
    device: DeviceOption = "auto",
    devices: Annotated[
        int, typer.Option(min=1, help="Devices of this machine for train, rl and eval, by torchrun.")
    ] = 1,
    launch: Annotated[
        str | None,
        typer.Option(metavar="HOW", help="Run as jobs: slurm, or local for submitit's local executor."),
    ] = None,
    nodes: Annotated[int, typer.Option(min=1, help="With --launch: machines for each job.")] = 1,
    gpus: Annotated[int, typer.Option(min=0, help="With --launch: GPUs of each machine.")] = 0,
    time: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="MINUTES",
            help="With --launch: time limit of a job, which then continues in another.",
        ),
    ] = 60,
    partition: Annotated[
        str | None, typer.Option(metavar="NAME", help="With --launch slurm: its partition.")
    ] = None,
    runs: RunsOption = None,
    registry: RegistryOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Try it even if it needs more memory than there is.")
    ] = False,
    yes: YesOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run experiments from data to report: gen, train, eval, and rl if the registry has settings for it.

    Finished stages are skipped and interrupted ones resumed. A stage that fails does not stop the others.
    With --json every stage prints one line as it ends.

    Exit codes: 0 all done; 1 a stage failed; 2 usage; 3 files; 130 interrupted (finished work is kept).
    """
    from polyctl.config.registry import load_registry
    from polyctl.plans.runner import Options
    from polyctl.plans.stages import Directories, make_plan, parse_stages
    from polyctl.runtime.machine import cores
    from polyctl.runtime.signals import answering_interrupts
    from polyctl.store.runs import runs_root

    if data != Path("data"):
        output.remember_place("--data", str(data))
    loaded = load_registry(registry)
    directories = Directories(data, runs_root(runs))
    chosen, everyone = loaded.matching(names), loaded.matching()
    tasks = make_plan(chosen, everyone, directories, parse_stages(stage), small=smoke, settings=set_ or [])
    options = Options(device, workers or cores(), max_minutes)
    if dry_run:
        _dry_run(tasks, directories, options, as_json)
        return
    cluster = _cluster(launch, nodes, gpus, devices, time, partition)
    if cluster is None:
        least = check_plan(tasks, directories, device, force)
        ask_if_long("the plan", least / devices, True, yes or max_minutes is not None, PLAN_REMEDY)
    answer = "interrupted: stopping when what is at work allows it; a second Ctrl-C does not wait"
    with answering_interrupts(answer), output.progress("plan") as bar:
        if cluster is None:
            found = _here(tasks, directories, options, devices, bar, fail_fast, force)
        else:
            found = _as_jobs(tasks, directories, options, cluster, fail_fast)
        outcomes = [_told(outcome, as_json) for outcome in found]
    if not as_json:
        _table(outcomes)
    if any(outcome.state == "interrupted" for outcome in outcomes):
        output.say("interrupted; run the same command again to continue")
        raise typer.Exit(EXIT_INTERRUPTED)
    if bad := [outcome for outcome in outcomes if not outcome.good]:
        output.say(
            f"{len(bad)} of {len(tasks)} stages did not succeed; run the same command again to retry them"
        )
        raise typer.Exit(EXIT_NOT_VERIFIED)


def _here(
    tasks: list[Task],
    directories: Directories,
    options: Options,
    devices: int,
    bar: output.Bar,
    fail_fast: bool,
    force: bool,
) -> Iterator[Outcome]:
    from polyctl.plans.launch import perform_here
    from polyctl.plans.runner import Outcome, run_plan
    from polyctl.runtime.device import choose_device

    def carry_out(task: Task) -> Outcome:
        bar.update(0, 1, f"{task.stage} {task.experiment.name}")
        try:
            check_task(task, choose_device(options.device), force)
        except UsageError as error:
            return Outcome(*task.key, "failed", message=error.message, hint=error.hint)
        alone = devices == 1 or task.stage == "gen"
        return perform_here(task, directories, options, ProgressReporter(bar if alone else None), devices)

    return run_plan(tasks, carry_out, partial(_begin, len(tasks)), fail_fast=fail_fast)


def _as_jobs(
    tasks: list[Task], directories: Directories, options: Options, cluster: Cluster, fail_fast: bool
) -> Iterator[Outcome]:
    from polyctl.plans.launch import JOBS, run_jobs

    output.say(f"jobs and their logs are in {directories.runs / JOBS}")
    begin = partial(_begin, len(tasks))
    return run_jobs(
        tasks, cluster, directories, options, begin, lambda _task: ProgressReporter(), fail_fast=fail_fast
    )


def _cluster(
    launch: str | None, nodes: int, gpus: int, devices: int, time: int, partition: str | None
) -> Cluster | None:
    from polyctl.plans.launch import Cluster

    if launch is None:
        if nodes > 1 or gpus or partition is not None:
            raise UsageError(
                "--nodes, --gpus and --partition need --launch", "--launch slurm, or --devices N"
            )
        return None
    if launch not in ("slurm", "local"):
        raise UsageError(f"--launch {launch!r} is neither slurm nor local", "use --launch slurm")
    if launch == "local" and nodes > 1:
        raise UsageError("--launch local has one node only", "use --launch slurm, or leave --nodes out")
    return Cluster("slurm" if launch == "slurm" else "local", nodes, gpus, devices, time, partition)


# -- what it costs ---------------------------------------------------------------------------------


def _dry_run(tasks: list[Task], directories: Directories, options: Options, as_json: bool) -> None:
    """The cost of each stage, as it is estimated, and the sum."""
    from polyctl.plans.cost import stage_costs, total
    from polyctl.runtime.device import choose_device

    device = choose_device(options.device)
    found = []
    with output.progress("estimating", len(tasks)) as bar:
        for stage in stage_costs(tasks, directories, device, options.workers):
            bar.advance()
            found.append(stage)
            if as_json:
                output.print_json_line(stage.to_dict())
    summed = total(found)
    if as_json:
        output.print_json_line(summed.to_dict())
        return
    header = ("stage", "experiment", "problems", "data", "parameters", "tokens", "PFLOP", "time", "disk")
    rows = [_cost_row(stage) for stage in [*found, summed]]
    output.print_table(header, rows, right=header[2:])
    output.say(
        f"on {device.type} with one process (gen: one for each processor); eval and rl take at most this "
        "long; validations are not included"
    )


def _cost_row(stage: StageCost) -> tuple[str | None, ...]:
    cost = stage.cost
    if cost is None:
        return stage.stage, stage.experiment, "done", *["-"] * 6
    return (
        stage.stage,
        stage.experiment,
        _count(cost.problems),
        format_bytes(cost.data_bytes),
        _count(cost.parameters),
        _count(cost.tokens),
        None if cost.flops is None else _petaflops(cost.flops),
        format_duration(cost.seconds),
        format_bytes(cost.disk_bytes),
    )


def _petaflops(flops: int) -> str:
    peta = flops / 1e15
    return f"{peta:,.0f}" if peta >= 100 else f"{peta:.3g}"


def _count(value: int | None) -> str | None:
    return None if value is None else f"{value:,}"


# -- what is said ----------------------------------------------------------------------------------


def _begin(total: int, number: int, task: Task) -> None:
    output.say(f"[{number}/{total}] {task.stage} {task.experiment.name}")


def _told(outcome: Outcome, as_json: bool) -> Outcome:
    """Report an outcome as it comes, and return it."""
    if as_json:
        output.print_json_line(outcome.to_dict())
    if outcome.message is not None:
        output.print_problem(f"{outcome.stage} {outcome.experiment}: {outcome.message}", outcome.hint)
    elif outcome.state == "skipped":
        output.say(f"    done before{'' if outcome.run is None else f': {outcome.run}'}")
    else:
        output.say(f"    {outcome.state}, {outcome.seconds:.0f} s{_short(outcome.figures, '; ')}")
    return outcome


def _table(outcomes: list[Outcome]) -> None:
    rows = [
        (o.stage, o.experiment, o.state, o.run, _short(o.figures) if o.message is None else o.message)
        for o in outcomes
    ]
    output.print_table(("stage", "experiment", "state", "run", "figures"), rows)


def _short(figures: dict[str, Any], before: str = "") -> str:
    """The figures of an outcome that fit a line."""
    if "counts" in figures:
        counts = figures["counts"]
        return f"{before}{sum(counts.values()):,} problems in {len(counts)} files"
    if "beam" in figures:
        greedy, passed = format_percent(figures["greedy_verified"]), format_percent(figures["pass_at_beam"])
        return f"{before}greedy verified {greedy}, pass@{figures['beam']} {passed}"
    if "step" in figures:
        verified = format_percent(figures.get("greedy_verified"))
        return f"{before}step {figures['step']:,}, held out: greedy verified {verified}"
    return ""
