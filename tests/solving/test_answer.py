from __future__ import annotations

import json
import re
import time

import pytest

from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.parse import parse
from polyctl.errors import ParseError, UsageError
from polyctl.solvers.outcome import Outcome
from polyctl.solving import methods
from polyctl.solving.answer import answer
from polyctl.solving.attempt import Attempt
from polyctl.solving.judge import judge
from polyctl.solving.methods import DEFAULT_SECONDS, Method
from polyctl.solving.rank import GENERIC, WEAK
from polyctl.solving.request import SolveRequest
from polyctl.solving.solution import Answer, Candidate
from polyctl.solving.solve import solve

QUARTIC = "x^4 + 2x^3 + 3x^2 + 2x + 5"


def test_text_becomes_an_answer():
    found = answer(SolveRequest(QUARTIC, method="exact"))
    assert str(found.best.outer) == "b^2 + 4"
    assert SolveRequest(QUARTIC).time_limit == DEFAULT_SECONDS


def test_a_polynomial_is_taken_as_it_is():
    f = parse(QUARTIC, ["x", "y"])
    assert answer(SolveRequest(f, method="exact")).best.f is f


def test_variables_fix_the_ring():
    found = answer(SolveRequest("(speed + 1)^4 + (speed + 1)^2", ["speed"], method="exact"))
    assert found.best.inner[0].context().names() == ("speed",)


@pytest.mark.parametrize(
    ("request_of", "error"),
    [
        (lambda: SolveRequest("x^4", method="magic"), UsageError),
        (lambda: SolveRequest("x^4", method="exact", polish=True), UsageError),
        (lambda: answer(SolveRequest("x + 1")), UsageError),
        (lambda: answer(SolveRequest("7")), UsageError),
        (lambda: answer(SolveRequest("x^4 +")), ParseError),
    ],
)
def test_what_cannot_be_answered_is_refused(request_of, error):
    with pytest.raises(error):
        request_of()


def test_a_solution_as_json_has_the_documented_fields():
    found = answer(SolveRequest(QUARTIC, method="exact")).to_dict()
    assert set(found) == {
        "solutions",
        "indecomposable",
        "chain_degrees",
        "reciprocal",
        "tried",
        "stopped",
        "seconds",
    }
    (solution,) = found["solutions"]
    documented = {"rank", "outer", "inner", "status", "source", "logprob", "complexity"}
    assert documented <= set(solution)
    assert json.loads(json.dumps(found)) == found


def test_the_text_of_an_answer_numbers_its_solutions():
    found = answer(SolveRequest("x^8 + 2x^4 + 5", method="exact"))
    assert found.to_text(1).startswith("1. f = g(h)\n   g(b) = ")
    assert "\n2. f = g(h)" in found.to_text()
    assert "x^{2}" in found.to_text(1, as_latex=True)
    nothing = answer(SolveRequest("x^3 + y^3*z + x*y + z + 1", method="exact"))
    assert nothing.to_text().startswith("none found in ")


def test_none_found_says_what_was_tried_and_how_far():
    nothing = answer(SolveRequest("a^3 + b^3 + c^3 - 3a b c + a b"))
    first, *others = nothing.to_text().splitlines()
    assert re.fullmatch(r"none found in \S+ s", first)
    assert all(line.startswith("   ") for line in others)
    proofs = [a for a in nothing.tried if a.ending == "proved"]
    assert [line.strip() for line in others[: len(proofs)]] == [
        f"proved by {a.method}: {a.note}" for a in proofs
    ]
    grouped, left_out = others[len(proofs) :]
    finished = [a.method for a in nothing.tried if a.ending == "finished"]
    assert re.fullmatch(r"   nothing by \d+ exact methods in \S+ s: .*", grouped)
    assert grouped.split(": ")[1].split(", ") == finished
    assert left_out == "   not tried: neural, numeric (f is small enough for the exact methods)"


def test_none_found_names_what_ran_out_of_time_and_what_was_left_out(monkeypatch):
    def slow(f, budget):
        time.sleep(budget.left)
        return Outcome()

    solvers = {"univariate": lambda f, budget: Outcome(), "recursion": slow, "divisors": slow}
    monkeypatch.setattr(Method, "load", lambda method: solvers[method.name])
    monkeypatch.setattr(methods, "METHODS", tuple(Method(name, "exact") for name in solvers))
    text = answer(SolveRequest("x^3 + y^3*z + x*y + z + 1", method="exact", time_limit=0.05)).to_text()
    first, *others = text.splitlines()
    assert re.fullmatch(r"none found in \S+ s \(time limit\)", first)
    assert re.fullmatch(r"   nothing by 1 exact method in \S+ s: univariate", others[0])
    assert re.fullmatch(r"   out of time: recursion, after \S+ s", others[1])
    assert others[2:] == ["   not tried: divisors (time limit)"]


