"""Shapes of decompositions from the monomials of f."""

from itertools import product

from polyctl.algebra.monomials import monomials_of_degree
from polyctl.algebra.parse import parse
from polyctl.solvers.numeric.supports import Supports


def _sums(shape, monomials):
    found = set()
    for e in shape.outer:
        rows = [shape.inners[i] for i, k in enumerate(e) for _ in range(k)]
        found |= {
            tuple(map(sum, zip(*(monomials[k] for k in choice), strict=True))) for choice in product(*rows)
        }
    return found


F = "(x^2*y + 3*y^3)^2*x^2*z - 5*(x^2*z)^3"


def _monomials(text, names):
    f = parse(text, names)
    return f.monoms()


def test_every_shape_makes_exactly_the_monomials_of_f():
    monomials = _monomials(F, ["x", "y", "z"])
    inner = monomials_of_degree(3, 3)
    shapes = list(Supports(monomials, inner).shapes(2, 3, 3))
    assert shapes
    for shape in shapes:
        assert _sums(shape, inner) == set(monomials)


def test_the_true_shape_is_found_once():
    inner = monomials_of_degree(3, 3)
    shapes = list(Supports(_monomials(F, ["x", "y", "z"]), inner).shapes(2, 3, 3))
    wanted = {frozenset({(2, 1, 0), (0, 3, 0)}), frozenset({(2, 0, 1)})}
    as_sets = [{frozenset(inner[k] for k in row) for row in s.inners} for s in shapes]
    assert as_sets.count(wanted) == 1


def test_a_known_inner_keeps_its_monomial_to_itself():
    inner = monomials_of_degree(2, 2)  # (x^2 + x z)^2 + z^2 (x^2 + x z), with z^2 the known inner
    monomials = [(4, 0), (3, 1), (2, 2), (1, 3)]
    shapes = list(Supports(monomials, inner).shapes(1, 2, 3, fixed=2))
    assert any({inner[k] for k in s.inners[0]} == {(2, 0), (1, 1)} for s in shapes)
    assert all(s.inners[1] == (2,) and 2 not in s.inners[0] for s in shapes)


def test_no_shape_where_f_has_none():
    assert not list(Supports([(2, 0), (0, 2), (1, 1)], monomials_of_degree(2, 1)).shapes(1, 2, 0))
    assert not list(Supports([(9, 0), (0, 9), (8, 1)], monomials_of_degree(2, 3)).shapes(1, 3, 3))
