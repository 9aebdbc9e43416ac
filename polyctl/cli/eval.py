"""polyctl eval: how good is a model?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from polyctl.cli import completion, output
from polyctl.cli.options import (
    BeamOption,
    DeviceOption,
    JsonOption,
    LimitOption,
    QuietOption,
    RegistryOption,
    RunsOption,
    SamplesOption,
    SeedOption,
    SetOption,
    TemperatureOption,
    YesOption,
    check_processes,
    check_sampling,
    limit_seconds,
)
from polyctl.cli.size import ask_if_long, check_size
from polyctl.errors import EXIT_INTERRUPTED, FileError, UsageError
from polyctl.formatting import format_fixed, format_percent
from polyctl.solving.methods import DEFAULT_SECONDS
from polyctl.store.evaluation_report import CheckpointName

if TYPE_CHECKING:
    from polyctl.config.schema import EvalConfig
    from polyctl.data.problem import Problem
    from polyctl.model.serialization import LoadedModel
    from polyctl.runtime.processes import Processes
    from polyctl.store.evaluation_report import EvaluationReport, ProblemSet
    from polyctl.store.runs import Run

SHOWN_K = (1, 2, 5, 10, 20, 30, 50)


def eval_(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[EXPERIMENT|RUN]",
            help="Run whose model to use (default: the bundled model, or else the newest run).",
            autocompletion=completion.run_names,
        ),
    ] = None,
    beam: BeamOption = None,
    limit: LimitOption = None,
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", metavar="FILE", help="Problems in the published format; may be repeated."),
    ] = None,
    checkpoint: Annotated[
        str | None,
        typer.Option(
            "--checkpoint",
            metavar="NAME",
            help="best (the default), last or average.",
            autocompletion=completion.checkpoint_names,
        ),
    ] = None,
    set_: SetOption = None,
    samples: SamplesOption = None,
    temperature: TemperatureOption = None,
    grammar: Annotated[bool, typer.Option("--grammar", help="Allow only well-formed answers.")] = False,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Longest answer in tokens.")] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Problems searched at once.")] = None,
    baseline: Annotated[
        bool, typer.Option("--baseline/--no-baseline", help="Also run SymPy's decompose, if it applies.")
    ] = True,
    solver: Annotated[
        str | None,
        typer.Option(
            "--solver",
            metavar="METHOD",
            help="Evaluate the solver instead: exact, numeric, neural or all.",
            autocompletion=completion.solver_names,
        ),
    ] = None,
    polish: Annotated[
        bool, typer.Option("--polish", help="With --solver: improve the model's wrong answers numerically.")
    ] = False,
    time_limit: Annotated[
        float,
        typer.Option(
            "--time-limit",
            min=0,
            metavar="SECONDS",
            help="With --solver: time limit for each problem; inf for none.",
            callback=limit_seconds,
        ),
    ] = DEFAULT_SECONDS,
    workers: Annotated[
        int,
        typer.Option(
            "--workers",
            min=1,
            help="Processes that solve (--solver), or from 2 on verify beside the search.",
            callback=check_processes,
        ),
    ] = 1,
    peers: Annotated[
        bool,
        typer.Option(
            "--peers", help="With --solver: also complexity by SymPy, and by wolframscript if installed."
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="Directory to write the report and predictions to."),
    ] = None,
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
) -> None:
    """Evaluate a model: greedy accuracy, verified pass@k and rank score, every answer checked exactly.

    Without --data the problems are the experiment's own test problems, which training never draws.
    The report and all predictions are kept in the run, or in --out, or under the run's name in --runs if
    the run cannot be written. Under torchrun each process takes its share.

    With --solver the solver of `polyctl decompose` is evaluated, on --data or an experiment's test
    problems: verified rate, time, and complexity beside the true answer's and Mathematica's counts.

    Exit codes: 0 done; 2 usage; 3 files; 130 interrupted.
    """
    check_sampling(samples, temperature, beam)
    if solver is not None:
        if samples is not None:
            raise UsageError("--samples does not go with --solver", "leave one of them out")
        if set_:
            raise UsageError("--set does not go with --solver", "leave one of them out")
        if out is not None:
            raise UsageError("--out does not go with --solver", "its result goes to stdout: --json > FILE")
        from polyctl.cli.eval_solver import evaluate_solver, problem_sets, solver_options
        from polyctl.solving.neural import load_neural
        from polyctl.solving.request import ModelRequest

        options = solver_options(solver, time_limit, seed, polish, peers)
        sets = problem_sets(name, data or [], limit, seed, registry)
        model = ModelRequest(None, runs, device, beam, needed=solver == "neural")
        neural = partial(load_neural, model)
        evaluate_solver(solver, sets, options, workers, neural, as_json)
        return
    if polish or peers:
        raise UsageError("--polish and --peers need --solver", "polyctl eval --solver all ...")
    from polyctl.config.registry import override
    from polyctl.store.runs import default_run, find_run, run_for_results

    run = default_run(runs) if name is None else find_run(name, runs)
    run.config()  # its results are written beside it, so that it must be whole
    _refuse_others(set_ or [])
    which = _which(checkpoint or run.weights().stem)
    results = run_for_results(run, runs, out)

    from polyctl.evaluation.run import EvaluationOptions, evaluate_run  # loads torch, so after the checks
    from polyctl.model.serialization import load_model
    from polyctl.runtime.device import limit_threads
    from polyctl.runtime.processes import join_processes

    with join_processes(device) as processes:
        loaded = load_model(run.checkpoint(which), processes.device)
        limit_threads(loaded.model.config)
        settings = {"beam": beam, "samples": samples, "temperature": temperature}
        chosen = override(loaded.experiment, set_ or []).eval
        config = _with(chosen, {**settings, "max_tokens": max_tokens, "batch": batch})
        planned = loaded.experiment.model_copy(update={"eval": config})
        least = check_size(planned, processes, "eval", force=force, problems=limit)
        ask = partial(ask_if_long, run.name, least, True, yes or processes.world > 1, "--limit shortens it")
        processes.from_main(ask)
        problems, problem_set = _problems(loaded, limit or config.problems, data or [], limit, seed)
        how = EvaluationOptions(config, which, grammar, baseline, workers if workers > 1 else 0)
        with _counting(len(problems), results, processes) as count:
            report = evaluate_run(results, loaded, problems, problem_set, how, processes, count)
    if not processes.main:
        return
    if as_json:
        output.print_json(report.to_json())
    else:
        _tables(report)
        if results.path != run.path and out is None:
            output.say(f"{run.path} is not written to: the results are in {results.path}")
        output.say(f"predictions: {report.predictions}")


@contextmanager
def _counting(total: int, results: Run, processes: Processes) -> Iterator[Callable[[], None]]:
    """Progress, and after a Ctrl-C what is kept and how to go on; gives what to call after each problem."""
    from polyctl.runtime.signals import answering_interrupts

    done = 0

    def count() -> None:
        nonlocal done
        done += processes.world
        bar.advance(processes.world)

    answer = "interrupted: stopping; a second Ctrl-C does not wait"
    bar_or_lines = output.progress("evaluating", total) if processes.main else nullcontext(output.Bar())
    try:
        with answering_interrupts(answer), bar_or_lines as bar:
            yield count
    except KeyboardInterrupt:
        after = f"after {min(done, total):,} of {total:,} problems"
        kept = f"their answers are kept in {results.predictions}, without a report; " if done else ""
        shorter = f", and --limit {min(done, total)} ends there" if done else ""
        if processes.main:
            output.say(f"interrupted {after}: {kept}the same command begins again{shorter}")
        raise typer.Exit(EXIT_INTERRUPTED) from None


def _problems(
    loaded: LoadedModel, count: int, data: list[Path], limit: int | None, seed: int | None
) -> tuple[list[Problem], ProblemSet]:
    """The problems of the files, else the experiment's own test problems."""
    from polyctl.evaluation.accuracy import evaluation_problems
    from polyctl.store.evaluation_report import ProblemSet

    if data:
        names = tuple(path.name for path in data)
        return [p for path in data for p in _read(path, loaded, limit)], ProblemSet(files=names)
    chosen_seed = loaded.experiment.seed if seed is None else seed
    problems = evaluation_problems(loaded.experiment.data, chosen_seed, count)[:limit]
    return problems, ProblemSet(loaded.experiment.name)


