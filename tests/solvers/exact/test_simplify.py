"""Simpler decompositions of the same f."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from polyctl.algebra.budget import Budget
from polyctl.algebra.completion import complete_outer
from polyctl.algebra.complexity import complexity
from polyctl.algebra.decomposition import Decomposition, outer_ring
from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import degree, names, ring
from polyctl.solvers.exact.simplify import simplify
from tests.strategies import polynomials

RING = ring(["x", "y", "z"])


def given_inners(text, *inners):
    f = parse(text)
    parsed = tuple(parse(h, names(f)) for h in inners)
    return f, Decomposition(complete_outer(f, parsed), parsed)


@pytest.mark.parametrize(
    ("text", "inners", "size", "simpler"),
    [
        ("a*b+a*c-2a*d+b*c-2b*d-2c*d+3d^2", ("a-d", "b+c-2d", "b-c"), 15, {"a - d", "b - d", "c - d"}),
        ("(a*d-b*c)^3+(a*d-b*c)*(a+d)^2+5(a+d)", ("a+d", "a^2+2b*c+d^2"), 20, {"a + d", "a*d - b*c"}),
        (
            "(x^2+y*z)^2*(x*y+z)+(x*y+z)^2+3(x^2+y*z)",
            ("x^2+y*z+2x*y+2z", "x^2+y*z+3x*y+3z+1"),
            18,
            {"x^2 + y*z", "x*y + z"},
        ),
    ],
)
def test_known_simpler_forms_are_reached(text, inners, size, simpler):
    f, start = given_inners(text, *inners)
    found = simplify(start, Budget())
    assert found.expanded == f
    assert complexity(found).distinct <= size
    assert set(map(str, found.inners)) == simpler


def test_an_inner_polynomial_is_unwrapped():
    f, start = given_inners("(x*y+z)^4+3(x*y+z)^2", "(x*y+z)^2")
    assert str(simplify(start, Budget()).inners[0]) == "x*y + z"
    assert simplify(start, Budget()).expanded == f


@given(st.data(), st.integers(1, 3))
@settings(max_examples=30)
def test_f_stays_and_nothing_gets_worse(data, count):
    g = data.draw(polynomials(outer_ring(count), 3))
    inners = tuple(data.draw(polynomials(RING, 2)) for _ in range(count))
    assume(degree(g) > 0 and all(degree(h) > 0 for h in inners))
    start = Decomposition(g, inners)
    found = simplify(start, Budget())
    assert found.expanded == start.expanded
    assert complexity(found) <= complexity(start)


def test_without_time_or_an_outer_it_stays_as_it_is():
    _, start = given_inners("(x*y+z)^4+3(x*y+z)^2", "(x*y+z)^2")
    assert simplify(start, Budget(deadline=0.0)) == start
    claim = Decomposition(None, start.inners)
    assert simplify(claim, Budget()) == claim


def test_powers_of_other_inner_polynomials_are_left_out():
    f, start = given_inners("(x^2+x+c)^2 + c*(x^2+x+c) + 1", "c^2", "c", "x^2+x+c")
    found = simplify(start, Budget())
    assert set(map(str, found.inners)) == {"c", "x^2 + c + x"}
    assert found.expanded == f


def test_a_parameter_is_added_to_the_inner_polynomial():
    _, start = given_inners("a*(a*x^2+b*x+c)^2 + b*(a*x^2+b*x+c) + c", "a", "b", "c", "a*x^2+b*x")
    assert "a*x^2 + b*x + c" in map(str, simplify(start, Budget()).inners)
