"""The search for inner polynomials that several polynomials share."""

import pytest

from polyctl.algebra.polynomial import compose
from polyctl.solving.common import search_common
from polyctl.solving.read import read_together


@pytest.mark.parametrize(
    ("texts", "inners"),
    [
        (("x^4+2x^2", "x^6+3"), {"x^2"}),
        (("(x+y)^2+1", "(x+y)^3"), {"x + y"}),
        (("(x y+z)^2*(x+w)+1", "(x y+z)*(x+w)^3"), {"w + x", "x*y + z"}),
        (("(x+y)^2+xy", "(x+y)^3-2xy"), {"x + y", "x*y"}),
        (("x^2+y^2+z^2", "x y z+x+y+z", "x^3+y^3+z^3"), {"x + y + z", "x^2 + y^2 + z^2", "x*y*z"}),
        (("(x^2+y)^2+1", "(x^2+y)^3*z+z^2"), {"x^2 + y", "z"}),
        (("(x^2+y)^2+1", "(z^2+w)^3+z^2+w"), {"x^2 + y", "z^2 + w"}),
        (("x^2+y^2", "x^3+y^3", "x^4+y^4"), {"x + y", "x*y"}),  # though larger
        (("x^4+y^4", "x y", "x^2+y^2"), {"x*y", "x^2 + y^2"}),
        (("x^4+x^2", "y^4+y^2"), {"x^2", "y^2"}),
        (("2x^2+4x y+4x", "8x^3y^3+4x^2y^2+6x y"), {"x^2 + 2*x", "x*y"}),
        (
            ("p1^2+p2^2+q1^2+q2^2", "(p1 q1+p2 q2)^2", "(p1^2+p2^2)^2+p1 q1+p2 q2"),
            {"p1^2 + p2^2", "p1*q1 + p2*q2", "q1^2 + q2^2"},
        ),
    ],
)
def test_the_simplest_are_found(texts, inners):
    polynomials = read_together(texts)
    found = search_common(polynomials, 10.0).found
    assert set(map(str, found.inners)) == inners
    assert [compose(outer, found.inners) for outer in found.outers] == polynomials


@pytest.mark.parametrize(
    "texts", [("x^2+1", "x^3+x"), ("x y", "x + y"), ("x y+y z+z x", "x y z"), ("x^3+y^3+1", "x^5+y^2+x y")]
)
def test_without_any_what_was_tried_is_reported(texts):
    search = search_common(read_together(texts), 10.0)
    assert search.found is None
    assert search.stopped is None
    assert search.tried[0].ending == "proved"
    assert "proved by components" in search.to_text()


def test_constants_are_polynomials_in_anything():
    found = search_common(read_together(("x^4", "5", "x^2+1")), 10.0).found
    assert list(map(str, found.outers)) == ["b^2", "5", "b + 1"]


def test_the_time_limit_is_reported():
    search = search_common(read_together(("(x y+z)^2+w", "(x y+z)^3 w")), 0.0)
    assert (search.found, search.stopped) == (None, "time limit")
    assert "not tried" in search.to_text()
