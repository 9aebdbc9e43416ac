from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from polyctl.algebra.decomposition import Decomposition, equivalence_key, outer_ring
from polyctl.algebra.polynomial import compose, degree, ring, variables_used
from polyctl.algebra.triviality import triviality
from polyctl.algebra.verify import verify
from polyctl.config.schema import DataConfig
from polyctl.data.dataset import read_problems
from polyctl.data.families import draw_problem
from polyctl.solvers.exact.multi_univariate import block_inner, common_components, multi_univariate
from tests.shared import every_source
from tests.strategies import polynomials

X = ring(["x", "y", "z"])


def in_block(context, block, degree):
    """Polynomials of a ring in some of its variables."""
    smaller = ring([context.names()[i] for i in block])
    arguments = [context.gens()[i] for i in block]
    return polynomials(smaller, degree, 4).map(lambda h: compose(with_all_variables(h), arguments))


def with_all_variables(h):
    """h, or where a variable does not occur in it h with a sum of squares added."""
    missing = len(variables_used(h)) < len(h.context().gens())
    return h + sum((x**2 for x in h.context().gens()), h.context().constant(0)) * 13 if missing else h


@given(st.data(), st.sampled_from([((0,), (1,), (2,)), ((0, 1), (2,)), ((1,), (0, 2)), ((0, 3), (1, 2))]))
@settings(max_examples=80, deadline=None)
def test_a_composition_is_taken_apart(data, blocks):
    context = ring([f"x{i}" for i in range(1 + max(i for b in blocks for i in b))])
    inners = tuple(data.draw(in_block(context, b, 3)) for b in blocks)
    assume(all(variables_used(h) == b for h, b in zip(inners, blocks, strict=True)))
    g = with_all_variables(data.draw(polynomials(outer_ring(len(blocks)), 3)))
    f = compose(g, inners)
    planted = Decomposition(g, inners)
    assume(triviality(f, planted) is None)
    outcome = multi_univariate(f)
    assert outcome.proof is None
    assert all(d.expanded == f for d in outcome.decompositions)
    assert any(verify(f, d).verified for d in outcome.decompositions)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_single_variables_are_complete(data):
    """The component found has the planted one as a right component of degree at most its own."""
    h = data.draw(in_block(X, (1,), 4).filter(lambda h: degree(h) > 1))
    x, _, z = X.gens()
    f = compose(data.draw(polynomials(ring(["a", "b", "c"]), 3)), [x, h, z])
    assume(1 in variables_used(f))
    found = common_components(f, 1)
    assert equivalence_key(Decomposition(None, (h,))) in [
        equivalence_key(Decomposition(None, (c,))) for c in found
    ]


def test_blocks_are_found():
    x, y, z = X.gens()
    h = x * y + y**2
    assert block_inner(h**4 * z + h**2 + z**2, (0, 1)) == h**2
    assert block_inner(h**2 * z + h + z**2, (0, 1)) == h
    assert block_inner(h * z + x, (0, 1)) is None
    (found,) = multi_univariate(h**2 * z + h * z**2).decompositions
    assert set(map(str, found.inners)) == {"x*y + y^2", "z"}


def test_proofs_say_their_scope():
    x, y, z = X.gens()
    assert "any block" in multi_univariate(x * y * z + x + y**2 * z + z**2 * x).proof
    assert multi_univariate(x**2).proof is None
    many = ring([f"x{i}" for i in range(8)])
    f = sum((a * b for a, b in zip(many.gens(), many.gens()[1:], strict=False)), many.constant(0))
    assert "any one variable" in multi_univariate(f).proof


def test_smaller_inners_where_the_largest_say_nothing():
    x, y, _ = X.gens()
    f = x**4 + y
    assert any(verify(f, d).verified for d in multi_univariate(f).decompositions)


def test_every_problem_of_the_family_is_solved():
    data = DataConfig(
        family="separable",
        target="outer_inner",
        outer_degrees=(1, 2),
        inner_degrees=(1, 2),
        inner_variables=3,
        inners=3,
    )
    for i in range(80):
        f = draw_problem(data, 11, i).f
        assert any(verify(f, d).verified for d in multi_univariate(f).decompositions)


@every_source
def test_separable_problems_that_hold(source):
    """Most of the file contradicts its own answers."""
    problems = read_problems(source.path("separable_with_sign_bug"))
    hold = [p for p in problems if verify(p.f, p.decomposition).verified]
    assert len(hold) == 4
    for p in hold:
        assert any(verify(p.f, d).verified for d in multi_univariate(p.f).decompositions)
