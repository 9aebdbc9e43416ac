"""f = g(h0, h1) for forms in two variables, by grouping roots.

Over the complex numbers a form g of degree k in two variables is a product of k linear forms, so
f = g(h0, h1) is a product of k forms of one degree that lie in the span of h0 and h1. So the roots of f, on
the projective line and with multiplicity, fall into k groups of deg h whose forms span a plane, and that
plane has a rational basis. There are few ways to group them: 280 if f has degree 9 and the inners degree
3. Each is looked at in floating point; planes that look rational are recognised, and checked over Q. Where
none is found nothing is proved. Source: unique factorisation of forms; the grouping is ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations
from math import factorial
from typing import TYPE_CHECKING, Any

from flint import fmpq

from polyctl.algebra.budget import UNLIMITED, Budget
from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.polynomial import (
    Polynomial,
    degree,
    is_homogeneous,
    polynomial,
    primitive_part,
    variables_used,
)
from polyctl.solvers.exact.differential_forms import complete
from polyctl.solvers.exact.univariate import divisors, to_dense
from polyctl.solvers.outcome import Outcome, gather

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_GROUPINGS = 6000
_DENOMINATOR = 10_000
_FLAT = 1e-8


def by_root_grouping(f: Polynomial, budget: Budget = UNLIMITED) -> Outcome:
    """g(h0, h1) = f with two forms of one degree, for a form f that has two variables.

    Each holds and is not trivial; at most one for each degree of the inners. Degrees with more than a few
    thousand ways to group the roots are left out.
    """
    used = variables_used(f)
    if len(used) != 2 or not is_homogeneous(f) or len(f) < 2:
        return Outcome()
    return Outcome(gather(_groupable(f, used, budget))[0])


def _groupable(f: Polynomial, used: Sequence[int], budget: Budget) -> Iterator[Decomposition]:
    total = degree(f)
    degrees = [d for d in divisors(total)[1:-1] if _groupings(total, d) <= _GROUPINGS]
    roots = _roots(f, used[0], total) if degrees else []
    for d in degrees:
        decomposition = _with_inner_degree(f, used, roots, d, budget)
        if decomposition is not None:
            yield decomposition


def _groupings(total: int, d: int) -> int:
    """In how many ways `total` roots are split into groups of d."""
    k = total // d
    ways: int = factorial(total) // (factorial(d) ** k * factorial(k))
    return ways


def _roots(f: Polynomial, variable: int, total: int) -> list[tuple[complex, complex]]:
    """Linear forms a·x + b·y, as (a, b), whose product is f up to a constant."""
    by_power = {m[variable]: c for m, c in zip(f.monoms(), f.coeffs(), strict=True)}
    line = polynomial(f.context(), {_unit(f, variable, e): c for e, c in by_power.items()})
    dense = to_dense(line, variable)
    with_multiplicity: list[Any] = list(dense.complex_roots())
    factors = [(1 + 0j, -complex(root)) for root, e in with_multiplicity for _ in range(int(e))]
    return factors + [(0j, 1 + 0j)] * (total - len(factors))


def _unit(f: Polynomial, variable: int, e: int) -> tuple[int, ...]:
    return tuple(e if i == variable else 0 for i in range(f.context().nvars()))


def groupings(items: Sequence[int], size: int) -> Iterator[tuple[tuple[int, ...], ...]]:
    """All ways to split items into unordered groups of a size."""
    if not items:
        yield ()
        return
    first, rest = items[0], items[1:]
    for others in combinations(rest, size - 1):
        left = [i for i in rest if i not in others]
        for groups in groupings(left, size):
            yield ((first, *others), *groups)


def _with_inner_degree(
    f: Polynomial, used: Sequence[int], roots: list[tuple[complex, complex]], d: int, budget: Budget
) -> Decomposition | None:
    import numpy as np  # few polynomials come here, and it takes longer to load than most are solved in

    forms: dict[tuple[int, ...], NDArray[np.complex128]] = {}
    for group in combinations(range(len(roots)), d):
        budget.check()
        product = np.ones(1, dtype=np.complex128)
        for i in group:
            product = np.convolve(product, np.array(roots[i]))
        norm = np.linalg.norm(product)
        if not np.isfinite(norm):
            return None  # the roots are too large for floats
        forms[group] = product / norm
    stacks = np.array([[forms[g] for g in groups] for groups in groupings(range(len(roots)), d)])
    flatness = np.linalg.svd(stacks, compute_uv=False)
    planes = flatness[:, 1] > _FLAT
    if flatness.shape[1] > 2:
        planes &= flatness[:, 2] < _FLAT
    tried: set[str] = set()
    for stack in stacks[planes]:
        rows = _rational_plane(stack)
        if rows is None or str(rows) in tried:
            continue
        tried.add(str(rows))
        found = complete(f, [_form(f, used, row) for row in rows], budget)
        if found is not None:
            return found
    return None


def _rational_plane(stack: NDArray[np.complex128]) -> list[list[Fraction]] | None:
    """The reduced echelon basis of the plane that rows span, or None if it does not look rational."""
    import numpy as np

    basis = np.linalg.svd(stack, full_matrices=False)[2][:2]
    for r in range(2):
        candidates = np.abs(basis[r:]) > 1e-6
        column = int(np.argmax(candidates.any(axis=0)))
        pivot = r + int(np.argmax(np.abs(basis[r:, column])))
        basis[[r, pivot]] = basis[[pivot, r]]
        basis[r] = basis[r] / basis[r, column]
        basis[1 - r] = basis[1 - r] - basis[1 - r, column] * basis[r]
    rows = []
    for row in basis:
        if np.abs(row.imag).max() > 1e-6:
            return None
        fractions = [Fraction(float(x)).limit_denominator(_DENOMINATOR) for x in row.real]
        if any(abs(float(q) - x) > 1e-7 * (1 + abs(x)) for q, x in zip(fractions, row.real, strict=True)):
            return None
        rows.append(fractions)
    return rows


def _form(f: Polynomial, used: Sequence[int], row: list[Fraction]) -> Polynomial:
    """The form with these coefficients of x^d, x^(d-1)·y, …, y^d."""
    terms = {}
    for i, c in enumerate(row):
        if c:
            exponents = [0] * f.context().nvars()
            exponents[used[0]], exponents[used[1]] = len(row) - 1 - i, i
            terms[tuple(exponents)] = fmpq(c.numerator, c.denominator)
    return primitive_part(polynomial(f.context(), terms))[0]