def test_a_model_that_cannot_be_asked_is_not_tried():
    tried = (
        Attempt("neural", 0.1, 0, "no model has been trained yet (polyctl train quick)", "not tried"),
        Attempt("numeric", 1.5, 0),
    )
    text = Answer(parse("x*y + z"), tried=tried, seconds=1.6).to_text()
    assert text.splitlines() == [
        "none found in 1.6 s",
        "   nothing by numeric in 1.5 s",
        "   not tried: neural (no model has been trained yet (polyctl train quick))",
    ]


def test_reservations_name_weak_and_generic_answers():
    product = answer(SolveRequest("(x^3 + y z^2) (x^2 y + z^3 + x y z) x^2", method="exact"))
    assert WEAK in product.to_text()
    assert product.best.weak
    form = parse("x^4 + x^3 y + 2 x^2 y^2 + y^4")
    x, y = form.context().gens()
    any_form = judge(form, Candidate(Decomposition(None, (x**2, x * y, y**2 + x * y)), "test"))
    assert any_form.status == "trivial"
    assert any_form.reservation is None
    assert answer(SolveRequest(QUARTIC, method="exact")).best.reservation is None
    assert GENERIC.startswith("generic")


def test_the_proof_shows_the_difference_of_a_refuted_answer_and_cuts_what_is_long():
    f = parse("x^4 + x")
    wrong = judge(f, Candidate(Decomposition(parse("b^2", ["b"]), (parse("x^2"),)), "beam", -1.0, 3))
    assert "f - g(h) = x" in wrong.proof
    assert (wrong.beam_rank, wrong.logprob, wrong.rank_key) == (3, -1.0, (1, 0, 0, 0, 0, 0))
    long = parse(" + ".join(f"x^{e}" for e in range(800, 0, -2)))
    proof = judge(long, Candidate(Decomposition(None, (parse("x^2"),)), "test")).proof
    assert "characters)" in proof
    assert "compared with f: equal" in proof


def test_functions_are_atoms_if_asked_for():
    with pytest.raises(ParseError, match="functions such as sin"):
        SolveRequest("sin(x)^4 + 2sin(x)^2").read()
    found = answer(SolveRequest("sin(x)^4 + 2sin(x)^2 + 3", method="exact", atoms=True))
    assert [str(h) for h in found.best.inner] == ["sin(x)^2 + 1"]
    roots = answer(SolveRequest("x + 2sqrt(x) + 3x^(1/4)", method="exact", atoms=True))
    assert roots.indecomposable.startswith("as a polynomial in x^(1/4)")
    proved = answer(SolveRequest("sin(x)^2 + sin(x) + 3", method="exact", atoms=True)).indecomposable
    assert proved.startswith("as a polynomial in sin(x), no g(h)")


@pytest.mark.parametrize(
    ("text", "main"),
    [("f(x) = (x^2 + c)^2 + c", ("x",)), ("f(x, y) = (x^2 + y)^3 + 1", ()), ("f(z) = x^2 + y", ())],
)
def test_a_definition_names_the_main_variables(text, main):
    assert SolveRequest(text).read().main == main


def test_main_variables_that_give_no_more_than_a_weak_answer_do_not_end_the_search():
    found = answer(SolveRequest("(x y + z)^3 + (x y + z) + y^4", main=("x",), method="exact"))
    assert len(found.tried) > 1


def test_all_complete_chains_are_listed_by_degree():
    found = answer(SolveRequest("x^12", method="exact"))
    assert found.chain_degrees == ((3, 2, 2), (2, 3, 2), (2, 2, 3))
    assert "3 complete chains, by degree: 3∘2∘2, 2∘3∘2, 2∘2∘3" in found.to_text()
    assert answer(SolveRequest("x^5 + x", method="exact")).chain_degrees == ()


def test_an_iterate_of_two_is_shown_as_one():
    assert "f = (b^2 - 2) ∘ (x^2 - 2)" in solve(parse("(x^2 - 2)^2 - 2"), "exact").best.to_text()
    assert "∘" not in solve(parse("(x^2 - 2)^2 - 3"), "exact").best.to_text()


def test_of_equally_simple_answers_the_one_with_the_smaller_outer_is_first():
    best = solve(parse("x^16 - x^12 + x^8 - x^4 + 1"), "exact").best
    assert str(best.inner[0]) == "x^4"
    assert "complete chains" not in answer(SolveRequest(QUARTIC, method="exact")).to_text()
