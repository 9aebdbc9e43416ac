"""polyctl decompose: find g and h with f = g(h), proved."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polyctl.cli import output
from polyctl.cli.options import BeamOption, DeviceOption, JsonOption, RunsOption, SeedOption
from polyctl.errors import EXIT_INTERRUPTED, EXIT_NOT_VERIFIED, PolyctlError
from polyctl.solving.methods import CHOICES, DEFAULT_SECONDS

if TYPE_CHECKING:
    from polyctl.solving.request import SolveRequest
    from polyctl.solving.solution import Answer


def decompose(
    expression: Annotated[
        str,
        typer.Argument(help="The polynomial, for example 'x^4 + 2x^2 - 3'; - reads one a line from stdin."),
    ],
    method: Annotated[str, typer.Option("--method", help=f"One of {', '.join(CHOICES)}.")] = "auto",
    inners: Annotated[
        int | None, typer.Option("--inners", min=1, metavar="M", help="At most M inner polynomials.")
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="How many answers to show.")] = 3,
    latex: Annotated[bool, typer.Option("--latex", help="Print LaTeX.")] = False,
    time_limit: Annotated[
        float, typer.Option("--time-limit", min=0, metavar="SECONDS", help="Time limit for each polynomial.")
    ] = DEFAULT_SECONDS,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="RUN",
            help="Run whose model to use (default: the bundled model, or else the newest run).",
        ),
    ] = None,
    beam: BeamOption = None,
    polish: Annotated[
        bool, typer.Option("--polish", help="Let the numeric solver improve the model's wrong answers.")
    ] = False,
    grammar: Annotated[bool, typer.Option("--grammar", help="Allow only well-formed answers.")] = False,
    device: DeviceOption = "auto",
    seed: SeedOption = None,
    runs: RunsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Decompose a polynomial; every answer reported as verified is proved in exact arithmetic.

    auto tries the exact methods, then a model if there is one, then the numeric solver, until one of
    them succeeds. Equivalent answers are shown once, the simplest first.

    Exit codes: 0 a verified answer (with -, for every line); 1 none; 2 usage; 3 files; 130 interrupted.

    Example: polyctl decompose 'x^6 + 9x^5 + 24x^4 + 9x^3 - 25x^2 + 6x + 3'
    """
    from polyctl.solving.answer import answer
    from polyctl.solving.request import ModelRequest, SolveRequest

    needed = method == "neural" or model is not None
    request = SolveRequest(
        expression.strip(),
        method=method,
        inners=inners,
        time_limit=time_limit,
        seed=seed or 0,
        polish=polish,
        model=ModelRequest(model, runs, device, beam, grammar, needed),
    )
    if request.f == "-":
        _answer_lines(request, top)
        return
    found = answer(request)
    if as_json:
        output.print_json({"input": request.f, **found.to_dict(top)})
    else:
        print(found.to_text(top, latex))
        if len(found) > top:
            output.say(f"{len(found) - top} more: use --top {len(found)}")
    _leave(found)


def _answer_lines(request: SolveRequest, top: int) -> None:
    """One polynomial a line from stdin, one JSON record a line to stdout, in order."""
    from polyctl.solving.answer import answer

    solved = True
    for line in sys.stdin:
        text = line.strip()
        if not text:
            continue
        record: dict[str, Any] = {"input": text}
        try:
            found = answer(replace(request, f=text))
        except PolyctlError as error:
            output.print_json_line({**record, "error": error.message, "hint": error.hint})
            solved = False
            continue
        output.print_json_line({**record, **found.to_dict(top)})
        solved = solved and bool(found)
        if found.stopped == "interrupted":
            _leave(found)
    if not solved:
        raise typer.Exit(EXIT_NOT_VERIFIED)


def _leave(found: Answer) -> None:
    """The exit code of an answer."""
    if found.stopped == "interrupted":
        raise typer.Exit(EXIT_INTERRUPTED)
    if not found:
        raise typer.Exit(EXIT_NOT_VERIFIED)
