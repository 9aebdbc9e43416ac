from __future__ import annotations

import sys
from math import inf

import pytest
from threadpoolctl import threadpool_info

from polyctl.algebra.budget import Budget
from polyctl.algebra.decomposition import Decomposition, used_inners
from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import ring
from polyctl.data.families import draw_problem, draw_problems
from polyctl.errors import UsageError
from polyctl.solvers.exact.multi_univariate import multi_univariate
from polyctl.solvers.exact.uni_multivariate import uni_multivariate
from polyctl.solvers.exact.univariate import univariate
from polyctl.solvers.outcome import Outcome
from polyctl.solving import methods
from polyctl.solving.methods import CHOICES, METHODS, Method, select_methods
from polyctl.solving.rank import is_disguised_product, is_generic, is_weak
from polyctl.solving.solution import Candidate
from polyctl.solving.solve import _Search, solve
from tests.data.test_families import FAMILIES

(X,) = ring(["x"]).gens()
(B,) = ring(["b"]).gens()
F = parse("x^8 + 2x^4 + 5")


def test_solutions_are_verified_normal_distinct_and_ranked_by_complexity():
    answer = solve(F, method="exact")
    assert [s.verdict.status for s in answer.solutions] == ["verified", "verified"]
    assert answer.solutions[0].complexity <= answer.solutions[1].complexity
    found = [s.decomposition for s in answer.solutions]
    assert Decomposition(B**2 + 4, (X**4 + 1,)) in found
    assert Decomposition(B**4 + 2 * B**2 + 5, (X**2,)) in found
    assert answer.tried[0].method == "univariate"
    assert answer.tried[0].found == 2


def test_an_answer_whose_simpler_form_is_another_answer_is_shown_once():
    answer = solve(parse("a x^4 + 2a x^2 + 1"), "exact")
    assert [set(map(str, s.inner)) for s in answer] == [{"a", "x^2"}]


@pytest.mark.parametrize("text", ["(a^2+b^2)*(c^2+d^2)", "(x1*y2-x2*y1)^2 + (x1*y1+x2*y2)^2"])
def test_a_factorisation_stands_before_what_is_hardly_simpler_than_f(text):
    best = solve(parse(text), "exact").best
    assert best.weak
    assert len(best.inner) == 2


def test_what_is_no_simpler_than_f_stands_behind_a_factorisation():
    answer = solve(parse("m*(x^2 + y^2) + (x^2 + y^2)^2"))
    assert {str(h) for h in answer.best.inner} == {"m", "x^2 + y^2"}


def test_a_term_taken_off_stands_behind_a_substitution_of_powers():
    answer = solve(parse("a x^4 + b x^2 + c"), "exact")
    assert "x^2" in map(str, answer.best.inner)
    assert [len(s.inner) for s in answer] == [4, 2]


@pytest.mark.parametrize(
    ("text", "inners"), [("a x^12 - b x^6", {"x^6", "a", "b"}), ("m (x+y+z)", {"m", "x + y + z"})]
)
def test_a_term_taken_out_stands_behind_a_substitution_of_powers(text, inners):
    answer = solve(parse(text), "exact")
    assert set(map(str, answer.best.inner)) == inners
    assert not any(attempt.seconds > 3 for attempt in answer.tried)


def test_the_discriminant_of_a_cubic_in_the_coefficients_of_its_hessian():
    best = solve(parse("b^2c^2 - 4a c^3 - 4b^3d - 27a^2d^2 + 18a b c d")).best
    assert set(map(str, best.inner)) == {"a*c - 1/3*b^2", "b*d - 1/3*c^2", "a*d - 1/9*b*c"}


@pytest.mark.parametrize(
    ("text", "inners"),
    [
        ("(x+y+z)^3 - 27x y z", {"x + y + z", "x*y*z"}),
        ("x^3+y^3+z^3+w^3 - 5x y z w + (x+y+z+w)^2", {"w + x + y + z", "w^3 + x^3 + y^3 + z^3", "w*x*y*z"}),
    ],
)
def test_few_invariants_of_the_degree_of_f(text, inners):
    best = solve(parse(text), "exact").best
    assert best.verified
    assert set(map(str, best.inner)) == inners


@pytest.mark.parametrize("text", ["a x^2 + b x^4 + c x^6", "-m^2 x^2/2 + l x^4/4", "y x^4 + y"])
def test_a_substitution_in_one_named_variable_is_the_answer(text):
    answer = solve(parse(text), main=["x"])
    assert "x^2" in map(str, answer.best.inner)
    assert "x" not in map(str, answer.best.inner)
    assert [attempt.method for attempt in answer.tried] == ["parameters"]


