"""Finite rotations of two variables."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyctl.algebra.budget import Budget
from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import compose, ring
from polyctl.solvers.exact.rotations import by_rotations
from polyctl.solving.solve import solve
from tests.strategies import polynomials

X, Y = ring(["x", "y"]).gens()
Q3, C3 = X**2 + Y**2, X**3 - 3 * X * Y**2


@pytest.mark.parametrize(
    ("text", "inners"),
    [
        ("(x^2+y^2)^3 + (3x^2y-y^3)^2 + 3x^2y - y^3", {"x^2 + y^2", "3*x^2*y - y^3"}),
        ("(x^2+y^2)/2 + x^2y - y^3/3 + (x^2+y^2)^2", {"x^2 + y^2", "3*x^2*y - y^3"}),
        ("x^3 + y^3 + 3x y", {"x*y", "x^3 + y^3"}),
        ("(x^2+x y+y^2)^3 + 2(x^2y+x y^2)^2 + x^2+x y+y^2", {"x^2 + x*y + y^2", "x^2*y + x*y^2"}),
        ("x^5-10x^3y^2+5x y^4 + (x^2+y^2)^2", {"x^2 + y^2", "x^5 - 10*x^3*y^2 + 5*x*y^4"}),
        ("x^4-6x^2y^2+y^4 + (x^2+y^2)^3 + x^2+y^2", {"x^2 + y^2", "x^4 - 6*x^2*y^2 + y^4"}),
        (
            "(3x^2y-y^3)^2 + x^3-3x y^2 + (x^2+y^2)^2 + 3x^2y-y^3",
            {"x^2 + y^2", "x^3 + 3*x^2*y - 3*x*y^2 - y^3"},
        ),
        ("a(x^2+y^2) + b(x^3-3x y^2) + c(x^2+y^2)^2", {"x^2 + y^2", "x^3 - 3*x*y^2", "a", "b", "c"}),
    ],
)
def test_invariants_are_found(text, inners):
    f = parse(text)
    found = by_rotations(f, Budget()).decompositions
    assert all(d.expanded == f for d in found)
    assert any(inners <= set(map(str, d.inners)) for d in found)


@given(polynomials(ring(["q", "c"]), 3))
@settings(max_examples=40)
def test_every_polynomial_in_the_invariants_is_written_back(g):
    f = compose(g, (Q3, C3))
    for d in by_rotations(f, Budget()).decompositions:
        assert d.expanded == f


@given(st.integers(3, 8), st.integers(-4, 4), st.integers(1, 5))
def test_forms_of_any_order_are_found(k, b, c):
    """x + i·y to the k-th power, real part, on the quadratic form x² + b·x·y + c·y²."""
    q = X**2 + b * X * Y + c * Y**2
    if b * b == 4 * c:
        return
    # Re z^k by its recursion: p(k+1) = (2x + b·y)·p(k) − q·p(k−1), where z + w = 2x + b·y and z·w = q
    before, p = X * 0 + 2, 2 * X + b * Y
    for _ in range(k - 1):
        before, p = p, (2 * X + b * Y) * p - q * before
    f = q**2 + p + q
    assert any({str(q)} <= set(map(str, d.inners)) for d in by_rotations(f, Budget()).decompositions)


@pytest.mark.parametrize(
    "text", ["x^2 + y^3", "x^3 + x y + y", "x^4 + x^3y + y^2", "x^2y^2 + x + y", "(x+y)^3 + (x+y)^2"]
)
def test_other_polynomials_have_none(text):
    assert by_rotations(parse(text), Budget()).decompositions == ()


def test_the_search_gives_the_invariants():
    answer = solve(parse("(x^2+y^2)^3 + (3x^2y-y^3)^2 + 3x^2y - y^3"), time_limit=60)
    assert {str(h) for h in answer.solutions[0].inner} == {"x^2 + y^2", "3*x^2*y - y^3"}


def test_no_time_no_answer():
    assert by_rotations(parse("x^3 + y^3 + 3x y"), Budget(0.0)).decompositions == ()


def test_a_power_of_a_factor_of_q_is_no_obstacle():
    f = parse("x y + x^4 + x^2y^2")
    assert all(d.expanded == f for d in by_rotations(f, Budget()).decompositions)
