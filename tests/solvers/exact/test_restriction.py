"""Fewest inner polynomials: on a small space first, then lifted to all variables."""

import random

import pytest

from polyctl.algebra.budget import Budget
from polyctl.algebra.decomposition import outer_ring
from polyctl.algebra.monomials import monomials_up_to
from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import compose, ring
from polyctl.algebra.verify import verify
from polyctl.solvers.exact.restriction import by_restriction


def dense(context, degree, rng):
    monomials = monomials_up_to(context.nvars(), degree, 1)
    return context.from_dict({m: rng.choice([c for c in range(-5, 6) if c]) for m in monomials})


@pytest.mark.parametrize(
    ("variables", "inners", "degrees"), [(4, 2, (2, 3)), (5, 2, (2, 3)), (4, 2, (3, 3)), (6, 3, (2, 3))]
)
def test_dense_compositions_are_found_with_as_few_inner_polynomials(variables, inners, degrees):
    rng = random.Random(variables)
    context = ring([f"x{i}" for i in range(variables)])
    inner_degree, outer_degree = degrees
    hs = [dense(context, inner_degree, rng) for _ in range(inners)]
    f = compose(dense(outer_ring(inners), outer_degree, rng), hs)
    found = by_restriction(f).decompositions
    (d,) = found
    assert d.expanded == f
    assert len(d.inners) == inners


def test_the_invariants_of_the_quartic_are_found_from_its_discriminant():
    f = parse(
        "256a^3*e^3-192a^2*b*d*e^2-128a^2*c^2*e^2+144a^2*c*d^2*e-27a^2*d^4+144a*b^2*c*e^2-6a*b^2*d^2*e"
        "-80a*b*c^2*d*e+18a*b*c*d^3+16a*c^4*e-4a*c^3*d^2-27b^4*e^2+18b^3*c*d*e-4b^3*d^3-4b^2*c^3*e+b^2*c^2*d^2"
    )
    (d,) = by_restriction(f).decompositions
    assert len(d.inners) == 2
    assert verify(f, d).verified
    assert "12*a*e - 3*b*d + c^2" in map(str, d.inners)


@pytest.mark.parametrize(
    "text", ["x*y*z + w", "x^2+y^2+z^2+w^2", "(x+y)^4 + z", "x^4 + x*y^3 + z^2*w^2 + x + y"]
)
def test_what_has_no_such_form_is_left_alone(text):
    assert all(d.expanded == parse(text) for d in by_restriction(parse(text)).decompositions)


def test_a_budget_that_is_used_up_ends_it():
    f = parse("(x*y+z*w)^3 + (x^2+z)^2*(x*y+z*w)")
    assert by_restriction(f, Budget(deadline=0.0)).decompositions == ()
