"""Chains of components by polyctl, Singular's decomp.lib, Maxima's polydecomp and SymPy, in one run.

    python benchmarks/peers.py [--rounds 5] [--only NAME ...]

Every system decomposes the same expanded polynomials completely. In a round it repeats a row for a tenth of a
second at least and gives the processor time of one time, which it takes itself: neither its start nor reading
the polynomial counts. The rounds run the systems in alternating order. `polyctl` is the solver alone,
`polyctl.chain` or the one for parameters, as the peers are; `polyctl.decompose` is the whole answer: all
exact methods, verified, simplified and ranked. A system that is not installed is missing; one that exceeds
the time limit, or finds fewer components than there are, has no time but says so. Median and range in
milliseconds, and the ratio of medians to polyctl's. A table for people, then one line of JSON.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, reduce
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import common

if TYPE_CHECKING:
    from flint import fmpz_poly

    from polyctl.algebra.polynomial import Polynomial

PARAMETRIC = (
    "(x^5-2*y*x^3+x)^2+y*(x^5-2*y*x^3+x)+5",
    "(x^2+c)^2+c",
    "(x^2+a)^2+b",
    "y*x^4+y",
    "(x^2-y)^3+(x^2-y)^2+1",
)
LIMIT = 10.0  # seconds a row and round, in each system
REPEATED = 0.1  # seconds
MISSING = "missing"

SINGULAR = """LIB "decomp.lib"; system("--ticks-per-sec", 1000);
ring r = ({field}), x, dp; poly f = {text}; ideal J; int k; int t = timer;
while (k == 0 or timer - t < {ms}) {{ J = ideal(decompose(f, 1)); k++; }}
print("figures " + string(timer - t) + " " + string(1000 * k) + " " + string(ncols(J)));
quit;
"""
MAXIMA = """f: {text}$ k: 0$ t: elapsed_run_time()$
while k = 0 or elapsed_run_time() - t < {seconds} do (found: polydecomp(f, x), k: k + 1)$
print("figures", elapsed_run_time() - t, k, length(found))$
"""
SYMPY = """
import sys, time
sys.setrecursionlimit(10**5)  # for reading long sums
from sympy import decompose, symbols, Poly
x = symbols("x")
f = Poly("{text}".replace("^", "**"), x)
count, began = 0, time.process_time()
while count == 0 or time.process_time() - began < {seconds}:
    found, count = decompose(f), count + 1
