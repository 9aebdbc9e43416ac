from __future__ import annotations

import pytest
from flint import fmpq
from hypothesis import given, settings
from hypothesis import strategies as st

from polyctl.algebra.decomposition import Decomposition, outer_ring
from polyctl.algebra.modular import PRIME
from polyctl.algebra.monomials import monomials_of_degree
from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import compose, polynomial, ring, variables_used
from polyctl.algebra.verify import verify
from polyctl.data.dataset import read_problems
from polyctl.solvers.exact.differential_forms import by_differential_forms
from tests.decompositions import equivalent
from tests.shared import every_source

SMALL = st.builds(fmpq, st.integers(1, 9), st.sampled_from([1, 1, 2, 3]))
SIGNED = st.one_of(SMALL, SMALL.map(lambda c: -c))


def dense(context, degrees):
    """Polynomials with all the monomials of these degrees, so that no decomposition is degenerate."""
    monomials = [m for d in degrees for m in monomials_of_degree(context.nvars(), d)]
    coefficients = st.lists(SIGNED, min_size=len(monomials), max_size=len(monomials))
    return coefficients.map(lambda c: polynomial(context, dict(zip(monomials, c, strict=True))))


@pytest.mark.parametrize(
    ("n", "m", "outer", "inner"),
    [
        (3, 2, (3,), (2,)),
        (3, 2, (2, 1), (2, 1, 0)),
        (3, 2, (3, 2, 1), (2, 1)),
        (4, 3, (3,), (2,)),
        (4, 2, (2,), (2,)),
    ],
)
@given(data=st.data())
@settings(max_examples=6, deadline=None)
def test_a_composition_is_taken_apart(n, m, outer, inner, data):
    context = ring([f"x{i}" for i in range(n)])
    inners = tuple(data.draw(dense(context, inner)) for _ in range(m))
    planted = Decomposition(data.draw(dense(outer_ring(m), outer)), inners)
    f = planted.expanded
    if not verify(f, planted).verified or len(variables_used(f)) < n:
        return
    found = by_differential_forms(f).decompositions
    assert found
    assert all(d.expanded == f and verify(f, d).verified and len(d.inners) < n for d in found)


def test_inners_of_different_degrees():
    x, y, z = ring(["x", "y", "z"]).gens()
    planted = Decomposition(None, (x + y**2, z**3 + x * y + 1))
    f = planted.inners[0] ** 3 * planted.inners[1] + planted.inners[1] ** 2
    assert any(equivalent(d, planted) for d in by_differential_forms(f).decompositions)


def test_linear_inners_where_f_has_a_variable_too_many():
    x, y, z = ring(["x", "y", "z"]).gens()
    f = compose(unstructured(), [x + y, y - 2 * z])
    (found,) = by_differential_forms(f).decompositions
    assert equivalent(found, Decomposition(None, (x + y, y - 2 * z)))


def unstructured():
    """A cubic in two variables without structure."""
    a, b = ring(["a", "b"]).gens()
    return a**3 + 3 * a * b + b**3 - b + a**2


def test_a_known_inner_settles_what_f_alone_does_not():
    a0, a1, a2 = ring(["a0", "a1", "a2"]).gens()
    h0, h1 = 3 * a0**3 - 4 * a0**2 * a2, -3 * a0**2 * a1
    f = -4 * h0**3 - 5 * h0**2 * h1
    (found, *_) = by_differential_forms(f, known=(h0,)).decompositions
    assert equivalent(found, Decomposition(None, (h0, h1)))


def test_nothing_is_claimed_of_polynomials_without_structure():
    x, y, z = ring(["x", "y", "z"]).gens()
    f = x**3 * y + y**3 * z + z**3 * x + x**2 * y * z
    assert by_differential_forms(f).decompositions == ()
    assert by_differential_forms(x**2 + y).decompositions == ()


@every_source
def test_problems_of_a_file(source):
    """Of those in three variables with two inners nearly all are solved."""
    solved = tried = 0
    for p in read_problems(source.path("homogeneous_3_2"), limit=100):
        if len(variables_used(p.f)) == 3:
            found = by_differential_forms(p.f).decompositions
            assert all(verify(p.f, d).verified for d in found)
            tried += 1
            solved += any(len(d.inners) == 2 for d in found)
    assert solved >= {"ours": 8, "published": tried * 0.9}[source.name]


def test_denominators_that_the_prime_divides_are_no_error():
    f = parse(f"(xy+z^2)^3/{PRIME} + (xy+z^2)(x^2+wy)")
    found = by_differential_forms(f)
    assert all(verify(f, d).verified for d in found.decompositions)
