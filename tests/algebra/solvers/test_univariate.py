from __future__ import annotations

from functools import reduce

import pytest
from flint import fmpq
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Poly, Rational, Symbol, decompose

from polyctl.algebra.decomposition import Decomposition, equivalent, outer_ring
from polyctl.algebra.polynomial import compose, degree, polynomial, ring, terms
from polyctl.algebra.solvers.univariate import chain, univariate
from polyctl.algebra.verify import verify
from polyctl.data.corpus import read_problems
from tests.shared import DATA, UNIVARIATE, needs_shared_data
from tests.strategies import integers, rationals

X = ring(["x"])


def dense(context, degree, coefficients=rationals, lead=rationals.filter(bool)):
    """Polynomials of exactly this degree."""
    return st.tuples(st.lists(coefficients, min_size=degree, max_size=degree), lead).map(
        lambda c: polynomial(context, {(i,): a for i, a in enumerate([*c[0], c[1]]) if a})
    )


def composition(parts):
    """parts[0]∘parts[1]∘…, in the ring of the last."""
    return reduce(lambda inner, outer: compose(outer, [inner]), reversed(parts))


def to_sympy(f):
    return Poly.from_dict({m: Rational(int(c.p), int(c.q)) for m, c in terms(f)}, Symbol("x"))


@given(st.data(), st.integers(2, 4), st.integers(2, 4))
@settings(max_examples=40, deadline=None)
def test_a_composition_is_taken_apart(data, outer_degree, inner_degree):
    g = data.draw(dense(outer_ring(1), outer_degree))
    h = data.draw(dense(X, inner_degree))
    f = compose(g, [h])
    outcome = univariate(f)
    assert outcome.proof is None
    assert all(verify(f, d).verified and d.expanded == f for d in outcome.decompositions)
    assert any(equivalent(d, Decomposition(g, (h,))) for d in outcome.decompositions)


@given(st.data(), st.lists(st.integers(1, 4), min_size=1, max_size=3))
@settings(max_examples=40, deadline=None)
def test_chains_are_those_of_sympy(data, degrees):
    """On monic integer polynomials; SymPy misses some of the others, such as (2x^2 + x)^2 + 1 over ZZ."""
    parts = [data.draw(dense(X, d, integers, lead=st.just(fmpq(1)))) for d in degrees]
    f = composition(parts)
    components = chain(f)
    assert composition(components) == f
    peer = decompose(to_sympy(f))
    assert sorted(map(degree, components)) == sorted(p.degree() for p in peer)
    assert (univariate(f).proof is None) == (len(peer) > 1)


@given(st.data(), st.lists(st.integers(2, 4), min_size=1, max_size=3))
@settings(max_examples=40, deadline=None)
def test_chains_over_the_rationals(data, degrees):
    f = composition([data.draw(dense(X, d)) for d in degrees])
    components = chain(f)
    assert composition(components) == f
    assert len(components) >= len(degrees)
    assert all(univariate(g).proof is not None for g in components)


@given(dense(X, 4) | dense(X, 6) | dense(X, 9))
@settings(max_examples=30, deadline=None)
def test_nothing_is_missed_that_sympy_finds(f):
    if univariate(f).proof is not None:
        assert len(decompose(to_sympy(f))) == 1


def test_every_right_component_is_found():
    (x,) = X.gens()
    f = x**12 + 3 * x**6 - 1
    assert [degree(d.inners[0]) for d in univariate(f).decompositions] == [2, 3, 6]
    assert [degree(p) for p in chain(f)] == [2, 3, 2]


def test_the_proof_names_the_degrees_tried():
    (x,) = X.gens()
    assert "degree 2, 3 fails" in univariate(x**6 + x).proof
    assert "degree 7 has no proper divisor" in univariate(x**7 + x).proof
    assert chain(x**6 + x) == (x**6 + x,)


@pytest.mark.parametrize("used", [0, 1, 2])
def test_one_variable_of_a_larger_ring(used):
    context = ring(["x", "y", "z"])
    h = context.gens()[used] ** 3 - 5 * context.gens()[used]
    f = h**4 + h
    (found,) = univariate(f).decompositions
    assert found.inners == (h,)
    assert found.expanded == f


def test_other_polynomials_are_left_alone():
    x, y = ring(["x", "y"]).gens()
    for f in (x * y, x - x, x - x + 3):
        assert univariate(f).decompositions == ()
        assert univariate(f).proof is None
    with pytest.raises(ValueError, match="one variable"):
        chain(x * y)


@needs_shared_data
@pytest.mark.parametrize("name", [*UNIVARIATE, "monic"])
def test_all_published_problems_are_solved(name):
    for p in read_problems(DATA / f"{name}.txt", limit=60):
        found = univariate(p.f).decompositions
        assert any(equivalent(d, p.decomposition) for d in found)
        assert all(verify(p.f, d).verified for d in found)