def _with(config: EvalConfig, settings: dict[str, float | None]) -> EvalConfig:
    """The configuration with the settings that are given; a beam is searched if its width is given."""
    if settings["beam"] is not None:
        settings = {**settings, "samples": 0}
    return config.model_copy(update={name: value for name, value in settings.items() if value is not None})


def _refuse_others(settings: list[str]) -> None:
    """UsageError for a setting that an evaluation does not have."""
    for setting in settings:
        if "=" in setting and not setting.strip().startswith("eval."):
            raise UsageError(
                f"--set {setting}: an evaluation only has the settings eval.…",
                "problems of other settings are read from files: polyctl gen, then --data FILE",
            )


def _which(checkpoint: str) -> CheckpointName:
    for name in get_args(CheckpointName):
        if checkpoint == name:
            return cast(CheckpointName, name)
    raise UsageError(
        f"--checkpoint {checkpoint!r} is none of {', '.join(get_args(CheckpointName))}",
        "use --checkpoint best",
    )


def _read(path: Path, loaded: LoadedModel, limit: int | None) -> list[Problem]:
    from polyctl.data.dataset import read_problems
    from polyctl.data.tokenizers.base import variable_names

    found = read_problems(path, limit, variable_names(loaded.experiment.data))
    if not found:
        raise FileError(f"{path} holds no problems", "expected one problem a line: INPUT ⁇ TARGET")
    return found


