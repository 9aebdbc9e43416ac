"""The cheap solvers together."""

import pytest
from hypothesis import given, settings

from polyctl.algebra.budget import Budget
from polyctl.algebra.complexity import complexity, complexity_of
from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import ring
from polyctl.solvers.exact.approximate_roots import by_approximate_roots
from polyctl.solvers.exact.recursive import by_recursion, with_inner_decomposed, with_outer_decomposed
from polyctl.solvers.exact.univariate import univariate
from tests.strategies import polynomials


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("(x*y+z)^3+w^2", 14),
        ("((x^2+c)^2+c)^2+c", 14),
        ("x^4*y+x*y^4+x^3+y^3+x*y", 12),
        ("a*(x-y)^3+(b+c)*(x-y)+d", 18),
        ("((x*y+z)^2+w)^3*(a+b)^2+(x*y+z)^2+w", 22),
        ("(x^2+a)^2+b", 10),
    ],
)
def test_forms_as_simple_as_the_ones_people_write(text, size):
    f = parse(text)
    best = by_recursion(f, Budget()).decompositions[0]
    assert best.expanded == f
    assert complexity(best).distinct <= size


@pytest.mark.parametrize("text", ["y*x^4+y", "x^3+y^3+z^3-3x*y*z", "x^6+y*x^5+z^3+x*y*z+x+1", "x", "x^2+y"])
def test_what_is_simple_already_stays(text):
    assert by_recursion(parse(text), Budget()).decompositions == ()


@given(polynomials(ring(["x", "y", "z"]), 4))
@settings(max_examples=25)
def test_all_that_is_found_holds_and_is_simpler(f):
    for d in by_recursion(f, Budget()).decompositions:
        assert d.expanded == f
        assert complexity(d) < complexity_of(f)


def test_parts_can_be_decomposed_in_turn():
    f = parse("((x^2+1)^3+(x^2+1))^2+5")
    d = next(d for d in univariate(f).decompositions if d.inners[0].total_degree() == 6)
    (inside,) = univariate(d.inners[0]).decompositions[:1]
    assert with_inner_decomposed(d, 0, inside).expanded == f
    d = next(d for d in univariate(f).decompositions if d.inners[0].total_degree() == 2)
    (outside,) = univariate(d.outer).decompositions[:1]
    assert with_outer_decomposed(d, outside).expanded == f


def test_an_approximate_root_completes_the_square():
    f = parse("12x^2*y^2-12x*y*z+3z^2+x+z")
    found = by_approximate_roots(f, Budget()).decompositions
    assert all(d.expanded == f for d in found)
    shown = [str(h) for d in found for h in d.inners]
    assert any("x*y" in h and "z" in h and "^" not in h for h in shown), shown
