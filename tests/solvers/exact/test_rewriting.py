"""f written in given polynomials, with what is left."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from polyctl.algebra.budget import Budget
from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import compose, degree, names, ring
from polyctl.algebra.printing import plain
from polyctl.solvers.exact.rewriting import rewrite
from tests.strategies import integers, polynomials

RING = ring(["x", "y"])


def rewritten(text, *inners):
    f = parse(text)
    return rewrite(f, [parse(h, names(f)) for h in inners], Budget())


@pytest.mark.parametrize(
    ("text", "inners", "form"),
    [
        ("x^3+y^3+z^3+x*y*z", ("x+y+z", "x*y+y*z+z*x", "x*y*z"), "b0^3 - 3*b0*b1 + 4*b2"),
        ("x^4+2x^2+1", ("1/2x^2+1",), "4*b0^2 - 4*b0 + 1"),
        ("(x*y+z)^3+(x*y+z)*(x+y)", ("x*y+z", "x+y"), "b0^3 + b0*b1"),
    ],
)
def test_nothing_is_left_of_a_polynomial_in_them(text, inners, form):
    found = rewritten(text, *inners)
    assert found.complete
    assert str(found.normal_form) == form
    assert found.decomposition.expanded == found.f


def test_a_remainder_is_what_they_cannot_express():
    found = rewritten("(p1*q1+p2*q2)^2+p1^2+p2^2+q1", "p1^2+p2^2", "p1*q1+p2*q2")
    assert not found.complete
    assert str(found.normal_form) == "b1^2 + b0 + q1"


def test_variables_called_like_inner_polynomials_stay_apart():
    found = rewritten("b0^4 + b0", "b0^2")
    assert str(found.normal_form) == "h0^2 + b0"


@given(st.data())
@settings(max_examples=25)
def test_the_normal_form_of_what_was_composed_is_complete(data):
    inners = [data.draw(polynomials(RING, 2, coefficients=integers)) for _ in range(2)]
    assume(all(degree(h) > 0 for h in inners))
    g = data.draw(polynomials(ring(["b0", "b1"]), 2, coefficients=integers))
    f = compose(g, inners)
    found = rewrite(f, inners, Budget())
    assume(found is not None)  # the bound on work
    assert found.complete
    assert found.decomposition.expanded == f


def test_the_budget_and_the_bound_on_work_hold():
    f = parse("x^2+y")
    assert rewrite(f, [parse("x^2", names(f))], Budget(deadline=0.0)) is None
    dense = [parse(f"(x+{k}y+1)^5+{k}x*y", names(f)) for k in (2, 3, 5)]
    assert rewrite(parse("(x+y)^20"), dense, Budget()) is None


def test_an_inner_polynomial_that_is_zero_changes_nothing():
    f = parse("x^4 + y")
    found = rewrite(f, [f - f])
    assert found is not None
    assert plain(found.normal_form) == "x^4 + y"
    assert found.decomposition is None
