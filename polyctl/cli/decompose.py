"""polyctl decompose: find g and h with f = g(h), proved."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polyctl.cli import output
from polyctl.cli.options import BeamOption, DeviceOption, JsonOption, RunsOption, SeedOption
from polyctl.errors import EXIT_INTERRUPTED, EXIT_NOT_VERIFIED, FileError, PolyctlError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from polyctl.algebra.polynomial import Polynomial
    from polyctl.solving.judge import Solution
    from polyctl.solving.solve import Answer, Neural

METHODS = {
    "auto": ("exact", "neural", "numeric"),
    "exact": ("exact",),
    "numeric": ("numeric",),
    "neural": ("neural",),
}


def decompose(
    expression: Annotated[
        str,
        typer.Argument(
            help="The polynomial as you would type it, 'x^4 + 2x^2 - 3'; - reads one a line from stdin."
        ),
    ],
    method: Annotated[str, typer.Option("--method", help="auto, exact, numeric or neural.")] = "auto",
    inners: Annotated[
        int | None, typer.Option("--inners", min=1, metavar="M", help="At most M inners.")
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="How many answers to show.")] = 3,
    latex: Annotated[bool, typer.Option("--latex", help="Print LaTeX.")] = False,
    time_limit: Annotated[
        float, typer.Option("--time-limit", min=0, metavar="SECONDS", help="For each polynomial.")
    ] = 10.0,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="RUN", help="Whose model (else the shipped one, else the newest)."),
    ] = None,
    beam: BeamOption = None,
    polish: Annotated[
        bool, typer.Option("--polish", help="Let the numeric solver improve the model's wrong answers.")
    ] = False,
    grammar: Annotated[bool, typer.Option("--grammar", help="Let only well-formed answers through.")] = False,
    device: DeviceOption = "auto",
    seed: SeedOption = None,
    runs: RunsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Decompose a polynomial; every answer shown as verified is proved in exact arithmetic.

    auto tries the exact methods, then a model if there is one, then the numeric solver, until one of
    them succeeds. Equivalent answers are shown once, the simplest first.

    Exit codes: 0 a verified answer (with -, for every line); 1 none; 2 usage; 3 files; 130 interrupted.

    Example: polyctl decompose 'x^6 + 9x^5 + 24x^4 + 9x^3 - 25x^2 + 6x + 3'
    """
    if method not in METHODS:
        raise UsageError(f"--method {method!r} is none of {', '.join(METHODS)}", "use --method auto")
    load = model_loader(method == "neural" or model is not None, model, beam, grammar, device, runs)
    if polish and method == "exact":
        raise UsageError("--polish needs a model's answers", "use --method neural or auto")

    def answer_to(text: str) -> tuple[Polynomial, Answer]:
        from polyctl.algebra.parse import parse
        from polyctl.algebra.polynomial import degree
        from polyctl.solving.solve import solve

        f = parse(text)
        if degree(f) < 2:
            raise UsageError(
                f"a polynomial of degree {max(degree(f), 0)} has no decomposition",
                "give one of degree 2 or more",
            )
        found = solve(
            f,
            methods=METHODS[method],
            inners=inners,
            time_limit=time_limit,
            seed=seed or 0,
            neural=load,
            polish=polish,
        )
        return f, found

    expression = expression.strip()
    if expression == "-":
        _many(answer_to, top)
        return
    f, found = answer_to(expression)
    if as_json:
        output.print_json(_record(expression, found, top))
    else:
        _show(f, found, top, latex)
    if found.stopped == "interrupted":
        raise typer.Exit(EXIT_INTERRUPTED)
    if not found.verified:
        raise typer.Exit(EXIT_NOT_VERIFIED)


def model_loader(
    needed: bool, model: str | None, beam: int | None, grammar: bool, device: str, runs: Path | None
) -> Callable[[], Neural | None]:
    """Loads the model when it is first asked for; None where there is none and it is not `needed`."""

    @cache
    def load() -> Neural | None:
        from polyctl.model.serialization import load_model
        from polyctl.runtime.device import choose_device, limit_threads
        from polyctl.solving.solve import Neural
        from polyctl.store.runs import default_run, find_run

        try:
            run = default_run(runs) if model is None else find_run(model, runs)
        except FileError:
            if needed:
                raise
            return None
        try:
            loaded = load_model(run.weights(), choose_device(device))
        except FileError as error:
            if needed:
                raise
            output.say(f"no model is asked: {error.message}")
            return None
        limit_threads(loaded.model.config)
        return Neural(
            loaded, run.name, beam or loaded.experiment.eval.beam, loaded.experiment.eval.max_tokens, grammar
        )

    return load


