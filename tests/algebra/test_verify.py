from __future__ import annotations

import pytest
from flint import fmpq
from hypothesis import given, settings
from hypothesis import strategies as st

from polyctl.algebra.completion import TooLarge, complete_outer
from polyctl.algebra.decomposition import Decomposition, outer_ring
from polyctl.algebra.modular import PRIME
from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import compose, degree, ring
from polyctl.algebra.triviality import triviality
from polyctl.algebra.verify import WorkBound, verify, verify_or_complete
from tests.strategies import decompositions

XYZ = ring(["x", "y", "z"])
X, Y, Z = XYZ.gens()
B0, B1 = outer_ring(2).gens()
(B,) = outer_ring(1).gens()
(T,) = ring(["t"]).gens()


def inner(*inners):
    return Decomposition(None, inners)


@settings(deadline=None)
@given(st.integers(1, 3).flatmap(lambda m: decompositions(variables=2, inners=m)))
def test_a_true_decomposition_is_never_refuted(d):
    assert verify(d.expanded, d).status in ("verified", "trivial")


@settings(deadline=None)
@given(decompositions(variables=2, inners=1))
def test_completion_of_one_inner_finds_the_outer(d):
    assert complete_outer(d.expanded, d.inners) == d.outer


@settings(deadline=None, max_examples=60)
@given(decompositions(variables=3, inners=2, outer_degree=2, inner_degree=2))
def test_completion_of_several_inners_gives_an_outer_that_fits(d):
    f = d.expanded
    outer = complete_outer(f, d.inners)
    if outer is None:  # only where leading forms cancel, which completion does not look at
        weights = [sum(e * degree(h) for e, h in zip(m, d.inners, strict=True)) for m in d.outer.monoms()]
        assert max(weights) > degree(f)
    else:
        assert compose(outer, d.inners) == f


@settings(deadline=None)
@given(decompositions(variables=2, inners=2), st.integers(0, 3), st.integers(1, 9))
def test_a_changed_polynomial_is_refuted(d, power, amount):
    x = d.inners[0].context().gens()[0]
    assert verify(d.expanded + x**power * amount, d).status == "refuted"


def test_wrong_inners_are_refuted():
    assert verify(T**6 + T + 1, inner(T**2)).status == "refuted"
    assert verify(T**6 + T + 1, inner(T**4)).status == "refuted"
    assert verify(X**2 + Y**3, inner(X, X * Y)).status == "refuted"


def test_scaled_inners_need_a_rational_outer_and_verify():
    f = (T**2 + T) ** 2 + T**2 + T
    verdict = verify(f, inner((T**2 + T) * 3 + 1))
    assert verdict.verified
    assert verdict.outer[(2,)] == fmpq(1, 9)


@pytest.mark.parametrize(
    ("f", "decomposition", "reason"),
    [
        (T**4 + T, Decomposition(B, (T**4 + T,)), "inner"),
        (T**4 + T, inner(T**4 + T + 5), "inner"),
        (T**4 + T, inner(T + 1), "outer"),
        (X * Y + Z, inner(X, Y, Z), "outer"),
        (X + Y + X * Y, inner(X + Y, X * Y), "as large as f"),
        (X**3 + X * Y * Z + Z + (X + Y) ** 2, inner(X + Y, X**3 + X * Y * Z + Z), "as large as f"),
        (X**3 + Y, inner(X, X**2 + Y), "outer"),
        (X**2 - Y**2, Decomposition(B0 * B1, (X + Y, X - Y)), "outer"),
        (X * Y + Z**2, Decomposition(B0 + B1, (X * Y + 1, Z**2 - 1)), "linear"),
        (X**2 + X * Y + Y**2, inner(X**2, X * Y, Y**2), "inner"),
        (X**4 + X**2 * Y**2 + Y**4, inner(X**2, X * Y, Y**2), "span all forms"),
        (T**5 + T + 1, inner(T, T**2), "generate"),
        (T**5 + T + 1, inner(T, T**2 + 1), "generate"),
        (X**3 * Y + X, inner(X**2, Y, X * Y - Y**2, X * Y + X), "generate"),
        (X**3 * Y + X, inner(X * Y, Y**2, X, X**2 * 5 + Y * 2), "generate"),
        (T**2 + 1, Decomposition(B**2 + 1, (T,)), "outer"),
        (T - T + 3, Decomposition(B - B + 3, (T**2,)), "constant"),
    ],
)  # fmt: skip
def test_answers_that_say_nothing_are_trivial(f, decomposition, reason):
    verdict = verify(f, decomposition)
    assert verdict.status == "trivial"
    assert reason in verdict.reason


