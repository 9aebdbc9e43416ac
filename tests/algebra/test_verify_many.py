from __future__ import annotations

import pytest
from flint import fmpq
from hypothesis import given, settings
from hypothesis import strategies as st

from polyctl.algebra.decomposition import Decomposition, DecompositionTerms, equivalence_key, outer_ring
from polyctl.algebra.polynomial import Polynomial, compose, ring
from polyctl.algebra.residues import P
from polyctl.algebra.verify import verify_or_complete
from polyctl.algebra.verify_many import verify_each
from tests.strategies import decompositions, polynomials

X, Y, Z = ring(["x", "y", "z"]).gens()
(T,) = ring(["t"]).gens()
B0, B1 = outer_ring(2).gens()


def agrees(f: Polynomial, several: list[Decomposition]) -> list[str]:
    """The completed statuses of all, which are compared with the plain way's verdicts."""
    found = verify_each(f, [DecompositionTerms.of(one) for one in several])
    assert list(found.checked) == [verify_or_complete(f, one) for one in several]
    keys = [equivalence_key(one) for one in several]
    assert list(found.first) == [keys.index(key) for key in keys]
    return [checked.completed.status for checked in found.checked]


def inner(*several: Polynomial) -> Decomposition:
    return Decomposition(None, several)


def test_bases_of_one_span_are_equivalent_and_wrong_ones_are_refuted():
    h = (X**2 + Y * Z, Y**2 - Z**2)
    f = compose(B0**3 - B0 * B1**2 * 2, h)
    right = [inner(*h), inner(h[0] + h[1], h[1] * 3 - h[0]), inner(h[1] * fmpq(1, 7), h[0])]
    wrong = [inner(h[0], h[1] + X * Y), inner(X**2, Y**2), inner(X * Y, Z**2)]
    assert agrees(f, right + wrong) == ["verified"] * 3 + ["refuted"] * 3


def test_dependent_inner_polynomials_and_products():
    h = (X**2, Y**2, X * Y)  # x²·y² = (xy)²
    f = X**4 + Y**4 * 2 + X**2 * Y**2
    dependent = [inner(*h), inner(X**2, Y**2, X**2 + Y**2), inner(X**2 + Y**2, X**2 + Y**2)]
    wrong = [inner(X**2, X * Y, X**2 + X * Y), inner(X**2 + X * Y, X * Y, Y**2 - X**2)]
    statuses = agrees(f + X * Y**3, dependent + wrong)
    assert "refuted" in statuses
    agrees(f, dependent + wrong)


@pytest.mark.parametrize("factor", [P, -P, P + 1, fmpq(1, P), fmpq(1, P + 1), 10**40, fmpq(10**40, 3)])
def test_numbers_that_the_prime_divides_and_large_ones(factor):
    h = (X**2 + Y * Z * factor, Y**2 - Z**2)
    f = compose(B0**3 - B0 * B1**2 * 2, h)
    others = [inner(h[0] + h[1] * factor, h[1]), inner(h[0] + X * Y * P, h[1]), inner(X**2, h[1])]
    statuses = agrees(f, [inner(*h), *others])
    assert statuses == ["verified", "verified", "refuted", "refuted"]
    agrees(X**6 + f * factor, [inner(*h), *others])


def test_products_that_depend_only_modulo_the_prime():
    h = (X**2, X**2 + Y**2 * P)
    f = Y**4 + X**2 * Y**2
    assert agrees(f, [inner(*h), inner(h[0], h[1] + X * Y), inner(X**2, X**2 + Y**2)]) == [
        "verified",
        "refuted",
        "verified",
    ]


def test_cancelling_leading_forms_are_undecided():
    f = (Y * Z) ** 2 + Y * Z + X
    assert "undecided" in agrees(f, [inner(X**3 + Y * Z, X), inner(X**3 + Y, X), inner(X**3 - Z, X)])


def test_one_inner_polynomial_constants_and_zero():
    f = (T**2 + T) ** 3 - T**2 - T
    assert agrees(
        f,
        [
            inner(T**2 + T),
            inner(T**2 * 3 + T * 3 + 5),
            inner(T**2),
            inner(T**3 + T),
            inner(T**4),
            inner(T - T + 1),
            inner(T - T),
            inner(f),
            inner(f + 1),
            inner(T**250),
        ],
    ) == ["verified", "verified", "refuted", "refuted", "refuted", *["trivial"] * 4, "refuted"]
    agrees(T - T, [inner(T**2), inner(T**3)])
    agrees(T - T + 4, [inner(T**2), inner(T**3)])


def test_more_unknown_coefficients_than_are_looked_for():
    big = [inner(X + i + 1, Y, Z) for i in range(3)]
    assert agrees((X * Y * Z) ** 9, big) == ["undecided"] * 3
    agrees((X + Y) ** 12 + Z**11, big)


@settings(deadline=None, max_examples=60)
@given(st.data(), st.integers(1, 3), st.integers(1, 3))
def test_random_decompositions(data, variables, inners):
    d = data.draw(decompositions(variables=variables, inners=inners, outer_degree=2, inner_degree=2))
    (*gens,) = d.inners[0].context().gens()
    other = data.draw(polynomials(d.inners[0].context(), 2, 3))
    changed = [
        d,
        Decomposition(None, d.inners),
        Decomposition(None, (d.inners[0] * 2 - 1, *d.inners[1:])),
        Decomposition(None, (d.inners[0] + other, *d.inners[1:])),
        Decomposition(None, (*d.inners[:-1], other)),
        Decomposition(None, (*d.inners, gens[0])),
        Decomposition(d.outer, (d.inners[0] + other, *d.inners[1:])),
    ]
    agrees(d.expanded, changed)
    agrees(d.expanded + gens[0], changed)
