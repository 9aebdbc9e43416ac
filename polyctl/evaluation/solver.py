"""How good the solver is: verified rate, time and complexity, beside the true answers and other systems."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

from polyctl.algebra.complexity import complexity, complexity_of
from polyctl.algebra.decomposition import Decomposition, used_inners
from polyctl.algebra.polynomial import Polynomial, degree, names, terms
from polyctl.algebra.printing import plain
from polyctl.algebra.sympy_form import sympy_expression
from polyctl.algebra.verify import verify
from polyctl.data.dataset import LineFile
from polyctl.data.published_format import read_line
from polyctl.errors import FileError
from polyctl.evaluation.counts import read_counts
from polyctl.runtime.pool import noticing_deaths, worker_pool
from polyctl.solving.methods import DEFAULT_SECONDS, select_methods
from polyctl.solving.rank import is_weak
from polyctl.solving.solution import Solution
from polyctl.solving.solve import Numeric, solve

if TYPE_CHECKING:
    import sympy

    from polyctl.solving.neural import Neural

COMPLEXITIES = ("complexity", "simplest", "known", "expanded", "mathematica", "sympy", "wolframscript")


@dataclass(frozen=True)
class Line:
    """A problem as text, so that it can go to another process.

    `mathematica` is a published count; `inners` bounds the number of inner polynomials if no answer is known.
    """

    text: str
    number: int
    mathematica: int | None = None
    inners: int | None = None


@dataclass(frozen=True)
class Options:
    """How to solve: method, seconds a problem, seed, polish of a model's answers, peers to compare with."""

    method: str
    time_limit: float = DEFAULT_SECONDS
    seed: int = 0
    polish: bool = False
    peers: bool = False


def lines_of(path: Path, limit: int | None = None) -> list[Line]:
    """The lines of a file in the published format, with Mathematica's counts from FILE.counts.tsv."""
    file = LineFile(path)
    if not len(file):
        raise FileError(f"{path} holds no problems", "expected one problem a line: INPUT ⁇ TARGET")
    beside = path.with_suffix(".counts.tsv")
    counts: list[int | None] = [None] * len(file)
    if (rows := read_counts(beside)) is not None:
        if len(rows) != len(file):
            raise FileError(f"{beside} has {len(rows)} counts for {len(file)} problems", "the two must match")
        counts = list(rows)
    return [Line(file[i], i, counts[i]) for i in range(min(limit or len(file), len(file)))]


def solve_line(line: Line, options: Options, neural: Callable[[], Neural] | None = None) -> dict[str, Any]:
    """One problem's record: what was found, whether it counts, how long it took, how complex it is.

    `as_small`: proved, with no more inners and no higher degrees than the known answer. `verified`: that, or
    proved with no more inners and not `weak` (a mere factorisation, or powers of the variables) unless the
    known answer is weak too.
    `complexity` is that of the answer, `simplest` of the simplest proved one, factorisations and all, which
    is what other systems' simplified forms compare with. Seconds are of processor time.
    """
    problem = read_line(line.text, line.number)
    known = _known(problem.f, problem.decomposition)
    bound = line.inners if known is None else len(known.inners)
    started, wall = process_time(), perf_counter()
    answer = solve(
        problem.f,
        options.method,
        inners=bound,
        time_limit=options.time_limit,
        neural=neural,
        numeric=Numeric(options.seed, options.polish),
    )
    seconds, wall = process_time() - started, perf_counter() - wall
    weak_too = known is not None and is_weak(problem.f, known)
    strong = [s for s in answer.verified if weak_too or _as_small(s, known) or not s.weak]
    best = strong[0] if strong else None
    record: dict[str, Any] = {
        "index": line.number,
        "input": plain(problem.f),
        "verified": best is not None,
        "weak": not strong and bool(answer.verified),
        "as_small": any(_as_small(s, known) for s in strong),
        "source": None if best is None else best.source,
        "outer": None if best is None or best.outer is None else plain(best.outer),
        "inner": [] if best is None else [plain(h) for h in best.inner],
        "seconds": seconds,
        "wall_seconds": wall,
        "complexity": None if best is None or best.complexity is None else best.complexity.distinct,
        "simplest": min((s.complexity.distinct for s in answer.verified if s.complexity), default=None),
        "expanded": complexity_of(problem.f).distinct,
        "known": None if known is None else complexity(known).distinct,
        "mathematica": line.mathematica,
        "indecomposable": answer.indecomposable,
    }
    if options.peers:
        record["sympy"] = sympy_complexity(problem.f)
        record["wolframscript"] = wolfram_complexity(problem.f)
    return record


