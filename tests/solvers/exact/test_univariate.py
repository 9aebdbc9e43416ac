from __future__ import annotations

from functools import reduce
from itertools import combinations
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import QQ, Poly, Rational, Symbol, decompose

from polyctl.algebra.decomposition import Decomposition, outer_ring
from polyctl.algebra.polynomial import compose, degree, polynomial, ring, terms
from polyctl.algebra.verify import verify
from polyctl.data.dataset import read_problems
from polyctl.solvers.exact.chains import chain
from polyctl.solvers.exact.univariate import univariate
from tests.decompositions import equivalent
from tests.shared import UNIVARIATE, every_source
from tests.strategies import rationals

X = ring(["x"])


def dense(context, degree):
    """Polynomials of exactly this degree."""
    return st.tuples(st.lists(rationals, min_size=degree, max_size=degree), rationals.filter(bool)).map(
        lambda c: polynomial(context, {(i,): a for i, a in enumerate([*c[0], c[1]]) if a})
    )


def composition(parts):
    """parts[0]∘parts[1]∘…, in the ring of the last."""
    return reduce(lambda inner, outer: compose(outer, [inner]), reversed(parts))


def to_sympy(f):
    return Poly.from_dict({m: Rational(int(c.p), int(c.q)) for m, c in terms(f)}, Symbol("x"), domain=QQ)


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


def degrees_by_factoring(f):
    """Degrees of all right components: h is one where h(x) − h(y) divides f(x) − f(y) (Barton and Zippel)."""
    plane = ring(["x", "y"])
    x, y = plane.gens()
    _, factors = (compose(f, [x]) - compose(f, [y])).factor()
    flat = [p for p, e in factors for _ in range(int(e))]
    found = set()
    for size in range(1, len(flat) + 1):
        for chosen in combinations(flat, size):
            h = prod(chosen, start=plane.constant(1))
            if all(0 in m for m in h.monoms()):
                found.add(degree(h))
    return sorted(found)


@given(st.data(), st.sampled_from([(2, 2), (2, 3), (3, 2), (4, 2), (2, 4), (3, 3), (2, 2, 2), (6,), (8,)]))
@settings(max_examples=60, deadline=None)
def test_the_components_are_those_of_a_slow_method(data, degrees):
    f = composition([data.draw(dense(X, d)) for d in degrees])
    found = [degree(d.inners[0]) for d in univariate(f).decompositions]
    assert [1, *found, degree(f)] == degrees_by_factoring(f)


@given(dense(X, 4) | st.tuples(dense(X, 2), dense(X, 2)).map(composition))
@settings(max_examples=40, deadline=None)
def test_quartics_agree_with_sympy(f):
    """SymPy 1.14 misses inners of degree ≥ 3, such as x^3 + x^2 in x^6 + 2x^5 + x^4, so quartics it is."""
    assert [degree(p) for p in chain(f)] == [p.degree() for p in decompose(to_sympy(f))]


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


@every_source
@pytest.mark.parametrize("name", [*UNIVARIATE, "monic"])
def test_all_problems_of_a_file_are_solved(source, name):
    for p in read_problems(source.path(name), limit=60):
        found = univariate(p.f).decompositions
        assert any(equivalent(d, p.decomposition) for d in found)
        assert all(verify(p.f, d).verified for d in found)
