"""polyctl verify: is f = g(h1, ..., hm), exactly?"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from polyctl.cli import guard, output
from polyctl.cli.options import (
    AtomsOption,
    JsonOption,
    LimitOption,
    RunsOption,
    VariablesOption,
    limit_seconds,
    names_in,
)
from polyctl.cli.stdin import stdin_lines
from polyctl.errors import EXIT_NOT_VERIFIED, FileError, UsageError
from polyctl.solving.methods import DEFAULT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from polyctl.algebra.verify import Verdict
    from polyctl.evaluation.claims import Tally
    from polyctl.solving.read import Claim

SHOWN = 10


def verify(
    target: Annotated[
        str,
        typer.Argument(
            help="An expression f, a file in the published format, - for stdin, an experiment or a run."
        ),
    ],
    outer: Annotated[
        list[str] | None,
        typer.Option("--outer", metavar="G", help="The outer polynomial, in b or b0, b1, ..."),
    ] = None,
    inner: Annotated[
        list[str] | None,
        typer.Option("--inner", metavar="H", help="An inner polynomial; repeat for several, or {H1, H2}."),
    ] = None,
    variables: VariablesOption = None,
    atoms: AtomsOption = False,
    time_limit: Annotated[
        float | None,
        typer.Option(
            "--time-limit",
            min=0,
            metavar="SECONDS",
            help=f"Time limit for one expression (default: {DEFAULT_SECONDS:g}; inf for none).",
            callback=limit_seconds,
        ),
    ] = None,
    limit: LimitOption = None,
    without_f: Annotated[
        bool, typer.Option("--without-f", help="Lines are TRUE ⁇ ANSWER, the published code's predictions.")
    ] = False,
    runs: RunsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verify decompositions in exact arithmetic over Q.

    With --inner, TARGET is the expanded polynomial; without --outer an outer polynomial is found, if there is
    one. G may also have variables of TARGET itself, as `polyctl rewrite` leaves them.

    Without --inner, TARGET is many problems: a file in the published format or of predictions, - for standard
    input, an experiment (its data set in data/) or a run (its predictions).

    Exit codes: 0 all verified; 1 some not; 2 usage; 3 files.

    Example: polyctl verify 'x^4 + 2x^3 + x^2 + 1' --inner 'x^2 + x' --outer 'b^2 + 1'
    """
    if inner:
        if without_f:
            raise UsageError("--without-f is for a file", "leave out --inner, or --without-f")
        from polyctl.solving.read import read_claim, split_list

        if outer and len(outer) > 1:
            raise UsageError("--outer is given more than once", "give --inner for each inner polynomial")
        listed = [part for text in inner for part in split_list(text)]
        seconds = DEFAULT_SECONDS if time_limit is None else time_limit
        read = partial(read_claim, variables=names_in(variables, "--variables"), atoms=atoms)
        _one(read, target.strip(), outer[0] if outer else None, listed, seconds, as_json)
        return
    if outer is not None:
        raise UsageError("--outer needs at least one --inner", "polyctl verify F --outer G --inner H")
    if atoms:
        raise UsageError("--atoms needs at least one --inner", "polyctl verify F --atoms --inner H")
    if variables is not None:
        raise UsageError("--variables needs at least one --inner", "polyctl verify F --variables X --inner H")
    if time_limit is not None:
        raise UsageError("--time-limit needs at least one --inner", "use --limit for many problems")
    from polyctl.evaluation.claims import check_files, check_lines, find_files

    if target == "-":
        tally = check_lines(stdin_lines("problem"), "standard input", limit, without_f=without_f)
    else:
        files = find_files(target, runs)
        tally = check_files(files, limit, without_f=without_f)
        if not tally.total:
            raise FileError(f"{files[0]} holds no problems", "expected one problem a line: INPUT ⁇ TARGET")
    _many(tally, as_json)


def _one(
    read: Callable[..., Claim], text: str, outer: str | None, inner: list[str], seconds: float, as_json: bool
) -> None:
    from polyctl.algebra.budget import Budget
    from polyctl.algebra.complexity import complexity
    from polyctl.algebra.decomposition import Decomposition
    from polyctl.algebra.printing import plain
    from polyctl.algebra.reading import notes_on
    from polyctl.algebra.verify import Verdict
    from polyctl.solving.verification import verify_claim

    try:
        claim = read(text, outer, inner)
    except UsageError as error:
        if hint := _if_swapped(read, text, outer, inner):
            raise UsageError(error.message, hint) from None
        raise
    inners = claim.decomposition.inners
    watched = guard.start()
    undecided = Verdict("undecided", "the time limit was reached", "composition and linear algebra", seconds)
    watched.limit(seconds, partial(_instead, undecided, inner, as_json))
    verdict = verify_claim(claim.f, claim.decomposition, Budget.of(seconds))
    watched.keep(partial(_instead, verdict, inner, as_json))
    notes = [*notes_on(claim.f, claim.named), *claim.notes]
    if verdict.status == "refuted":
        notes += claim.doubts
    if verdict.status == "refuted" and (hint := _if_swapped(read, text, outer, inner)):
        notes.append(hint)
    if as_json:
        size = None
        if verdict.verified:
            size = complexity(Decomposition(verdict.outer, inners)).distinct
        listed = [*inner, *(plain(h) for h in inners[len(inner) :])]
        output.print_json({**verdict.to_dict(), "inner": listed, "complexity": size, "notes": notes})
    else:
        output.say_notes(notes)
        print(verdict)
        if outer is None and verdict.outer is not None:
            print(f"outer: {verdict.to_dict()['outer']}")
    if not verdict.verified:
        raise typer.Exit(EXIT_NOT_VERIFIED)


def _instead(verdict: Verdict, inner: list[str], as_json: bool) -> guard.Instead:
    """What is printed if the command must be ended amid a long step."""
    code = 0 if verdict.verified else EXIT_NOT_VERIFIED
    if not as_json:
        return guard.Instead(f"{verdict}\n", "", code)
    record = {**verdict.to_dict(), "inner": inner, "complexity": None, "notes": []}
    return guard.Instead(json.dumps(record, indent=2) + "\n", "", code)


def _if_swapped(read: Callable[..., Claim], text: str, outer: str | None, inner: list[str]) -> str | None:
    """What to say if the claim holds with --outer and --inner the other way round."""
    from polyctl.algebra.verify import verify

    if outer is None or len(inner) > 1:
        return None
    try:
        claim = read(text, inner[0], [outer])
    except UsageError:
        return None
    if not verify(claim.f, claim.decomposition).verified:
        return None
    return f"it holds the other way round: --outer {inner[0]!r} --inner {outer!r}"


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
    if tally.counts["verified"] < tally.total:
        raise typer.Exit(EXIT_NOT_VERIFIED)