@pytest.mark.parametrize(
    ("f", "decomposition"),
    [
        ((X + Y) ** 2 + (X + Y), inner(X + Y)),
        (T**4 + 1, inner(T**2)),
        ((X**2 + X) * 3 + (Y**2 + Y) * 2, Decomposition(B0 * 3 + B1 * 2, (X**2 + X, Y**2 + Y))),
        ((X * Y) ** 2 + Z**2, inner(X * Y, Z)),
        (T**6 + T**5, inner(T**2, T**3)),
        ((X**2 + X) ** 2 + (Y**2 + Y) ** 3, inner(X**2 + X, Y**2 + Y)),
        (X**2 + Y**2 + X**3 * 2 + Y**3 * 2 + X * Y * (X + Y) * 3, inner(X + Y, X * Y)),
        (
            (X + Y + Z) ** 3 - X * Y * Z * 3 + X**2 + Y**2 + Z**2,
            inner(X + Y + Z, X**2 + Y**2 + Z**2, X * Y * Z),
        ),
        ((X + Y + Z) ** 3 - X * Y * Z * 27, inner(X + Y + Z, X * Y * Z)),
        ((X + Y + Z) ** 4 + X**4 + Y**4 + Z**4, inner(X + Y + Z, X**4 + Y**4 + Z**4)),
    ],
)  # fmt: skip
def test_answers_that_say_something_are_not_trivial(f, decomposition):
    assert verify(f, decomposition).verified


def test_a_coefficient_that_vanishes_modulo_the_prime_hides_no_outer():
    f = Y**4 + X**2
    assert verify(f, inner(X**2, X**2 + Y**2 * PRIME)).verified
    assert verify(f, inner(X**2, X**2 + Y**2 * PRIME + X * Y)).status == "refuted"


def test_only_what_is_proved_is_refuted():
    f = (Y * Z) ** 2 + Y * Z + X
    assert (
        verify(f, inner(X**3 + Y * Z, X)).status == "undecided"
    )  # (b0 - b1^3)^2 + b0 - b1^3 + b1 is an outer
    assert verify(f + X, inner(X**2 + Y, Y**2 + X)).status == "refuted"


def test_triviality_does_not_depend_on_constants_of_the_inners():
    d = Decomposition(B0 * 5 - B1, (X**2 * 18 + 16, Y * 19 + 16))
    assert triviality(d.expanded, d) == triviality(
        d.expanded, Decomposition(B0 * 90 - B1 * 19 + 64, (X**2, Y))
    )


def test_malformed():
    assert verify(X, inner()).status == "malformed"
    assert verify(X, inner(T)).status == "malformed"
    assert verify(X, Decomposition(B**2, (X, Y))).status == "malformed"


def test_work_is_bounded_but_a_wrong_answer_is_still_refuted():
    big = (X + Y + Z + 1) ** 6
    outer = B**40
    tight = WorkBound(terms=1000)
    assert verify(X, Decomposition(outer, (big,)), tight).status == "refuted"
    f = compose(B**2, [(X + Y + Z + 1) ** 12])
    assert verify(f, Decomposition(B**2, ((X + Y + Z + 1) ** 12,)), tight).status == "undecided"


def test_completion_is_bounded():
    with pytest.raises(TooLarge):
        complete_outer((X * Y * Z) ** 9, [X, Y, Z], max_unknowns=100)
    assert verify((X * Y * Z) ** 9, inner(X, Y, Z), WorkBound(unknowns=100)).status == "undecided"


def test_a_wrong_outer_is_completed_from_the_inners_and_both_verdicts_are_kept():
    f, h = parse("x^4 + 2x^3 + x^2 + 1"), parse("x^2 + x")
    wrong = verify_or_complete(f, Decomposition(parse("b^2", ["b"]), (h,)))
    assert (wrong.given.status, wrong.completed.status) == ("refuted", "verified")
    assert wrong.best.outer == parse("b^2 + 1", ["b"])
    right = verify_or_complete(f, Decomposition(parse("b^2 + 1", ["b"]), (h,)))
    assert right.given is right.completed is right.best
    hopeless = verify_or_complete(f, Decomposition(parse("b^2", ["b"]), (h + f.context().gen(0),)))
    assert (hopeless.given.status, hopeless.completed.status) == ("refuted", "refuted")
    assert hopeless.best is hopeless.given


def test_a_trivial_verdict_says_that_the_identity_holds():
    verdict = verify(
        parse("x^2 + y^2"), Decomposition(parse("b0^2 - 2b1", ["b0", "b1"]), (parse("x + y"), parse("x y")))
    )
    assert (verdict.status, verdict.reason.startswith("g(h) = f holds, but ")) == ("trivial", True)
