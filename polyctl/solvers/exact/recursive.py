"""The simplest form that the cheap exact solvers reach together: their answers are simplified, and their
outer and inner polynomials decomposed in turn.

No theorem stands behind the search as a whole: it is a beam over decompositions, ordered by complexity, whose
steps are exact. An empty answer proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from polyctl.algebra.budget import UNLIMITED, Budget
from polyctl.algebra.complexity import Complexity, complexity, complexity_of
from polyctl.algebra.decomposition import Decomposition, outer_ring, used_inners
from polyctl.algebra.polynomial import Polynomial, compose, degree, key, variables_used
from polyctl.solvers.exact.approximate_roots import by_approximate_roots
from polyctl.solvers.exact.blocks import by_blocks
from polyctl.solvers.exact.factors import by_factorisation
from polyctl.solvers.exact.parametric import parametric, shears
from polyctl.solvers.exact.rotations import by_rotations
from polyctl.solvers.exact.shifted_products import by_shifted_products
from polyctl.solvers.exact.simplify import simplify
from polyctl.solvers.exact.symmetric import by_symmetry
from polyctl.solvers.exact.uni_multivariate import uni_multivariate
from polyctl.solvers.exact.univariate import univariate
from polyctl.solvers.outcome import Outcome

WIDTH, ROUNDS = 3, 3
ROOTED_TERMS = 20  # of a polynomial whose approximate roots are looked at
# What is larger than f by this factor and this much is not worth simplifying: of the first answers, and of
# what is made of them in turn.
LARGER, LARGER_IN_TURN, EXTRA = 1.3, 1.05, 4
MAX_TERMS = 2000  # of a polynomial that is taken apart


@dataclass(frozen=True)
class _Entry:
    complexity: Complexity
    decomposition: Decomposition

    def __lt__(self, other: _Entry) -> bool:
        return self.complexity < other.complexity


def by_recursion(f: Polynomial, budget: Budget = UNLIMITED) -> Outcome:
    """The simplest decompositions found, simplest first, if they are simpler than f; never a proof."""
    if degree(f) < 2 or len(f) > MAX_TERMS:
        return Outcome()
    size, seen = complexity_of(f), set[tuple[object, ...]]()
    level = _fresh(_steps(f, budget, deep=True), seen)
    best: list[_Entry] = []
    for turn in range(ROUNDS):
        largest = (LARGER_IN_TURN if turn else LARGER) * size.distinct + EXTRA
        level = [e for e in level if e.complexity.distinct <= largest]
        level = sorted(_simplified(sorted(level)[: 2 * WIDTH], budget))[:WIDTH]
        simpler = bool(level) and (not best or level[0].complexity < best[0].complexity)
        best = sorted([*best, *level])[:WIDTH]
        if not simpler or budget.expired:
            break
        level = _fresh(_refined(level, budget), seen)
    return Outcome(tuple(entry.decomposition for entry in best if entry.complexity < size))


def _steps(f: Polynomial, budget: Budget, deep: bool) -> Iterator[Decomposition]:
    """What each solver finds of f; the dearer ones only if `deep`."""
    if degree(f) < 2 or budget.expired:
        return
    if len(variables_used(f)) == 1:
        yield from univariate(f, budget).decompositions
        return
    yield from uni_multivariate(f, budget).decompositions
    yield from by_blocks(f, budget).decompositions
    yield from parametric(f, budget).decompositions
    yield from shears(f, budget).decompositions
    if deep:
        yield from by_factorisation(f, budget).decompositions
        yield from by_symmetry(f, budget).decompositions
        yield from by_rotations(f, budget).decompositions
        if len(f) <= ROOTED_TERMS:
            yield from by_approximate_roots(f, budget).decompositions
        yield from by_shifted_products(f, budget).decompositions


def _refined(level: list[_Entry], budget: Budget) -> Iterator[Decomposition]:
    """The decompositions with the outer polynomial, or one inner polynomial, decomposed in turn."""
    for entry in level:
        d = entry.decomposition
        assert d.outer is not None
        for inside in _steps(d.outer, budget, deep=True):
            yield with_outer_decomposed(d, inside)
        for i, h in enumerate(d.inners):
            if len(h) > 1:
                for inside in _steps(h, budget, deep=False):
                    if inside.outer is not None and degree(inside.outer) > 1:  # a sum in a sum is one sum
                        yield with_inner_decomposed(d, i, inside)


def with_outer_decomposed(d: Decomposition, outer: Decomposition) -> Decomposition:
    """u(v(h)) for a decomposition g(h) and a decomposition u(v) of its outer polynomial g."""
    return Decomposition(outer.outer, tuple(compose(v, d.inners) for v in outer.inners))


def with_inner_decomposed(d: Decomposition, i: int, inner: Decomposition) -> Decomposition:
    """g with u(v) in place of its i-th inner polynomial, and v beside the others; equal ones are merged."""
    assert d.outer is not None
    assert inner.outer is not None
    inners: list[Polynomial] = []
    places: dict[int, int] = {}
    for j, h in enumerate(d.inners):
        if j != i:
            places[j] = _place(inners, h)
    inside = [_place(inners, v) for v in inner.inners]
    context = outer_ring(len(inners))
    b = context.gens()
    replaced = inner.outer.compose(*(b[k] for k in inside), ctx=context)
    arguments = [replaced if j == i else b[places[j]] for j in range(len(d.inners))]
    return used_inners(Decomposition(d.outer.compose(*arguments, ctx=context), tuple(inners)))


def _place(inners: list[Polynomial], h: Polynomial) -> int:
    """The index of h among the inner polynomials, to which it is added if it is not there."""
    if h not in inners:
        inners.append(h)
    return inners.index(h)


def _fresh(found: Iterator[Decomposition], seen: set[tuple[object, ...]]) -> list[_Entry]:
    """What has not been seen, with its complexity."""
    entries = []
    for d in found:
        assert d.outer is not None
        if d.outer.is_constant() or any(h.is_constant() for h in d.inners):
            continue
        known = (key(d.outer), *map(key, d.inners))
        if known not in seen:
            seen.add(known)
            entries.append(_Entry(complexity(d), d))
    return entries


def _simplified(entries: list[_Entry], budget: Budget) -> Iterator[_Entry]:
    for entry in entries:
        simpler = simplify(entry.decomposition, budget)
        yield _Entry(complexity(simpler), simpler)
