"""f written in given polynomials h1, …, hm, with the remainder that is left.

Theorem (Shannon and Sweedler, Using Gröbner bases to determine algebra membership, J. Symbolic Computation
6, 1988): let I be the ideal of the t_i − h_i in Q[x, t], and take an order that eliminates x. The normal form
of f modulo I is free of x exactly if f is a polynomial in the h_i, and then it is such a polynomial. No
bound on degrees is needed. Where x remains, the normal form is f = r(x, h) with as little of x as the order
allows: a remainder. Normal forms do not depend on how they are computed, so the same f and h give the same
answer.

Bases can be large, so the work is bounded; within the bound an answer without a remainder is exact, and one
with a remainder proves that f is not in Q[h].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flint import Ordering, fmpq, fmpq_mpoly_ctx, fmpz_mpoly_ctx, fmpz_mpoly_vec

from polyctl.algebra.budget import UNLIMITED, Budget
from polyctl.algebra.decomposition import Decomposition, outer_ring, used_inners
from polyctl.algebra.monomials import Monomial
from polyctl.algebra.polynomial import Polynomial, primitive_part, terms
from polyctl.algebra.printing import latex, plain

LIMITS = (60, 400, 2000)  # polynomials in the basis, terms in each, bits of a coefficient
MAX_STEPS = 20_000

Terms = dict[Monomial, fmpq]


@dataclass(frozen=True)
class Rewriting:
    """f = outer(h1, …, hm, x1, …, xn): b0 … b(m−1) stand for the h_i, the others for f's own variables.

    `normal_form` is that outer; `decomposition` is f = g(h1, …, hm), or None if a variable of f is left.
    """

    f: Polynomial
    inners: tuple[Polynomial, ...]
    normal_form: Polynomial
    decomposition: Decomposition | None

    @property
    def complete(self) -> bool:
        """Whether nothing is left, so that f is a polynomial in the h_i."""
        return self.decomposition is not None

    def __str__(self) -> str:
        return plain(self.normal_form)

    def _repr_latex_(self) -> str:
        return f"${latex(self.normal_form)}$"


def rewrite(f: Polynomial, inners: Sequence[Polynomial], budget: Budget = UNLIMITED) -> Rewriting | None:
    """f in given polynomials of its ring; None if the bound on work or the budget is reached."""
    basis = _basis(inners)
    if basis is None or budget.expired:
        return None
    reduced = _normal_form(f, basis, len(inners), budget)
    if reduced is None:
        return None
    n, names = f.context().nvars(), f.context().names()
    ring = fmpq_mpoly_ctx.get([*(f"b{i}" for i in range(len(inners))), *_other_names(names)], "deglex")
    normal_form = ring.from_dict({(*m[n:], *m[:n]): c for m, c in reduced.items()})
    decomposition = None
    if not any(any(m[:n]) for m in reduced):
        outer = outer_ring(len(inners)).from_dict({m[n:]: c for m, c in reduced.items()})
        decomposition = used_inners(Decomposition(outer, tuple(inners)))
    return Rewriting(f, tuple(inners), normal_form, decomposition)


def _other_names(names: Sequence[str]) -> list[str]:
    """f's own names, changed if they look like those of the inner polynomials."""
    return [f"{name}_" if name[:1] == "b" and name[1:].isdigit() else name for name in names]


def _basis(inners: Sequence[Polynomial]) -> list[Terms] | None:
    """A reduced Gröbner basis of the t_i − h_i, x before t; None if it passes the limits."""
    context = inners[0].context()
    n, m = context.nvars(), len(inners)
    ring = fmpz_mpoly_ctx.get([*(f"x{i}" for i in range(n)), *(f"t{i}" for i in range(m))], Ordering.lex)
    generators = []
    for i, h in enumerate(inners):
        tag = ring.gens()[n + i]
        if h.is_zero():
            generators.append(tag)
            continue
        primitive, factor = primitive_part(h)
        lifted = ring.from_dict({(*e, *(0,) * m): int(c.p) for e, c in terms(primitive)})
        generators.append(tag * int(factor.q) - lifted * int(factor.p))
    found: Any = fmpz_mpoly_vec(generators, ring).buchberger_naive(limits=LIMITS)
    basis, done = found
    if not done:
        return None
    reduced = basis.autoreduction()
    return [
        {tuple(e): fmpq(int(c)) for e, c in zip(g.monoms(), g.coeffs(), strict=True)}
        for g in (reduced[i] for i in range(len(reduced)))
    ]


def _normal_form(f: Polynomial, basis: Sequence[Terms], tags: int, budget: Budget) -> Terms | None:
    """f modulo the basis, by division of the leading term, which is the largest in lexicographic order."""
    leads = [max(g) for g in basis]
    rest: Terms = {(*m, *(0,) * tags): c for m, c in terms(f)}
    result: Terms = {}
    for _ in range(MAX_STEPS):
        if not rest:
            return result
        if budget.expired:
            return None
        top = max(rest)
        divisor = next(
            (i for i, m in enumerate(leads) if all(a >= b for a, b in zip(top, m, strict=True))), None
        )
        if divisor is None:
            result[top] = rest.pop(top)
            continue
        shift = [a - b for a, b in zip(top, leads[divisor], strict=True)]
        factor = rest[top] / basis[divisor][leads[divisor]]
        for m, c in basis[divisor].items():
            place = tuple(a + b for a, b in zip(m, shift, strict=True))
            left = rest.get(place, fmpq(0)) - c * factor
            if left:
                rest[place] = left
            else:
                del rest[place]
    return None
