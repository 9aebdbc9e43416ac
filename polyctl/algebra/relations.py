"""The simplest of the outer polynomials that give the same f with the same inners."""

from __future__ import annotations

from collections.abc import Sequence

from flint import fmpz_mat

from polyctl.algebra.budget import UNLIMITED, Budget, OutOfTime
from polyctl.algebra.completion import TooLarge, outer_monomials, products
from polyctl.algebra.complexity import complexity
from polyctl.algebra.decomposition import Decomposition, outer_ring, used_inners
from polyctl.algebra.monomials import Monomial
from polyctl.algebra.polynomial import Polynomial, polynomial, terms

MAX_UNKNOWNS = 60


def with_simplest_outer(
    f: Polynomial, decomposition: Decomposition, budget: Budget = UNLIMITED
) -> Decomposition:
    """A decomposition of f in normal form, with the simplest outer found that its inners allow.

    Inners that satisfy a relation r(h1, ..., hm) = 0, as any three binary forms of a degree do, leave the
    outer open: g + c·r is as good as g. For each relation in turn, c is what makes one coefficient vanish,
    or 0, whichever gives the fewest distinct subexpressions. When time is up, the simplest found by then.
    """
    if decomposition.outer is None or len(decomposition.inners) < 2:
        return decomposition
    best, size = decomposition, complexity(decomposition)
    for relation in relations(f, decomposition.inners, budget):
        if len(best.inners) < len(decomposition.inners):
            break  # the relations are between all of the inners
        outer = best.outer
        assert outer is not None
        for monomial, coefficient in terms(relation):
            if budget.expired:
                return best
            changed = outer - relation * (outer[monomial] / coefficient)
            if changed.is_constant():
                continue
            other = used_inners(Decomposition(changed, decomposition.inners))
            found = complexity(other)
            if (found.distinct, found.leaves) < (size.distinct, size.leaves):
                best, size = other, found
    return best


def relations(f: Polynomial, inners: Sequence[Polynomial], budget: Budget = UNLIMITED) -> list[Polynomial]:
    """A basis of the outers of f's degree that vanish at the inners, which have integer coefficients.

    Empty if there are more than MAX_UNKNOWNS monomials to look at, or no time to do it.
    """
    try:
        exponents = outer_monomials(f, inners, MAX_UNKNOWNS, budget)
        values = products(inners, exponents, budget)
    except (TooLarge, OutOfTime):
        return []
    rows: dict[Monomial, int] = {}
    columns = [
        {rows.setdefault(m, len(rows)): int(c.p) for m, c in terms(values[exponent])}
        for exponent in exponents
    ]
    kernel, nullity = fmpz_mat(
        [[column.get(r, 0) for column in columns] for r in range(len(rows))]
    ).nullspace()
    context = outer_ring(len(inners))
    return [
        polynomial(context, {e: kernel[i, k] for i, e in enumerate(exponents) if kernel[i, k]})
        for k in range(nullity)
    ]
