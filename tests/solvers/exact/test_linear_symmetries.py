"""Scalar products and determinants, from the linear symmetries of f."""

import pytest

from polyctl.algebra.budget import Budget
from polyctl.algebra.complexity import complexity
from polyctl.algebra.parse import parse
from polyctl.algebra.verify import verify
from polyctl.solvers.exact.linear_symmetries import by_linear_symmetries, symmetries

A, B, C = "(a1^2+a2^2+a3^2)", "(c1^2+c2^2+c3^2)", "(a1*c1+a2*c2+a3*c3)"


@pytest.mark.parametrize(
    ("text", "inners"),
    [
        (
            f"{C}^2*{A}+{B}^3+{C}",
            {"a1^2 + a2^2 + a3^2", "a1*c1 + a2*c2 + a3*c3", "c1^2 + c2^2 + c3^2"},
        ),
        (
            f"m*{A}+k*{C}^2+l*{C}*{B}",
            {"k", "l", "m", "a1^2 + a2^2 + a3^2", "a1*c1 + a2*c2 + a3*c3", "c1^2 + c2^2 + c3^2"},
        ),
    ],
)
def test_scalar_products_are_found(text, inners):
    f = parse(text)
    found = by_linear_symmetries(f).decompositions
    assert inners in [set(map(str, d.inners)) for d in found]
    assert all(d.expanded == f and verify(f, d).verified for d in found)


def test_traces_and_determinants_are_found():
    f = parse("(a*d-b*c)^3+(a*d-b*c)*(a+d)^2+5(a+d)")
    found = min(by_linear_symmetries(f).decompositions, key=complexity)
    assert found.expanded == f
    assert len(found.inners) == 2


def test_the_algebra_is_that_of_the_rotations():
    assert len(symmetries(parse("(x^2+y^2+z^2)^2 + x^2+y^2+z^2"))) == 3
    assert len(symmetries(parse("x^4 + y^4 + z^4 + x*y*z"))) == 0


@pytest.mark.parametrize("text", ["x*y*z+x^2", "x^4+y^4+z^4+x*y*z", "x^2+y"])
def test_without_such_symmetries_nothing_is_found(text):
    assert by_linear_symmetries(parse(text)).decompositions == ()


def test_a_budget_that_is_used_up_ends_it():
    assert by_linear_symmetries(parse(f"{C}^2*{A}"), Budget(deadline=0.0)).decompositions == ()
