"""Constants c for which f − c is reducible."""

import pytest
from flint import fmpq
from hypothesis import given, settings
from hypothesis import strategies as st

from polyctl.algebra.budget import Budget
from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import constant_term, ring
from polyctl.algebra.verify import verify
from polyctl.solvers.exact.shifted_products import by_shifted_products
from tests.strategies import integers, polynomials

RING = ring(["x", "y", "z"])


@pytest.mark.parametrize(
    ("text", "constant"),
    [
        ("x^2*y-x*y^2-2*y^3+x^2-x*y-2*y^2-x+2*y+1", fmpq(1)),
        ("(x^2+y*z-3)*(x*y+z+1)+7", fmpq(7)),
        ("(x^3+y^2-2)*(y^3+x*y+1)+3/2", fmpq(3, 2)),
        ("(x^2+y)^2*(x-y+1)+2", fmpq(2)),
    ],
)
def test_the_constant_is_found(text, constant):
    f = parse(text)
    (found,) = by_shifted_products(f, Budget()).decompositions
    assert constant_term(found.outer) == constant
    assert verify(f, found).verified


@given(
    polynomials(RING, 1, coefficients=integers),
    polynomials(RING, 1, coefficients=integers),
    st.integers(1, 30),
)
@settings(max_examples=25)
def test_a_product_with_a_constant_is_taken_apart(one, two, constant):
    x, y, z = RING.gens()
    f = (x * y + one) * (x**2 + y * z + two) + constant
    found = by_shifted_products(f, Budget()).decompositions
    assert all(d.expanded == f for d in found)
    assert constant in [constant_term(d.outer) for d in found]


def test_there_is_no_answer_where_no_fibre_is_reducible():
    assert by_shifted_products(parse("x^3+y^3+x*y+2*x+1"), Budget()).decompositions == ()


def test_a_product_itself_is_left_to_factorisation():
    for d in by_shifted_products(parse("(x^2+y)*(x-y^2+1)"), Budget()).decompositions:
        assert constant_term(d.outer) != 0


def test_one_variable_large_degrees_and_no_time_are_left_out():
    assert by_shifted_products(parse("x^4+1"), Budget()).decompositions == ()
    assert by_shifted_products(parse("x^20*y+1"), Budget()).decompositions == ()
    assert by_shifted_products(parse("(x+y^2)*(x*y-1)+5"), Budget(deadline=0.0)).decompositions == ()
