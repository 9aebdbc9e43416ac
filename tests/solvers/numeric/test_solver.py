"""From f to verified inners, without and with hints."""

from fractions import Fraction
from time import perf_counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyctl.algebra.budget import Budget
from polyctl.algebra.decomposition import Decomposition, equivalence_key
from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import compose, ring
from polyctl.algebra.verify import verify
from polyctl.config.registry import PACKAGED, load_experiment
from polyctl.data.families import draw_problem
from polyctl.solvers.numeric.ansatz import Ansatz, ansatzes
from polyctl.solvers.numeric.rationalize import echelon, recognise
from polyctl.solvers.numeric.solver import (
    ShapeSearch,
    by_least_squares,
    dense_candidates,
    polish,
    random_starts,
)
from polyctl.solvers.numeric.supports import Supports
from tests.decompositions import equivalent


def first(f, **options):
    found = next(iter(by_least_squares(f, Budget.of(120), **options).decompositions), None)
    if found is not None:
        assert verify(f, found).verified
    return found


def f_of(text, names="xyz"):
    return parse(text, list(names))


@pytest.mark.parametrize(
    ("text", "inners"),
    [
        ("(x^2*y+3*y^3)^2*x^2*z - 5*(x^2*z)^3", 2),
        ("(x^2-2*x*y+z^2)^2 + 3*(x*z)*(y^2)", 3),
        ("(2*x^2/3 - y*z)^3 - (2*x^2/3 - y*z)*(x*y)^2", 2),
        ("(x^2+3*x)^3 - 5*(x^2+3*x) + 7", 1),
        ("(x^2*y+z)^2 - 4*(x^2*y+z)*(x*y) + 3*(x*y)^2 + (x*y)", 2),
    ],
)
def test_forms_and_inhomogeneous_polynomials(text, inners):
    names = "x" if "y" not in text else "xyz"
    found = first(f_of(text, names), inners=inners)
    assert found is not None
    assert len(found.inners) <= inners


@pytest.mark.parametrize(
    ("variables", "inners", "seed"), [(3, 2, 5), (3, 3, 6), (2, 3, 7), (4, 3, 8), (3, 4, 9)]
)
def test_fresh_problems(variables, inners, seed):
    data = load_experiment(f"d1_var_{variables}_{inners}", registry=PACKAGED).data
    found = first(draw_problem(data, seed, 0).f, inners=inners)
    assert found is not None
    assert len(found.inners) <= inners


@settings(max_examples=6, deadline=None, derandomize=True)
@given(st.data())
def test_composed_polynomials_get_a_verified_answer(data):
    names = ring(["u", "v", "w"])
    u, v, w = names.gens()
    coefficients = st.integers(1, 4).flatmap(lambda n: st.sampled_from([n, -n]))
    draw = lambda: data.draw(coefficients)  # noqa: E731
    h = (draw() * u**2 + draw() * v * w, draw() * v**2 + draw() * u * w)
    outer = ring(["b0", "b1"])
    g = outer.from_dict({(3, 0): draw(), (1, 2): draw()})
    found = first(compose(g, h), inners=2)
    assert found is not None


def test_where_monomials_cancel_random_starts_find_it():
    f = f_of("(x^2+x*y)^2*(x*y-z^2) + (x*y-z^2)^3 - x^5*y")
    h = (f_of("x^2+x*y"), f_of("x*y-z^2"))
    f = compose(ring(["b0", "b1"]).from_dict({(2, 1): 1, (1, 2): -2, (0, 3): 3, (3, 0): 1}), h)
    question = Ansatz(f, 2, 2, 3)
    generator = np.random.default_rng(0)
    found = next(dense_candidates(question, random_starts(question, 24, generator), Budget.of(120)), None)
    assert found is not None
    assert verify(f, found).verified


def test_solutions_that_are_multiple_roots_are_made_exact():
    """Near them steps only halve the distance, and numbers are right to a few digits."""
    question = Ansatz(f_of("b^2*c^2-4a*c^3-4b^3*d-27a^2*d^2+18a*b*c*d", "abcd"), 3, 2, 2)
    starts = random_starts(question, 18, np.random.default_rng(0))
    found = next(dense_candidates(question, starts, Budget.of(120)), None)
    assert found is not None
    assert {len(h) for h in found.inners} == {2}


