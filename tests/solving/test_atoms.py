"""Decompositions that need identities of atoms."""

import doctest
import math
import random

import pytest

import polyctl
from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import names, terms
from polyctl.errors import UsageError
from polyctl.solving import atoms
from polyctl.solving.atoms import with_fewer_atoms


def test_the_examples_hold():
    assert doctest.testmod(atoms).failed == 0


def value(f, x):
    """f at a number x > 0, its atoms being what they are called."""
    known = {"x": x, "sqrt": math.sqrt, "exp": math.exp, "cos": math.cos, "sin": math.sin}
    own = [eval(name.replace("^", "**"), known) for name in names(f)]
    return sum(
        float(c.p) / float(c.q) * math.prod(v ** int(e) for v, e in zip(own, m, strict=True))
        for m, c in terms(f)
    )


@pytest.mark.parametrize(
    "text",
    [
        "x - 5 sqrt(x) + 6",
        "4^x + 2^x + 1",
        "exp(2x) - 3exp(x) + 2",
        "x + 2 sqrt(x + 1) + x^2",
        "cos(4x) + cos(2x) + 1",
        "sin(x)^4 + cos(x)^4",
        "exp(4x) + exp(-4x) + 3exp(2x) + 3exp(-2x)",
        "x^(1/3) + x + x^2",
    ],
)
def test_the_form_with_fewer_atoms_is_the_same_function(text):
    f = parse(text, atoms=True)
    found, sentences = with_fewer_atoms(f)
    assert sentences
    assert found.context().nvars() < f.context().nvars()
    for x in (random.Random(text).uniform(0.1, 2) for _ in range(5)):
        assert value(found, x) == pytest.approx(value(f, x))


@pytest.mark.parametrize("text", ["x^2 + y", "x^2 + 1/x^2", "y^2 + sqrt(x)", "x + sin(x)^2", "sin(x)^4 + 1"])
def test_other_polynomials_stay_as_they_are(text):
    f = parse(text, atoms=True)
    assert with_fewer_atoms(f) == (f, ())


@pytest.mark.parametrize("text", ["cos(5x) = 16cos(x)^5 - 20cos(x)^3 + 5cos(x)", "sin(x)^2 + cos(x)^2"])
def test_what_is_constant_by_identities_says_so(text):
    with pytest.raises(UsageError, match=r"f is the constant [01], with"):
        polyctl.decompose(text, atoms=True)
