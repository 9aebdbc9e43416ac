"""Evaluation and linear algebra modulo a prime, against plain twins in integers and fractions."""

from __future__ import annotations

import pytest
from flint import fmpq
from hypothesis import given
from hypothesis import strategies as st

from polyctl.algebra.modular import PRIME, at_point, gradients, nullspace, powers, rank, rational, values
from polyctl.algebra.monomials import monomials_up_to
from polyctl.algebra.polynomial import Polynomial, polynomial, ring, terms
from tests.strategies import polynomials

CONTEXT = ring(["x", "y", "z"])
MONOMIALS = monomials_up_to(3, 3)
numbers = st.integers(0, PRIME - 1)
points = st.lists(numbers, min_size=3, max_size=3)
matrices = st.integers(1, 5).flatmap(
    lambda width: st.lists(
        st.lists(st.integers(-2, 2), min_size=width, max_size=width), min_size=1, max_size=5
    )
)


def plain_value(f: Polynomial, point: list[int]) -> int:
    """f at a point over Q, as a residue."""
    total = fmpq(0)
    for monomial, coefficient in terms(f):
        for x, e in zip(point, monomial, strict=True):
            coefficient *= fmpq(x) ** e
        total += coefficient
    return int(total.p) * pow(int(total.q), -1, PRIME) % PRIME


def plain_echelon(rows: list[list[int]]) -> list[list[int]]:
    """Gauss–Jordan elimination, number by number."""
    left = [[c % PRIME for c in row] for row in rows]
    done: list[list[int]] = []
    for column in range(len(rows[0])):
        pivot = next((row for row in left if row[column]), None)
        if pivot is None:
            continue
        left.remove(pivot)
        inverse = pow(pivot[column], -1, PRIME)
        pivot = [c * inverse % PRIME for c in pivot]

        def cleared(row: list[int], pivot: list[int] = pivot, column: int = column) -> list[int]:
            return [(c - row[column] * p) % PRIME for c, p in zip(row, pivot, strict=True)]

        left, done = [cleared(row) for row in left], [*(cleared(row) for row in done), pivot]
    return done


@given(polynomials(CONTEXT, 3), points)
def test_a_value_is_that_over_the_rationals(f, point):
    assert at_point(f, point) == plain_value(f, point)


def test_a_denominator_that_the_prime_divides_is_refused():
    with pytest.raises(ValueError, match="not invertible"):
        at_point(CONTEXT.gens()[0] / PRIME, [1, 1, 1])


@given(points)
def test_monomials_and_their_derivatives_at_a_point(point):
    table = powers(point, 3)
    as_polynomials = [polynomial(CONTEXT, {m: 1}) for m in MONOMIALS]
    assert values(MONOMIALS, table) == [plain_value(f, point) for f in as_polynomials]
    assert gradients(MONOMIALS, table) == [
        [plain_value(f.derivative(i), point) for f in as_polynomials] for i in range(3)
    ]


@given(matrices)
def test_rank_and_nullspace_are_those_of_plain_elimination(rows):
    width, echelon = len(rows[0]), plain_echelon(rows)
    basis = nullspace(rows, width)
    assert rank(rows) == len(echelon) == width - len(basis)
    assert all(sum(a * b for a, b in zip(row, x, strict=True)) % PRIME == 0 for row in rows for x in basis)
    assert basis == (plain_echelon(basis) if basis else [])


def test_no_rows_restrict_nothing():
    assert nullspace([], 2) == [[1, 0], [0, 1]]
    assert rank([]) == 0


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**9))
def test_a_fraction_is_found_again_from_its_residue(numerator, denominator):
    residue = numerator * pow(denominator, -1, PRIME) % PRIME
    assert rational(residue) == fmpq(numerator, denominator)


def test_modular_helpers():
    basis = nullspace([[1, 2, 3, 4], [2, 4, 6, 9]], 4)
    assert len(basis) == 2
    assert all((a + 2 * b + 3 * c + 4 * d) % PRIME == 0 and d == 0 for a, b, c, d in basis)
    assert [row[:2] for row in basis] == [[1, 0], [0, 1]]
    for value in (fmpq(0), fmpq(-7, 3), fmpq(10**8, 999_999_937)):
        assert rational(int(value.p) * pow(int(value.q), -1, PRIME) % PRIME) == value
