"""Complete chains of components, and iterates."""

from functools import reduce

import pytest
from flint import fmpz_poly
from hypothesis import given, settings
from hypothesis import strategies as st

from polyctl.algebra.decomposition import Decomposition, outer_ring
from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import compose, ring
from polyctl.solvers.exact.chains import chain, chain_degrees, chain_of, iterate
from polyctl.solvers.exact.univariate import univariate
from tests.strategies import polynomials

X = ring(["x"])


def composed(parts):
    return reduce(lambda inner, g: compose(g, (inner,)), reversed(parts[:-1]), parts[-1])


def iterated(text, times):
    phi = parse(text)
    return reduce(lambda f, _: phi.compose(f, ctx=phi.context()), range(times - 1), phi)


def chebyshev(n):
    coefficients = [int(c) for c in fmpz_poly.chebyshev_t(n).coeffs()]
    return X.from_dict({(i,): c for i, c in enumerate(coefficients) if c})


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("((x^2+3x)^3-(x^2+3x))^2+2((x^2+3x)^3-(x^2+3x))-1", ["b^2 + 2*b - 1", "b^3 - b", "x^2 + 3*x"]),
        ("x^8 + 4x^6 + 6x^4 + 4x^2 + 4", ["b^2 + 3", "b^2", "x^2 + 1"]),
    ],
)
def test_the_chain_is_the_one_that_was_written(text, parts):
    f = parse(text)
    assert list(map(str, chain(f))) == parts
    assert composed(chain(f)) == f


@pytest.mark.parametrize(
    ("phi", "times"), [("4x-4x^2", 7), ("x^2-1", 4), ("x^3-2x+1", 3), ("1/2x^2+3x", 3), ("-2x^3+x", 2)]
)
def test_iterates_are_recognised(phi, times):
    f = iterated(phi, times)
    found, count = iterate(f)
    assert count == times
    assert composed([found] * count) == f
    assert found in (parse(phi), -parse(phi))  # where φ is odd, -φ has the same iterates
    assert len(chain(f)) == times


@given(
    st.lists(st.tuples(st.integers(2, 3), polynomials(ring(["b"]), 1)), min_size=1, max_size=3),
    st.tuples(st.integers(2, 3), polynomials(X, 1)),
)
@settings(max_examples=40)
def test_a_chain_composes_to_f_and_its_parts_are_indecomposable(outers, inner):
    parts = [rest + rest.context().gens()[0] ** d * 2 for d, rest in (*outers, inner)]
    f = composed(parts)
    found = chain(f)
    assert composed(found) == f
    assert len(found) == len(parts)
    assert all(univariate(p).decompositions == () for p in found)


def test_a_polynomial_that_is_no_iterate():
    assert iterate(parse("x^4+x")) is None
    assert iterate(parse("x^4+2x^2+3")) is None
    assert iterate(parse("-x^4-1")) is None
    assert iterate(parse("x*y")) is None


def test_all_chains_of_a_chebyshev_polynomial_are_permutations_of_its_primes():
    degrees = chain_degrees(chebyshev(30))
    assert sorted(degrees) == [(2, 3, 5), (2, 5, 3), (3, 2, 5), (3, 5, 2), (5, 2, 3), (5, 3, 2)]
    assert chain_degrees(parse("x^3+x")) == [(3,)]


def test_chains_end_in_an_inner_polynomial_of_several_variables():
    f = parse("(x*y+z)^4 + 2(x*y+z)^2")
    context = outer_ring(1)
    b = context.gens()[0]
    parts = chain_of(Decomposition(b**4 + 2 * b**2, (parse("x*y+z"),)))
    assert len(parts) == 3
    assert str(parts[-1]) == "x*y + z"
    assert composed(parts) == f


def test_what_has_no_chain():
    assert chain(parse("x^3+x")) == (parse("x^3+x"),)
    assert len(chain(parse("7", ["x"]))) == 1
    with pytest.raises(ValueError, match="one variable"):
        chain(parse("x*y"))