def report(
    lines: Sequence[Line],
    options: Options,
    *,
    workers: int = 1,
    neural: Callable[[], Neural] | None = None,
    on_record: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Solve all problems, in several processes if no model is needed, and sum up."""
    records = []
    for record in _records(lines, options, workers, neural):
        records.append(record)
        if on_record is not None:
            on_record(record)
    return summary(records)


def summary(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Rates over all problems; mean complexities over those that were solved, the same for every column."""
    count = max(len(records), 1)
    solved = [r for r in records if r["verified"]]
    sources: dict[str, int] = {}
    for r in solved:
        sources[r["source"]] = sources.get(r["source"], 0) + 1
    return {
        "problems": len(records),
        "verified": len(solved) / count,
        "as_small": sum(r["as_small"] for r in records) / count,
        "weak": sum(r["weak"] for r in records) / count,
        "seconds": sum(r["seconds"] for r in records) / count,
        "wall_seconds": sum(r["wall_seconds"] for r in records) / count,
        "slowest_wall_seconds": max((r["wall_seconds"] for r in records), default=0.0),
        "complexity": {
            name: _mean([r[name] for r in solved if r.get(name) is not None]) for name in COMPLEXITIES
        },
        "sources": sources,
        "missed": [r["index"] for r in records if not r["verified"]],
    }


def _mean(values: Sequence[float]) -> float | None:
    return mean(values) if values else None


def _records(
    lines: Sequence[Line], options: Options, workers: int, neural: Callable[[], Neural] | None
) -> Iterator[dict[str, Any]]:
    if workers == 1 or any(m.kind == "neural" for m in select_methods(options.method)):
        yield from (solve_line(line, options, neural) for line in lines)
        return
    with noticing_deaths(), worker_pool(workers, _one_thread) as pool:
        yield from pool.map(partial(solve_line, options=options), lines)


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def _known(f: Polynomial, decomposition: Decomposition | None) -> Decomposition | None:
    """The known answer with its outer, if it holds as given: a wrong one is not repaired."""
    if decomposition is None:
        return None
    verdict = verify(f, decomposition)
    if verdict.outer is None or verdict.status not in ("verified", "trivial"):
        return None
    return used_inners(Decomposition(verdict.outer, decomposition.inners))


def _as_small(solution: Solution, known: Decomposition | None) -> bool:
    outer = solution.outer
    if known is None or known.outer is None or outer is None:
        return False
    inner, bound = (max(degree(h) for h in d.inners) for d in (solution.decomposition, known))
    return degree(outer) <= degree(known.outer) and inner <= bound


# -- other systems ---------------------------------------------------------------------------------


def sympy_complexity(f: Polynomial) -> int:
    """Distinct subexpressions of the simplest that SymPy's factor, horner and decompose make of f."""
    import sympy

    expression = sympy_expression(f)
    forms = [sympy.factor(expression), sympy.horner(expression)]
    if f.context().nvars() == 1:
        (name,) = names(f)
        symbol = sympy.Symbol(name)
        composed = symbol
        for part in reversed(sympy.decompose(sympy.Poly(expression, symbol, domain="QQ"))):
            composed = part.as_expr().subs(symbol, composed)
        forms.append(composed)
    return min(map(distinct_vertices, forms))


def distinct_vertices(expression: sympy.Expr) -> int:
    """Distinct subexpressions and heads of a SymPy expression; a symbol a0 is its head a applied to 0."""
    import sympy

    vertices: set[object] = set()
    for node in sympy.preorder_traversal(expression):
        vertices.add(node)
        if isinstance(node, sympy.Symbol):
            letters = node.name.rstrip("0123456789")
            if letters != node.name:
                vertices |= {("head", letters), sympy.Integer(int(node.name[len(letters) :]))}
        elif node.args:
            vertices.add(("head", type(node).__name__))
    return len(vertices)


def wolfram_complexity(f: Polynomial, seconds: int = 60) -> int | None:
    """Distinct subexpressions of Mathematica's Simplify[f], or None if there is no answer."""
    program = shutil.which("wolframscript")
    if program is None:
        return None
    code = f"Length[DeleteDuplicates[Level[Simplify[{_wolfram(f)}], {{0, Infinity}}, Heads -> True]]]"
    try:
        done = subprocess.run(
            [program, "-code", code], capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    last = done.stdout.strip().splitlines()[-1:]
    return int(last[0]) if done.returncode == 0 and last and last[0].isdigit() else None


def _wolfram(f: Polynomial) -> str:
    """f in Wolfram language, a0 as a[0]."""
    spelled = []
    for name in names(f):
        letters = name.rstrip("0123456789")
        spelled.append(name if letters == name else f"{letters}[{name[len(letters) :]}]")
    return " + ".join(
        "*".join([f"({c})", *(f"{v}^{e}" for v, e in zip(spelled, m, strict=True) if e)]) for m, c in terms(f)
    )
