"""Inner polynomials that several polynomials share: f1 = g1(h), f2 = g2(h), … with the same h1, …, hm.

For one h every fi is a polynomial in it exactly where h is a component of f1 and each fi has an outer (the
methods of `univariate` and `uni_multivariate` list the components). For more, dfi∧η = 0 holds for all i with
η = dh1∧…∧dhm, so the linear system of `differential_forms` is solved for all of them together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from polyctl.algebra.budget import UNLIMITED, Budget, OutOfTime
from polyctl.algebra.completion import TooLarge, complete_outer
from polyctl.algebra.polynomial import Polynomial, degree, variables_used
from polyctl.solvers.exact.differential_forms import by_differential_forms
from polyctl.solvers.exact.uni_multivariate import uni_multivariate
from polyctl.solvers.exact.univariate import univariate


@dataclass(frozen=True)
class Common:
    """Polynomials of one ring, each an outer polynomial of the same inner ones."""

    outers: tuple[Polynomial, ...]
    inners: tuple[Polynomial, ...]


def find_common(polynomials: Sequence[Polynomial], budget: Budget = UNLIMITED) -> Common | None:
    """Inner polynomials of all of these, which have one ring; the fewest, and of one the largest degree.

    None if none are found: proved for one inner polynomial of f1 in one variable, else not.
    """
    first, *others = polynomials
    single = univariate if len(variables_used(first)) == 1 else uni_multivariate
    components = sorted(single(first, budget).decompositions, key=lambda d: -degree(d.inners[0]))
    found = [d.inners for d in components]
    if len(variables_used(first)) == 1 or not others:
        found.append((first,))
    if len(variables_used(first)) > 2 and len(others) < len(variables_used(first)) - 1:
        found += [d.inners for d in by_differential_forms(first, budget, others).decompositions]
    for inners in found:
        outers = _outers(polynomials, inners, budget)
        if outers is not None and any(degree(h) > 1 for h in inners):
            return Common(outers, inners)
    return None


def _outers(
    polynomials: Sequence[Polynomial], inners: tuple[Polynomial, ...], budget: Budget
) -> tuple[Polynomial, ...] | None:
    outers = []
    for f in polynomials:
        try:
            outer = complete_outer(f, inners, budget=budget)
        except (TooLarge, OutOfTime):
            return None
        if outer is None:
            return None
        outers.append(outer)
    return tuple(outers)
