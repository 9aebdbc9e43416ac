"""What is true of functions, roots and quotients."""

import pytest

from polyctl.algebra.identities import find_identities, note_on_atoms
from polyctl.algebra.parse import parse


@pytest.mark.parametrize(
    ("own", "sentence"),
    [
        (["x", "1/x"], "x*(1/x) = 1"),
        (["1/x", "1/(x + 1)"], "(x + 1)*(1/(x + 1)) = 1"),
        (["sqrt(2)", "x"], "sqrt(2)^2 = 2"),
        (["x^(1/3)", "x"], "(x^(1/3))^3 = x"),
        (["1/sqrt(x)", "x"], "sqrt(x)^2 = x"),
        (["exp(x + y)", "exp(-x)", "exp(y)"], "exp(a)*exp(b) = exp(a + b)"),
        (["2^x", "2^(3*x)"], "2^a*2^b = 2^(a + b)"),
        (["2^x", "8^x"], "2^a*2^b = 2^(a + b)"),
        (["sqrt(2)", "sqrt(6)"], "sqrt(a)*sqrt(b) = sqrt(a*b)"),
        (["sin(x)", "cos(x)"], "the addition theorems of sin and cos"),
        (["sinh(3*x)", "cosh(x)"], "the addition theorems of sinh and cosh"),
    ],
)
def test_relations_are_found_and_said(own, sentence):
    assert sentence in find_identities(own).sentences


@pytest.mark.parametrize(
    "own", [["x", "y"], ["sin(x)"], ["exp(x)", "exp(y)"], ["sin(x)", "sin(y)"], ["log(x)", "x"]]
)
def test_independent_variables_have_none(own):
    assert find_identities(own) is None


def test_only_of_quotients_all_relations_are_known():
    assert find_identities(["x", "1/x", "1/(x + 1)"]).complete
    assert not find_identities(["x", "1/x", "sqrt(x)"]).complete
    assert not find_identities(["x", "1/sqrt(x)"]).complete


def test_a_note_says_what_a_search_does_not_use():
    (note,) = note_on_atoms(parse("x^2 + 1/x^2", atoms=True))
    assert note.endswith("without x*(1/x) = 1")
    assert note_on_atoms(parse("sin(x)^2 + y", atoms=True)) == []


def test_too_many_of_them_are_left_out():
    assert find_identities(["exp(x)", "exp(1000*x)"]) is None
    assert find_identities([f"1/(x{i} + 1)" for i in range(20)]) is None


def test_what_is_asked_about_comes_last_in_the_ring():
    found = find_identities(["sin(x)", "cos(x)"])
    assert found.ring.names()[-2:] == ("sin(x)", "cos(x)")
    x = found.relations[0].context()
    assert x == found.ring