def test_indecomposable_is_said_only_where_it_is_proved():
    one = solve(parse("x^5 + x + 1"), method="exact")
    assert one.indecomposable
    assert not one.solutions
    several = solve(parse("x^3 + y^3*z + x*y + z + 1"), method="exact")
    assert several.indecomposable is None
    assert not several.verified
    assert len(several.tried) == len(select_methods("exact"))


@pytest.mark.parametrize("family", ["univariate", "separable", "on_singlet", "monic", "homogeneous_3_2"])
def test_families_are_solved_exactly(family):
    for i in range(4):
        drawn = draw_problem(FAMILIES[family], 21, i)
        answer = solve(drawn.f, method="exact")
        assert answer.verified
        assert answer.verified[0].decomposition.expanded == drawn.f


def test_three_inners_in_three_variables():
    drawn = draw_problem(FAMILIES["homogeneous_3_3"], 5, 2)
    answer = solve(drawn.f, inners=3, time_limit=60)
    assert answer.verified
    assert len(answer.verified[0].decomposition.inners) <= 3


def test_a_factorisation_and_a_plain_variable_do_not_end_the_search():
    f = parse("(x^3 + y z^2) (x^2 y + z^3 + x y z) x^2")
    answer = solve(f, method="exact")
    assert is_weak(f, answer.verified[0].decomposition)
    assert len(answer.tried) == len(select_methods("exact"))
    even = parse("x^2 y + x^4 z + y z + z^3 y + y^3")
    assert all(is_weak(even, s.decomposition) for s in solve(even, method="exact").verified)


@pytest.mark.parametrize(
    ("outer", "disguised"),
    [
        ("b0^2 - b1^2", True),
        ("2 b0^3 b1 (b1 - b2)", True),
        ("(b0 + 1) (b1 - 2)^2", True),
        ("b0 b1 (b0 + b1)", False),  # of two inner polynomials there are not three independent ones
        ("b0^2 + b1^2", False),  # no product over Q
        ("(b0 + b1)^2", False),  # a power of one
        ("b0 b1 + 1", False),
    ],
)
def test_a_product_of_independent_linear_forms_is_a_factorisation_in_disguise(outer, disguised):
    inners = tuple(parse(h, ["x", "y", "z"]) for h in ("x^2 + y", "x y + z^2", "z^3 + x"))
    g = parse(outer, ["b0", "b1", "b2"])
    decomposition = Decomposition(g, inners)
    assert is_disguised_product(decomposition) is disguised
    assert is_weak(decomposition.expanded, used_inners(decomposition)) is disguised


def test_shapes_that_nearly_every_polynomial_has():
    two, three = (
        next(
            p
            for p in draw_problems(FAMILIES[name], 1, "train")
            if len(used_inners(p.decomposition).inners) == 3
        )
        for name in ("homogeneous_2_3", "homogeneous_3_3")
    )
    assert is_generic(two.f, two.decomposition)
    assert not is_generic(three.f, three.decomposition)
    assert not is_generic(F, Decomposition(B**2 + 2 * B + 5, (X**4,)))


def test_the_number_of_inners_is_bounded():
    f = parse("(x^2+x)*(y^2+3y) + (z^2+z)^2")
    assert solve(f, method="exact").verified
    assert not [s for s in solve(f, method="exact", inners=1).solutions if s.verdict.verified]


def test_an_interrupt_keeps_what_was_found(monkeypatch):
    def interrupted(f, budget):
        raise KeyboardInterrupt

    solvers = {"finds": lambda f, budget: Outcome((Decomposition(None, (X**4 + X,)),)), "stops": interrupted}
    monkeypatch.setattr(Method, "load", lambda method: solvers[method.name])
    monkeypatch.setattr(methods, "METHODS", tuple(Method(name, "exact") for name in solvers))
    answer = solve(F)
    assert answer.stopped == "interrupted"
    assert len(answer.solutions) == 1


def test_the_time_limit_ends_the_search():
    f = parse("x^9 + y^9 + z^9 + x^4y^5 + y^4z^5 + x^3y^3z^3 + x^8y")
    answer = solve(f, method="numeric", time_limit=0.5)
    assert answer.stopped == "time limit"
    assert not answer.verified
    assert answer.seconds < 20


