"""Printed polynomials read back, and say the same as SymPy's."""

from __future__ import annotations

import sys

import pytest
import sympy
from flint import fmpq
from hypothesis import given, settings
from hypothesis import strategies as st

from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import Polynomial, compose, names, polynomial, ring
from polyctl.algebra.printing import latex, plain, plain_composition
from polyctl.algebra.sympy_form import sympy_expression
from tests.processes import run_program

SELF_EXPLAINING = (
    "x",
    "y",
    "a0",
    "a10",
    "x_1",
    "x_max",
    "x_1_2",
    "alpha",
    "alpha_2",
    "Omega3",
    "z_i",
    "w_1a",
    "x1",
)
_fractions = st.fractions(-1000, 1000, max_denominator=50)


def polynomials(variables: tuple[str, ...], degree: int = 4) -> st.SearchStrategy[Polynomial]:
    monomials = st.tuples(*[st.integers(0, degree) for _ in variables])
    return st.dictionaries(monomials, _fractions, max_size=6).map(
        lambda d: polynomial(
            ring(variables), {m: fmpq(c.numerator, c.denominator) for m, c in d.items() if c}
        )
    )


any_names = st.lists(
    st.sampled_from([*SELF_EXPLAINING, "rate", "a0b", "Price_2x"]), min_size=1, max_size=4, unique=True
).map(tuple)


@settings(max_examples=150, deadline=None)
@given(any_names.flatmap(polynomials))
def test_plain_and_latex_read_back_with_the_names(f: Polynomial) -> None:
    assert parse(plain(f), names(f)) == f
    assert parse(latex(f), names(f)) == f


@pytest.mark.parametrize("name", SELF_EXPLAINING)
def test_usual_names_need_not_be_given(name: str) -> None:
    f = polynomial(ring([name]), {(3,): 2, (1,): fmpq(-1, 2), (0,): 5})
    again = parse(plain(f))
    assert names(again) == (name,)
    assert again == f


@settings(max_examples=60, deadline=None)
@given(polynomials(("x", "a0", "alpha")))
def test_sympy_agrees(f: Polynomial) -> None:
    expression = sympy_expression(f)
    assert sympy.expand(expression) == expression
    assert sympy.sympify(plain(f).replace("^", "**")) - expression == 0


@pytest.mark.parametrize(
    ("text", "expected_plain", "expected_latex"),
    [
        ("3x^2y - 1/2 x + 5", "3*x^2*y - 1/2*x + 5", r"3 x^{2} y - \frac{1}{2} x + 5"),
        ("-x + 1", "-x + 1", "-x + 1"),
        ("-3/4", "-3/4", r"-\frac{3}{4}"),
        ("x - x", "0", "0"),
        ("1", "1", "1"),
        ("a0^12 - x_1", "a0^12 - x_1", "a_{0}^{12} - x_{1}"),
        ("αx_{max}^2", "alpha*x_{max}^2", r"\alpha x_{max}^{2}"),
        ("x_{1,2}", "x_1_2", "x_{1,2}"),
        ("1 + x + x^2 y + y^3", "x^2*y + y^3 + x + 1", "x^{2} y + y^{3} + x + 1"),
    ],
)
def test_spelling(text: str, expected_plain: str, expected_latex: str) -> None:
    f = parse(text)
    assert plain(f) == expected_plain
    assert latex(f) == expected_latex


@pytest.mark.parametrize(
    ("outer", "inners", "expected"),
    [
        ("b^2 - 3b + 1", ["x^2 + x"], "(x^2 + x)^2 - 3*(x^2 + x) + 1"),
        ("b", ["x^2 + x"], "x^2 + x"),
        ("b^2", ["x"], "x^2"),
        ("2b^3", ["-x"], "2*(-x)^3"),
        ("b0^2 b1 - 1/2 b1", ["x^2", "x + y"], "(x^2)^2*(x + y) - 1/2*(x + y)"),
        ("b0 b1", ["2", "1/2"], "2*(1/2)"),
    ],
)
def test_composition(outer: str, inners: list[str], expected: str) -> None:
    parsed = [parse(inner, ["x", "y"]) for inner in inners]
    assert plain_composition(parse(outer), parsed) == expected


@settings(max_examples=60, deadline=None)
@given(polynomials(("b0", "b1"), 2), polynomials(("x", "x_max"), 2), polynomials(("x", "x_max"), 2))
def test_composition_reads_back_expanded(outer: Polynomial, first: Polynomial, second: Polynomial) -> None:
    text = plain_composition(outer, [first, second])
    assert parse(text, ["x", "x_max"]) == compose(outer, [first, second])


def test_sympy_is_not_loaded_until_it_is_asked_for() -> None:
    code = "import sys, polyctl.algebra.printing, polyctl.algebra.parse; assert 'sympy' not in sys.modules"
    done = run_program([sys.executable, "-c", code])
    assert done.returncode == 0, done.stderr
