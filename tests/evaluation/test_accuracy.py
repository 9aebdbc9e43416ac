from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from math import exp

import pytest

from polyctl.algebra.decomposition import Decomposition, outer_ring
from polyctl.config.schema import DataConfig, EvalConfig, ModelConfig
from polyctl.data.families import draw_problem, split_of
from polyctl.data.problem import Problem, SparseProblem
from polyctl.data.tokenizers import make_tokenizer
from polyctl.evaluation import accuracy, spotlight
from polyctl.evaluation.accuracy import (
    evaluate_problems,
    evaluation_problems,
    greedy_accuracy,
    judge,
    sympy_baseline,
)
from polyctl.evaluation.run import prediction
from polyctl.evaluation.summary import ProblemScore, summarize, summarize_scores
from polyctl.model.gpt import GPT
from polyctl.search.hypothesis import BeamStep, Hypothesis
from tests.data.test_families import FAMILIES

DATA = DataConfig(outer_degrees=(2,), inner_degrees=(2,))
TOK = make_tokenizer(DATA)
PROBLEMS = [draw_problem(DATA, 1, i) for i in range(4)]
EVAL = EvalConfig(beam=4, max_tokens=20, problems=4, batch=2)


def answer(text: str, finished: bool = True, logprob: float = -1.0, tok=TOK) -> Hypothesis:
    return Hypothesis(tuple(tok.vocabulary.index(t) for t in text.split()), logprob, finished)


def true_answer(p: Problem, tok=TOK) -> Hypothesis:
    return Hypothesis(tuple(tok.encode_target(p)[:-1]), -0.5, True)


def model(block: int = 64) -> GPT:
    return GPT(ModelConfig(layers=1, heads=1, width=8, context_length=block), len(TOK.vocabulary))


def test_judging_knows_right_wrong_trivial_and_malformed():
    p = PROBLEMS[0]
    target = TOK.encode_target(p)
    right = true_answer(p)
    statuses = [
        (j.status, j.exact, j.duplicate_of)
        for j in judge(
            p,
            [
                right,
                answer("a^2 + 1 a + 999"),
                answer("a + 1"),
                answer("a +"),
                answer("a^2 + 1", False),
                right,
            ],
            TOK,
            target,
        )
    ]
    assert statuses == [
        ("verified", True, None),
        ("refuted", False, None),
        ("trivial", False, None),
        ("malformed", False, None),
        ("malformed", False, None),
        ("verified", True, 0),
    ]


def test_a_wrong_outer_counts_only_when_it_is_completed():
    data = FAMILIES["homogeneous_3_2"]
    tok = make_tokenizer(data)
    p = draw_problem(data, 1, 0)
    outer = p.decomposition.outer + p.decomposition.outer.context().gens()[0] ** 3 * 7
    wrong = SparseProblem(p.f, Decomposition(outer, p.decomposition.inners), p.family, 0)
    judged = judge(p, [true_answer(wrong, tok)], tok, tok.encode_target(p))[0]
    assert (judged.status, judged.completed) == ("refuted", "verified")
    result = accuracy.ProblemResult(p, judged, (judged,))
    report = summarize([result], 1)
    assert report.answered.pass_at[1] == 0
    assert report.completed.pass_at[1] == 1


def test_an_answer_with_more_inners_than_known_does_not_count():
    data = FAMILIES["homogeneous_3_3"]
    tok = make_tokenizer(data)
    x, y, z = tok.ring.gens()
    (c0, c1), (b0, b1, b2) = outer_ring(2).gens(), outer_ring(3).gens()
    two = Decomposition(c0**3 + c0**2 * c1, (x**3 + x * y * z, y**3 + x * z**2))
    more = Decomposition((b0 + b2) ** 3 + (b0 + b2) ** 2 * b1, (x**3, y**3 + x * z**2, x * y * z))
    known = SparseProblem(two.expanded, two, "homogeneous", 0)
    ids = tok.encode_target(SparseProblem(known.f, more, "homogeneous", 0))[:-1]
    judged = judge(known, [Hypothesis(tuple(ids), -1.0, True)], tok, None)[0]
    assert judged.status == "verified"
    assert judged.extra_inners
    assert summarize([accuracy.ProblemResult(known, judged, (judged,))], 1).answered.pass_at[1] == 0


class Heard:
    """What an evaluation tells an onlooker, and what the spotlight writes, in its order."""

    def __init__(self):
        self.said = []

    def wants(self, key):
        return True

    def step(self, step):
        self.said.append((step.key, "step"))

    def result(self, key, *_):
        self.said.append((key, "result"))

    def write(self, event):
        self.said.append((event.problem, event.kind))


@pytest.fixture
def planned(monkeypatch):
    """Searches that find the right answer at rank 0, 1, never, and 3."""
    ranks = {id(p): rank for p, rank in zip(PROBLEMS, (0, 1, None, 3), strict=True)}
    by_prompt = {tuple(TOK.encode_prompt(p)): p for p in PROBLEMS}
    wrong = [answer(f"a^2 + {i} a + 777", logprob=-2.0 - i) for i in range(1, 5)]

    def beams(_model, prompts, _decoding, *, width=1, observer=None, keys=()):
        found = []
        for i, prompt in enumerate(prompts):
            p = by_prompt[tuple(prompt)]
            rank = ranks[id(p)]
            found.append(wrong if rank is None else [*wrong[:rank], true_answer(p), *wrong[rank:]][:4])
            if observer is not None:
                if observer.wants(keys[i]):
                    observer.step(BeamStep(keys[i], 1, tuple(wrong), ()))
                observer.result(keys[i], found[-1])
        return found

    monkeypatch.setattr(accuracy, "beam_search", beams)
    monkeypatch.setattr(accuracy, "greedy", lambda *given: [b[0] for b in beams(*given)])


