"""Spans of coefficient vectors, against plain elimination and against every small basis."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product
from math import gcd, lcm

from hypothesis import given, settings
from hypothesis import strategies as st

from polyctl.algebra.linear_algebra import coefficient_rows, echelon_rows, primitive_row, sparse_basis
from polyctl.algebra.polynomial import ring

rows_of = st.integers(1, 4).flatmap(
    lambda width: st.lists(
        st.lists(st.integers(-3, 3), min_size=width, max_size=width), min_size=1, max_size=4
    )
)


def plain_echelon(rows: list[list[int]]) -> list[tuple[int, ...]]:
    """Gauss–Jordan elimination in fractions, each row scaled to coprime integers."""
    left = [[Fraction(c) for c in row] for row in rows]
    done: list[list[Fraction]] = []
    for column in range(len(rows[0])):
        pivot = next((row for row in left if row[column]), None)
        if pivot is None:
            continue
        left.remove(pivot)
        pivot = [c / pivot[column] for c in pivot]

        def cleared(
            row: list[Fraction], pivot: list[Fraction] = pivot, column: int = column
        ) -> list[Fraction]:
            return [c - row[column] * p for c, p in zip(row, pivot, strict=True)]

        left, done = [cleared(row) for row in left], [*(cleared(row) for row in done), pivot]
    scaled = [[int(c * lcm(*(d.denominator for d in row))) for c in row] for row in done]
    return [tuple(c // gcd(*row) for c in row) for row in scaled]


def support(rows: list[tuple[int, ...]]) -> int:
    return sum(1 for row in rows for c in row if c)


@given(rows_of)
def test_the_echelon_form_is_that_of_plain_elimination(rows):
    assert echelon_rows(rows) == plain_echelon(rows)


@given(rows_of, st.randoms(use_true_random=False))
def test_a_sparse_basis_is_a_function_of_the_span_alone(rows, random):
    mixed = [
        [a + random.randint(-2, 2) * b for a, b in zip(row, other, strict=True)]
        for row, other in zip(rows, rows[1:] + rows[:1], strict=True)
    ]
    basis = sparse_basis(rows)
    assert echelon_rows(basis) == echelon_rows(rows)
    if echelon_rows(mixed) == echelon_rows(rows):
        assert sparse_basis(mixed) == basis


@settings(max_examples=40)
@given(st.lists(st.lists(st.integers(-2, 2), min_size=4, max_size=4), min_size=2, max_size=2))
def test_no_basis_of_a_plane_has_fewer_entries(rows):
    """All combinations with small factors are looked at; the vectors of least support are among them."""
    echelon = echelon_rows(rows)
    basis = sparse_basis(rows)
    if len(echelon) < 2:
        assert basis == echelon
        return
    bound = max(abs(c) for row in echelon for c in row)
    vectors = [
        tuple(s * a + t * b for a, b in zip(*echelon, strict=True))
        for s, t in product(range(-bound, bound + 1), repeat=2)
        if gcd(s, t) == 1
    ]
    others = (pair for pair in combinations(vectors, 2) if len(echelon_rows(pair)) == 2)
    assert support(basis) == min(map(support, others))


def test_rows_are_primitive_and_monomials_fall_in_degree():
    x, y = ring(["x", "y"]).gens()
    monomials, rows = coefficient_rows([x**2 / 2 + y / 3, 4 * x - 6])
    assert monomials == [(2, 0), (1, 0), (0, 1), (0, 0)]
    assert rows == [[3, 0, 2, 0], [0, 2, 0, -3]]
    assert primitive_row([0, -4, 6]) == (0, 2, -3)


def test_sparse_basis_is_a_basis_of_the_same_span():
    rows = [[1, 2, 3, 4], [2, 4, 7, 8], [0, 1, 1, 1]]
    basis = sparse_basis(rows)
    assert echelon_rows(basis) == echelon_rows(rows)
    assert sum(1 for row in basis for c in row if c) <= sum(1 for row in echelon_rows(rows) for c in row if c)
