"""Decompositions as people type them."""

from __future__ import annotations

import pytest

from polyctl.errors import ParseError, UsageError
from polyctl.solving.api import compose, verify
from polyctl.solving.read import read_claim, read_outer, split_list


@pytest.mark.parametrize(
    ("f", "outer", "inner", "status"),
    [
        ("x^4 + 2x^3 + x^2 + 1", "b^2 + 1", ["x^2 + x"], "verified"),
        ("x^4 + 2x^3 + x^2 + 1", "y^2 + 1", ["x^2 + x"], "verified"),
        ("x^4 + 2x^3 + x^2 + 1", None, ["x^2 + x"], "verified"),
        ("x^4 + 2x^3 + x^2 + 1", "b^2 + 2", ["x^2 + x"], "refuted"),
        ("x^2*y^2 + z^3", "b0^2 + b1", ["x*y", "z^3"], "verified"),
        ("x^2*y^2 + z^3", "b1^2 + b0", ["z^3", "x*y"], "verified"),
        ("x^4 + 1", None, ["x^4"], "trivial"),
        ("x^4 + 1", None, ["y^2"], "refuted"),
    ],
)
def test_typed_decompositions(f, outer, inner, status):
    assert verify(f, outer, inner).status == status


def test_claims_are_read_as_they_are_typed():
    assert verify("xy^4 + xy^2 + 1", None, [r"\mathrm{xy}^2"]).status == "refuted"
    assert verify("x^4 + x^2", "b_1^2 + b_1", ["x^2", "y^2"]).status == "refuted"
    assert verify("y^4 + y^2", "b_1^2 + b_1", ["x^2", "y^2"]).verified
    with pytest.raises(UsageError, match="stand for the same inner"):
        verify("x^4 + 2x^3 + x^2", "b^2 + b0^2", ["x^2 + x"])


@pytest.mark.parametrize("outer", ["b^2", "y^2", "h + 1"])
def test_an_outer_that_does_not_say_which_inner_it_means(outer):
    for ask in (lambda: compose(outer, ["x", "y"]), lambda: verify("x^2 + y", outer, ["x", "y"])):
        with pytest.raises(UsageError, match="number of inner polynomials is 2") as caught:
            ask()
        assert "b0 for the first" in caught.value.hint
    assert str(compose("b1^2", ["x", "y"])) == "y^2"
    assert str(compose("u^2 + v", ["x", "y"])) == "x^2 + y"
    assert str(compose("3", ["x", "y"])) == "3"


def test_an_outer_with_too_many_variables():
    with pytest.raises(UsageError, match="inner polynomials is 1"):
        read_outer("b0 + b1", 1)
    with pytest.raises(ParseError):
        verify("x^4", "b^", ["x^2"])


def test_a_doubtful_inner_polynomial_is_asked_about():
    with pytest.raises(ParseError, match="an index"):
        verify("x^4 + x^2", None, ["x(1)"])


@pytest.mark.parametrize(
    ("outer", "inners"),
    [
        ("s^4 + p", ["s = x+y", "p = x*y"]),
        ("s^4 + p", ["p := x*y", "s: x+y"]),
        ("h1^4 + h0", ["h1 = x+y", "h0 = x*y"]),
        ("g(p, s) = s^4 + p", ["s = x+y", "p = x*y"]),
        ("g(u, v) = u^4 + v", ["s = x+y", "p = x*y"]),
        ("b0^4 + b1", ["s = x+y", "p = x*y"]),
    ],
)
def test_names_of_inner_polynomials_are_those_of_the_outer_ones_variables(outer, inners):
    assert verify("(x+y)^4 + x*y", outer, inners).verified


def test_a_name_that_no_inner_polynomial_has():
    with pytest.raises(UsageError, match="q in the outer polynomial: no inner polynomial is called so"):
        read_claim("(x+y)^4 + x*y", "s^4 + q", ["s = x+y", "p = x*y"])


def test_lists_are_taken_apart_at_their_commas():
    assert split_list("[x + y,, (a, b) ]") == ["x + y", "", "(a, b)"]
    assert split_list("{x, y") == ["{x, y"]


def test_long_lists_are_read_in_time_that_grows_with_their_length():
    """With the square of the length this would take minutes."""
    assert split_list("9" * 1_500_000) == ["9" * 1_500_000]
