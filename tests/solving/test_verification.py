"""Claims about given inner polynomials: proved, refuted, and what that depends on."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import polyctl
from polyctl.algebra.polynomial import compose, degree, ring
from polyctl.algebra.sympy_form import sympy_expression
from polyctl.solvers.exact import rewriting
from tests.strategies import integers, polynomials


@pytest.mark.parametrize(
    ("f", "inner", "outer"),
    [
        ("x y + 3", ["x^3 + z", "x^3 + x y + z"], "-b0 + b1 + 3"),  # leading forms cancel
        ("(x + y)^2 z", ["x^4 + (x + y)^2 z + x", "x^4 + x"], "b0 - b1"),
    ],
)
def test_what_linear_algebra_leaves_open_is_rewritten(f, inner, outer):
    verdict = polyctl.verify(f, inner=inner)
    assert (verdict.status, verdict.method) in (("verified", "rewriting"), ("trivial", "rewriting"))
    assert str(verdict.outer) == outer
    assert polyctl.compose(verdict.outer, inner) == polyctl.parse(f, sorted("xyz"))


def test_rewriting_proves_that_there_is_no_outer():
    verdict = polyctl.verify("x y^2", inner=["x^3 + y", "x^3 + x y + y", "x"])
    assert verdict.status == "trivial"  # y = h0 - h2^3
    verdict = polyctl.verify("x y^2", inner=["x^3", "x^3 + x y"])
    assert (verdict.status, verdict.method) == ("refuted", "rewriting")


def test_an_independent_polynomial_is_refuted_at_once():
    verdict = polyctl.verify("(x + y + z + w)^30 + x", inner=["x^2 + y", "y z w"])
    assert (verdict.status, verdict.method) == ("refuted", "Jacobian")


def test_the_time_limit_is_reported():
    verdict = polyctl.verify("x y + 3", inner=["x^3", "x^3 + x y"], time_limit=0)
    assert verdict.status == "undecided"
    assert "time limit" in verdict.reason


@pytest.mark.parametrize(
    ("f", "inner", "outer"),
    [
        ("x^2 + 1/x^2", "x + 1/x", "b^2 - 2"),
        ("x^4 + 1/x^4", "x - 1/x", "b^4 + 4*b^2 + 2"),
        ("x/(x + 1)", "1/(x + 1)", "-b + 1"),
        ("exp(2x) + exp(x)", "exp(x)", "b^2 + b"),
        ("exp(2x) + exp(-2x)", "exp(x) + exp(-x)", "b^2 - 2"),
        ("cos(3x) + sin(x)^2", "cos(x)", "4*b^3 - b^2 - 3*b + 1"),
        ("sin(x + y)", ["sin(x) cos(y)", "cos(x) sin(y)"], "b0 + b1"),
        ("cosh(2x)", "sinh(x)", "2*b^2 + 1"),
        ("tan(x)^2 + tan(x)^4", "1/cos(x)^2", "b^2 - b"),
        ("4^x + 2^x + 1", "2^x", "b^2 + b + 1"),
        ("sqrt(12) y + sqrt(3)^3 y^2", ["sqrt(3) y", "y"], "3*b0*b1 + 2*b0"),
        ("sqrt(2) x^2 + 2x^4", "sqrt(2) x^2", "b^2 + b"),
        ("x + x^2", "sqrt(x)", "b^4 + b^2"),
    ],
)
def test_identities_of_functions_are_used_where_they_are_needed(f, inner, outer):
    verdict = polyctl.verify(f, inner=inner, atoms=True)
    assert " with " in verdict.reason
    assert str(verdict.outer) == outer
    assert polyctl.verify(f, outer, inner, atoms=True).outer == verdict.outer
    assert polyctl.rewrite(f, inner, atoms=True).complete
    listed = [inner] if isinstance(inner, str) else inner
    arguments = {
        str(b): sympy_expression(polyctl.parse(h, atoms=True))
        for b, h in zip(verdict.outer.context().gens(), listed, strict=True)
    }
    difference = sympy_expression(polyctl.parse(f, atoms=True)) - verdict.to_sympy().subs(arguments)
    assert abs(difference.evalf(30, subs={"x": 0.7, "y": 0.3})) < 1e-25


@pytest.mark.parametrize(
    ("f", "outer", "words"),
    [
        ("x^2 + 1/x^2", "b^2 - 3", "even with x*(1/x) = 1"),
        ("exp(x)^2 + x", "b^2 + b", "in exp(x) and x, which are treated as independent"),
        ("log(x^2) + x", "b", "in log(x), log(x^2) and x, which are treated as independent"),
    ],
)
def test_a_refutation_says_what_it_depends_on(f, outer, words):
    inner = {"x^2 + 1/x^2": "x + 1/x", "exp(x)^2 + x": "exp(x)", "log(x^2) + x": "log(x)"}[f]
    verdict = polyctl.verify(f, outer, inner, atoms=True)
    assert verdict.status == "refuted"
    assert words in verdict.reason


def test_without_time_for_identities_nothing_is_refuted(monkeypatch):
    f, inner, words = "x^2 + 1/x^2", "x + 1/x", "with x*(1/x) = 1 the limits were reached"
    given = polyctl.verify(f, "b^2 - 2", inner, atoms=True, time_limit=0)
    monkeypatch.setattr(rewriting, "LIMITS", (0, 0, 0))
    for verdict in (given, polyctl.verify(f, inner=inner, atoms=True)):
        assert verdict.status == "undecided"
        assert verdict.reason.endswith(words)


def test_one_function_alone_is_refuted_without_condition():
    verdict = polyctl.verify("sin(x)^3", inner="sin(x)^2", atoms=True)
    assert verdict.reason == "f is not a polynomial in the given inner polynomials"


def test_relations_that_contradict_each_other_prove_nothing():
    verdict = polyctl.verify("x/(sin(x)^2 + cos(x)^2 - 1)", "b + 1", "x", atoms=True)
    assert verdict.status == "undecided"


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_what_was_composed_is_never_refuted(data):
    context = ring(["x", "y"])
    inners = [data.draw(polynomials(context, 3, coefficients=integers)) for _ in range(2)]
    if data.draw(st.booleans()):  # leading forms that cancel
        inners[1] = inners[0] + inners[1]
    assume(all(degree(h) > 0 for h in inners))
    f = compose(data.draw(polynomials(ring(["b0", "b1"]), 2, coefficients=integers)), inners)
    verdict = polyctl.verify(f, inner=inners)
    assert verdict.status != "refuted"
    assert verdict.outer is None or compose(verdict.outer, inners) == f
