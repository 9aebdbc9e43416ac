"""Data generation and verification against the same done plainly with SymPy, on one core, in one run.

    python benchmarks/algebra.py [--rounds 5]

Each round times both sides one after the other, so that a noisy machine slows both; the ratio's median and
range over the rounds is what counts. A table for people, then one line of JSON.
"""

from __future__ import annotations

import gc
import random
from collections.abc import Callable
from statistics import median

import common
import sympy

from polyctl.algebra.verify import verify
from polyctl.config.schema import DataConfig
from polyctl.data.families import draw_problem
from polyctl.data.tokenizers import make_tokenizer

DATA = DataConfig(tokenizer="prefix", outer_degrees=(4,), inner_degrees=(4,))
A, B = sympy.symbols("a b")
OURS, THEIRS = 2000, 10


def sympy_polynomial(rng: random.Random, symbol: sympy.Symbol) -> sympy.Expr:
    """Degree 4, coefficients uniform in [-20, 20], leading one not zero."""
    lead = rng.choice([c for c in range(-20, 21) if c])
    return sum(rng.randint(-20, 20) * symbol**k for k in range(4)) + lead * symbol**4


def sympy_tokens(f: sympy.Expr) -> list[str]:
    """f in prefix notation by SymPy's own terms."""
    tokens: list[str] = []
    terms = sorted(sympy.Poly(f, A).terms())
    for number, ((exponent,), coefficient) in enumerate(terms):
        if number < len(terms) - 1:
            tokens.append("+")
        if exponent:
            tokens.append("*")
        tokens += ["P" if coefficient > 0 else "N", *str(abs(coefficient))]
        if exponent > 1:
            tokens += ["^", "a", "P", *str(exponent)]
        elif exponent:
            tokens.append("a")
    return tokens


def sympy_problem(rng: random.Random) -> tuple[sympy.Expr, sympy.Expr, sympy.Expr, list[str]]:
    """g, h, f = g(h) expanded, and the tokens of f and h."""
    g, h = sympy_polynomial(rng, B), sympy_polynomial(rng, A)
    f = sympy.expand(g.subs(B, h))
    return g, h, f, [*sympy_tokens(f), "⁇", *sympy_tokens(h), "⁇"]


def seconds_each(work: Callable[[], object], count: int) -> Callable[[int], float]:
    """A work that gives the processor seconds of one of `count` pieces, whatever the round."""
    return lambda _: common.seconds(work) / count


def main() -> None:
    rounds = common.parser(__doc__, rounds=5).parse_args().rounds
    tokenizer = make_tokenizer(DATA)
    ours = [draw_problem(DATA, 0, i) for i in range(OURS)]
    rng = random.Random(0)
    theirs = [sympy_problem(rng) for _ in range(THEIRS)]

    def generate() -> None:
        for i in range(OURS):
            drawn = draw_problem(DATA, 1, i)
            tokenizer.encode_prompt(drawn)
            tokenizer.encode_target(drawn)

    def check() -> None:
        assert all(verify(p.f, p.decomposition).verified for p in ours)

    def sympy_check() -> None:
        assert all(sympy.simplify(f - g.subs(B, h)) == 0 for g, h, f, _ in theirs)

    jobs = {
        "generate 4∘4, prefix tokens": (generate, lambda: [sympy_problem(rng) for _ in range(THEIRS)]),
        "verify 4∘4": (check, sympy_check),
    }
    gc.collect()
    gc.freeze()  # SymPy's many objects should not slow the collector down for either side
    report, table = {}, []
    for name, (fast, slow) in jobs.items():
        works = {"polyctl": seconds_each(fast, OURS), "sympy": seconds_each(slow, THEIRS)}
        rows = common.in_turn(works, rounds)
        ratio = common.Spread.range(row["sympy"] / row["polyctl"] for row in rows)
        microseconds = [f"{median(row[side] for row in rows) * 1e6:.0f} us" for side in works]
        table.append((name, *microseconds, ratio.text(0)))
        report[name] = ratio.to_dict()
    common.print_table(("", "polyctl", "SymPy", "ratio, median (range)"), table)
    common.finish("algebra", jobs=report)


if __name__ == "__main__":
    main()
