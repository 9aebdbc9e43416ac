"""polyctl report: the paper's tables and figures from our runs, the published numbers beside them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from polyctl.cli import completion, output
from polyctl.cli.options import JsonOption, RegistryOption, RunsOption
from polyctl.errors import FileError, UsageError

if TYPE_CHECKING:
    from polyctl.reports.tables import Report, Table


def report(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PLAN|NAMES...]",
            help="d1_degree, d1_vars, d2_arch, d2_heads, d3, d4, rl or complexity; or names of experiments.",
            autocompletion=completion.report_names,
        ),
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    figures: Annotated[
        Path | None,
        typer.Option(
            "--figures", metavar="DIR", help="Write PNG and SVG files there (pip install 'polyctl[figures]')."
        ),
    ] = None,
    counts: Annotated[
        Path | None,
        typer.Option(
            "--counts",
            metavar="DIR",
            help="For complexity: directory of the published homogeneous_V_W.counts.tsv files.",
        ),
    ] = None,
    solver: Annotated[
        Path | None,
        typer.Option(
            "--solver",
            metavar="FILE",
            help="For complexity: file with the output of `polyctl eval --solver all --json`.",
        ),
    ] = None,
    bundled: Annotated[
        Path | None,
        typer.Option(
            "--bundled",
            metavar="FILE",
            help="For d1_degree, d1_vars and d4: file with the figures of one model on all published sets "
            "(benchmarks/shipped.py --out).",
        ),
    ] = None,
    runs: RunsOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the paper's tables and figures from the evaluation reports in the runs.

    Each experiment is represented by its newest evaluated run, on its own test problems; – means not
    measured. Without names, all plans are printed.

    Exit codes: 0 done; 2 usage; 3 files.
    """
    from polyctl.config.registry import load_registry
    from polyctl.reports.names import PLAN_NAMES, find_experiments, find_plan
    from polyctl.store.runs import existing_root

    if markdown and as_json:
        raise UsageError("--markdown and --json cannot both be printed", "leave one of them out")
    loaded, root = load_registry(registry), existing_root(runs)
    _check_places(counts, solver, bundled)
    if names and find_plan(names) is None:
        find_experiments(names, loaded)
    from polyctl.reports.make_report import make_report  # torch, which a wrong name need not wait for

    wanted = [names] if names else [[plan] for plan in PLAN_NAMES]
    made = [make_report(some, loaded, root, counts, solver, bundled) for some in wanted]
    if figures is not None:
        from polyctl.reports.figures import draw

        written = [path for one in made for path in draw(one.figures, figures)]
        output.say("\n".join(map(str, written)) if written else "nothing was measured, so nothing was drawn")
    if as_json:
        found = [one.to_dict() for one in made]
        output.print_json(found[0] if names else found)
    elif markdown:
        _print_markdown(made)
    else:
        for one in made:
            _print(one)


def _check_places(counts: Path | None, solver: Path | None, bundled: Path | None) -> None:
    """FileError if an option names what is not there, even where the report would not look at it."""
    if counts is not None and not counts.is_dir():
        raise FileError(f"there is no directory {counts}", "correct --counts, or leave it out")
    for option, file in (("--solver", solver), ("--bundled", bundled)):
        if file is not None and not file.is_file():
            raise FileError(f"there is no file {file}", f"correct {option}, or leave it out")


def _print_markdown(made: list[Report]) -> None:
    from polyctl.reports.tables import markdown

    print("\n".join(map(markdown, made)), end="")


def _print(report: Report) -> None:
    from polyctl.reports.tables import missing_words, sources_table

    print(report.title if not sys.stdout.isatty() else f"\033[1m{report.title}\033[0m")
    for table in report.tables:
        _print_table(table)
    if report.sources:
        _print_table(sources_table(report))
    if report.missing:
        print()
        print(missing_words(report))
    print()


def _print_table(table: Table) -> None:
    from polyctl.reports.tables import heading, shown

    print(f"\n{table.title}")
    header = [heading(column) for column in table.columns]
    rows = [[shown(v, c.kind) for v, c in zip(row, table.columns, strict=True)] for row in table.rows]
    right = [name for name, column in zip(header, table.columns, strict=True) if column.kind != "text"]
    output.print_table(header, rows, right=right)
    if table.note:
        print(table.note)
