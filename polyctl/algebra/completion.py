"""Given the inners of f, find the outer polynomial, exactly over Q."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from flint import fmpq, fmpq_mat, fmpz_mat, nmod_mat

from polyctl.algebra.budget import UNLIMITED, Budget, elimination_seconds, rational_seconds
from polyctl.algebra.decomposition import outer_ring
from polyctl.algebra.modular import PRIME, at_point, rational
from polyctl.algebra.monomials import Monomial
from polyctl.algebra.polynomial import (
    Polynomial,
    compose,
    degree,
    is_homogeneous,
    part_of_degree,
    polynomial,
    primitive_part,
)


class TooLarge(ValueError):
    """The linear system would pass the bound on its size."""


def complete_outer(
    f: Polynomial,
    inners: Sequence[Polynomial],
    max_unknowns: int = 3000,
    budget: Budget = UNLIMITED,
) -> Polynomial | None:
    """The outer g with g(inners) = f, or None if there is none of the degrees looked at.

    With one inner this is complete: g is found by elimination of leading terms, in one variable the h-adic
    expansion of Kozen and Landau. With several, g is linear in its coefficients; all monomials of g are
    tried whose value has at most the degree of f (no cancellation of leading forms between the inners).
    If g is not unique, one with high pivots left at zero is returned. Inners must not be constant.
    Raises TooLarge above `max_unknowns` coefficients of g, and OutOfTime.

    >>> from polyctl.algebra.parse import parse
    >>> complete_outer(parse("x^4 + 2x^3 + x^2 + 1"), [parse("x^2 + x")])
    b^2 + 1
    """
    if len(inners) == 1:
        return _complete_single(f, inners[0], budget)
    return _complete_linear(f, inners, max_unknowns, budget)


def completion_is_final(inners: Sequence[Polynomial]) -> bool:
    """Whether complete_outer finds an outer if there is any; True is a proof.

    With several inners leading forms of g(inners) can only cancel if the inners' own are algebraically
    dependent: not if the Jacobian of these has full rank, at a point modulo a prime. Forms cannot hide
    anything at all, as each degree of f stands for itself.
    """
    if len(inners) == 1 or all(is_homogeneous(h) for h in inners):
        return True
    return proved_independent([part_of_degree(h, degree(h)) for h in inners])


def proved_independent(polynomials: Sequence[Polynomial]) -> bool:
    """Whether no polynomial relation holds between these; True is a proof, False is none.

    That their Jacobian has full rank at a point modulo a prime proves it.
    """
    if any(degree(p) < 1 for p in polynomials):
        return False
    count = polynomials[0].context().nvars()
    primitive = [primitive_part(p)[0] for p in polynomials]
    point = [pow(3, 7 * i + 1, PRIME) for i in range(count)]
    entries = [at_point(p.derivative(v), point) for p in primitive for v in range(count)]
    return nmod_mat(len(primitive), count, entries, PRIME).rank() == len(primitive)


def _complete_single(f: Polynomial, inner: Polynomial, budget: Budget) -> Polynomial | None:
    inner_degree = degree(inner)
    outer_degree, remainder_degree = divmod(max(degree(f), 0), inner_degree)
    if remainder_degree:
        return None
    context = f.context()
    powers = [context.constant(1)]
    for _ in range(outer_degree):
        budget.check()
        powers.append(powers[-1] * inner)
    lead, lead_monomial = inner.leading_coefficient(), inner.monoms()[0]
    leads = [fmpq(1)]
    for _ in range(outer_degree):
        leads.append(leads[-1] * lead)
    coefficients: dict[Monomial, fmpq] = {}
    rest = f
    while not rest.is_zero():
        budget.check()
        k, remainder_degree = divmod(int(rest.total_degree()), inner_degree)
        if remainder_degree or rest.monoms()[0] != tuple(k * e for e in lead_monomial):
            return None
        coefficients[(k,)] = rest.leading_coefficient() / leads[k]
        rest = rest - powers[k] * coefficients[(k,)]
    return polynomial(outer_ring(1), coefficients)


def _complete_linear(
    f: Polynomial, inners: Sequence[Polynomial], max_unknowns: int, budget: Budget
) -> Polynomial | None:
    if f.is_zero():
        return polynomial(outer_ring(len(inners)), {})
    primitive, factors = zip(*(primitive_part(h) for h in inners), strict=True)
    target, target_factor = primitive_part(f)
    exponents = outer_monomials(target, primitive, max_unknowns, budget)
    values = products(primitive, exponents, budget)
    found = _solve_columns([values[e] for e in exponents], target, budget)
    if found is None:
        return None
    coefficients = {}
    for exponent, coefficient in zip(exponents, found, strict=True):
        if coefficient:
            scale = target_factor
            for factor, power in zip(factors, exponent, strict=True):
                scale = scale / factor**power
            coefficients[exponent] = coefficient * scale
    outer = polynomial(outer_ring(len(inners)), coefficients)
    return outer if compose(outer, inners) == f else None


def outer_monomials(
    f: Polynomial, inners: Sequence[Polynomial], limit: int, budget: Budget = UNLIMITED
) -> list[Monomial]:
    """Exponents of outer monomials whose value can occur in f, by degree of the value; at most `limit`."""
    wanted = {sum(m) for m in f.monoms()} if all(is_homogeneous(h) for h in inners) else None
    return weighted_exponents([degree(h) for h in inners], degree(f), wanted, limit, budget)


def weighted_exponents(
    weights: Sequence[int], most: int, wanted: Collection[int] | None, limit: int, budget: Budget = UNLIMITED
) -> list[Monomial]:
    """Exponents of weighted degree at most `most`, by degree; those of a wanted weighted degree alone.

    Raises TooLarge if there are more than `limit`.
    """
    exponents: list[Monomial] = []
    for exponent in _weighted(weights, most):
        budget.check()
        if wanted is None or sum(e * w for e, w in zip(exponent, weights, strict=True)) in wanted:
            exponents.append(exponent)
            if len(exponents) > limit:
                raise TooLarge(f"the outer polynomial would have more than {limit} unknown coefficients")
    return sorted(exponents, key=lambda e: (sum(e), e))


def _weighted(weights: Sequence[int], most: int) -> Iterator[Monomial]:
    if not weights:
        yield ()
        return
    for e in range(most // weights[0] + 1):
        for rest in _weighted(weights[1:], most - e * weights[0]):
            yield (e, *rest)


def products(
    inners: Sequence[Polynomial], exponents: Sequence[Monomial], budget: Budget = UNLIMITED
) -> dict[Monomial, Polynomial]:
    """inners ** exponent for every exponent, each by one multiplication."""
    values: dict[Monomial, Polynomial] = {(0,) * len(inners): inners[0].context().constant(1)}

    def value(exponent: Monomial) -> Polynomial:
        known = values.get(exponent)
        if known is None:
            budget.check()
            i = next(i for i, e in enumerate(exponent) if e)
            smaller = (*exponent[:i], exponent[i] - 1, *exponent[i + 1 :])
            known = values[exponent] = value(smaller) * inners[i]
        return known

    return {e: value(e) for e in exponents}


def _solve_columns(columns: Sequence[Polynomial], target: Polynomial, budget: Budget) -> list[fmpq] | None:
    """Rational x with sum x[j] * columns[j] = target, or None if there is none.

    Pivots are found modulo a prime. So are the values if they are simple enough to be recognised, which is
    checked over Q; else they are computed over Q. That there is no solution is believed of the prime only if
    the columns' rank is as large modulo the prime as over Q; else everything is done over Q.
    """
    rows: dict[Monomial, int] = {}
    entries = [_entries(value, rows) for value in columns]
    reached = len(rows)
    goal = _entries(target, rows)
    if len(rows) > reached:
        return None  # no column has that monomial
    height, width = len(rows), len(columns)
    budget.check(elimination_seconds(height, width))
    dense = [[column.get(r, 0) for column in (*entries, goal)] for r in range(height)]
    reduced, rank = nmod_mat(height, width + 1, [c % PRIME for row in dense for c in row], PRIME).rref()
    pivots = [next(c for c in range(width + 1) if int(reduced[r, c])) for r in range(rank)]
    if width not in pivots:
        recognised = {c: rational(int(reduced[r, width])) for r, c in enumerate(pivots)}
        if _solves(recognised, entries, goal):
            return [recognised.get(c) or fmpq(0) for c in range(width)]
        budget.check(rational_seconds(len(pivots)))
        found = _solve_pivots(dense, pivots)
        if found is not None:
            return found
    rank = sum(c < width for c in pivots)
    budget.check(elimination_seconds(height, width))
    if rank == width or rank == fmpz_mat([row[:width] for row in dense]).rank():
        return None
    budget.check(rational_seconds(width))
    return _solve_over_q(dense)


def _solves(
    weights: Mapping[int, fmpq | None], columns: Sequence[dict[int, int]], target: dict[int, int]
) -> bool:
    """Whether the columns with these weights sum to the target over Q; not if a weight is unknown."""
    total: dict[int, fmpq] = {r: fmpq(-c) for r, c in target.items()}
    for at, weight in weights.items():
        if weight is None:
            return False
        if weight:
            for r, c in columns[at].items():
                total[r] = total.get(r, fmpq(0)) + weight * c
    return not any(total.values())


def _entries(value: Polynomial, rows: dict[Monomial, int]) -> dict[int, int]:
    """Integer coefficients by their monomial's row; new monomials get new rows."""
    terms = zip(value.monoms(), value.coeffs(), strict=True)
    return {rows.setdefault(m, len(rows)): int(c.p) for m, c in terms}


