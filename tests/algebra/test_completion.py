"""Outers found from the inners, against a plain linear system over Q with every monomial of the outer."""

from __future__ import annotations

import pytest
from flint import fmpq, fmpq_mat
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from polyctl.algebra.completion import TooLarge, complete_outer, completion_is_final
from polyctl.algebra.decomposition import outer_ring
from polyctl.algebra.monomials import monomials_up_to
from polyctl.algebra.polynomial import Polynomial, compose, degree, polynomial, ring
from tests.strategies import decompositions, polynomials

CONTEXT = ring(["x0", "x1"])


def plain_completion_exists(f: Polynomial, inners: tuple[Polynomial, ...]) -> bool:
    """Whether g(inners) = f for an outer g whose monomials have values of at most f's degree."""
    weights = [degree(h) for h in inners]
    exponents = [
        e
        for e in monomials_up_to(len(inners), max(degree(f), 0))
        if sum(w * k for w, k in zip(weights, e, strict=True)) <= max(degree(f), 0)
    ]
    columns = [compose(polynomial(outer_ring(len(inners)), {e: fmpq(1)}), inners) for e in exponents]
    rows = sorted({m for p in (*columns, f) for m in p.monoms()})
    entries = [dict(zip(p.monoms(), p.coeffs(), strict=True)) for p in (*columns, f)]
    matrix = fmpq_mat(len(rows), len(entries), [entry.get(m, fmpq(0)) for m in rows for entry in entries])
    without = fmpq_mat(len(rows), len(columns), [e.get(m, fmpq(0)) for m in rows for e in entries[:-1]])
    return matrix.rref()[1] == without.rref()[1]


@settings(max_examples=60)
@given(decompositions(outer_degree=2, inner_degree=2), st.booleans(), st.integers(0, 5))
def test_an_outer_is_found_if_and_only_if_there_is_one(d, spoiled, place):
    f = d.expanded
    if spoiled:
        monomial = monomials_up_to(2, 2)[place]
        f = f + polynomial(CONTEXT, {monomial: fmpq(1, 3)})
    assume(not f.is_zero())
    found = complete_outer(f, d.inners)
    assert (found is not None) == plain_completion_exists(f, d.inners)
    assert found is None or compose(found, d.inners) == f


@settings(max_examples=60)
@given(decompositions(inners=1), st.booleans())
def test_one_inner(d, spoiled):
    f = d.expanded + (CONTEXT.gens()[0] if spoiled else 0)
    found = complete_outer(f, d.inners)
    assert (found is not None) == plain_completion_exists(f, d.inners)
    assert found is None or compose(found, d.inners) == f


@settings(max_examples=40)
@given(polynomials(CONTEXT, 2), polynomials(CONTEXT, 2))
def test_a_final_completion_finds_what_is_composed(first, second):
    assume(degree(first) > 0 and degree(second) > 0)
    if completion_is_final((first, second)):
        for power in (1, 2):
            outer = polynomial(outer_ring(2), {(power, 0): fmpq(2), (0, 1): fmpq(-1), (1, 1): fmpq(3)})
            f = compose(outer, (first, second))
            found = complete_outer(f, (first, second))
            assert found is not None
            assert compose(found, (first, second)) == f


def test_leading_forms_that_cancel_are_not_final():
    x, y = CONTEXT.gens()
    assert completion_is_final((x**2 + y, y**2))
    assert not completion_is_final((x**2 + y, x**4 + x))


def test_too_many_unknowns_are_refused():
    x, y = CONTEXT.gens()
    with pytest.raises(TooLarge, match="more than 10"):
        complete_outer(x**20 + y, (x, y), 10)
