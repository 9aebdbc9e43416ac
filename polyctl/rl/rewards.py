"""Rewards of a group's hypotheses and their advantages (docs/rl.md).

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
    blamed.
    """

    right: bool | None
    rank: int


def rank_verdicts(judged: Sequence[JudgedHypothesis], *, completion: bool) -> list[RankedVerdict]:
    """The verdicts of a group, best first; equivalent hypotheses share one rank, and ranks have no gaps.

    With `completion` the inners count and algebra finds the outer. Trivial answers, and those with more
    inners than the known decomposition, are wrong. Hypotheses with the same inners of which one is right and
    one is not (their outers differ) are different answers.
    """
    seen: dict[tuple[int, bool | None], int] = {}
    result = []
    for one in judged:
        right = _right(one, completion)
        first = one.rank if one.duplicate_of is None else one.duplicate_of
        result.append(RankedVerdict(right, seen.setdefault((first, right), len(seen))))
    return result


def _right(judged: JudgedHypothesis, completion: bool) -> bool | None:
    status = judged.completed if completion else judged.status
    if status == "undecided":
        return None
    return status == "verified" and not judged.extra_inners


def rewards(group: Sequence[RankedVerdict], kind: RewardName, *, width: int, wrong: float) -> list[float]:
    """The reward of each hypothesis: `wrong` for a wrong one; for a right one at rank k of `width`

    simple: 1; rank: exp(-k / width); reverse_rank: exp(-(width - 1 - k) / width). Source: the paper's BGRPO.
    """

    def shaped(rank: int) -> float:
        if kind == "simple":
            return 1.0
        return math.exp(-(rank if kind == "rank" else width - 1 - rank) / width)

    return [shaped(verdict.rank) if verdict.right else wrong for verdict in group]


def advantages(
    group: Sequence[RankedVerdict], reward: Sequence[float], *, scale_rewards: bool = False
) -> list[float]:
    """Reward minus the group's mean, and zero if the verifier was undecided.

    `scale_rewards` divides by the group's standard deviation (n - 1, plus 1e-4), for comparison only.
    """
    decided = [r for verdict, r in zip(group, reward, strict=True) if verdict.right is not None]
    if not decided:
        return [0.0] * len(group)
    mean = math.fsum(decided) / len(decided)
    scale = 1.0
    if scale_rewards and len(decided) > 1:
        scale = math.sqrt(math.fsum((r - mean) ** 2 for r in decided) / (len(decided) - 1)) + 1e-4
    return [
        (r - mean) / scale if verdict.right is not None else 0.0
        for verdict, r in zip(group, reward, strict=True)
    ]


def has_signal(group: Sequence[RankedVerdict]) -> bool:
    """Whether the group holds both right and wrong answers.

    Judged by correctness: rank rewards differ within a group that is all right, and teach nothing there
    about what is right.
    """
    return any(verdict.right is True for verdict in group) and any(
        verdict.right is False for verdict in group
    )
