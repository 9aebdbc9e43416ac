"""f in u + c/u for an atom u and its inverse."""

import doctest

import pytest

import polyctl
from polyctl.algebra.budget import Budget
from polyctl.algebra.parse import parse
from polyctl.algebra.printing import plain
from polyctl.cli.app import run
from polyctl.solving import inverse_sums
from polyctl.solving.inverse_sums import in_sums_with_inverses
from polyctl.solving.verification import verify_claim


def test_the_examples_hold():
    assert doctest.testmod(inverse_sums).failed == 0


@pytest.mark.parametrize(
    ("text", "outer", "inner"),
    [
        ("x^2 + 1/x^2 + 3", "b^2 + 1", "x + 1/x"),
        ("x^3 + 8/x^3 + x + 2/x", "b^3 - 5*b", "x + 2*(1/x)"),
        ("(x^4 + 1)/x^2", "b^2 - 2", "x + 1/x"),
        ("y^2 + y + 1/y + 1/y^2", "b^2 + b - 2", "y + 1/y"),
        ("x^3 - 1/x^3", "b^3 + 3*b", "x - 1/x"),
        ("x^3 - 8/x^3", "b^3 + 6*b", "x - 2*(1/x)"),
        ("x^3 - 1/x^3 + 5", "b^3 + 3*b + 5", "x - 1/x"),
        ("x^2 - x + 1/x + 1/x^2", "b^2 - b + 2", "x - 1/x"),
        ("x^5 - 1/x^5", "b^5 + 5*b^3 + 5*b", "x - 1/x"),
        ("x^4 + 1/x^4 - 16", "b^2 - 18", "x^2 + (1/x)^2"),
        ("x^6 + x^2 + 27/x^6 + 3/x^2", "b^3 - 8*b", "x^2 + 3*(1/x)^2"),
    ],
)
def test_sums_with_inverses_are_found_and_verified(text, outer, inner):
    f = parse(text, atoms=True)
    found = in_sums_with_inverses(f)
    assert (str(found.outer), plain(found.inners[0])) == (outer, inner)
    assert verify_claim(f, found, Budget.of(60)).verified


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ("x^2 + a x + a/x + 1/x^2 + c", ["a", "c", "x + 1/x"]),
        ("x^2 + 1/x^2 + 7 + y(x + 1/x)", ["y", "x + 1/x"]),
        ("x^2 + 1/x^2 + y^2 + 2 x y - 2y/x", ["x + y - 1/x"]),
    ],
)
def test_other_variables_are_decomposed_too(text, inner):
    best = polyctl.decompose(text, atoms=True).best
    assert sorted(map(plain, best.inner)) == sorted(inner)


@pytest.mark.parametrize(
    "text", ["x + 1/x", "x^2 + 1/x", "x^2 + 2/x^2 + x", "1/x^2 + 1/x", "x^2 + 1/y^2", "x^2 - 1/x^2", "x + y"]
)
def test_nothing_is_made_up(text):
    assert in_sums_with_inverses(parse(text, atoms=True)) is None


def test_roots_are_those_of_the_numerator(capsys):
    assert run(["decompose", "2(x^2 + 1/x^2) - 3(x + 1/x) - 1 = 0", "--atoms", "--roots"]) == 0
    out = capsys.readouterr().out
    assert "root 1/2\nroot 2\n" in out
    assert out.count("root -1/2") == 2
