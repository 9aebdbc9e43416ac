"""Among the outers that give the same f, the simplest."""

from hypothesis import given, settings
from hypothesis import strategies as st

from polyctl.algebra.complexity import complexity
from polyctl.algebra.decomposition import Decomposition, normal_form
from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import compose
from polyctl.algebra.relations import relations, with_simplest_outer

RING = parse("x + y").context()
X, Y = RING.gens()
OUTER = parse("b0 + b1 + b2").context()
B = OUTER.gens()
CUBICS = (X**3, X**2 * Y, Y**3)


def test_three_binary_cubics_satisfy_one_cubic_relation():
    (relation,) = relations(X**9, CUBICS)
    assert compose(relation, CUBICS).is_zero()
    assert relation in (B[1] ** 3 - B[0] ** 2 * B[2], B[0] ** 2 * B[2] - B[1] ** 3)


def test_a_relation_in_the_outer_is_taken_out():
    inners = (X**3 + Y**3, X**2 * Y, X * Y**2)
    simple = B[0] ** 3 + 2 * B[1] ** 3
    (relation,) = relations(compose(simple, inners), inners)
    messy = Decomposition(simple + 5 * relation, inners)
    found = with_simplest_outer(messy.expanded, messy)
    assert found.expanded == messy.expanded == compose(simple, inners)
    assert complexity(found).distinct <= complexity(Decomposition(simple, inners)).distinct
    assert complexity(found).distinct < complexity(messy).distinct


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(-3, 3), min_size=10, max_size=10), st.integers(0, 2))
def test_the_value_stays_and_complexity_never_grows(coefficients, shape):
    inners = (CUBICS, (X**3 + Y**3, X**2 * Y, X * Y**2), (X**2, X * Y, Y**2))[shape]
    monomials = [(i, j, 3 - i - j) for i in range(4) for j in range(4 - i)]
    outer = OUTER.from_dict({m: c for m, c in zip(monomials, coefficients, strict=True) if c})
    f = compose(outer, inners)
    if f.is_constant():
        return
    before = normal_form(Decomposition(outer, inners))
    after = with_simplest_outer(f, before)
    assert after.expanded == f
    assert complexity(after).distinct <= complexity(before).distinct
