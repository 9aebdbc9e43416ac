"""f in the invariants of its own linear symmetries: scalar products p·p, p·q, q·q, determinants.

The matrices A for which A·x, as a vector field, leaves f constant, (A x)·grad f = 0, form a Lie algebra; it
is found by linear algebra from enough random points modulo a prime. Scalings of parameters belong to it and
spoil its invariants, so two parts are taken: the skew matrices (rotations, whose invariants are scalar
products) and the derived algebra [L, L] (whose invariants are determinants and the like; Weyl, The classical
groups, 1939). Their invariants of degree 1 and 2 are again found by linear algebra; if as many of them are
independent as the generic orbits leave directions, f is rewritten in them by tags. What is found is exact; f
may have other symmetries, so an empty answer proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from flint import nmod_mat

from polyctl.algebra.budget import UNLIMITED, Budget, elimination_seconds
from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.modular import PRIME, Vector, gradients, nullspace, powers, rank, reduce
from polyctl.algebra.monomials import Monomial, monomials_up_to
from polyctl.algebra.polynomial import Polynomial, degree, variables_used
from polyctl.solvers.exact.differential_forms import complete, independent, lift_to_rationals
from polyctl.solvers.exact.rewriting import rewrite
from polyctl.solvers.outcome import Outcome, gather

MAX_VARIABLES = 16
MAX_INVARIANTS = 40
_FIELDS = 6  # random combinations of an algebra that are used at each point

Algebra = list[Vector]  # matrices, row by row


def by_linear_symmetries(f: Polynomial, budget: Budget = UNLIMITED) -> Outcome:
    """g(invariants) = f for the skew part and the derived algebra of f's symmetries; never a proof."""
    if not 3 <= len(variables_used(f)) <= MAX_VARIABLES or degree(f) < 2:
        return Outcome()
    return Outcome(gather(_from_algebras(f, budget))[0])


def _from_algebras(f: Polynomial, budget: Budget) -> Iterator[Decomposition]:
    used = variables_used(f)
    n = len(used)
    rng = Random(n)
    algebra = symmetries(f, budget)
    seen: set[object] = set()
    for part in (_skew(algebra, n), _derived(algebra, n, rng, budget)):
        if not part:
            continue
        generators = _invariants(part, n, rng, budget)
        inners = lift_to_rationals(f, used, generators) if generators else None
        if not inners or (known := tuple(map(str, inners))) in seen:
            continue
        seen.add(known)
        rewritten = rewrite(f, inners, budget)
        if rewritten is not None and rewritten.decomposition is not None:
            yield rewritten.decomposition
        elif rewritten is None and (completed := complete(f, inners, budget)) is not None:
            yield completed


def symmetries(f: Polynomial, budget: Budget = UNLIMITED) -> Algebra:
    """A basis, modulo the prime, of the matrices A with (A x)·grad f = 0, in the variables that f uses."""
    used = variables_used(f)
    n = len(used)
    rng = Random("symmetries")
    budget.check(elimination_seconds(n * n + 5, n * n))
    modular = reduce(f, used)
    partials = [modular.derivative(i) for i in range(n)]
    rows = []
    for _ in range(n * n + 5):
        budget.check()
        point = [rng.randrange(1, PRIME) for _ in range(n)]
        slopes = [int(p(*point)) for p in partials]
        rows.append([slope * x % PRIME for slope in slopes for x in point])
    return nullspace(rows, n * n)


def _skew(algebra: Algebra, n: int) -> Algebra:
    """A basis of the skew matrices in an algebra."""
    if not algebra:
        return []
    rows = [[(a[i * n + j] + a[j * n + i]) % PRIME for a in algebra] for i in range(n) for j in range(i, n)]
    return [_combined(algebra, weights) for weights in nullspace(rows, len(algebra))]


def _derived(algebra: Algebra, n: int, rng: Random, budget: Budget) -> Algebra:
    """A basis of the span of all brackets, from random ones until they add nothing."""
    found: Algebra = []
    while len(algebra) > 1 and len(found) < len(algebra):
        budget.check()
        one, two = (nmod_mat(n, n, _random(algebra, rng), PRIME) for _ in range(2))
        bracket = [int(c) for row in (one * two - two * one).tolist() for c in row]
        if rank([*found, bracket]) == len(found):
            break
        found.append(bracket)
    return found


def _invariants(algebra: Algebra, n: int, rng: Random, budget: Budget) -> list[dict[Monomial, int]]:
    """Generators of the invariants of degree 1 and 2, if they are enough to tell generic orbits apart."""
    point = [rng.randrange(1, PRIME) for _ in range(n)]
    wanted = n - rank([_field(a, point) for a in algebra])
    generators: list[dict[Monomial, int]] = []
    for d in (1, 2):
        monomials = monomials_up_to(n, d, d)
        budget.check(elimination_seconds(len(monomials) + 8, len(monomials)))
        products = _squares(generators, monomials) if d == 2 else []
        for vector in nullspace(_equations(algebra, n, monomials, d, rng), len(monomials)):
            if rank([*products, vector]) > len(products):
                products.append(vector)
                generators.append({m: c for m, c in zip(monomials, vector, strict=True) if c})
        if len(generators) > MAX_INVARIANTS:
            return []
    return generators if generators and independent(generators, n, rng) == wanted else []


def _equations(algebra: Algebra, n: int, monomials: Sequence[Monomial], d: int, rng: Random) -> list[Vector]:
    """Rows whose nullspace are the forms on these monomials that every field of the algebra kills."""
    rows = []
    for _ in range(len(monomials) + 8):
        point = [rng.randrange(1, PRIME) for _ in range(n)]
        slopes = gradients(monomials, powers(point, d))
        fields = algebra if len(algebra) <= _FIELDS else [_random(algebra, rng) for _ in range(_FIELDS)]
        for matrix in fields:
            direction = _field(matrix, point)
            row = [0] * len(monomials)
            for v, slope in zip(direction, slopes, strict=True):
                if v:
                    row = [r + v * s for r, s in zip(row, slope, strict=True)]
            rows.append([r % PRIME for r in row])
    return rows


def _squares(linear: Sequence[dict[Monomial, int]], monomials: Sequence[Monomial]) -> list[Vector]:
    """Products of two linear invariants, as vectors; they are no new invariants of degree 2."""
    found = []
    for i, one in enumerate(linear):
        for two in linear[i:]:
            product: dict[Monomial, int] = {}
            for a, x in one.items():
                for b, y in two.items():
                    m = tuple(p + q for p, q in zip(a, b, strict=True))
                    product[m] = (product.get(m, 0) + x * y) % PRIME
            found.append([product.get(m, 0) for m in monomials])
    return found


def _field(matrix: Vector, point: Sequence[int]) -> Vector:
    n = len(point)
    return [sum(matrix[i * n + j] * x for j, x in enumerate(point)) % PRIME for i in range(n)]


def _random(algebra: Algebra, rng: Random) -> Vector:
    return _combined(algebra, [rng.randrange(PRIME) for _ in algebra])


def _combined(algebra: Algebra, weights: Sequence[int]) -> Vector:
    return [
        sum(w * c for w, c in zip(weights, column, strict=True)) % PRIME
        for column in zip(*algebra, strict=True)
    ]
