"""polyctl decompose: find g and h with f = g(h), proved."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polyctl.cli import output
from polyctl.cli.options import BeamOption, DeviceOption, JsonOption, RunsOption
from polyctl.errors import EXIT_NOT_VERIFIED, UsageError

if TYPE_CHECKING:
    from polyctl.solve import Solution


def decompose(
    expression: Annotated[
        str, typer.Argument(help="The polynomial, as you would type it: 'x^4 + 2x^2 - 3'.")
    ],
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="RUN", help="Whose model (else the newest run with a checkpoint)."),
    ] = None,
    beam: BeamOption = None,
    top: Annotated[int, typer.Option("--top", min=1, help="How many answers to show.")] = 3,
    grammar: Annotated[bool, typer.Option("--grammar", help="Let only well-formed answers through.")] = False,
    latex: Annotated[bool, typer.Option("--latex", help="Print LaTeX.")] = False,
    device: DeviceOption = "auto",
    runs: RunsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Decompose a polynomial: search with a model's beam, verify every answer exactly.

    Exit codes: 0 a verified answer; 1 none found; 2 usage; 3 files; 130 interrupted.

    Example: polyctl decompose 'x^4 + 2x^3 + 3x^2 + 2x + 5'
    """
    from polyctl.algebra.parse import parse
    from polyctl.algebra.polynomial import degree
    from polyctl.data.tokenizer import UnwritableProblem
    from polyctl.model.device import choose_device, limit_threads
    from polyctl.model.files import load_model
    from polyctl.runs import find_run, newest_run_with_checkpoint
    from polyctl.solve import neural_candidates, solutions

    started = time.perf_counter()
    f = parse(expression)
    if degree(f) < 2:
        raise UsageError(
            f"a polynomial of degree {max(degree(f), 0)} has no decomposition", "give one of degree 2 or more"
        )
    run = newest_run_with_checkpoint(runs) if model is None else find_run(model, runs)
    loaded = load_model(run.checkpoint("best"), choose_device(device))
    limit_threads(loaded.model.config)
    width, limit = beam or loaded.experiment.eval.beam, loaded.experiment.eval.max_tokens
    try:
        found = solutions(f, neural_candidates(f, loaded, width=width, max_tokens=limit, grammar=grammar))
    except UnwritableProblem as error:
        raise UsageError(
            f"the model of {run.name} cannot read this polynomial: {error}",
            f"it was trained on {_family(loaded.experiment.data)}; name another with --model",
        ) from None
    if as_json:
        output.print_json(
            {
                "input": expression,
                "solutions": [_record(i, s) for i, s in enumerate(found[:top], 1)],
                "seconds": time.perf_counter() - started,
                "run": run.name,
            }
        )
    else:
        _show(f, found[:top], latex, f"{run.name}, beam {width}")
    if not any(s.verdict.verified for s in found):
        raise typer.Exit(EXIT_NOT_VERIFIED)


def _family(data: Any) -> str:
    degrees = f"{'/'.join(map(str, data.outer_degrees))}∘{'/'.join(map(str, data.inner_degrees))}"
    return f"{data.family} problems of degrees {degrees}"


def _record(rank: int, solution: Solution) -> dict[str, Any]:
    from polyctl.algebra.printing import latex, plain

    decomposition = solution.decomposition
    outer = decomposition.outer
    return {
        "rank": rank,
        "outer": None if outer is None else plain(outer),
        "inner": [plain(h) for h in decomposition.inners],
        "status": solution.verdict.status,
        "reason": solution.verdict.reason,
        "source": solution.source,
        "logprob": solution.logprob,
        "complexity": None if solution.complexity is None else solution.complexity.distinct,
        "leaves": None if solution.complexity is None else solution.complexity.leaves,
        "latex": {
            "outer": None if outer is None else latex(outer),
            "inner": [latex(h) for h in decomposition.inners],
        },
    }


def _show(f: Any, found: list[Solution], as_latex: bool, tried: str) -> None:
    from polyctl.algebra.complexity import complexity_of
    from polyctl.algebra.polynomial import names
    from polyctl.algebra.printing import latex, plain

    write = latex if as_latex else plain
    verified = [s for s in found if s.verdict.verified]
    if not verified:
        print(f"none found ({tried})")
        for s in found:
            output.say(f"  {s.verdict.status}: {'; '.join(plain(h) for h in s.decomposition.inners)}")
        return
    for number, s in enumerate(verified, 1):
        outer, inners = s.decomposition.outer, s.decomposition.inners
        assert outer is not None
        assert s.complexity is not None
        letters = ["h"] if len(inners) == 1 else [f"h{i}" for i in range(len(inners))]
        print(f"{number}. f = g({', '.join(letters)})")
        print(f"   g({', '.join(names(outer))}) = {write(outer)}")
        for letter, h in zip(letters, inners, strict=True):
            print(f"   {letter} = {write(h)}")
        print(f"   verified over Q ({s.verdict.method})")
        print(
            f"   complexity {s.complexity.distinct}, expanded {complexity_of(f).distinct}; "
            f"found by {s.source}, {tried}"
        )
