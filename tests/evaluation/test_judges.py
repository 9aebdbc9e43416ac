"""Answers judged by other processes."""

from __future__ import annotations

import json

import pytest

from polyctl.config.registry import PACKAGED, load_experiment
from polyctl.data.families import draw_problem
from polyctl.evaluation.accuracy import Answers
from polyctl.evaluation.judges import Judges
from polyctl.evaluation.run import Judged
from polyctl.search.hypothesis import Hypothesis
from tests.fixtures.beams import read_beams, tokenizer

DATA = load_experiment("general", registry=PACKAGED).data


def answers() -> list[Answers]:
    """One problem of each part, and drawn ones, whose classes differ; greedy answers in the beam and not."""
    found = []
    for number, beams in enumerate(read_beams().values()):
        problem, beam = beams[0]
        greedy = beam[0] if number % 2 else Hypothesis(beam[0].tokens[:-1], -0.1, True)
        found.append(Answers(number, problem, beam[0].tokens, greedy, tuple(beam)))
    tok = tokenizer()
    for part in DATA.parts[:3]:
        drawn = draw_problem(part, 1, 0)
        right = Hypothesis(tuple(tok.encode_target(drawn)[:-1]), -1.0, True)
        found.append(Answers(len(found), drawn, right.tokens, right, (right,)))
    return [*found, Answers(len(found), found[0].problem, error="too long")]


def judged_by(workers: int) -> list[tuple[Answers, Judged]]:
    settled = []
    with Judges(DATA, Judged.of, lambda *pair: settled.append(pair), workers) as judges:
        for one in answers():
            judges.submit(one)
    return settled


@pytest.mark.slow
def test_workers_change_neither_results_nor_their_order():
    alone, shared = judged_by(0), judged_by(2)
    assert [one.number for one, _ in shared] == [one.number for one in answers()]
    assert shared == alone
    assert json.loads(alone[-1][1].line)["error"] == "too long"


def test_a_greedy_answer_of_the_beam_is_judged_as_if_alone():
    for one in answers():
        together = one.judge(tokenizer()).greedy
        alone = Answers(one.number, one.problem, one.target, one.greedy).judge(tokenizer()).greedy
        assert together == alone


def _fails(number, _result):
    raise RuntimeError(f"no verdict on {number}")


def judged_by_one_that_fails(workers: int) -> None:
    with Judges(DATA, _fails, lambda *_: None, workers) as judges:
        for one in answers():
            judges.submit(one)


@pytest.mark.parametrize("workers", [0, 1])
def test_an_error_while_judging_ends_the_evaluation(workers):
    with pytest.raises(RuntimeError, match="no verdict on 0"):
        judged_by_one_that_fails(workers)
