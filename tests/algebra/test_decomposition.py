from __future__ import annotations

from flint import fmpq, fmpq_mat
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from polyctl.algebra.decomposition import (
    Decomposition,
    equivalence_key,
    normal_form,
    outer_ring,
    used_inners,
)
from polyctl.algebra.linear_algebra import coefficient_rows, echelon_rows
from polyctl.algebra.polynomial import constant_term, ring
from tests.decompositions import equivalent
from tests.strategies import decompositions

XYZ = ring(["x", "y", "z"])
X, Y, Z = XYZ.gens()
B0, B1 = outer_ring(2).gens()
(B,) = outer_ring(1).gens()


@settings(deadline=None)
@given(st.integers(1, 3).flatmap(lambda m: decompositions(variables=2, inners=m)))
def test_normal_form_is_the_same_decomposition(d):
    normal = normal_form(d) if not d.outer.is_constant() else d
    assert normal.expanded == d.expanded
    for h in normal.inners:
        assert constant_term(h) == 0
        assert all(c.q == 1 for c in h.coeffs())
        assert h.coeffs()[0] > 0


@settings(deadline=None)
@given(
    decompositions(variables=3, inners=2),
    st.sampled_from([(1, 0, 0, 2), (1, 1, 0, 1), (2, 1, 1, 1), (0, 1, 3, 0), (1, 2, -1, 3), (2, -1, 3, 2)]),
    st.integers(-5, 5),
)
def test_affine_changes_of_the_inners_are_equivalent_and_have_one_normal_form(d, entries, shift):
    a, b, c, e = entries
    h0, h1 = d.inners
    changed = Decomposition(None, (h0 * a + h1 * b + shift, h0 * c + h1 * e))
    inner_only = Decomposition(None, d.inners)
    assume(fmpq_mat([list(r) for r in echelon_rows(_rows(d))]).nrows() == 2)
    assert equivalent(inner_only, changed)
    assert normal_form(inner_only).inners == normal_form(changed).inners


def _rows(d):
    shifted = [h - constant_term(h) for h in d.inners]
    return coefficient_rows(shifted)[1]


def test_permuted_and_scaled_inners_are_equivalent():
    first = Decomposition(B0**2 + B1, (X * Y + 3, Z**2))
    second = Decomposition(B1**2 + B0, (Z**2 * 5 - 1, X * Y * fmpq(1, 7)))
    assert equivalent(first, second)
    assert not equivalent(first, Decomposition(B0**2 + B1, (X * Y + 3, Z**2 + X)))


def test_unused_inners_are_dropped():
    d = Decomposition(B1**2, (X, Y + Z))
    assert used_inners(d) == Decomposition(B**2, (Y + Z,))
    assert equivalence_key(d) == equivalence_key(Decomposition(B**2, (Y + Z,)))
    assert normal_form(d).inners == (Y + Z,)


def test_sparse_basis_finds_the_sparse_vectors_of_a_span():
    d = Decomposition(B0 * B1, (X**3 + Y**3 + Z**3 + X * Y * Z, X**3 + Y**3 - 2 * Z**3 + X * Y * Z))
    assert normal_form(d).inners == (Z**3, X**3 + X * Y * Z + Y**3)
