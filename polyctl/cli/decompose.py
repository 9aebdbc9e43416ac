"""polyctl decompose: find g and h with f = g(h), proved."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polyctl.cli import completion, guard, output
from polyctl.cli.options import (
    AtomsOption,
    BeamOption,
    DeviceOption,
    JsonOption,
    RunsOption,
    SamplesOption,
    SeedOption,
    TemperatureOption,
    VariablesOption,
    check_sampling,
    limit_seconds,
    names_in,
)
from polyctl.cli.so_far import STOPPED, SoFar
from polyctl.cli.stdin import refuse_file_name, stdin_lines
from polyctl.errors import EXIT_INTERRUPTED, EXIT_NOT_VERIFIED, PolyctlError, UsageError
from polyctl.solving.methods import CHOICES, DEFAULT_SECONDS

if TYPE_CHECKING:
    from polyctl.algebra.polynomial import Polynomial
    from polyctl.solving.request import SolveRequest
    from polyctl.solving.solution import Answer

ROOTS_TOO_LONG = "the roots took longer than the time limit: raise --time-limit"


def decompose(
    expressions: Annotated[
        list[str],
        typer.Argument(
            metavar="F...",
            help="The polynomial, for example 'x^4 + 2x^2 - 3'; - reads one a line from stdin. "
            "Several with --common.",
        ),
    ],
    main: Annotated[
        str | None,
        typer.Option("--in", metavar="X,...", help="Variables to decompose in; the others are parameters."),
    ] = None,
    variables: VariablesOption = None,
    coefficients: Annotated[
        bool, typer.Option("--coefficients", help="F is a list of coefficients, the highest first.")
    ] = False,
    atoms: AtomsOption = False,
    common: Annotated[
        bool, typer.Option("--common", help="Find inner polynomials that all F share.")
    ] = False,
    roots: Annotated[
        bool, typer.Option("--roots", help="Also give the roots of F, which must be in one variable.")
    ] = False,
    method: Annotated[
        str,
        typer.Option(
            "--method", help=f"One of {', '.join(CHOICES)}.", autocompletion=completion.method_names
        ),
    ] = "auto",
    inners: Annotated[
        int | None, typer.Option("--inners", min=1, metavar="M", help="At most M inner polynomials.")
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="How many answers to show.")] = 3,
    latex: Annotated[bool, typer.Option("--latex", help="Print LaTeX.")] = False,
    time_limit: Annotated[
        float,
        typer.Option(
            "--time-limit",
            min=0,
            metavar="SECONDS",
            help="Time limit for each polynomial; inf for none.",
            callback=limit_seconds,
        ),
    ] = DEFAULT_SECONDS,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="RUN",
            help="Run whose model to use (default: the bundled model, or else the newest run).",
            autocompletion=completion.run_names,
        ),
    ] = None,
    beam: BeamOption = None,
    samples: SamplesOption = None,
    temperature: TemperatureOption = None,
    polish: Annotated[
        bool, typer.Option("--polish", help="Let the numeric solver improve the model's wrong answers.")
    ] = False,
    grammar: Annotated[bool, typer.Option("--grammar", help="Allow only well-formed answers.")] = False,
    device: DeviceOption = "auto",
    seed: SeedOption = None,
    runs: RunsOption = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Also print what was tried, and how long each took.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Decompose a polynomial; every answer reported as verified is proved in exact arithmetic.

    auto tries the exact methods, then a model if there is one, then the numeric solver, until one of
    them succeeds. Equivalent answers are shown once, the simplest first.

    Exit codes: 0 a verified answer (with -, for every line); 1 none; 2 usage; 3 files; 130 interrupted.

    F is read as people paste it: equations, f(x) = ..., LaTeX, Decompose[..., x]; with --atoms also
    functions such as sin(x).

    Example: polyctl decompose 'x^6 + 9x^5 + 24x^4 + 9x^3 - 25x^2 + 6x + 3'
    """
    from polyctl.algebra.identities import note_on_atoms
    from polyctl.algebra.printing import plain
    from polyctl.algebra.reading import from_coefficients, notes_on
    from polyctl.solving.answer import answer
    from polyctl.solving.request import ModelRequest, SolveRequest

    if common:
        _refuse({"--in": main, "--coefficients": coefficients, "--roots": roots}, "--common")
        _refuse({"--inners": inners, "--latex": latex, "--model": model, "--polish": polish}, "--common")
        _share(expressions, names_in(variables, "--variables"), atoms, time_limit, as_json)
        return
    if len(expressions) > 1:
        raise UsageError("more than one polynomial", "quote each, and use --common for several")
    text = expressions[0].strip()
    if text == "-":
        _refuse({"--coefficients": coefficients, "--roots": roots}, "-")
    refuse_file_name(text)
    check_sampling(samples, temperature, beam)
    asked = ModelRequest(model, runs, device, beam, grammar, method == "neural" or model is not None)
    asked = replace(asked, samples=samples or 0, temperature=temperature or asked.temperature)
    request = SolveRequest(
        from_coefficients(text) if coefficients else text,
        variables=names_in(variables, "--variables"),
        main=names_in(main, "--in") or (),
        method=method,
        inners=inners,
        time_limit=time_limit,
        seed=seed or 0,
        polish=polish,
        model=asked,
        atoms=atoms,
    )
    if text == "-":
        _answer_lines(request, top)
        return
    watched = guard.start()
    so_far = SoFar(watched, time_limit, text, top, latex=latex, as_json=as_json, verbose=verbose)
    found = answer(request, on_read=so_far.begin, on_solution=so_far.add, on_attempt=so_far.add_attempt)
    if not found.solutions:
        watched.done()
    notes = notes_on(found.f, [*(request.variables or ()), *request.main])
    notes += [] if found else note_on_atoms(found.f)
    if found.identities:
        notes.append(f"f is {plain(found.f)}, with {', '.join(found.identities)}")
    if verbose:
        _say_tried(found)
    if roots:
        instead = partial(_without_roots, found, text, top, latex, as_json)
        watched.limit(time_limit, instead)
    zeros = _roots_of(found, time_limit) if roots else None
    if as_json:
        listed = None if zeros is None else [{"root": r, "multiplicity": m} for r, m in zeros]
        added = {"roots": listed} if roots else {}
        output.print_json({"input": text, **found.to_dict(top), "notes": notes, **added})
    else:
        output.say_notes(notes)
        print(found.to_text(top, latex))
        variable = _atom_of(found.f) if zeros else ""
        for root, multiplicity in zeros or ():
            print(f"root {variable}{root}" + (f", {multiplicity} times" if multiplicity > 1 else ""))
        if len(found) > top:
            output.say(f"{len(found) - top} more: use --top {len(found)}")
    _leave(found)


