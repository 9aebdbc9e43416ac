"""polyctl rewrite: f in given polynomials, with the remainder that is left."""

from __future__ import annotations

import json
from functools import partial
from typing import Annotated

import typer

from polyctl.cli import guard, output
from polyctl.cli.options import AtomsOption, JsonOption, VariablesOption, limit_seconds, names_in
from polyctl.errors import EXIT_NOT_VERIFIED
from polyctl.solving.methods import DEFAULT_SECONDS

NOT_FOUND = "not found within the limits on work and time"


def rewrite(
    expression: Annotated[str, typer.Argument(metavar="F", help="The polynomial to rewrite.")],
    inner: Annotated[
        list[str],
        typer.Option(
            "--in", metavar="H", help="A polynomial to write it in; repeat for several, or {H1, H2}."
        ),
    ],
    variables: VariablesOption = None,
    atoms: AtomsOption = False,
    time_limit: Annotated[
        float,
        typer.Option(
            "--time-limit", min=0, metavar="SECONDS", help="Time limit; inf for none.", callback=limit_seconds
        ),
    ] = DEFAULT_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Write a polynomial in given ones: b0 stands for the first, b1 for the second, and so on.

    What they cannot express is left in the variables of F. The result is exact and does not depend on how it
    is found; nothing left means that F is a polynomial in them. If F has variables such as b or b0, another
    letter takes the place of b.

    Exit codes: 0 nothing is left; 1 something is, or the time limit was reached; 2 usage.

    Example: polyctl rewrite 'x^3 + y^3' --in 'x + y' --in 'x y'
    """
    from polyctl.algebra.printing import plain
    from polyctl.algebra.reading import notes_on
    from polyctl.solving.api import rewrite as write_in
    from polyctl.solving.read import split_list

    inner = [part for text in inner for part in split_list(text)]
    names = names_in(variables, "--variables")
    guard.start().limit(time_limit, partial(_not_found, expression, inner, as_json))
    found = write_in(expression.strip(), inner, variables=names, atoms=atoms, time_limit=time_limit)
    notes = [] if found is None else [*notes_on(found.f, names or ()), *found.notes]
    if as_json:
        form = None if found is None else plain(found.normal_form)
        complete = found is not None and found.complete
        output.print_json(
            {
                "input": expression,
                "inner": inner,
                "normal_form": form,
                "complete": complete,
                "notes": notes,
            }
        )
    elif found is None:
        print(NOT_FOUND)
        output.say("polyctl verify F --inner H ... may still tell whether F is a polynomial in them")
    else:
        output.say_notes(notes)
        print(plain(found.normal_form))
    if found is None or not found.complete:
        raise typer.Exit(EXIT_NOT_VERIFIED)


def _not_found(expression: str, inner: list[str], as_json: bool) -> guard.Instead:
    """What is printed if rewriting must be ended amid a long step."""
    if not as_json:
        return guard.Instead(NOT_FOUND + "\n")
    record = {"input": expression, "inner": inner, "normal_form": None, "complete": False, "notes": []}
    return guard.Instead(json.dumps(record, indent=2) + "\n")
