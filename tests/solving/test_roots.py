"""Roots through the chain of components."""

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from polyctl.algebra.budget import Budget
from polyctl.algebra.parse import parse
from polyctl.errors import UsageError
from polyctl.solving.roots import find_roots


def test_exact_roots_of_exact_components():
    x = sympy.Symbol("x")
    found = find_roots(parse("x^6-2x^3-3"))
    assert sum(count for _, count in found) == 6
    assert all(sympy.simplify((x**6 - 2 * x**3 - 3).subs(x, root)) == 0 for root, _ in found)


def test_multiplicities_are_kept():
    assert [count for _, count in find_roots(parse("(x^2-2)^2"))] == [2, 2]


def test_what_has_no_radicals_gives_numbers():
    found = find_roots(parse("x^5-x-1"))
    assert len(found) == 5
    assert float(found[0][0]) == pytest.approx(1.1673039782614187)


def test_only_factors_without_radicals_give_numbers():
    exact = {root for root, _ in find_roots(parse("(x-1)(x^5-x-1)(2x-3)^2")) if not root.has(sympy.Float)}
    assert exact == {sympy.Integer(1), sympy.Rational(3, 2)}
    counts = dict(find_roots(parse("(x-1)(x^5-x-1)(2x-3)^2")))
    assert counts[sympy.Rational(3, 2)] == 2
    assert sum(counts.values()) == 8


def test_a_reciprocal_polynomial_is_solved_through_its_sums():
    x = sympy.Symbol("x")
    found = find_roots(parse("x^4 + 5x^3 + 8x^2 + 10x + 4"))
    assert all(
        sympy.expand((x**4 + 5 * x**3 + 8 * x**2 + 10 * x + 4).subs(x, root)) == 0 for root, _ in found
    )
    assert sum(count for _, count in found) == 4


def test_numbers_of_a_large_degree_are_roots_and_come_in_the_time_limit():
    f = "x^200-x-1"
    found = find_roots(parse(f), Budget.of(5))
    assert len(found) == 200
    assert all(abs(z**200 - z - 1) < 1e-9 for z in (complex(root) for root, _ in found))


def test_numbers_with_coefficients_that_are_radicals():
    found = find_roots(parse("(x^5-x-1)^2 - 2"))
    assert sum(count for _, count in found) == 10
    assert all(abs((z**5 - z - 1) ** 2 - 2) < 1e-9 for z in (complex(root) for root, _ in found))


def test_too_many_roots_are_refused_at_once():
    with pytest.raises(UsageError, match="too many roots"):
        find_roots(parse("x^5003-x-1"))


@given(st.lists(st.integers(-6, 6), min_size=1, max_size=4))
@settings(max_examples=15)
def test_integer_roots_come_back(roots):
    f = parse("".join(f"(x - ({r}))" for r in roots))
    found = {int(root): count for root, count in find_roots(f)}
    assert found == {r: roots.count(r) for r in roots}


def test_only_one_variable_has_roots():
    with pytest.raises(UsageError, match="one variable"):
        find_roots(parse("x*y"))


@pytest.mark.parametrize(
    ("text", "roots"),
    [
        ("x^4 - 7x^2 + 1", {"3/2 - sqrt(5)/2", "3/2 + sqrt(5)/2", "-3/2 + sqrt(5)/2", "-3/2 - sqrt(5)/2"}),
        (
            "x^4 - 10x^2 + 1",
            {"sqrt(2) + sqrt(3)", "sqrt(3) - sqrt(2)", "sqrt(2) - sqrt(3)", "-sqrt(2) - sqrt(3)"},
        ),
        ("x^4 + 4", {"1 + I", "1 - I", "-1 + I", "-1 - I"}),
    ],
)
def test_roots_are_those_of_the_factors_without_nested_roots(text, roots):
    assert {root for root, _ in find_roots(parse(text))} == {sympy.sympify(root) for root in roots}


def test_no_square_root_of_i_or_of_a_negative_number():
    for text in ("x^4 + 3", "x^4 + x^3 + x^2 + x + 1"):
        for root, _ in find_roots(parse(text)):
            assert not any(
                power.base.is_negative or power.base.has(sympy.I) for power in root.atoms(sympy.Pow)
            )
