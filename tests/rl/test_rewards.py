"""Rewards and advantages against plain twins in float64, and who is right."""

import math
import statistics

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from polyctl.rl.rewards import (
    RankedVerdict,
    advantages,
    balanced,
    counted,
    has_signal,
    probability_weights,
    rank_verdicts,
    rewards,
)
from tests.rl.helpers import judged

GROUPS = st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=32).map(
    lambda rights: [RankedVerdict(right, rank) for rank, right in enumerate(rights)]
)


def twin_rewards(group, kind, width, wrong):
    """The paper's definition, hypothesis by hypothesis, in numpy."""
    result = np.full(len(group), wrong, dtype=np.float64)
    for i, verdict in enumerate(group):
        if verdict.right:
            k = np.float64(verdict.rank)
            result[i] = {"simple": 1.0, "rank": np.exp(-k / width)}.get(kind, np.exp((k + 1 - width) / width))
    return result


@pytest.mark.parametrize("kind", ["simple", "rank", "reverse_rank"])
@given(group=GROUPS, wrong=st.sampled_from([-0.1, 0.0, -1.0]))
def test_rewards_equal_their_twin(kind, group, wrong):
    found = rewards(group, kind, width=32, wrong=wrong)
    np.testing.assert_allclose(found, twin_rewards(group, kind, 32, wrong), rtol=1e-14)


def test_rank_reward_uses_the_width_of_the_group():
    group = [RankedVerdict(True, 0), RankedVerdict(True, 5)]
    assert rewards(group, "rank", width=10, wrong=-0.1) == pytest.approx([1.0, math.exp(-0.5)])
    assert rewards(group, "reverse_rank", width=10, wrong=-0.1) == pytest.approx(
        [math.exp(-0.9), math.exp(-0.4)]
    )


@given(group=GROUPS, divide=st.booleans())
def test_advantages_equal_their_twin(group, divide):
    reward = rewards(group, "rank", width=32, wrong=-0.1)
    found = advantages(reward, counted(group, merge_wrong=False), scale_rewards=divide)
    decided = [r for verdict, r in zip(group, reward, strict=True) if verdict.right is not None]
    mean = statistics.fmean(decided) if decided else 0.0
    scale = statistics.stdev(decided) + 1e-4 if divide and len(decided) > 1 else 1.0
    expected = [
        0.0 if verdict.right is None else (r - mean) / scale for verdict, r in zip(group, reward, strict=True)
    ]
    assert found == pytest.approx(expected, abs=1e-9)
    assert sum(found) == pytest.approx(0.0, abs=1e-9)


def test_equivalent_hypotheses_share_a_rank_and_leave_no_gap():
    group = [judged(0, "refuted"), judged(1, "verified"), judged(2, "verified", duplicate_of=1)]
    group += [judged(3, "refuted", duplicate_of=0), judged(4, "verified")]
    found = rank_verdicts(group, completion=False)
    assert [verdict.rank for verdict in found] == [0, 1, 1, 0, 2]
    assert [verdict.right for verdict in found] == [False, True, True, False, True]
    assert [verdict.copy for verdict in found] == [False, False, True, True, False]


def test_same_inners_with_a_wrong_and_a_right_outer_are_two_answers():
    group = [judged(0, "refuted", completed="verified"), judged(1, "verified", duplicate_of=0)]
    assert rank_verdicts(group, completion=False) == [RankedVerdict(False, 0), RankedVerdict(True, 1)]
    assert rank_verdicts(group, completion=True) == [RankedVerdict(True, 0), RankedVerdict(True, 0, True)]


def test_only_verified_answers_are_right():
    group = [judged(i, s) for i, s in enumerate(["trivial", "malformed", "refuted", "undecided", "verified"])]
    group.append(judged(5, "verified", extra=True))
    assert [verdict.right for verdict in rank_verdicts(group, completion=False)] == [
        False,
        False,
        False,
        None,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("rights", "signal"),
    [
        ([True, True], False),
        ([False, False], False),
        ([True, False], True),
        ([True, None], False),
        ([], False),
    ],
)
def test_signal_is_a_matter_of_correctness(rights, signal):
    group = [RankedVerdict(right, rank) for rank, right in enumerate(rights)]
    assert has_signal(group) is signal


def test_a_group_all_right_has_reward_variance_but_no_signal():
    group = [RankedVerdict(True, 0), RankedVerdict(True, 1)]
    first, second = rewards(group, "rank", width=2, wrong=-0.1)
    assert first > second
    assert not has_signal(group)


# -- the same answer several times -----------------------------------------------------------------


def beam_of(*statuses, copies=0):
    """A beam whose first answer is followed by `copies` equivalents of it, then these answers."""
    group = [judged(0, "verified"), *(judged(1 + i, "verified", duplicate_of=0) for i in range(copies))]
    return group + [judged(len(group) + i, status) for i, status in enumerate(statuses)]