# -- output ----------------------------------------------------------------------------------------


def _many(answer_to: Callable[[str], tuple[Polynomial, Answer]], top: int) -> None:
    """One polynomial a line from stdin, one JSON record a line to stdout, in order."""
    solved = True
    for line in sys.stdin:
        text = line.strip()
        if not text:
            continue
        try:
            _, found = answer_to(text)
            record = _record(text, found, top)
            solved &= bool(found.verified)
        except PolyctlError as error:
            record, solved = {"input": text, "error": error.message, "hint": error.hint}, False
            found = None
        output.print_json_line(record)
        if found is not None and found.stopped == "interrupted":
            raise typer.Exit(EXIT_INTERRUPTED)
    if not solved:
        raise typer.Exit(EXIT_NOT_VERIFIED)


def _record(text: str, found: Answer, top: int) -> dict[str, Any]:
    return {
        "input": text,
        "solutions": [_solution(i, s) for i, s in enumerate(found.solutions[:top], 1)],
        "indecomposable": found.indecomposable,
        "tried": [
            {"method": a.method, "seconds": a.seconds, "found": a.found, "note": a.note} for a in found.tried
        ],
        "stopped": found.stopped,
        "seconds": found.seconds,
    }


def _solution(rank: int, solution: Solution) -> dict[str, Any]:
    from polyctl.algebra.printing import latex, plain

    outer, inners = solution.decomposition.outer, solution.decomposition.inners
    size = solution.complexity
    return {
        "rank": rank,
        "outer": None if outer is None else plain(outer),
        "inner": [plain(h) for h in inners],
        "status": solution.verdict.status,
        "reason": solution.verdict.reason,
        "source": solution.source,
        "logprob": solution.logprob,
        "complexity": None if size is None else size.distinct,
        "leaves": None if size is None else size.leaves,
        "latex": {"outer": None if outer is None else latex(outer), "inner": [latex(h) for h in inners]},
        "seconds": solution.seconds,
    }


def _show(f: Polynomial, found: Answer, top: int, as_latex: bool) -> None:
    from polyctl.algebra.complexity import complexity_of
    from polyctl.algebra.polynomial import names
    from polyctl.algebra.printing import latex, plain
    from polyctl.solving.solve import generic, weak

    write = latex if as_latex else plain
    for number, solution in enumerate(found.verified[:top], 1):
        outer, inners, size = solution.decomposition.outer, solution.decomposition.inners, solution.complexity
        assert outer is not None
        assert size is not None
        letters = ["h"] if len(inners) == 1 else [f"h{i}" for i in range(len(inners))]
        print(f"{number}. f = g({', '.join(letters)})")
        print(f"   g({', '.join(names(outer))}) = {write(outer)}")
        for letter, h in zip(letters, inners, strict=True):
            print(f"   {letter} = {write(h)}")
        print(f"   verified: {solution.verdict.reason}, by {solution.verdict.method}")
        print(f"   found by {solution.source}")
        if weak(f, solution.decomposition):
            print("   it says little: a mere factorisation, or powers of the variables")
        elif generic(f, solution.decomposition):
            print("   nearly every polynomial of this degree has a decomposition of this shape")
        expanded = complexity_of(f).distinct
        larger = "; it is larger than f" if size.distinct > expanded else ""
        print(f"   complexity {size.distinct}, expanded form {expanded}{larger}")
    if found.verified:
        more = len(found.verified) - top
        if more > 0:
            output.say(f"{more} more: --top {len(found.verified)}")
        return
    if found.indecomposable is not None:
        print(f"indecomposable: {found.indecomposable}")
        return
    print("none found" + (f" ({found.stopped})" if found.stopped else ""))
    for attempt in found.tried:
        print(
            f"   tried {attempt.method}, {attempt.seconds:.2g} s{f': {attempt.note}' if attempt.note else ''}"
        )
