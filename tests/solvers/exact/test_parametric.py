"""One main variable with parameters: complete for it, and the simplest shift and scale."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from polyctl.algebra.budget import Budget
from polyctl.algebra.complexity import complexity
from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import coefficients_of, compose, names, ring
from polyctl.algebra.verify import verify
from polyctl.solvers.exact.parametric import parametric, shears
from tests.strategies import integers, polynomials

RING = ring(["x", "y", "z"])
X = RING.gens()[0]


def first(f, main=None):
    return min(parametric(f, Budget(), main).decompositions, key=complexity)


@pytest.mark.parametrize(
    ("text", "inner", "size"),
    [
        ("(x^2+c)^2+c", "x^2 + c", 9),
        ("(x^5-2*y*x^3+x)^2+y*(x^5-2*y*x^3+x)+5", "x^5 - 2*x^3*y + x", 16),
        ("(x^6+y*x^3+y^2*x+1)^3+y*(x^6+y*x^3+y^2*x+1)+y^4", "x^6 + x^3*y + x*y^2 + 1", 20),
        ("(y^2+1)*(y*x^3+x*z+1)^3+z*(y*x^3+x*z+1)^2+y*z", "x^3*y + x*z + 1", 20),
    ],
)
def test_the_simplest_shift_and_scale_are_found(text, inner, size):
    f = parse(text)
    found = first(f)
    assert found.expanded == f
    assert inner in map(str, found.inners)
    assert complexity(found).distinct == size


@given(st.data(), st.integers(2, 3), st.integers(2, 3))
@settings(max_examples=40)
def test_every_composition_in_a_main_variable_is_taken_apart(data, outer_degree, inner_degree):
    """g(y, z; h) with h of positive degree in x, both drawn at random."""
    h = X**inner_degree * 7 + data.draw(polynomials(RING, inner_degree, coefficients=integers)) * 5
    assume(h.degrees()[0] == inner_degree)
    digits = [data.draw(polynomials(ring(["y", "z"]), 2)) for _ in range(outer_degree)]
    f = h**outer_degree + RING.gens()[1] ** 3
    for k, digit in enumerate(digits):
        f += digit.compose(*RING.gens()[1:], ctx=RING) * h**k
    outcome = parametric(f, Budget(), [0])
    assert outcome.proof is None
    degrees = [max(int(inner.degrees()[0]) for inner in d.inners) for d in outcome.decompositions]
    assert inner_degree in degrees
    assert all(d.expanded == f for d in outcome.decompositions)


@given(polynomials(RING, 4))
@settings(max_examples=60)
def test_what_is_found_holds(f):
    for d in (*parametric(f, Budget()).decompositions, *shears(f, Budget()).decompositions):
        assert d.expanded == f


def test_nothing_is_a_proof_that_names_the_variables():
    outcome = parametric(parse("x^4 + y*x^3 + x + 1"), Budget(), [0])
    assert outcome.decompositions == ()
    assert "x = x" in outcome.proof


def test_a_budget_that_is_used_up_proves_nothing():
    outcome = parametric(parse("(x^2+c)^2+c"), Budget(deadline=0.0))
    assert (outcome.decompositions, outcome.proof) == ((), None)


def test_one_variable_is_left_to_others():
    assert parametric(parse("x^4 + 2x^2"), Budget()).decompositions == ()
    assert shears(parse("x^2 + 2x + 5"), Budget()).decompositions == ()


def test_shears_complete_a_power():
    f = parse("a*(x-y)^3+(b+c)*(x-y)+d")
    found = min(shears(f, Budget()).decompositions, key=complexity)
    assert "x - y" in map(str, found.inners)
    assert verify(f, found).verified


def test_coefficients_put_together_give_f():
    f = parse("x^2*y + 3*x*z - y + 1/2")
    whole = sum((c * f.context().gens()[0] ** k for k, c in coefficients_of(f, 0).items()), f * 0)
    assert whole == f
    assert names(f) == ("x", "y", "z")


def test_a_composition_with_given_parts_is_its_own_answer():
    b = ring(["b0", "b1"])
    g, h = b.gens()[0] ** 2 + b.gens()[0] * b.gens()[1], (X**2 + RING.gens()[1], RING.gens()[1])
    f = compose(g, h)
    assert complexity(first(f, [0])) <= complexity(Decomposition(g, h))
