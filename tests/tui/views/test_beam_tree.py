"""A beam as a tree, and what became of the known answer."""

import math

import pytest

from polyctl.tui.views.beam_tree import (
    MOST,
    NO_TREE,
    build_tree,
    describe_known,
    format_tree,
    known_state,
    token_logprobs,
)

WORDS = {"1": "x^2", "2": "+", "3": "4", "4": "-", "5": "7", "6": "x"}


def frame(step: int, live=(), finished=(), known=(1, 2, 3, 6), **more) -> dict:
    return {"kind": "beam", "step": step, "live": list(live), "finished": list(finished)} | {
        "known": None if known is None else list(known),
        "words": WORDS,
        **more,
    }


def hypothesis(tokens, logprob, logprobs=None, **more) -> dict:
    return {"text": "", "tokens": list(tokens), "logprob": logprob, "logprobs": logprobs, **more}


def lines(one: dict, *before: dict) -> list[str]:
    text = format_tree(one, token_logprobs([*before, one]), 100).plain
    return [line.rstrip() for line in text.splitlines()[1:]]


def test_shared_prefixes_stand_once_with_the_probability_of_each_token():
    live = [hypothesis([1, 2, 5], math.log(0.5), [-0.01, 0.0, math.log(0.6)])]
    live.append(hypothesis([1, 4, 3], math.log(0.2), [math.log(0.25), 0.0]))
    done = [hypothesis([1, 2], math.log(0.25), [])]
    assert lines(frame(3, live, done)) == [
        "                              95%  ★ x^2(99%)",
        "   2    -1.386 … waiting      75%  ├ ★ + ■",
        "   1    -0.693 + growing      50%  │ ├ 7(60%) …",
        "                                   │ └ ☆ known answer left: 4 x",
        "   3    -1.609 + growing      20%  └ -(25%) 4 …",
    ]


def test_what_earlier_frames_know_of_tokens_is_kept():
    first = frame(1, [hypothesis([1], math.log(0.5), [math.log(0.5)])])
    verdicts = {
        "kind": "verdict",
        "words": WORDS,
        "hypotheses": [hypothesis([1, 2], -1.0, status="refuted", rank=0)],
    }
    (line,) = lines(verdicts, first)
    assert line == "   1    -1.000 ✗ refuted      37%  x^2(50%) + ■"


def test_the_known_answer_is_followed_until_it_leaves():
    inside = frame(2, [hypothesis([1, 2], -0.1)])
    outside = frame(5, [hypothesis([1, 4], -0.1)])
    found = frame(7, [], [hypothesis([1, 2, 3, 6], -0.1)])
    assert [known_state(one) for one in (inside, outside, found, frame(1, known=None))] == [
        "in the beam",
        "left",
        "found",
        "",
    ]
    assert describe_known([inside]) == "★ known answer in the beam"
    assert describe_known([inside, outside]) == "☆ known answer left between steps 2 and 5"
    assert describe_known([outside]) == "☆ known answer not in the beam"
    assert describe_known([inside, found]) == "★ known answer found"
    verdict = {
        "kind": "verdict",
        "known": [1, 2, 3, 6],
        "hypotheses": [hypothesis([1], -1.0, status="refuted")],
    }
    assert describe_known([inside, verdict]) == "☆ known answer left after step 2"
    assert describe_known([]) == describe_known([frame(1, known=None)]) == ""
    assert lines(inside)[-1].endswith("☆ still to come: 4 x")
    assert lines(outside)[-1].endswith("☆ known answer left: + 4 x")


@pytest.mark.parametrize(
    "rows",
    [
        [{"text": "x ^ 2", "logprob": -1.0}],
        [{"tokens": ["a"], "logprob": None}],
        [{"tokens": 3}],
        [],
    ],
)
def test_without_tokens_there_is_no_tree(rows):
    assert build_tree(frame(1, rows), {}) is None
    assert format_tree(frame(1, rows), {}, 80).plain.endswith(NO_TREE)


def test_damaged_and_hostile_events_are_drawn():
    rows = [hypothesis([1, 2], "x", ["y"] * 9), hypothesis([1, 2], 5.0, {"a": 1}), hypothesis([], None)]
    text = format_tree(frame(1, rows, known=None, words=3), token_logprobs([frame(1, rows)]), 60).plain
    assert "#1 #2" in text
    hostile = frame(1, [hypothesis([1], -1.0)], words={"1": "\x1b[2J"}, known=["x"])
    assert format_tree(hostile, {}, 60).plain.replace("\n", "").isprintable()
    deep = [hypothesis([7] * n + [8], -float(n)) for n in range(3000)]
    assert format_tree(frame(1, deep), {}, 80).plain.count("\n") <= 2 * MOST + 2
