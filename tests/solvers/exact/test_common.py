"""Inner polynomials that several polynomials share."""

import pytest

from polyctl.algebra.budget import Budget
from polyctl.algebra.decomposition import Decomposition
from polyctl.solvers.exact.common import find_common
from polyctl.solving.read import read_together


@pytest.mark.parametrize(
    ("texts", "inners"),
    [
        (("x^4+2x^2", "x^6+3"), {"x^2"}),
        (("(x y+z)^2+1", "(x y+z)^3+x y+z"), {"x*y + z"}),
        (("(x y+z)^2*(x+w)+1", "(x y+z)*(x+w)^3"), {"w + x", "x*y + z"}),
        (("x^2", "x^4 + x^2"), {"x^2"}),
    ],
)
def test_shared_inner_polynomials_are_found(texts, inners):
    polynomials = read_together(texts)
    found = find_common(polynomials)
    assert set(map(str, found.inners)) == inners
    assert [Decomposition(outer, found.inners).expanded for outer in found.outers] == polynomials


@pytest.mark.parametrize("texts", [("x^2+1", "x^3+x"), ("x y", "x + y")])
def test_without_any_there_is_none(texts):
    assert find_common(read_together(texts)) is None


def test_a_budget_that_is_used_up_ends_it():
    assert find_common(read_together(("(x y+z)^2+1", "(x y+z)^3")), Budget(deadline=0.0)) is None
