"""Random polynomials, nearly all of them indecomposable: what is answered, whether it holds, and how fast.

    python benchmarks/indecomposable.py [--count 200] [--seed 0]

Dense ones have large random coefficients and at most as many terms as say that, by counting parameters, one
that decomposes has probability next to zero; sparse ones have a few random terms, and some of them decompose
in fact. Every verified answer is expanded by SymPy, which shares no code with polyctl. False is an answer
that does not hold, and for a dense f any that says something: one that is not generic (solving/rank.py).
Small are those that the exact methods answer alone. Seconds are of a call. A table, then one line of JSON.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from random import Random
from statistics import median
from time import process_time

import common
import sympy

import polyctl
from polyctl.algebra.complexity import complexity_of
from polyctl.algebra.monomials import monomials_up_to
from polyctl.algebra.polynomial import Polynomial, degree, polynomial, ring, variables_used
from polyctl.solving.solve import SMALL

DENSE = [(1, d) for d in range(3, 9)] + [(2, d) for d in range(3, 7)] + [(3, 3), (3, 4), (4, 3)]
SPARSE = list(product((1, 2, 3, 4), range(3, 9)))  # variables, degree
TERMS = (2, 3, 3, 4, 5, 6, 7, 8)


@dataclass(frozen=True)
class Seen:
    """One polynomial: its kind, whether it is small, seconds, and what was answered."""

    kind: str
    small: bool
    seconds: float
    answers: int
    false: list[str]


def drawn(kind: str, count: int, seed: int) -> Iterator[Polynomial]:
    """So many polynomials of a kind: "dense" or "sparse"."""
    rng = Random(f"{kind} {seed}")
    for _ in range(count):
        variables, total = rng.choice(DENSE if kind == "dense" else SPARSE)
        context = ring(["x", "y", "z", "w"][:variables])
        monomials = monomials_up_to(variables, total)
        if kind == "dense":
            yield polynomial(context, {m: rng.randint(1, 10**6) for m in monomials})
            continue
        while True:
            chosen = rng.sample(monomials, min(rng.choice(TERMS), len(monomials)))
            f = polynomial(context, {m: rng.choice((-1, 1)) * rng.randint(1, 9) for m in chosen})
            if degree(f) == total and len(variables_used(f)) == variables:
                yield f
                break


def look_at(kind: str, f: Polynomial, time_limit: float) -> Seen:
    """Decompose f and check every verified answer."""
    began = process_time()
    answer = polyctl.decompose(f, time_limit=time_limit)
    seconds = process_time() - began
    small = complexity_of(f).distinct - len(variables_used(f)) <= SMALL
    wanted, false = sympy.sympify(str(f).replace("^", "**")), []
    for solution in answer:
        outer, inner = solution.to_sympy()
        names = ["b"] if len(inner) == 1 else [f"b{i}" for i in range(len(inner))]
        places = dict(zip(map(sympy.Symbol, names), inner, strict=True))
        holds = sympy.expand(outer.xreplace(places) - wanted) == 0
        if not holds or (kind == "dense" and solution.reservation is None):
            false.append(f"{f} = {solution!r}")
    return Seen(kind, small, seconds, len(answer), false)


def row(name: str, seen: list[Seen]) -> dict[str, object]:
    """The figures of some polynomials."""
    seconds = [s.seconds for s in seen] or [0.0]
    return {
        "polynomials": name,
        "number": len(seen),
        "answered": sum(s.answers > 0 for s in seen),
        "answers": sum(s.answers for s in seen),
        "false": sum(len(s.false) for s in seen),
        "median_s": round(median(seconds), 3),
        "slowest_s": round(max(seconds), 3),
        "above_0.3_s": sum(s > 0.3 for s in seconds),
    }


def main() -> None:
    """Draw, decompose, print."""
    made = common.parser(__doc__)
    made.add_argument("--count", type=int, default=200)
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--time-limit", type=float, default=1.0, help="seconds a polynomial")
    options = made.parse_args()
    polyctl.decompose("x^4 y + x^2 y + y + z^3 + x z", time_limit=1)  # imports do not count
    seen: list[Seen] = []
    for kind, count in (("dense", options.count // 2), ("sparse", options.count - options.count // 2)):
        seen += [look_at(kind, f, options.time_limit) for f in drawn(kind, count, options.seed)]
    rows = [
        row(
            f"{kind}, {'small' if small else 'larger'}",
            [s for s in seen if (s.kind, s.small) == (kind, small)],
        )
        for kind in ("dense", "sparse")
        for small in (True, False)
    ]
    common.print_table(tuple(rows[0]), [tuple(map(str, r.values())) for r in rows])
    for s in seen:
        for text in s.false:
            print("false:", text)
    common.finish("indecomposable", rows=rows)


if __name__ == "__main__":
    main()
