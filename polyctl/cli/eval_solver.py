"""polyctl eval --solver: how good is the solver?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polyctl.cli import output
from polyctl.errors import UsageError
from polyctl.formatting import format_fixed, format_percent
from polyctl.solving.methods import CHOICES

if TYPE_CHECKING:
    from polyctl.evaluation.solver import Line, Options
    from polyctl.solving.neural import Neural


def solver_options(solver: str, time_limit: float, seed: int | None, polish: bool, peers: bool) -> Options:
    """How to solve; UsageError for a solver that does not exist."""
    from polyctl.evaluation.solver import Options

    method = "auto" if solver == "all" else solver
    if method not in CHOICES:
        known = ", ".join(["all", *CHOICES[1:]])
        raise UsageError(f"--solver {solver!r} is not one of {known}", "use --solver all")
    return Options(method, time_limit, seed or 0, polish, peers)


def problem_sets(
    name: str | None, data: list[Path], limit: int | None, seed: int | None, registry: Path | None
) -> dict[str, list[Line]]:
    """The problems of each file, or else of an experiment, by name."""
    from polyctl.config.registry import load_registry
    from polyctl.data.dataset import write_problem
    from polyctl.evaluation.accuracy import evaluation_problems
    from polyctl.evaluation.solver import Line, lines_of

    if data:
        return {path.stem: lines_of(path, limit) for path in data}
    if name is None:
        raise UsageError("which problems?", "name an experiment, or files with --data")
    experiment = load_registry(registry).get(name)
    chosen = experiment.seed if seed is None else seed
    problems = evaluation_problems(experiment.data, chosen, limit or experiment.eval.problems)[:limit]
    return {name: [Line(write_problem(experiment.data, p), i) for i, p in enumerate(problems)]}


def evaluate_solver(
    solver: str,
    sets: dict[str, list[Line]],
    options: Options,
    workers: int,
    neural: Callable[[], Neural],
    as_json: bool,
) -> None:
    """Solve the problems of each set and print the report."""
    from polyctl.evaluation.solver import report

    results: dict[str, dict[str, Any]] = {}
    for title, lines in sets.items():
        with output.progress(title, len(lines)) as bar:

            def advance(_: dict[str, Any], bar: output.Bar = bar) -> None:
                bar.advance()

            results[title] = report(lines, options, workers=workers, neural=neural, on_record=advance)
    if as_json:
        output.print_json({"solver": solver, "time_limit": options.time_limit, "sets": results})
    else:
        print_reports(results)


def print_reports(results: dict[str, dict[str, Any]]) -> None:
    """A table of reports, one a row."""
    from polyctl.evaluation.solver import COMPLEXITIES

    there = [c for c in COMPLEXITIES if any(r["complexity"][c] is not None for r in results.values())]
    header = ("set", "n", "verified", "as small", "s", *there)
    rows = [
        (
            title,
            r["problems"],
            format_percent(r["verified"]),
            format_percent(r["as_small"]),
            format_fixed(r["seconds"]),
            *(format_fixed(r["complexity"][c], 1) for c in there),
        )
        for title, r in results.items()
    ]
    output.print_table(header, rows, right=header[1:])
