"""Inner polynomials that several polynomials share, method by method."""

import pytest

from polyctl.algebra.budget import Budget, OutOfTime
from polyctl.algebra.complexity import complexity
from polyctl.algebra.polynomial import ring
from polyctl.solvers.exact.blocks import by_blocks
from polyctl.solvers.exact.common import (
    common_components,
    common_forms,
    fitting,
    from_marked,
    marked,
)
from polyctl.solvers.exact.symmetric import by_symmetry
from polyctl.solving.read import read_together


@pytest.mark.parametrize(
    ("texts", "inner"),
    [
        (("x^4+2x^2", "x^6+3"), "x^2"),
        (("x^4", "x^8+x^4"), "x^4"),
        (("x^2+y", "(x^2+y)^2"), "x^2 + y"),
        (("(x y+z)^2+1", "(x y+z)^3+x y+z"), "x*y + z"),
    ],
)
def test_components_of_one_that_the_others_have(texts, inner):
    found, proof = common_components(read_together(texts), Budget())
    assert str(found[0][0]) == inner
    assert proof is None


def test_a_proof_that_no_single_one_is_shared():
    assert common_components(read_together(("x^4+2x^2", "x^6+3", "x^5")), Budget())[1]
    with pytest.raises(OutOfTime):
        common_components(read_together(("(x y+z)^2+1", "(x y+z)^3")), Budget(deadline=0.0))


def test_one_linear_system_for_all():
    polynomials = read_together(("(x y+z)^2*(x+w)+1", "(x y+z)*(x+w)^3"))
    (found, *_) = common_forms(polynomials)
    assert set(map(str, found)) == {"w + x", "x*y + z"}
    assert common_forms(polynomials[:1]) == []


def test_what_is_found_of_marked_polynomials_is_shared():
    polynomials = read_together(("(x+y)^2+x y", "(x+y)^3-2x y"))
    (inners,) = from_marked(polynomials, by_symmetry, Budget())
    found = fitting(polynomials, inners, Budget())
    assert found.together.expanded == marked(polynomials)
    assert complexity(found.together).distinct > 0
    blocks = read_together(("(x+y^2)^2 z", "(x+y^2)^3+z"))
    assert any("y^2 + x" in map(str, inners) for inners in from_marked(blocks, by_blocks, Budget()))


def test_a_polynomial_of_others_fits_though_leading_forms_cancel():
    context = ring(["x", "y"])
    x, y = context.gens()
    found = fitting((x * y, x**3), (x**3, x**3 + x * y), Budget())
    assert list(map(str, found.outers)) == ["-b0 + b1", "b0"]
    assert fitting((x * y, x), (x**3, x**3 + x * y), Budget()) is None
