from __future__ import annotations

import pytest
from flint import fmpq, fmpz
from hypothesis import given
from hypothesis import strategies as st

from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import (
    compose,
    constant_term,
    degree,
    digest,
    is_homogeneous,
    key,
    normal_form,
    polynomial,
    primitive_part,
    ring,
    terms,
    variables_used,
)
from tests.strategies import polynomials, rationals

XY = ring(["x", "y"])
X, Y = XY.gens()


def test_terms_fall_in_degree():
    assert [m for m, _ in terms(1 + X + Y**3 + X * Y)] == [(0, 3), (1, 1), (1, 0), (0, 0)]


def test_degree_of_zero_and_constants():
    assert (degree(X - X), degree(X - X + 5), degree(X**2 * Y)) == (-1, 0, 3)


def test_variables_used_and_homogeneity():
    assert variables_used(Y**2 + 1) == (1,)
    assert is_homogeneous(X * Y + Y**2)
    assert not is_homogeneous(X * Y + Y)


@pytest.mark.parametrize("inner", ["x^3 + 7x - 1/2", "x^2", "3", "0"])
def test_a_large_dense_outer_gives_what_a_small_one_does(inner):
    g, h = parse("(b + 1)^301 - 1/3 b", ["b"]), parse(inner, ["x"])
    assert compose(g, [h]) == g.compose(h, ctx=h.context())


def test_compose_with_a_constant_outer_stays_in_the_inner_ring():
    outer = polynomial(ring(["b"]), {(0,): 3})
    assert compose(outer, [X + Y]) == XY.constant(3)


@given(polynomials(XY, 4).filter(lambda f: not f.is_zero()))
def test_primitive_part_has_coprime_integers_and_gives_f_back(f):
    part, factor = primitive_part(f)
    assert part * factor == f
    assert all(c.q == 1 for c in part.coeffs())
    assert part.coeffs()[0] > 0


@given(polynomials(XY, 4), rationals.filter(bool), rationals)
def test_digest_does_not_see_scaling_or_constant(f, scale, shift):
    assert digest(f) == digest(f * scale + shift)
    assert normal_form(f) == normal_form(f * scale + shift)


@given(polynomials(XY, 3), polynomials(XY, 3))
def test_key_is_equality(f, g):
    assert (key(f) == key(g)) == (f == g)


def test_a_digest_knows_nothing_of_variables_that_do_not_occur():
    f = {(2, 1): 3, (0, 1): -5}
    wide = {(0, 2, 0, 1): 3, (0, 0, 0, 1): -5}
    assert digest(polynomial(ring("xy"), f)) == digest(polynomial(ring(["a", "b", "c", "d"]), wide))


def test_different_polynomials_have_different_digests():
    assert digest(X**2 + Y) != digest(X**2 + 2 * Y)
    assert digest(X**2 * Y) != digest(X * Y**2)


@given(polynomials(XY, 3), st.integers(-3, 3))
def test_constant_term(f, c):
    assert constant_term(f - constant_term(f) + c) == fmpq(c)


def test_a_digest_of_very_long_numbers():
    (x,) = ring(["x"]).gens()
    huge = fmpz(10) ** 5000
    assert digest(x**2 * huge + x) == digest(x**2 * (huge * 2) + x * 2 + 5)
    assert digest(x**2 * huge + x) != digest(x**2 * (huge + 1) + x)
