"""Reciprocal polynomials: f = p·x^n·g(x + c/x), exactly."""

import json
import random

import pytest
import sympy
from flint import fmpq

from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import degree
from polyctl.algebra.printing import plain
from polyctl.solvers.exact.palindromic import reciprocal


def expanded(found):
    """What the parts stand for, times x^deg g so that nothing is left below the line."""
    x = found.f.context().gens()[0]
    n = degree(found.outer)
    total = found.f.context().constant(0)
    for (k,), c in zip(found.outer.monoms(), found.outer.coeffs(), strict=True):
        total += (x**2 + found.constant) ** int(k) * x ** (n - int(k)) * c
    return total * found.cofactor * x ** (found.power - n)


@pytest.mark.parametrize(
    ("text", "constant", "outer", "cofactor"),
    [
        ("x^4 + x^3 + x^2 + x + 1", 1, "b^2 + b - 1", "1"),
        ("x^4 + 5x^3 + 8x^2 + 10x + 4", 2, "b^2 + 5*b + 4", "1"),
        ("x^4 - 3x^3 - x^2 + 3x + 1", -1, "b^2 - 3*b + 1", "1"),
        ("9x^4 + 6x^3 + x^2 + 2x + 1", fmpq(1, 3), "9*b^2 + 6*b - 5", "1"),
        ("2x^5 + 3x^4 + 3x + 2", 1, "2*b^2 + b - 5", "x + 1"),
        ("x^7 - 3x^6 + 3x - 1", 1, "b^3 - 2*b^2 - 5*b + 2", "x - 1"),
        ("x^6 - 1", 1, "b^2 - 1", "x^2 - 1"),
        ("x^6 + x^5 + x^4 + x^3 + x^2", 1, "b^2 + b - 1", "1"),
    ],
)
def test_reciprocal_polynomials_are_found(text, constant, outer, cofactor):
    f = parse(text)
    found = reciprocal(f)
    assert (found.constant, plain(found.outer), plain(found.cofactor)) == (constant, outer, cofactor)
    assert expanded(found) == f


@pytest.mark.parametrize("text", ["x^4 + 7x + 1", "x^3 + x^2 + x + 1", "x^2 + 3x + 1", "x^4", "x*y + 1", "5"])
def test_others_are_not(text):
    assert reciprocal(parse(text)) is None


def test_planted_ones_are_found_and_a_changed_coefficient_spoils_them():
    draws = random.Random(3)
    (x,) = parse("x").context().gens()
    for _ in range(40):
        n, c = draws.randint(2, 9), fmpq(draws.choice([-3, -2, -1, 1, 2, 5]), draws.choice([1, 2]))
        f = x.context().constant(0)
        for k in range(n + 1):
            f += (x**2 + c) ** k * x ** (n - k) * draws.choice([k for k in range(-9, 10) if k])
        found = reciprocal(f)
        assert found is not None
        assert expanded(found) == f
        assert reciprocal(f + x ** (n + 1) * 1000) is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a x^4 + b x^3 + c x^2 + b x + a", "f = x^2*g(x + 1/x), g(t) = a*t^2 + b*t - 2*a + c"),
        ("x^5 + a x^4 + a^2 x^3 - 2a x^2 + 4x", "f = x^3*g(x - 2/x), g(b) = a^2 + a*b + b^2 + 4"),
        ("y x^4 + y", "f = x^2*g(x + 1/x), g(b) = y*b^2 - 2*y"),
    ],
)
def test_coefficients_may_have_other_variables(text, shown):
    found = reciprocal(parse(text))
    assert found.to_text() == shown
    assert json.loads(json.dumps(found.to_dict()))["outer"] == plain(found.outer)
    *_, letter = found.outer.context().names()
    g, h = plain(found.outer), f"(x + ({found.constant})/x)"
    value = (
        sympy.sympify(g.replace("^", "**")).subs(letter, sympy.sympify(h)) * sympy.Symbol("x") ** found.power
    )
    assert sympy.expand(value - sympy.sympify(plain(found.f).replace("^", "**"))) == 0


@pytest.mark.parametrize("text", ["a x^4 + b x^3 + c x^2 + a x + b", "a x^4 + b x^2 + c", "x^2 + y x + 1"])
def test_other_coefficients_are_not_reciprocal(text):
    assert reciprocal(parse(text)) is None
