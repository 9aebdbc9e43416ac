"""f = g(h1, …, hm) with fewer inners than variables, by linear algebra.

Let η = dh1∧…∧dhm. Then df = Σ ∂g/∂hi·dhi gives df∧η = 0, which is linear in the coefficients of η; and
dη = 0, as η is exact. The degree of η is Σ(deg hi − 1), less that of a common factor of its coefficients.
If the solutions of some degree are the multiples of one η, every decomposition with inners of these
degrees belongs to it; and h is a polynomial in h1, …, hm only if dh∧η = 0, again linear. Of more solutions,
the elements of the echelon basis are tried. For m = n − 1, η is a vector field that f is constant along (a
derivation that kills f; Nowicki, Polynomial derivations and their rings of constants, 1994), without
divergence if dη = 0; for m = 1 the equations say that grad h is parallel to grad f (von zur Gathen 1990).
All this is done modulo a prime; the inners are recognised as rational, and g is found over Q.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import comb
from random import Random
from typing import Any

from flint import nmod_mat

from polyctl.algebra.budget import UNLIMITED, Budget, elimination_seconds
from polyctl.algebra.completion import TooLarge, complete_outer
from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.modular import (
    PRIME,
    Vector,
    gradients,
    nullspace,
    powers,
    rank,
    rational,
    reduce,
    sample,
    values,
)
from polyctl.algebra.monomials import Monomial, monomials_up_to
from polyctl.algebra.polynomial import (
    Polynomial,
    degree,
    is_homogeneous,
    polynomial,
    primitive_part,
    variables_used,
)
from polyctl.algebra.triviality import triviality
from polyctl.solvers.outcome import Outcome, gather

_TRIED = 8
_ENTRY_SECONDS = 5e-7  # to compute and read one entry of a product of matrices


@dataclass(frozen=True)
class Forms:
    """m-forms in n variables with coefficients on these monomials: a vector has, for each of the sets I of
    `combinations(range(n), m)`, the coefficients of dx_I."""

    n: int
    m: int
    monomials: list[Monomial]

    @property
    def unknowns(self) -> int:
        return comb(self.n, self.m) * len(self.monomials)


def by_differential_forms(
    f: Polynomial, budget: Budget = UNLIMITED, known: Sequence[Polynomial] = (), max_unknowns: int = 700
) -> Outcome:
    """g(h1, …, hm) = f with 1 < m < n, fewest inners first; each holds and is not trivial.

    `known` are polynomials in h1, …, hm, such as a factor of f that is taken for an inner: they give further
    equations. Stops at the first m for which there is a decomposition. `max_unknowns` bounds the
    coefficients of η. No proof.
    """
    used = variables_used(f)
    for m in range(max(2, len(known)), len(used)):
        found, finished = gather(_with_inners(f, known, used, m, max_unknowns, budget))
        if found or not finished:
            return Outcome(found)
    return Outcome()


def _with_inners(
    f: Polynomial,
    known: Sequence[Polynomial],
    used: Sequence[int],
    m: int,
    max_unknowns: int,
    budget: Budget,
) -> Iterator[Decomposition]:
    """Decompositions with m inners from the η of lowest degree that has any."""
    total, n = degree(f), len(used)
    homogeneous = is_homogeneous(f)
    largest = _largest_inner(total, homogeneous)
    modular = [reduce(p, used) for p in (f, *known)]
    rng = Random(n * 1000 + m)
    seen: set[object] = set()
    for e in range(m * (largest - 1) + 1):
        forms = Forms(n, m, monomials_up_to(n, e, e if homogeneous else 0))
        if forms.unknowns > max_unknowns or e >= total - 1:
            return
        solutions = solve_forms(modular, forms, budget)
        if not solutions:
            continue
        found = False
        points = Points(forms, largest, homogeneous, rng, budget)
        for eta in choices(forms, solutions, budget):
            inners = constants_of(eta, points, rng, budget)
            lifted = lift_to_rationals(f, used, inners)
            key = tuple(map(str, lifted or ()))
            if not lifted or key in seen:
                continue
            seen.add(key)
            decomposition = complete(f, lifted, budget)
            if decomposition is not None:
                found = found or len(lifted) == m
                yield decomposition
        if found:
            return


def _largest_inner(total: int, homogeneous: bool) -> int:
    """The largest degree of inners looked for: for forms a divisor of deg f if that is composite."""
    proper = [d for d in range(2, total // 2 + 1) if total % d == 0]
    return proper[-1] if homogeneous and proper else total // 2


def complete(f: Polynomial, inners: Sequence[Polynomial], budget: Budget = UNLIMITED) -> Decomposition | None:
    """The decomposition with these inners, if there is one that is not trivial."""
    try:
        outer = complete_outer(f, inners, budget=budget)
    except TooLarge:
        return None
    if outer is None:
        return None
    decomposition = Decomposition(outer, tuple(inners))
    return None if triviality(f, decomposition) else decomposition


def solve_forms(polynomials: Sequence[Any], forms: Forms, budget: Budget = UNLIMITED) -> list[Vector]:
    """A basis of the η with df∧η = 0 modulo PRIME for all f given, from as many points as it has unknowns."""
    n, m, width = forms.n, forms.m, len(forms.monomials)
    places = {chosen: i * width for i, chosen in enumerate(combinations(range(n), m))}
    partials = [[f.derivative(i) for i in range(n)] for f in polynomials]
    k = min(len(polynomials), m)
    conditions = comb(n, m) - comb(n - k, m - k)  # at a point where the k gradients are independent
    rows = []
    count = forms.unknowns // conditions + 4
    for point, at_point in sample(n, sum(forms.monomials[-1]), sum(forms.monomials[0]), count):
        gradients_here = [[int(p(*point)) for p in gradient] for gradient in partials]
        for slopes, larger in product(gradients_here, combinations(range(n), m + 1)):
            budget.check()
            row = [0] * forms.unknowns
            for position, j in enumerate(larger):
                place = places[larger[:position] + larger[position + 1 :]]
                slope = slopes[j] if position % 2 == 0 else -slopes[j]
                row[place : place + width] = [slope * v % PRIME for v in at_point]
            rows.append(row)
    budget.check(elimination_seconds(len(rows), forms.unknowns))
    return nullspace(rows, forms.unknowns)


def choices(forms: Forms, solutions: list[Vector], budget: Budget) -> Iterator[Vector]:
    """Closed solutions first, then all: the elements of the echelon bases, at most _TRIED of each."""
    closed = _closed(forms, solutions, budget)
    yield from closed[:_TRIED]
    if len(closed) < len(solutions):
        yield from solutions[:_TRIED]


def _closed(forms: Forms, solutions: list[Vector], budget: Budget) -> list[Vector]:
    """A basis of the η in a span with dη = 0."""
    n, m, width = forms.n, forms.m, len(forms.monomials)
    places = {chosen: i * width for i, chosen in enumerate(combinations(range(n), m))}
    columns = []
    for eta in solutions:
        derivative: dict[tuple[object, ...], int] = {}
        for larger in combinations(range(n), m + 1):
            budget.check()
            for position, j in enumerate(larger):
                place = places[larger[:position] + larger[position + 1 :]]
                for k, monomial in enumerate(forms.monomials):
                    c = eta[place + k]
                    if c and monomial[j]:
                        lower = (*monomial[:j], monomial[j] - 1, *monomial[j + 1 :])
                        value = c * monomial[j] * (1 if position % 2 == 0 else -1)
                        derivative[larger, lower] = derivative.get((larger, lower), 0) + value
        columns.append(derivative)
    keys = {key for column in columns for key in column}
    rows = [[column.get(key, 0) % PRIME for column in columns] for key in keys]
    budget.check(elimination_seconds(len(rows), len(solutions)))
    weights = nullspace(rows, len(solutions))
    if len(weights) == len(solutions):
        return solutions
    chosen = nmod_mat(len(weights), len(solutions), [w for row in weights for w in row], PRIME)
    spanning = nmod_mat(len(solutions), forms.unknowns, [c for eta in solutions for c in eta], PRIME)
    return [[int(c) for c in row] for row in (chosen * spanning).tolist()] if weights else []


def constants_of(
    eta: Vector, points: Points, rng: Random, budget: Budget = UNLIMITED
) -> list[dict[Monomial, int]]:
    """Generators h modulo PRIME of the polynomials with dh∧η = 0, until m of them are independent.

    They are the whole of what lies in the degree where the m-th comes, which may be more than m; none if
    there are not m algebraically independent ones up to this degree.
    """
    forms = points.forms
    at_points = points.coefficients(eta, budget)
    generators: list[dict[Monomial, int]] = []
    for d, monomials in enumerate(points.monomials[1:], 1):
        kernel = _kernel(at_points, points, d, budget)
        known = _products(generators, monomials, d, budget)
        size = rank(known)
        for vector in kernel:
            if size == len(kernel):
                break
            budget.check(elimination_seconds(len(known), len(monomials)))
            if not known or rank([*known, vector]) > size:
                known.append(vector)
                size += 1
                generators.append({m: c for m, c in zip(monomials, vector, strict=True) if c})
        if len(generators) >= forms.m and independent(generators, forms.n, rng) == forms.m:
            return generators
    return []


class Points:
    """Random points modulo PRIME, with what the kernels of all η of one degree need there, computed once."""

    def __init__(self, forms: Forms, max_degree: int, homogeneous: bool, rng: Random, budget: Budget) -> None:
        lowest = [d if homogeneous else 1 for d in range(max_degree + 1)]
        self.forms = forms
        self.monomials = [monomials_up_to(forms.n, d, low) for d, low in enumerate(lowest)]
        count = max(map(len, self.monomials)) + 3
        top = max(max_degree, sum(forms.monomials[-1]))
        self._tables: list[list[Vector]] = []
        flat: Vector = []
        for _ in range(count):
            budget.check()
            self._tables.append(powers([rng.randrange(1, PRIME) for _ in range(forms.n)], top))
            flat += values(forms.monomials, self._tables[-1])
        self._values = nmod_mat(count, len(forms.monomials), flat, PRIME)
        self._slopes: dict[int, list[list[Vector]]] = {}

    def coefficients(self, eta: Vector, budget: Budget) -> list[Vector]:
        """The coefficients of η at each point, one for each set I."""
        width = len(self.forms.monomials)
        columns = nmod_mat(len(eta) // width, width, eta, PRIME).transpose()
        budget.check(len(self._tables) * (len(eta) // width) * _ENTRY_SECONDS)
        return [[int(c) for c in row] for row in (self._values * columns).tolist()]

    def slopes(self, d: int, budget: Budget) -> list[list[Vector]]:
        """The gradients of the monomials of degree d at as many points as their kernels need."""
        if d not in self._slopes:
            some = self._tables[: len(self.monomials[d]) + 3]
            slopes = []
            for table in some:
                budget.check()
                slopes.append(gradients(self.monomials[d], table))
            self._slopes[d] = slopes
        return self._slopes[d]


def _kernel(at_points: list[Vector], points: Points, d: int, budget: Budget) -> list[Vector]:
    """The h of degree d with dh∧η = 0 modulo PRIME, for an η with these coefficients at the points."""
    n, m, size = points.forms.n, points.forms.m, len(points.monomials[d])
    places = {chosen: i for i, chosen in enumerate(combinations(range(n), m))}
    rows = []
    for coefficients, slopes in zip(at_points, points.slopes(d, budget), strict=False):
        for larger in combinations(range(n), m + 1):
            budget.check()
            total = [0] * size
            for k, j in enumerate(larger):
                weight = coefficients[places[larger[:k] + larger[k + 1 :]]]
                if weight:
                    weight = weight if k % 2 == 0 else -weight
                    total = [t + s * weight for t, s in zip(total, slopes[j], strict=True)]
            rows.append([t % PRIME for t in total])
    budget.check(elimination_seconds(len(rows), size))
    return nullspace(rows, size)


def _products(
    generators: list[dict[Monomial, int]], monomials: list[Monomial], d: int, budget: Budget
) -> list[Vector]:
    """Products of generators that have these monomials, as vectors."""
    if not generators:
        return []
    n = len(monomials[0])
    found: list[dict[Monomial, int]] = []
    frontier: list[tuple[int, dict[Monomial, int]]] = [(0, {(0,) * n: 1})]
    while frontier:
        start, current = frontier.pop()
        for i in range(start, len(generators)):
            budget.check()
            longer: dict[Monomial, int] = {}
            for a, x in current.items():
                for b, y in generators[i].items():
                    key = tuple(p + q for p, q in zip(a, b, strict=True))
                    longer[key] = (longer.get(key, 0) + x * y) % PRIME
            if max(map(sum, longer)) <= d:
                found.append(longer)
                frontier.append((i, longer))
    allowed = set(monomials)
    return [[p.get(m, 0) for m in monomials] for p in found if allowed.issuperset(p)]


def independent(generators: list[dict[Monomial, int]], n: int, rng: Random) -> int:
    """The transcendence degree: the rank of the Jacobian at a random point."""
    monomials = sorted({m for h in generators for m in h})
    slopes = gradients(
        monomials, powers([rng.randrange(1, PRIME) for _ in range(n)], max(map(sum, monomials)))
    )
    rows = [
        [sum(h.get(m, 0) * s for m, s in zip(monomials, slope, strict=True)) for slope in slopes]
        for h in generators
    ]
    return rank(rows)


def lift_to_rationals(
    f: Polynomial, used: Sequence[int], inners: list[dict[Monomial, int]]
) -> list[Polynomial] | None:
    """Inners modulo PRIME as primitive polynomials over Q in f's ring; None if one is not rational."""
    context = f.context()
    lifted = []
    for h in inners:
        coefficients = {}
        for monomial, residue in h.items():
            value = rational(residue)
            if value is None:
                return None
            exponents = [0] * context.nvars()
            for place, e in zip(used, monomial, strict=True):
                exponents[place] = e
            coefficients[tuple(exponents)] = value
        lifted.append(primitive_part(polynomial(context, coefficients))[0])
    return lifted or None