def _tables(report: EvaluationReport) -> None:
    summary, width = report.summary, report.summary.beam
    how = f"beam {width}"
    if report.temperature is not None:
        how = f"{width} samples at temperature {report.temperature:g}"
    print(f"{report.run}, step {report.step:,}: {summary.problems} problems ({report.data}), {how}")
    shown = sorted({k for k in SHOWN_K if k < width} | {width})
    percents = {"greedy verified": "greedy", **{f"pass@{k}": f"pass@{k}" for k in shown}}
    both = [accuracy for accuracy in (summary.answered, summary.completed) if accuracy is not None]
    rows: list[tuple[object, ...]] = [
        ("greedy exact", format_percent(summary.answered.greedy_exact), None),
        *((label, *(format_percent(a.measure(name)) for a in both)) for label, name in percents.items()),
        ("rank score", *(format_fixed(accuracy.rank_score) for accuracy in both)),
    ]
    if report.sympy is not None:
        rows.append(("SymPy decompose", format_percent(report.sympy.verified), None))
    output.print_table(("", "as answered", "outer completed"), rows, right=("as answered", "outer completed"))
    if len(summary.cells) > 1:
        measures = ("greedy", "pass@1", f"pass@{width}")
        cells = [
            (one.cell, one.problems, *(format_percent(one.accuracy.measure(name)) for name in measures))
            for one in summary.cells
        ]
        print()
        header = ("outer∘inner", "problems", *measures)
        output.print_table(header, cells, right=header[1:])
    if report.data.files and report.may_have_trained_on is not None:
        count, of = report.may_have_trained_on, summary.problems
        hint = "; exclude them in training: --set 'data.exclude=[\"FILE\"]'" if count else ""
        output.say(f"{count} of {of} problems may have been trained on{hint}")
    if summary.unreadable:
        output.say(f"{summary.unreadable} problems are too large for this model and count as not solved")