print("figures", time.process_time() - began, count, len(found))
"""


@dataclass(frozen=True)
class Row:
    """A polynomial with x as its main variable, and the number of its components."""

    name: str
    f: Polynomial
    components: int

    @property
    def parameters(self) -> list[str]:
        """The variables but x."""
        return [name for name in self.f.context().names() if name != "x"]


# -- the polynomials -------------------------------------------------------------------------------


def rows() -> list[Row]:
    """What is decomposed."""
    from flint import fmpz_poly

    from polyctl.algebra.parse import parse
    from polyctl.algebra.polynomial import ring

    rng, context = Random(1), ring(["x"])

    def dense(degree: int) -> fmpz_poly:
        return fmpz_poly([rng.choice([c for c in range(-9, 10) if c]) for _ in range(degree + 1)])

    def row(name: str, f: fmpz_poly, components: int) -> Row:
        return Row(name, context.from_dict({(i,): c for i, c in enumerate(f.coeffs()) if c}), components)

    logistic = fmpz_poly([0, 4, -4])
    iterates = {k: reduce(lambda f, _: logistic(f), range(k - 1), logistic) for k in (8, 9)}
    return [
        *(row(f"dense {n}∘{n}", dense(n)(dense(n)), 2) for n in (10, 20)),
        row("Chebyshev T_210", fmpz_poly.chebyshev_t(210), 4),
        *(row(f"logistic, {k} times", f, k) for k, f in iterates.items()),
        *(Row(text, parse(text), 2) for text in PARAMETRIC),
    ]


# -- the systems -----------------------------------------------------------------------------------

Figure = float | str  # milliseconds, or why there are none


def timed(work: Callable[[], int], components: int) -> Figure:
    """Milliseconds of processor time of a piece of work that gives the number of its components."""
    from polyctl.algebra.budget import OutOfTime

    count, began = 0, time.process_time()
    try:
        while count == 0 or time.process_time() - began < REPEATED:
            found, count = work(), count + 1
    except OutOfTime:
        return f"over {LIMIT:g} s"
    return judged((time.process_time() - began) / count, found, components)


def judged(seconds: float, found: int, components: int) -> Figure:
    """Milliseconds, if all components were found."""
    return 1000 * seconds if found >= components else f"finds {found} of {components}"


def polyctl(row: Row, _: int) -> Figure:
    """The exact solver for chains, or for parameters, which gives one right component of each degree."""
    from polyctl.algebra.budget import Budget
    from polyctl.solvers.exact.chains import chain
    from polyctl.solvers.exact.parametric import parametric

    f = row.f
    if not row.parameters:
        return timed(lambda: len(chain(f, Budget.of(LIMIT))), row.components)
    main = [f.context().names().index("x")]
    return timed(lambda: 1 + len(parametric(f, Budget.of(LIMIT), main).decompositions), row.components)


def whole_answer(row: Row, _: int) -> Figure:
    """What people call: a ranked, verified answer and the chain of the best."""
    from polyctl import decompose

    main = ("x",) if row.parameters else ()

    def work() -> int:
        best = decompose(row.f, method="exact", main=main, time_limit=LIMIT).best
        return 0 if best is None else max(2, len(best.chain))

    return timed(work, row.components)


def program(row: Row, _: int, *, command: list[str], script: str, suffix: str) -> Figure:
    """What a script of another system measures."""
    if shutil.which(command[0]) is None:
        return MISSING
    from polyctl.algebra.printing import plain

    text = script.format(
        text=plain(row.f),
        field=", ".join(("0", *row.parameters)),
        seconds=REPEATED,
        ms=round(1000 * REPEATED),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"script{suffix}"
        path.write_text(text, encoding="utf-8")
        try:
            done = subprocess.run(
                [*command, str(path)], capture_output=True, text=True, timeout=LIMIT, stdin=subprocess.DEVNULL
            )
        except subprocess.TimeoutExpired:
            return f"over {LIMIT:g} s"
    figures = re.search(r"figures\s+(\S+)\s+(\d+)\s+(\d+)", done.stdout)
    if figures is None:
        return "no answer"
    return judged(float(figures[1]) / int(figures[2]), int(figures[3]), row.components)


SYSTEMS: dict[str, Callable[[Row, int], Figure]] = {
    "polyctl": polyctl,
    "polyctl.decompose": whole_answer,
    "Singular": partial(program, command=["Singular", "-q"], script=SINGULAR, suffix=".sing"),
    "Maxima": partial(program, command=["maxima", "--very-quiet", "-b"], script=MAXIMA, suffix=".mac"),
    "SymPy": partial(program, command=[sys.executable], script=SYMPY, suffix=".py"),
}


# -- the table -------------------------------------------------------------------------------------


def summary(figures: list[Figure]) -> common.Spread | str:
    """The spread of the rounds, or the first reason why there is none."""
    reasons = [figure for figure in figures if isinstance(figure, str)]
    return reasons[0] if reasons else common.Spread.range(f for f in figures if not isinstance(f, str))


def cell(figure: common.Spread | str, ours: common.Spread | str, name: str) -> str:
    """A figure as text, with its ratio to polyctl's."""
    if isinstance(figure, str):
        return figure
    if name == "polyctl" or isinstance(ours, str):
        return figure.text()
    return f"{figure.text()} = {figure.median / ours.median:.1f}×"


def main() -> None:
    """Measure, print."""
    made = common.parser(__doc__, rounds=5)
    made.add_argument(
        "--only", nargs="+", default=[], metavar="NAME", help="rows whose names contain one of these"
    )
    options = made.parse_args()
    chosen = [row for row in rows() if not options.only or any(part in row.name for part in options.only)]
    table: dict[str, dict[str, common.Spread | str]] = {}
    for row in chosen:
        works = {name: partial(system, row) for name, system in SYSTEMS.items()}
        times = common.in_turn(works, options.rounds)
        table[row.name] = {name: summary([measured[name] for measured in times]) for name in SYSTEMS}
    common.print_table(
        ("row", *(f"{name}, ms" for name in SYSTEMS)),
        [
            (name, *(cell(figures[system], figures["polyctl"], system) for system in SYSTEMS))
            for name, figures in table.items()
        ],
    )
    common.finish(
        "peers",
        rows={
            name: {s: f if isinstance(f, str) else f.to_dict() for s, f in figures.items()}
            for name, figures in table.items()
        },
    )


if __name__ == "__main__":
    main()
