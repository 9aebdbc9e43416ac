from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from polyctl.algebra.decomposition import Decomposition, equivalence_key, outer_ring
from polyctl.algebra.polynomial import compose, degree, ring, variables_used
from polyctl.algebra.verify import verify
from polyctl.data.dataset import read_problems
from polyctl.solvers.exact.uni_multivariate import uni_multivariate
from tests.shared import every_source
from tests.strategies import polynomials


@given(st.data(), st.integers(2, 4), st.integers(2, 4), st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_a_composition_is_taken_apart(data, variables, outer_degree, inner_degree):
    context = ring([f"x{i}" for i in range(variables)])
    g = data.draw(polynomials(outer_ring(1), outer_degree).filter(lambda g: degree(g) > 1))
    h = data.draw(polynomials(context, inner_degree))
    assume(len(variables_used(h)) > 1)
    f = compose(g, [h])
    outcome = uni_multivariate(f)
    assert outcome.proof is None
    assert all(d.expanded == f and verify(f, d).verified for d in outcome.decompositions)
    keys = [equivalence_key(d) for d in outcome.decompositions]
    assert equivalence_key(Decomposition(g, (h,))) in keys
    assert len(set(keys)) == len(keys)


@given(st.data(), st.integers(2, 3))
@settings(max_examples=40, deadline=None)
def test_a_disturbed_composition_is_proved_to_be_none(data, variables):
    """h^2 + 7·x0 has no inner of degree 3: its top form leaves none but h."""
    context = ring([f"x{i}" for i in range(variables)])
    h = data.draw(polynomials(context, 3).filter(lambda h: degree(h) == 3))
    f = h**2 + context.gens()[0] * 7
    assume(len(variables_used(f)) > 1)
    outcome = uni_multivariate(f)
    for (
        d
    ) in outcome.decompositions:  # a pure power of a linear form on top may have an inner of degree 1 or 2
        assert verify(f, d).verified
    assert all(degree(d.inners[0]) != 3 for d in outcome.decompositions)
    assert (outcome.proof is None) == bool(outcome.decompositions)


def test_every_degree_of_the_inner_is_found():
    x, y = ring(["x", "y"]).gens()
    h = x * y + x + y
    found = uni_multivariate(h**6 + h**2).decompositions
    assert [d.inners[0] for d in found] == [h, h**2]
    assert [str(d.outer) for d in found] == ["b^6 + b^2", "b^3 + b"]


def test_proofs_say_why():
    x, y = ring(["x", "y"]).gens()
    assert "no power" in uni_multivariate(x**2 * y + y**3).proof
    assert "degree 1, 2, 4 fails" in uni_multivariate((x**2 + y) ** 4 + x).proof
    for f in (x**4 + 1, x - x):
        assert uni_multivariate(f).proof is None
        assert uni_multivariate(f).decompositions == ()


@every_source
def test_problems_of_a_file(source):
    """All are solved but those with a linear outer, which are proved to have no g(h)."""
    problems = read_problems(source.path("on_singlet"))
    solved = 0
    for p in problems:
        outcome = uni_multivariate(p.f)
        if outcome.decompositions:
            solved += all(verify(p.f, d).verified for d in outcome.decompositions)
        else:
            assert outcome.proof is not None
            assert degree(p.f) == 2
    assert (solved, len(problems)) == {"ours": (11, 12), "published": (294, 300)}[source.name]
