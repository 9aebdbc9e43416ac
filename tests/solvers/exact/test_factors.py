from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.monomials import monomials_of_degree
from polyctl.algebra.polynomial import degree, polynomial, primitive_part, ring, variables_used
from polyctl.algebra.verify import verify
from polyctl.solvers.exact.factors import by_divisors, by_factorisation, divisors_of_degree, factorisation
from tests.decompositions import equivalent

PLANE = ring(["x", "y"])
SPACE = ring(["x", "y", "z"])


def forms(context, degree):
    """Sparse forms of this degree."""
    available = monomials_of_degree(context.nvars(), degree)
    nonzero = st.integers(-5, 5).filter(bool)
    return st.dictionaries(st.sampled_from(available), nonzero, min_size=2, max_size=3).map(
        lambda d: polynomial(context, d)
    )


@pytest.mark.parametrize("context", [PLANE, SPACE], ids=["plane", "space"])
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_cubics_with_a_rational_factor(context, data):
    """p·(α·p² + β·p·r + γ·r²), where f has as many variables as inners or one more."""
    p, r = (data.draw(forms(context, 3)) for _ in range(2))
    alpha, beta, gamma = (data.draw(st.integers(-5, 5)) for _ in range(3))
    assume(gamma and (alpha or beta) and primitive_part(p)[0] != primitive_part(r)[0])
    f = p * (p**2 * alpha + p * r * beta + r**2 * gamma)
    assume(len(variables_used(f)) == context.nvars() and len(factorisation(f)) < 8)
    assume(verify(f, Decomposition(None, (p, r))).verified)
    found = by_divisors(f).decompositions
    assert all(d.expanded == f and verify(f, d).verified for d in found)
    assert any(len(d.inners) == 2 for d in found)


def test_the_second_inner_is_found_from_the_jacobian():
    x, y = PLANE.gens()
    p, r = x**3 - 2 * x * y**2, y**3 + 5 * x**2 * y
    f = p * (2 * p**2 - 3 * p * r + 7 * r**2)
    assert any(equivalent(d, Decomposition(None, (p, r))) for d in by_divisors(f).decompositions)


def test_a_common_factor_of_the_inners():
    x, y, z = SPACE.gens()
    c, h0, h1 = x * y, x, z
    f = c**3 * (-4 * h0**3 + 5 * h0 * h1**2 - 2 * h1**3)
    found = by_divisors(f).decompositions
    assert any(equivalent(d, Decomposition(None, (x**2 * y, x * y * z))) for d in found)


def test_divisors():
    x, y = PLANE.gens()
    split = factorisation(x**2 * y * (x + y))
    assert {str(p) for p in divisors_of_degree(split, 2)} == {"x^2", "x*y", "x^2 + x*y", "x*y + y^2"}
    assert list(divisors_of_degree(factorisation(x**3 + y), 2)) == []
    assert all(degree(p) == 3 for p in divisors_of_degree(split, 3))


def test_products():
    x, y, z = SPACE.gens()
    p, q, r = x**2 + y * z, x * y * z + z**3 + 1, x + y**3
    whole, *_, last = by_factorisation(p**2 * q * r).decompositions
    assert len(whole.inners) == 2
    assert sorted(map(str, last.inners)) == sorted(map(str, (p, q, r)))
    assert all(verify(p**2 * q * r, d).verified for d in (whole, last))
    assert by_factorisation(p).decompositions == ()
    assert by_factorisation(x * y * z).decompositions == ()
    assert by_factorisation(x**4).decompositions == ()


def test_nothing_where_there_is_nothing():
    x, y, z = SPACE.gens()
    assert by_divisors(x**3 * y + y**3 * z + z**3 * x + x**2 * y * z).decompositions == ()
    assert by_divisors(x**6 + 1).decompositions == ()
