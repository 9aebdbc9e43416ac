"""Rewards and advantages against plain twins in float64, and who is right."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyctl.rl.rewards import RankedVerdict, advantages, has_signal, rank_verdicts, rewards
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
    found = advantages(group, reward, scale_rewards=divide)
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


def test_same_inners_with_a_wrong_and_a_right_outer_are_two_answers():
    group = [judged(0, "refuted", completed="verified"), judged(1, "verified", duplicate_of=0)]
    assert rank_verdicts(group, completion=False) == [RankedVerdict(False, 0), RankedVerdict(True, 1)]
    assert rank_verdicts(group, completion=True) == [RankedVerdict(True, 0), RankedVerdict(True, 0)]


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
