"""f = g(h1, …, hm) with the fewest inner polynomials, m < n − 1: on a small random space first, then lifted.

For m = 2, 3, … f is restricted to a random affine space of dimension m + 1, modulo a prime. There
η = dh1∧…∧dhm is one vector field, which differential forms find by a small linear system, and its constants
are the h_i on that space; g follows by evaluation. With g kept, the h_i are lifted to the other directions,
degree by degree in the variables across the space: the terms of degree k across it satisfy
Σ g_i(h)·u_i = residual, one linear system whose matrix is that of the space alone (Hensel lifting). Then the
change of variables is undone, each degree is reduced modulo products of generators of lower degree, residues
are read as fractions, and g is completed over Q: what is found is exact. Nothing is proved if nothing is
found; the vector field can be hidden by others where its degree comes near that of f.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import comb
from random import Random

from flint import nmod_mat, nmod_mpoly, nmod_mpoly_ctx

from polyctl.algebra.budget import UNLIMITED, Budget, elimination_seconds
from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.modular import PRIME, Vector, powers, reduce, values
from polyctl.algebra.monomials import Monomial, monomials_up_to
from polyctl.algebra.polynomial import Polynomial, degree, variables_used
from polyctl.solvers.exact.differential_forms import (
    Forms,
    Points,
    choices,
    complete,
    constants_of,
    lift_to_rationals,
    solve_forms,
)
from polyctl.solvers.outcome import Outcome, gather

MAX_TERMS = 6000  # of f in general coordinates
MAX_UNKNOWNS = 1300
_TRIED = 4

Modular = dict[Monomial, int]


@dataclass(frozen=True)
class _Coordinates:
    """x = matrix·t + shift modulo the prime; the space is t_i = 0 for i > m."""

    context: nmod_mpoly_ctx
    matrix: list[Vector]
    shift: Vector

    @classmethod
    def random(cls, n: int, rng: Random) -> _Coordinates:
        context = nmod_mpoly_ctx.get([f"t{i}" for i in range(n)], modulus=PRIME, ordering="deglex")
        matrix = [[rng.randrange(PRIME) for _ in range(n)] for _ in range(n)]
        return cls(context, matrix, [rng.randrange(PRIME) for _ in range(n)])

    def inverse(self) -> _Coordinates:
        """The coordinates that undo these."""
        n = len(self.shift)
        inverse = nmod_mat(n, n, [a for row in self.matrix for a in row], PRIME).inv()
        shift = inverse * nmod_mat(n, 1, self.shift, PRIME)
        matrix = [[int(inverse[i, j]) for j in range(n)] for i in range(n)]
        return _Coordinates(self.context, matrix, [-int(shift[i, 0]) % PRIME for i in range(n)])

    def apply(self, f: nmod_mpoly) -> nmod_mpoly:
        """f(matrix·t + shift)."""
        t = self.context.gens()
        arguments = []
        for row, c in zip(self.matrix, self.shift, strict=True):
            argument = self.context.constant(c)
            for a, variable in zip(row, t, strict=True):
                argument += variable * a
            arguments.append(argument)
        return f.compose(*arguments, ctx=self.context)


def by_restriction(f: Polynomial, budget: Budget = UNLIMITED) -> Outcome:
    """g(h1, …, hm) = f with 1 < m < n − 1 and m as small as is found; never a proof."""
    n = len(variables_used(f))
    if n < 4 or degree(f) < 4 or comb(n + degree(f), n) > MAX_TERMS:
        return Outcome()
    for m in range(2, n - 1):
        found, finished = gather(_with_inners(f, m, budget))
        if found or not finished:
            return Outcome(found)
    return Outcome()


def _with_inners(f: Polynomial, m: int, budget: Budget) -> Iterator[Decomposition]:
    used = variables_used(f)
    rng = Random(m)
    coordinates = _Coordinates.random(len(used), rng)
    budget.check()
    whole = coordinates.apply(reduce(f, used))
    for inners, outer in _on_space(whole, m, budget, rng):
        lifted = _lift(whole, inners, outer, budget)
        if lifted is None:
            continue
        back = coordinates.inverse()
        generators = _generators([back.apply(h) for h in lifted])
        rational = lift_to_rationals(f, used, generators)
        decomposition = complete(f, rational, budget) if rational else None
        if decomposition is not None:
            yield decomposition
            return


def _on_space(
    whole: nmod_mpoly, m: int, budget: Budget, rng: Random
) -> Iterator[tuple[list[nmod_mpoly], nmod_mpoly]]:
    """(inner polynomials, outer polynomial) of f on the space of the first m + 1 coordinates."""
    small = nmod_mpoly_ctx.get([f"t{i}" for i in range(m + 1)], modulus=PRIME, ordering="deglex")
    f = small.from_dict({mono[: m + 1]: c for mono, c in _pairs(whole) if not any(mono[m + 1 :])})
    total = int(f.total_degree())
    largest = total // 2
    for e in range(min(m * (largest - 1) + 1, total - 1)):
        forms = Forms(m + 1, m, monomials_up_to(m + 1, e))
        if forms.unknowns > MAX_UNKNOWNS:
            return
        solutions = solve_forms([f], forms, budget)
        if not solutions:
            continue
        points = Points(forms, largest, False, rng, budget)
        for number, eta in enumerate(choices(forms, solutions, budget)):
            if number == _TRIED:
                return
            inners = [small.from_dict(h) for h in constants_of(eta, points, rng, budget)]
            outer = _outer(f, inners, rng, budget) if len(inners) == m else None
            if outer is not None:
                yield inners, outer
                return


def _outer(f: nmod_mpoly, inners: list[nmod_mpoly], rng: Random, budget: Budget) -> nmod_mpoly | None:
    """The g with g(inners) = f modulo the prime, by evaluation at random points."""
    m, total = len(inners), int(f.total_degree())
    weights = [int(h.total_degree()) for h in inners]
    exponents = [
        e for e in monomials_up_to(m, total) if sum(a * b for a, b in zip(e, weights, strict=True)) <= total
    ]
    budget.check(elimination_seconds(len(exponents) + 5, len(exponents) + 1))
    rows = []
    for _ in range(len(exponents) + 5):
        point = [rng.randrange(1, PRIME) for _ in range(f.context().nvars())]
        table = powers([int(h(*point)) for h in inners], total)
        rows.append([*values(exponents, table), int(f(*point))])
    solved = _solve(rows, len(exponents), 1)
    if solved is None:
        return None
    context = nmod_mpoly_ctx.get([f"b{i}" for i in range(m)], modulus=PRIME, ordering="deglex")
    return context.from_dict({e: c for e, (c,) in zip(exponents, solved, strict=True) if c})


def _lift(
    whole: nmod_mpoly, inners: list[nmod_mpoly], outer: nmod_mpoly, budget: Budget
) -> list[nmod_mpoly] | None:
    """The h_i in all coordinates with outer(h) = f; None if they cannot be lifted."""
    context, small = whole.context(), inners[0].context()
    n, inside = context.nvars(), small.nvars()
    lifted = [context.from_dict({(*e, *(0,) * (n - inside)): c for e, c in _pairs(h)}) for h in inners]
    slopes = [outer.derivative(i).compose(*inners, ctx=small) for i in range(len(inners))]
    degrees = [int(h.total_degree()) for h in inners]
    for k in range(1, max(degrees) + 1):
        residual: dict[Monomial, Modular] = {}
        for e, c in _pairs(whole - outer.compose(*lifted, ctx=context)):
            if sum(e[inside:]) < k:
                return None
            if sum(e[inside:]) == k:
                residual.setdefault(e[inside:], {})[e[:inside]] = c
        unknowns = [(i, e) for i, d in enumerate(degrees) if d >= k for e in monomials_up_to(inside, d - k)]
        columns = [dict(_pairs(slopes[i] * small.from_dict({e: 1}))) for i, e in unknowns]
        outside = [e for e in monomials_up_to(n - inside, k, k) if e in residual]
        if not outside:
            continue
        added = _solve_degree(columns, [residual[e] for e in outside], budget)
        if added is None:
            return None
        for (i, e), found in zip(unknowns, added, strict=True):
            terms = {(*e, *across): c for across, c in zip(outside, found, strict=True) if c}
            lifted[i] += context.from_dict(terms)
    return lifted if outer.compose(*lifted, ctx=context) == whole else None


def _solve_degree(
    columns: Sequence[Modular], targets: Sequence[Modular], budget: Budget
) -> list[Vector] | None:
    """For each column its weight in each target, if the targets are combinations of the columns."""
    places = sorted({e for part in (*columns, *targets) for e in part})
    budget.check(elimination_seconds(len(places), len(columns) + len(targets)))
    rows = [[part.get(e, 0) for part in (*columns, *targets)] for e in places]
    return _solve(rows, len(columns), len(targets))


def _solve(rows: list[Vector], width: int, sides: int) -> list[Vector] | None:
    """A solution of A·X = B for the rows [A | B] modulo the prime, with free unknowns 0; None without one."""
    flat = [c % PRIME for row in rows for c in row]
    reduced, rank = nmod_mat(len(rows), width + sides, flat, PRIME).rref()
    solution = [[0] * sides for _ in range(width)]
    for r in range(rank):
        pivot = next((c for c in range(width) if int(reduced[r, c])), None)
        if pivot is None:
            return None
        solution[pivot] = [int(reduced[r, width + s]) for s in range(sides)]
    return solution


def _generators(inners: Sequence[nmod_mpoly]) -> list[Modular]:
    """The same algebra by echelon bases, each degree reduced modulo products of lower generators."""
    generators: list[Modular] = []
    for d in sorted({int(h.total_degree()) for h in inners}):
        new = [{e: c for e, c in _pairs(h) if any(e)} for h in inners if h.total_degree() == d]
        context = inners[0].context()
        known = _products([context.from_dict(g) for g in generators], d)
        places = sorted({e for part in (*new, *known) for e in part}, key=lambda e: (-sum(e), e))
        for basis in _echelon(known, places):
            pivot = next(e for e in places if basis.get(e, 0))
            for h in new:
                factor = h.get(pivot, 0)
                for e, c in basis.items() if factor else ():
                    h[e] = (h.get(e, 0) - factor * c) % PRIME
        generators += _echelon(new, places)
    return generators


def _products(generators: Sequence[nmod_mpoly], d: int) -> list[Modular]:
    """All products of generators of degree at most d."""
    found: list[Modular] = []
    if not generators:
        return found
    todo = [(0, generators[0].context().constant(1))]
    while todo:
        start, current = todo.pop()
        for i in range(start, len(generators)):
            longer = current * generators[i]
            if longer.total_degree() <= d:
                found.append(dict(_pairs(longer)))
                todo.append((i, longer))
    return found


def _echelon(vectors: Sequence[Modular], places: Sequence[Monomial]) -> list[Modular]:
    """The reduced echelon basis of the span."""
    if not vectors:
        return []
    flat = [vector.get(e, 0) % PRIME for vector in vectors for e in places]
    reduced, rank = nmod_mat(len(vectors), len(places), flat, PRIME).rref()
    rows = [[int(reduced[r, c]) for c in range(len(places))] for r in range(rank)]
    return [{e: c for e, c in zip(places, row, strict=True) if c} for row in rows]


def _pairs(f: nmod_mpoly) -> list[tuple[Monomial, int]]:
    return [(tuple(e), int(c)) for e, c in zip(f.monoms(), f.coeffs(), strict=True)]
