"""Symmetric polynomials in elementary ones and power sums."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyctl.algebra.budget import Budget
from polyctl.algebra.complexity import complexity
from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import compose, ring
from polyctl.solvers.exact.symmetric import by_symmetry, symmetric_blocks
from tests.strategies import polynomials

RING = ring(["x", "y", "z"])
X, Y, Z = RING.gens()


@pytest.mark.parametrize(
    ("text", "inners", "size"),
    [
        ("x^2+y^2+2x^3+2y^3+3x y^2+3y x^2", {"x + y", "x*y"}, 16),
        ("(s+t+u)^3-3s*t*u+s^2+t^2+u^2", {"s + t + u", "s^2 + t^2 + u^2", "s*t*u"}, 16),
        ("x^2*y^2*z^2+(x+y+z)^4+7x*y*z", {"x + y + z", "x*y*z"}, 17),
    ],
)
def test_the_simplest_generators_are_chosen(text, inners, size):
    f = parse(text)
    (found,) = by_symmetry(f, Budget()).decompositions
    assert found.expanded == f
    assert set(map(str, found.inners)) == inners
    assert complexity(found).distinct == size


@given(st.data())
@settings(max_examples=30)
def test_every_polynomial_in_symmetric_ones_is_written_back(data):
    g = data.draw(polynomials(ring(["e", "p"]), 2))
    f = compose(g, (X + Y + Z, X**2 + Y**2 + Z**2))
    for d in by_symmetry(f, Budget()).decompositions:
        assert d.expanded == f
    if f.total_degree() > 0:
        assert symmetric_blocks(f) == [((0, 1), (1, 1), (2, 1))]


def test_signs_of_variables_are_seen_through():
    f = parse("(x-y)^4 + x*y*z")
    assert symmetric_blocks(f) == [((0, 1), (1, 1))]
    f = parse("(x-y)^3*z")
    assert symmetric_blocks(f) == [((0, 1), (1, -1))]
    (found,) = by_symmetry(f, Budget()).decompositions
    assert found.expanded == f
    assert "x - y" in map(str, found.inners)


def test_what_is_not_symmetric_is_left_alone():
    assert by_symmetry(parse("x^2+2y"), Budget()).decompositions == ()
    assert symmetric_blocks(parse("x^2*y+y^2*z+z^2*x")) == []


def test_a_budget_that_is_used_up_ends_it():
    assert by_symmetry(parse("x^2+y^2+x*y"), Budget(deadline=0.0)).decompositions == ()
