from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from polyctl.algebra.decomposition import Decomposition, outer_ring
from polyctl.algebra.monomials import monomials_of_degree
from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import polynomial, ring, variables_used
from polyctl.algebra.verify import verify
from polyctl.solvers.exact.binary_forms import by_root_grouping, groupings
from polyctl.solvers.exact.uni_multivariate import uni_multivariate
from tests.decompositions import equivalent

PLANE = ring(["x", "y"])


def forms(context, degree):
    """Forms of this degree with at least two terms."""
    nonzero = st.integers(-5, 5).filter(bool)
    monomials = st.sampled_from(monomials_of_degree(context.nvars(), degree))
    return st.dictionaries(monomials, nonzero, min_size=2, max_size=4).map(lambda d: polynomial(context, d))


@given(st.data(), st.sampled_from([(3, 3), (2, 3), (3, 2), (2, 4), (4, 2)]))
@settings(max_examples=40, deadline=None)
def test_a_composition_is_taken_apart(data, degrees):
    outer_degree, inner_degree = degrees
    inners = tuple(data.draw(forms(PLANE, inner_degree)) for _ in range(2))
    planted = Decomposition(data.draw(forms(outer_ring(2), outer_degree)), inners)
    f = planted.expanded
    assume(variables_used(f) == (0, 1) and len(f) > 1)
    assume(verify(f, planted).verified and verify(f, Decomposition(None, inners)).verified)
    found = by_root_grouping(f).decompositions
    assert all(d.expanded == f and verify(f, d).verified for d in found)
    one_inner = uni_multivariate(
        f
    ).decompositions  # a power of a form: its roots do not say how to group them
    assert found or one_inner


def test_an_outer_that_is_irreducible_over_the_rationals():
    x, y = PLANE.gens()
    planted = Decomposition(None, (3 * x * y**2 - y**3, x**3 + 4 * x * y**2))
    h0, h1 = planted.inners
    (found,) = by_root_grouping(2 * h0**3 - 3 * h0**2 * h1 - 3 * h1**3).decompositions
    assert equivalent(found, planted)


def test_roots_at_infinity_and_repeated_ones():
    x, y = PLANE.gens()
    h0, h1 = 2 * x**2 * y, 4 * x**3 + 5 * x * y**2
    f = -(h0**3) - 5 * h0 * h1**2 - h1**3
    assert any(equivalent(d, Decomposition(None, (h0, h1))) for d in by_root_grouping(f).decompositions)


def test_other_polynomials_are_left_alone():
    x, y = PLANE.gens()
    for f in (x**4, x**4 + y, x**3 * y, x**9 + x**8 * y + 3 * x * y**8 + 7 * y**9):
        assert by_root_grouping(f).decompositions == ()


def test_groupings_are_counted_right():
    assert len(list(groupings(range(9), 3))) == 280
    assert len({frozenset(g) for g in groupings(range(6), 3)}) == 10


def test_coefficients_too_large_for_floats_are_no_error():
    assert by_root_grouping(parse(f"x^4 + {10**310} x^3 y + y^4")).decompositions == ()