def test_pass_at_k_and_rank_score(planned):
    report = summarize(evaluate_problems(model(), TOK, PROBLEMS, EVAL), 4)
    assert report.answered.pass_at == {1: 0.25, 2: 0.5, 3: 0.5, 4: 0.75}
    assert report.answered.rank_score == pytest.approx((1 + exp(-1 / 4) + exp(-3 / 4)) / 4)
    assert (report.answered.greedy_exact, report.answered.greedy_verified) == (0.25, 0.25)
    assert report.cells[0].cell == "2∘2"
    assert report.problems == 4
    assert greedy_accuracy(model(), TOK, PROBLEMS, max_tokens=20).verified == 0.25


def test_results_come_in_the_order_of_the_problems_and_steps_name_them(planned):
    heard, seen, numbers = Heard(), {}, [7, 1, 5, 3]
    results = evaluate_problems(
        model(), TOK, PROBLEMS, EVAL, numbers=numbers, onlooker=heard, on_result=seen.__setitem__
    )
    assert [r.problem for r in results] == PROBLEMS
    assert [seen[number] for number in numbers] == results
    shortest = min(range(4), key=lambda i: len(TOK.encode_prompt(PROBLEMS[i])))
    assert heard.said[:2] == [(numbers[shortest], "step"), (numbers[shortest], "result")]
    assert len(heard.said) == 8


def test_one_beam_is_shown_after_the_other(monkeypatch):
    monkeypatch.setattr(spotlight, "SPOTLIGHT_SECONDS", 0.0)
    heard = Heard()
    shown = spotlight.Spotlight(heard, TOK, PROBLEMS)
    evaluate_problems(model(), TOK, PROBLEMS, EVAL, onlooker=shown, on_result=heard.result)
    runs = [problem for problem, group in groupby(heard.said, key=lambda entry: entry[0])]
    shown = [problem for problem in runs if (problem, "beam") in heard.said]
    assert shown
    assert len(shown) == len(set(shown))
    assert sum(what == "result" for _, what in heard.said) == len(PROBLEMS)


def test_problems_that_do_not_fit_count_as_unsolved(planned):
    long = [*PROBLEMS, SparseProblem(PROBLEMS[0].f ** 5, None, "file", 9)]
    report = summarize(evaluate_problems(model(), TOK, long, EVAL), 4)
    assert report.unreadable == 1
    assert report.answered.pass_at[4] == 0.6


def test_predictions_are_text(planned):
    record = prediction(3, evaluate_problems(model(), TOK, PROBLEMS, EVAL)[0])
    assert record["index"] == 3
    assert record["beam"][0]["status"] == "verified"
    assert record["beam"][0]["inner"] == [record["known"]["inner"][0]] or record["beam"][0]["inner"]
    assert record["greedy"]["rank"] == 0


def test_evaluation_problems_are_test_problems_of_every_cell():
    data = DataConfig(outer_degrees=(2, 3), inner_degrees=(2, 3))
    found = evaluation_problems(data, 0, 8)
    assert sorted({p.cell for p in found}) == ["2∘2", "2∘3", "3∘2", "3∘3"]
    assert len(found) == 8
    assert {split_of(p.digest) for p in found} == {"test"}


def test_sympy_finds_univariate_decompositions():
    assert sympy_baseline(PROBLEMS).verified == 1
    assert sympy_baseline([draw_problem(FAMILIES["homogeneous_3_2"], 1, 0)]) is None


def test_few_problems_are_spread_over_the_cells():
    data = DataConfig(outer_degrees=(2, 3), inner_degrees=(2, 3))
    found = evaluation_problems(data, 1, 6)
    assert [p.cell for p in found] == ["2∘2", "2∘2", "2∘3", "2∘3", "3∘2", "3∘3"]
    assert [p.cell for p in evaluation_problems(data, 1, 3)] == ["2∘2", "2∘3", "3∘2"]


def test_samples_follow_from_the_number_of_the_problem_alone():
    sampling = EVAL.model_copy(update={"samples": 5, "temperature": 1.5})
    policy = model()
    whole = evaluate_problems(policy, TOK, PROBLEMS, sampling)
    (alone,) = evaluate_problems(policy, TOK, PROBLEMS[2:3], sampling, numbers=[2])
    assert [j.hypothesis.tokens for j in alone.beam] == [j.hypothesis.tokens for j in whole[2].beam]
    assert all(len(result.beam) == 5 for result in whole)
    assert len({j.hypothesis.tokens for result in whole for j in result.beam}) > 5


def test_pass_at_k_of_samples_is_the_share_of_sets_with_a_right_one():
    """One right of four samples is in half of all pairs; in the order drawn it would not be in the first."""
    score = ProblemScore("2∘2", False, False, (False, False), (3, 3), (1, 1), (), 0, 0)
    none = replace(score, first=(None, None), right=(0, 0))
    sampled = summarize_scores([score, none], 4, sampled=True)
    assert sampled.answered.pass_at == pytest.approx({1: 1 / 8, 2: 1 / 4, 3: 3 / 8, 4: 1 / 2})
    assert summarize_scores([score, none], 4).answered.pass_at == {1: 0, 2: 0, 3: 0, 4: 1 / 2}
