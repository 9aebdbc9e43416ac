"""Rewards of a group's hypotheses and what they weigh in the update (docs/rl.md).

A group is what one search found for one problem, best first. Plain Python numbers: a group is small.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from polyctl.config.schema import RewardName
from polyctl.evaluation.accuracy import JudgedHypothesis


@dataclass(frozen=True)
class RankedVerdict:
    """Whether a judged hypothesis is right, and its rank among the different answers of its group.

    `right` is None if the verifier reached its bound on work: such a hypothesis is neither rewarded nor
    blamed. `copy` marks one that is the same answer as a better one.
    """

    right: bool | None
    rank: int
    copy: bool = False


def rank_verdicts(judged: Sequence[JudgedHypothesis], *, completion: bool) -> list[RankedVerdict]:
    """The verdicts of a group, best first; the same answer always has one rank, and ranks have no gaps.

    Answers are the same if their tokens are equal, or their inners equivalent. With `completion` the inners
    count and algebra finds the outer. Trivial answers, and those with more inners than the known
    decomposition, are wrong. Hypotheses with the same inners of which one is right and one is not (their
    outers differ) are different answers.
    """
    written: dict[tuple[tuple[int, ...], bool], int] = {}
    ranks: dict[tuple[int, bool | None], int] = {}
    result = []
    for one in judged:
        right = _right(one, completion)
        first = written.setdefault((one.hypothesis.tokens, one.hypothesis.finished), one.rank)
        if one.duplicate_of is not None:
            first = one.duplicate_of
        copy = (first, right) in ranks
        result.append(RankedVerdict(right, ranks.setdefault((first, right), len(ranks)), copy))
    return result


def _right(judged: JudgedHypothesis, completion: bool) -> bool | None:
    status = judged.completed if completion else judged.status
    if status == "undecided":
        return None
    return status == "verified" and not judged.extra_inners


def rewards(group: Sequence[RankedVerdict], kind: RewardName, *, width: int, wrong: float) -> list[float]:
    """The reward of each hypothesis: `wrong` for a wrong one, 0 for a copy of a right one; else at rank k

    simple: 1; rank: exp(-k / width); reverse_rank: exp(-(width - 1 - k) / width). Source: the paper's BGRPO.
    """

    def shaped(rank: int) -> float:
        if kind == "simple":
            return 1.0
        return math.exp(-(rank if kind == "rank" else width - 1 - rank) / width)

    return [
        wrong if not verdict.right else 0.0 if verdict.copy else shaped(verdict.rank) for verdict in group
    ]


def balanced(group: Sequence[RankedVerdict], reward: Sequence[float]) -> list[float]:
    """The rewards, with those of wrong hypotheses all the same and such that the group's sum is zero.

    They stay as they are if none is right or none is wrong.
    """
    wrong = sum(verdict.right is False for verdict in group)
    total = math.fsum(r for verdict, r in zip(group, reward, strict=True) if verdict.right)
    if not wrong or not total:
        return list(reward)
    share = -total / wrong
    return [share if verdict.right is False else r for verdict, r in zip(group, reward, strict=True)]


def counted(group: Sequence[RankedVerdict], *, merge_wrong: bool) -> list[bool]:
    """Which hypotheses have a say: neither undecided ones nor copies of right ones.

    With `merge_wrong` copies of wrong ones have none either: a sample may be drawn again and again, whereas
    a beam holds each sequence of tokens once.
    """
    return [
        verdict.right is not None and not (verdict.copy and (verdict.right or merge_wrong))
        for verdict in group
    ]


def advantages(
    reward: Sequence[float], counts: Sequence[bool], *, scale_rewards: bool = False
) -> list[float]:
    """Reward minus the mean over the hypotheses that count, and zero for the others.

    `scale_rewards` divides by the group's standard deviation (n - 1, plus 1e-4), for comparison only.
    """
    kept = [r for r, count in zip(reward, counts, strict=True) if count]
    if not kept:
        return [0.0] * len(reward)
    mean = math.fsum(kept) / len(kept)
    scale = 1.0
    if scale_rewards and len(kept) > 1:
        scale = math.sqrt(math.fsum((r - mean) ** 2 for r in kept) / (len(kept) - 1)) + 1e-4
    return [(r - mean) / scale if count else 0.0 for r, count in zip(reward, counts, strict=True)]


def probability_weights(
    group: Sequence[RankedVerdict], logprobs: Sequence[float], counts: Sequence[bool], *, baseline: float
) -> list[float]:
    """q - baseline * p for each hypothesis that counts, and zero for the others.

    p is its probability among those that count, q among the right ones of these, zero if it is wrong. With a
    baseline of 1 these are the weights of the gradient of log P(right), given that the answer is one of them;
    with less, probability moves into the group. All are zero if no hypothesis is right.
    """
    right = [count and bool(verdict.right) for verdict, count in zip(group, counts, strict=True)]
    p, q = _shares(logprobs, counts), _shares(logprobs, right)
    if not any(right):
        return [0.0] * len(group)
    return [mine - baseline * all_ for mine, all_ in zip(q, p, strict=True)]


def _shares(logprobs: Sequence[float], counts: Sequence[bool]) -> list[float]:
    """The probabilities of those that count, divided by their sum; zero for the others."""
    top = max((logp for logp, count in zip(logprobs, counts, strict=True) if count), default=0.0)
    masses = [math.exp(logp - top) if count else 0.0 for logp, count in zip(logprobs, counts, strict=True)]
    total = math.fsum(masses) or 1.0
    return [mass / total for mass in masses]


def has_signal(group: Sequence[RankedVerdict]) -> bool:
    """Whether the group holds both right and wrong answers.

    Judged by correctness: rank rewards differ within a group that is all right, and teach nothing there
    about what is right.
    """
    return any(verdict.right is True for verdict in group) and any(
        verdict.right is False for verdict in group
    )