def _say_tried(found: Answer) -> None:
    """One line on stderr for each method that was tried, in order."""
    for tried in found.tried:
        output.say(str(tried))


def _refuse(options: dict[str, object], beside: str) -> None:
    """UsageError for an option that would be ignored."""
    given = [name for name, value in options.items() if value]
    if given:
        raise UsageError(f"{given[0]} has no meaning with {beside}", "leave one of them out")


def _roots_of(found: Answer, seconds: float) -> list[tuple[str, int]] | None:
    """The roots of f as SymPy writes them; None, with a line on stderr, if the time limit is reached."""
    from polyctl.algebra.budget import Budget, OutOfTime
    from polyctl.solving.inverse_sums import without_inverse
    from polyctl.solving.roots import find_roots

    try:
        return [
            (str(root), count) for root, count in find_roots(without_inverse(found.f), Budget.of(seconds))
        ]
    except OutOfTime:
        output.say(ROOTS_TOO_LONG)
        return None


def _without_roots(found: Answer, text: str, top: int, latex: bool, as_json: bool) -> guard.Instead:
    """What is printed if the roots take so long that they must be given up amid a step."""
    said = f"{ROOTS_TOO_LONG}\n"
    code = 0 if found else EXIT_NOT_VERIFIED
    if as_json:
        record = {"input": text, **found.to_dict(top), "notes": [], "roots": None}
        return guard.Instead(json.dumps(record, indent=2) + "\n", said, code)
    return guard.Instead(found.to_text(top, latex) + "\n", said, code)


