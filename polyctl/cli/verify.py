"""polyctl verify: is f = g(h1, ..., hm), exactly?"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from polyctl.cli import output
from polyctl.cli.options import AtomsOption, JsonOption, LimitOption, RunsOption
from polyctl.errors import EXIT_NOT_VERIFIED, UsageError

if TYPE_CHECKING:
    from polyctl.evaluation.claims import Tally

SHOWN = 10


def verify(
    target: Annotated[
        str,
        typer.Argument(
            help="An expression f, a file in the published format, - for stdin, an experiment or a run."
        ),
    ],
    outer: Annotated[
        str | None, typer.Option("--outer", metavar="G", help="The outer polynomial, in b or b0, b1, ...")
    ] = None,
    inner: Annotated[
        list[str] | None,
        typer.Option("--inner", metavar="H", help="An inner polynomial; repeat for several."),
    ] = None,
    atoms: AtomsOption = False,
    limit: LimitOption = None,
    runs: RunsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verify decompositions in exact arithmetic over Q.

    With --inner, TARGET is the expanded polynomial; without --outer an outer polynomial is found, if there is
    one. Without --inner, TARGET is many problems: a file in the published format or of predictions, - for
    standard input, an experiment (its data set in data/) or a run (its predictions).

    Exit codes: 0 all verified; 1 some not; 2 usage; 3 files.

    Example: polyctl verify 'x^4 + 2x^3 + x^2 + 1' --inner 'x^2 + x' --outer 'b^2 + 1'
    """
    if inner:
        _one(target.strip(), outer, inner, atoms, as_json)
        return
    if outer is not None:
        raise UsageError("--outer needs at least one --inner", "polyctl verify F --outer G --inner H")
    if atoms:
        raise UsageError("--atoms needs at least one --inner", "polyctl verify F --atoms --inner H")
    from polyctl.evaluation.claims import check_files, check_lines, find_files

    if target == "-":
        tally = check_lines(sys.stdin, "standard input", limit)
    else:
        tally = check_files(find_files(target, runs), limit)
    _many(tally, as_json)


def _one(text: str, outer: str | None, inner: list[str], atoms: bool, as_json: bool) -> None:
    from polyctl.algebra.complexity import complexity
    from polyctl.algebra.decomposition import Decomposition
    from polyctl.algebra.reading import notes_on
    from polyctl.algebra.verify import verify
    from polyctl.solving.read import read_decomposition

    f, decomposition = read_decomposition(text, outer, inner, atoms=atoms)
    verdict = verify(f, decomposition)
    notes = notes_on(f)
    if as_json:
        size = None
        if verdict.verified:
            size = complexity(Decomposition(verdict.outer, decomposition.inners)).distinct
        output.print_json({**verdict.to_dict(), "inner": inner, "complexity": size, "notes": notes})
    else:
        output.say_notes(notes)
        print(verdict)
        if outer is None and verdict.outer is not None:
            print(f"outer: {verdict.to_dict()['outer']}")
    if not verdict.verified:
        raise typer.Exit(EXIT_NOT_VERIFIED)


def _many(tally: Tally, as_json: bool) -> None:
    if as_json:
        output.print_json(tally.to_dict())
    else:
        for failure in tally.failures[:SHOWN]:
            output.say(f"{failure.place}: {failure.status}: {failure.reason}")
        if len(tally.failures) > SHOWN:
            output.say(f"... and {len(tally.failures) - SHOWN} more; --json lists all")
        rows = [(status, count) for status, count in tally.counts.items() if count or status == "verified"]
        output.print_table(("problems", str(tally.total)), rows, right=(str(tally.total),))
    if tally.counts["verified"] < tally.total or not tally.total:
        raise typer.Exit(EXIT_NOT_VERIFIED)