def test_a_sparse_outer_polynomial_of_four_inner_ones_is_found():
    """Monomials of f cancel, and each inner polynomial is in few terms of the outer one."""
    b0, b1, b2, b3 = ring(["b0", "b1", "b2", "b3"]).gens()
    h = map(f_of, ("3x^3+2x y^2+2z^3", "3x y z-2y^3-z^3", "4x y z-y^3-4y z^2", "3x^2y-3y^3+4z^3"))
    f = compose(4 * b0**2 * b2 + b0 * b2 * b3 + 3 * b1 * b3**2 + b2**3, list(h))
    found = first(f)
    assert found is not None
    assert len(found.inners) <= 4


def test_of_random_starts_the_best_continue():
    question = Ansatz(f_of("(x^2+x*y)^3 - (x^2+x*y)*(y^2-x*z)^2"), 2, 2, 3)
    x_BU = random_starts(question, 40, np.random.default_rng(0))
    found = list(dense_candidates(question, x_BU, Budget.of(120)))
    assert found
    assert all(verify(question.f, d).verified for d in found)


def test_the_search_for_shapes_continues_where_it_was():
    f = f_of("(x^2*y+3*y^3)^2*x^2*z - 5*(x^2*z)^3")
    question, generator = Ansatz(f, 2, 3, 3), np.random.default_rng(0)
    whole = list(Supports(question.monomials, question.inner_monomials).shapes(2, 3, 3))
    search = ShapeSearch(question, Budget.of(120))
    while not search.finished:
        list(search.more(generator, Budget.of(120)))
    assert sorted(s.inners for chunk in search.chunks for s in chunk) == sorted(s.inners for s in whole)


def test_linear_inners_are_as_many_as_independent_derivatives():
    f = f_of("(x+y)^3 - 2*(x+y)*z^2")
    assert [q.inner_degree for q in ansatzes(f, 2, None)] == [1]
    assert not ansatzes(f, 1, None)
    assert not ansatzes(f_of("x^3 + y^3 + z^3"), 2, None)


def test_the_same_seed_gives_the_same_answers():
    f = f_of("(x^2-2*x*y+z^2)^2 + 3*(x*z)*(y^2)")
    runs = []
    for _ in range(2):
        stream = iter(by_least_squares(f, Budget.of(60), inners=3, seed=3).decompositions)
        runs.append([equivalence_key(next(stream)) for _ in range(2)])
    assert runs[0] == runs[1]
    assert runs[0][0] != runs[0][1]


def test_it_stops_at_the_limit_where_there_is_nothing():
    f = f_of("x^4 + 3*x^3*y - 5*x*y*z^2 + 7*y^4 + 11*z^4 + x^2*y*z + 2*y^3*z - z^3*x + x^2*y^2")
    started = perf_counter()
    assert list(by_least_squares(f, Budget.of(0.5), inners=2).decompositions) == []
    assert perf_counter() - started < 30  # a hang, not a measurement


@pytest.mark.parametrize("text", ["0", "7", "x", "x+y"])
def test_nothing_to_decompose(text):
    assert list(by_least_squares(f_of(text), Budget.of(1)).decompositions) == []


def test_a_wrong_hypothesis_is_polished():
    h = (f_of("x^2 - 3*x*y + 2*z^2"), f_of("2*x*z + y^2"))
    f = compose(ring(["b0", "b1"]).from_dict({(3, 0): 2, (1, 2): -1, (0, 3): 4}), h)
    wrong = Decomposition(None, (f_of("x^2 - 2*x*y + 2*z^2"), f_of("2*x*z + y^2 + x^2/9")))
    assert not verify(f, wrong).verified
    for found in (first(f, inners=1, starts=[wrong]), next(polish(f, [wrong], Budget.of(120)), None)):
        assert found is not None
        assert equivalent(found, Decomposition(None, h))


def test_polishing_tries_nothing_but_its_starts():
    f = f_of("(x^2+x)^6", "x")
    assert not list(polish(f, [], Budget.of(120)))


def test_inner_degrees_are_heeded():
    f = f_of("(x^2+x)^6", "x")
    for degree in (2, 4):
        found = first(f, inners=1, inner_degrees=[degree])
        assert found is not None
        assert max(h.total_degree() for h in found.inners) == degree


def test_recognise():
    assert recognise(0.6666666666666) == Fraction(2, 3)
    assert recognise(-1e-12) == 0
    assert recognise(2**0.5) is None
    assert recognise(-125 / 64) == Fraction(-125, 64)


def test_echelon_form_has_unit_columns():
    rows = np.array([[1.0, 2, 3, 0], [2, 4, 1, 5]])
    reduced, pivots = echelon(rows, 2)
    assert np.allclose(reduced[:, pivots], np.eye(2))
    assert np.linalg.matrix_rank(np.concatenate([rows, reduced])) == 2