def _atom_of(f: Polynomial) -> str:
    """`sin(x) = ` if that is what f's first variable stands for, else nothing."""
    from polyctl.algebra.atoms import is_plain
    from polyctl.algebra.polynomial import names, variables_used

    name = names(f)[variables_used(f)[0]]
    return "" if is_plain(name) else f"{name} = "


def _share(
    texts: list[str], variables: list[str] | None, atoms: bool, time_limit: float, as_json: bool
) -> None:
    """Inner polynomials that several polynomials share, and each one's outer."""
    from polyctl.algebra.identities import note_on_atoms
    from polyctl.algebra.polynomial import names
    from polyctl.algebra.printing import plain
    from polyctl.algebra.reading import notes_on
    from polyctl.solvers.exact.common import marked
    from polyctl.solving.common import search_common
    from polyctl.solving.describe import name_inners
    from polyctl.solving.read import read_several

    given = read_several(texts, variables, atoms=atoms)
    guard.start().limit(time_limit, partial(_nothing_shared, texts, time_limit, as_json))
    search = search_common(given, time_limit)
    found = search.found
    notes = notes_on(marked(given), variables or ()) + ([] if found else note_on_atoms(marked(given)))
    if as_json:
        inner = [] if found is None else [plain(h) for h in found.inners]
        outers = [] if found is None else [plain(g) for g in found.outers]
        output.print_json(
            {"inputs": texts, "inner": inner, "outers": outers, **search.to_dict(), "notes": notes}
        )
    else:
        output.say_notes(notes)
        if found is None:
            print(search.to_text())
        for i, g in enumerate(() if found is None else found.outers, 1):
            print(f"g{i}({', '.join(names(g))}) = {plain(g)}")
        for name, h in zip(name_inners(len(found.inners)), found.inners, strict=True) if found else ():
            print(f"{name} = {plain(h)}")
    if found is None:
        raise typer.Exit(EXIT_NOT_VERIFIED)


def _nothing_shared(texts: list[str], seconds: float, as_json: bool) -> guard.Instead:
    """What is printed if the search for shared inner polynomials must be ended."""
    from polyctl.solving.common import CommonSearch

    search = CommonSearch(None, [], STOPPED, seconds)
    if as_json:
        record = {"inputs": texts, "inner": [], "outers": [], **search.to_dict(), "notes": []}
        return guard.Instead(json.dumps(record, indent=2) + "\n")
    return guard.Instead(search.to_text() + "\n")


def _answer_lines(request: SolveRequest, top: int) -> None:
    """One polynomial a line from stdin, one JSON record a line to stdout, in order."""
    from polyctl.algebra.reading import notes_on
    from polyctl.solving.answer import answer

    solved = True
    watched, lines = guard.over_lines(stdin_lines("polynomial"))
    for text in lines:
        so_far = SoFar(watched, request.time_limit, text, top, as_json=True, line=True)
        record: dict[str, Any] = {"input": text}
        try:
            found = answer(
                replace(request, f=text),
                on_read=so_far.begin,
                on_solution=so_far.add,
                on_attempt=so_far.add_attempt,
            )
        except PolyctlError as error:
            output.print_json_line({**record, "error": error.message, "hint": error.hint})
            solved = False
            continue
        notes = notes_on(found.f, [*(request.variables or ()), *request.main])
        output.print_json_line({**record, **found.to_dict(top), "notes": notes})
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
