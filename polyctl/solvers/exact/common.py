"""Inner polynomials that several polynomials share: f1 = g1(h), f2 = g2(h), … with the same h1, …, hm.

For one h every fi is a polynomial in it exactly where h is a component of f1 and each fi has an outer (the
methods of `univariate` and `uni_multivariate` list the components). For more there are two ways. First,
dfi∧η = 0 holds for all i with η = dh1∧…∧dhm, so the linear system of `differential_forms` is solved for all
of them together. Secondly, F = Σ z_i·f_i with new variables z_i is a polynomial in the z_i and the h exactly
if each fi is one in the h, so whatever method finds a decomposition of F in which no inner polynomial mixes
z with the rest has found inner polynomials of all fi: their common blocks, symmetries and invariants.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from polyctl.algebra.budget import UNLIMITED, Budget
from polyctl.algebra.completion import TooLarge, complete_outer, completion_is_final
from polyctl.algebra.decomposition import Decomposition, outer_ring
from polyctl.algebra.polynomial import (
    Polynomial,
    Ring,
    degree,
    embed,
    names,
    normal_form,
    ring,
    variables_used,
)
from polyctl.solvers.exact.differential_forms import by_differential_forms
from polyctl.solvers.exact.rewriting import rewrite
from polyctl.solvers.exact.uni_multivariate import uni_multivariate
from polyctl.solvers.exact.univariate import univariate
from polyctl.solvers.outcome import Solver

Inners = tuple[Polynomial, ...]


@dataclass(frozen=True)
class Common:
    """Polynomials of one ring, each an outer polynomial of the same inner ones."""

    outers: tuple[Polynomial, ...]
    inners: Inners

    @property
    def together(self) -> Decomposition:
        """Σ z_i·g_i(h) as one decomposition: what `marked` makes of the polynomials, in the h and the z_i."""
        m, k = len(self.inners), len(self.outers)
        target = outer_ring(m + k)
        outer = target.constant(0)
        for i, g in enumerate(self.outers):
            outer += embed(g, target, range(m)) * target.gens()[m + i]
        own = names(self.inners[0])
        whole = _marked_ring(own, k)
        lifted = [embed(h, whole, range(len(own))) for h in self.inners]
        return Decomposition(outer, (*lifted, *whole.gens()[len(own) :]))


def marked(polynomials: Sequence[Polynomial]) -> Polynomial:
    """Σ z_i·f_i in the ring with further variables z_i."""
    own = names(polynomials[0])
    whole = _marked_ring(own, len(polynomials))
    total = whole.constant(0)
    for i, f in enumerate(polynomials):
        total += embed(f, whole, range(len(own))) * whole.gens()[len(own) + i]
    return total


def _marked_ring(own: Sequence[str], count: int) -> Ring:
    return ring([*own, *(f" z{i}" for i in range(count))])


def common_components(polynomials: Sequence[Polynomial], budget: Budget) -> tuple[list[Inners], str | None]:
    """The single inner polynomials of all of these, the largest first; and if there are none, the proof.

    They are components of the smallest, or it itself.
    """
    first = min(polynomials, key=degree)
    used = {place for f in polynomials for place in variables_used(f)}
    single = univariate if len(used) == 1 else uni_multivariate
    outcome = single(first, budget)
    components = sorted((d.inners for d in outcome.decompositions), key=lambda inners: -degree(inners[0]))
    kept = [
        inners
        for inners in [(normal_form(first),), *components]
        if fitting(polynomials, inners, budget) is not None
    ]
    if kept or budget.expired:
        return kept, None
    return kept, "no one polynomial h has all of them as g(h)"


def common_forms(polynomials: Sequence[Polynomial], budget: Budget = UNLIMITED) -> list[Inners]:
    """Two or more inner polynomials that all of these have, by one linear system for all."""
    first, *others = polynomials
    for weight, f in enumerate(others, 2):
        first = first + f * weight  # which has the variables of all
    if not others or not len(others) < len(variables_used(first)) - 1:
        return []
    return [d.inners for d in by_differential_forms(first, budget, others).decompositions]


def from_marked(polynomials: Sequence[Polynomial], solver: Solver, budget: Budget) -> list[Inners]:
    """Inner polynomials of all of these, from what a solver finds for `marked`."""
    context = polynomials[0].context()
    n, found = context.nvars(), []
    for decomposition in solver(marked(polynomials), budget).decompositions:
        sides = [{place < n for place in variables_used(h)} for h in decomposition.inners]
        if all(len(side) == 1 for side in sides):
            inners = [h for h, side in zip(decomposition.inners, sides, strict=True) if True in side]
            found.append(tuple(embed(h, context, [*range(n), *[0] * len(polynomials)]) for h in inners))
    return [inners for inners in found if inners]


def fitting(polynomials: Sequence[Polynomial], inners: Inners, budget: Budget) -> Common | None:
    """The polynomials in terms of these inner ones; None if one is none, or that is not found out."""
    outers = []
    for f in polynomials:
        outer = _outer(f, inners, budget)
        if outer is None:
            return None
        outers.append(outer)
    return Common(tuple(outers), inners)


def _outer(f: Polynomial, inners: Inners, budget: Budget) -> Polynomial | None:
    """By linear algebra or, if that leaves it open, by tags."""
    try:
        outer = complete_outer(f, inners, budget=budget)
    except TooLarge:
        outer = None
    else:
        if outer is not None or completion_is_final(inners):
            return outer
    found = rewrite(f, inners, budget)
    return None if found is None else found.outer