def _solve_pivots(dense: list[list[int]], pivots: list[int]) -> list[fmpq] | None:
    """The solution of A x = t, dense = [A | t], that uses these columns, None if it is not one over Q."""
    height, width = len(dense), len(dense[0]) - 1
    transposed = [dense[r][c] % PRIME for c in pivots for r in range(height)]
    reduced, _ = nmod_mat(len(pivots), height, transposed, PRIME).rref()
    chosen = [next(r for r in range(height) if int(reduced[i, r])) for i in range(len(pivots))]
    square = fmpz_mat([[dense[r][c] for c in pivots] for r in chosen])
    solution = square.solve(fmpz_mat([[dense[r][-1]] for r in chosen]))
    used = fmpq_mat(fmpz_mat([[row[c] for c in pivots] for row in dense]))
    reached: object = used * solution  # type: ignore[operator]
    if reached != fmpq_mat(fmpz_mat([[row[-1]] for row in dense])):
        return None
    found = [fmpq(0)] * width
    for i, c in enumerate(pivots):
        found[c] = solution[i, 0]
    return found


def _solve_over_q(dense: list[list[int]]) -> list[fmpq] | None:
    width = len(dense[0]) - 1
    reduced, rank = fmpq_mat(fmpz_mat(dense)).rref()
    pivots = [next(c for c in range(width + 1) if reduced[r, c]) for r in range(rank)]
    if width in pivots:
        return None
    found = [fmpq(0)] * width
    for r, c in enumerate(pivots):
        found[c] = reduced[r, width]
    return found