def advantages_of(group, *, merge_wrong=False):
    verdicts = rank_verdicts(group, completion=False)
    reward = rewards(verdicts, "rank", width=len(group), wrong=-0.1)
    return reward, advantages(reward, counted(verdicts, merge_wrong=merge_wrong))


def test_five_copies_of_one_right_answer_earn_what_one_earns():
    reward, found = advantages_of(beam_of(*["refuted"] * 4, copies=4))
    assert reward == [1.0, 0.0, 0.0, 0.0, 0.0, -0.1, -0.1, -0.1, -0.1]
    mean = (1.0 - 4 * 0.1) / 5  # one right answer and four wrong ones
    assert found == pytest.approx([1.0 - mean, 0, 0, 0, 0, *[-0.1 - mean] * 4])


def test_five_copies_of_one_right_answer_alone_teach_nothing():
    verdicts = rank_verdicts(beam_of(copies=4), completion=False)
    assert not has_signal(verdicts)
    _, found = advantages_of(beam_of(copies=4))
    assert found == [0.0] * 5


def test_equal_and_equivalent_samples_are_one():
    """Wrong samples too: one that is drawn often must not weigh more than its share of the probability."""
    samples = [judged(0, "verified", tokens=(5,)), judged(1, "verified", tokens=(5,), duplicate_of=0)]
    samples += [judged(2, "malformed", tokens=(6,)), judged(3, "malformed", tokens=(6,))]
    samples += [judged(4, "refuted", tokens=(7,)), judged(5, "refuted", tokens=(8,), duplicate_of=4)]
    verdicts = rank_verdicts(samples, completion=False)
    assert [verdict.rank for verdict in verdicts] == [0, 0, 1, 1, 2, 2]
    assert counted(verdicts, merge_wrong=True) == [True, False] * 3
    assert counted(verdicts, merge_wrong=False) == [True, False, True, True, True, True]
    _, found = advantages_of(samples, merge_wrong=True)
    assert found[1::2] == [0.0] * 3
    assert sum(found) == pytest.approx(0.0)


# -- weights by probability ------------------------------------------------------------------------

LOGPROBS = [-1.0, -1.5, -2.0, -2.5, -4.0]


def weights_of(verdicts, baseline):
    counts = counted(verdicts, merge_wrong=False)
    return probability_weights(verdicts, LOGPROBS, counts, baseline=baseline)


MIXED = [RankedVerdict(r, i) for i, r in enumerate([False, True, True, None, False])]
MIXED[2] = RankedVerdict(True, 1, copy=True)


def test_weights_by_probability_equal_their_definition():
    found = weights_of(MIXED, 0.8)
    p = np.exp([LOGPROBS[i] for i in (0, 1, 4)])
    p /= p.sum()  # without the copy and the undecided one
    assert found == pytest.approx([-0.8 * p[0], 1 - 0.8 * p[1], 0, 0, -0.8 * p[2]])


def test_with_baseline_one_they_are_the_gradient_of_the_log_probability_of_a_right_answer():
    logits = torch.tensor(LOGPROBS, dtype=torch.float64, requires_grad=True)
    verdicts = [RankedVerdict(r, i) for i, r in enumerate([False, True, False, True, False])]
    right = torch.tensor([verdict.right for verdict in verdicts])
    log_p = logits.log_softmax(0)
    log_p[right].logsumexp(0).backward()
    assert weights_of(verdicts, 1.0) == pytest.approx(logits.grad.tolist())
    assert sum(weights_of(verdicts, 1.0)) == pytest.approx(0.0)
    assert sum(weights_of(verdicts, 0.8)) == pytest.approx(0.2)  # into the beam


def test_without_a_right_answer_all_weights_are_zero():
    assert weights_of([RankedVerdict(False, i) for i in range(5)], 0.8) == [0.0] * 5


def test_answers_of_any_probability_have_finite_weights():
    verdicts = [RankedVerdict(True, 0), RankedVerdict(False, 1)]
    found = probability_weights(verdicts, [-5000.0, -1.0], [True, True], baseline=0.8)
    assert found == pytest.approx([1.0, -0.8])


@given(GROUPS)
def test_balanced_rewards_sum_to_zero_if_both_kinds_are_there(group):
    reward = rewards(group, "rank", width=32, wrong=-0.1)
    found = balanced(group, reward)
    rights = [r for verdict, r in zip(group, found, strict=True) if verdict.right]
    wrongs = [r for verdict, r in zip(group, found, strict=True) if verdict.right is False]
    if rights and wrongs:
        assert math.fsum(rights + wrongs) == pytest.approx(0)
        assert len(set(wrongs)) == 1
    else:
        assert found == reward
    assert rights == [r for verdict, r in zip(group, reward, strict=True) if verdict.right]
