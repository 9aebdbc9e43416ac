"""Verdicts on beams are those of the plain way, one hypothesis at a time over Q."""

from __future__ import annotations

from random import Random

import pytest

from polyctl.data.families import draw_problem
from polyctl.data.tokenizers import make_tokenizer
from polyctl.evaluation.accuracy import judge
from polyctl.search.hypothesis import Hypothesis
from tests.data.test_families import FAMILIES
from tests.evaluation.plain import judge_plainly
from tests.fixtures.beams import read_beams, tokenizer

BEAMS = read_beams()
SHIPPED = tokenizer()


def fields(judged):
    return [
        (j.status, j.completed, j.reason, j.duplicate_of, j.extra_inners, j.decomposition) for j in judged
    ]


@pytest.mark.parametrize("part", BEAMS)
def test_beams_of_the_bundled_model_get_the_plain_verdicts(part):
    for problem, beam in BEAMS[part]:
        assert fields(judge(problem, beam, SHIPPED, None)) == judge_plainly(problem, beam, SHIPPED)


def test_the_beams_hold_answers_of_every_status():
    statuses = {
        (status, completed)
        for beams in BEAMS.values()
        for problem, beam in beams
        for status, completed, *_ in judge_plainly(problem, beam, SHIPPED)
    }
    assert {status for status, _ in statuses} == {
        "verified",
        "refuted",
        "malformed",
        "trivial",
        "undecided",
    }


@pytest.mark.parametrize(
    ("family", "target"), sorted({(n, t) for n, d in FAMILIES.items() for t in ("inner", d.target)})
)
def test_damaged_answers_get_the_plain_verdicts(family, target):
    """The right answer, and itself with tokens exchanged, put in, taken away."""
    data = FAMILIES[family].model_copy(update={"tokenizer": "compact", "target": target})
    tok, rng = make_tokenizer(data), Random(f"{family} {target}")
    for i in range(6):
        problem = draw_problem(data, 4, i)
        right = tok.encode_target(problem)[:-1]
        beam = [Hypothesis(tuple(right), -0.5, True)]
        for rank in range(24):
            ids = list(right)
            for _ in range(rng.randint(1, 2)):
                at = rng.randrange(len(ids))
                match rng.randrange(4):
                    case 0:
                        ids[at] = rng.choice(right)
                    case 1:
                        ids[at] = rng.randrange(len(tok.vocabulary))
                    case 2:
                        ids.insert(at, rng.choice(right))
                    case 3 if len(ids) > 1:
                        del ids[at]
            beam.append(Hypothesis(tuple(ids), -1.0 - rank, rng.random() < 0.95))
        assert fields(judge(problem, beam, tok, None)) == judge_plainly(problem, beam, tok)