def test_solutions_are_told_as_they_come():
    told = []
    answer = solve(F, method="exact", on_solution=told.append)
    assert len(told) == len(answer.solutions) == 2


@pytest.mark.parametrize("method", select_methods("exact"), ids=lambda m: m.name)
def test_every_exact_method_stops_when_time_is_up(method):
    several = "(x^2 + y z)^3 + (y^2 - x z)^2 (x^2 + y z) + x^2 + y z"
    f = parse("x^4 + x^2" if method.name == "univariate" else several)
    assert method.load()(f, Budget(0.0)).decompositions == ()


@pytest.mark.parametrize(
    ("text", "solver"),
    [
        ("x^6 + x", univariate),
        ("(x^2 + y)^4 + x", uni_multivariate),
        ("x y z + x + y^2 z + z^2 x", multi_univariate),
    ],
)
def test_without_time_nothing_is_proved(text, solver):
    assert solver(parse(text)).proof
    assert solver(parse(text), Budget(0.0)) == Outcome()


def test_a_proof_replaces_an_earlier_refusal_of_the_same_inners():
    f = parse("x^2 y^2 + x^3")
    x, y = (f.context().gen(i) for i in range(2))
    search = _Search(f, None, inf, None, None)
    assert not search.add(Candidate(Decomposition(None, (x * y, x * y + x)), "test"))
    assert search.add(Candidate(Decomposition(None, (x, x * y)), "test"))
    assert [s.verdict.status for s in search.solutions] == ["verified"]
    assert not search.add(Candidate(Decomposition(None, (x * y, x * y + x)), "test"))
    assert len(search.solutions) == 1


def test_the_table_of_methods_is_whole():
    assert select_methods("auto") == METHODS
    assert {m.kind for m in METHODS} == set(CHOICES[1:])
    for method in METHODS:
        assert method.kind == "neural" or callable(method.load())
    with pytest.raises(UsageError, match="auto"):
        select_methods("magic")


DENSE = "(x^2-5x y+3y^2+3x-3y)^3 + (2x^2-4x y-5y^2+4x-5y)^3 - (x^2-5x y+3y^2+3x-3y)(2x^2-4x y-5y^2+4x-5y)"
GENERIC = "256x^9 - 20x^5y^4 - 200x^4y^5 - 100x^3y^6 - 500x^2y^7 - 125x y^8"
NONE = "x^9 + y^9 + z^9 + x^4y^5 + y^4z^5 + x^3y^3z^3 + x^8y"


def test_no_model_is_loaded_if_there_is_too_little_time_for_that(monkeypatch):
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    answer = solve(parse(NONE), "neural", time_limit=1, neural=pytest.fail)
    (attempt,) = answer.tried
    assert attempt.ending == "not tried"
    assert "less time was left" in attempt.note


def test_the_numeric_solver_comes_before_a_model():
    answer = solve(parse(DENSE), time_limit=60, neural=pytest.fail)
    assert answer.verified
    assert answer.solutions[0].source == "numeric"


def test_a_simple_answer_of_many_does_not_wait_for_the_time_limit():
    """Its shape fits nearly any polynomial, and the next answer of the numeric solver may never come."""
    answer = solve(parse(GENERIC), inners=3, time_limit=100)
    assert answer.stopped is None
    assert answer.solutions[0].source == "numeric"
    assert answer.seconds < 50


def test_products_of_the_numeric_solver_use_one_thread(monkeypatch):
    """Two threads that wait for each other cost ten times the work on a busy machine."""
    seen = []
    monkeypatch.setattr(_Search, "_choose", lambda *_: seen.extend(threadpool_info()) or 0)
    solve(parse(NONE), "numeric", time_limit=1)
    assert {library["num_threads"] for library in seen if library["user_api"] == "blas"} == {1}


A, B6, C = "(-3x y-3z w+4w^2-v)", "(5x z-5x y-5u^2+4v)", "(2x w+2y^2+4y z-4v w)"


@pytest.mark.parametrize("text", [f"{A}^3 + {B6}^3 + {C}^3 + {A}{B6}", f"{A}^2 {B6} + {C}^2 + {A}"])
def test_an_answer_with_as_many_inners_as_variables_is_not_the_last_word(text):
    """x, y, … and one h in which f is simpler are found first; three inner polynomials say more."""
    best = solve(parse(text), "exact", time_limit=60).solutions[0]
    assert best.verified
    assert len(best.inner) == 3
