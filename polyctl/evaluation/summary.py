"""From the results of single problems to the accuracy of a model."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from polyctl.algebra.verify import STATUSES, Status
from polyctl.evaluation.accuracy import ProblemResult
from polyctl.store.evaluation_report import Accuracy, AccuracySummary, CellAccuracy


@dataclass(frozen=True)
class ProblemScore:
    """What a report needs to know of a problem's result: small, and without polynomials to be carried about.

    `greedy_exact`; then for the answers as given and with the outer completed: whether the greedy one is
    right, the rank of the first right one of the beam, or None, and how many of it are right.
    """

    cell: str
    unreadable: bool
    greedy_exact: bool
    greedy_right: tuple[bool, bool]
    first: tuple[int | None, int | None]
    right: tuple[int, int]
    statuses: tuple[Status, ...]
    duplicates: int
    extra_inners: int

    @classmethod
    def of(cls, result: ProblemResult) -> ProblemScore:
        """The score of one result."""
        greedy, beam = result.greedy, result.beam
        return cls(
            cell=result.problem.cell,
            unreadable=result.error is not None,
            greedy_exact=greedy is not None and greedy.exact,
            greedy_right=(
                greedy is not None and greedy.right(completed=False),
                greedy is not None and greedy.right(completed=True),
            ),
            first=(result.first(completed=False), result.first(completed=True)),
            right=(
                sum(j.right(completed=False) for j in beam),
                sum(j.right(completed=True) for j in beam),
            ),
            statuses=tuple(j.status for j in beam),
            duplicates=sum(j.duplicate_of is not None for j in beam),
            extra_inners=sum(j.extra_inners for j in beam),
        )


def summarize(results: Iterable[ProblemResult], width: int) -> AccuracySummary:
    """The accuracy over all problems and over each degree cell, for beams of `width`."""
    return summarize_scores([ProblemScore.of(result) for result in results], width)


def summarize_scores(scores: Sequence[ProblemScore], width: int, *, sampled: bool = False) -> AccuracySummary:
    """The same from the scores of all problems, in their order; `sampled` if the answers are no beams.

    Then pass@k is the mean share of the sets of k samples that hold a right one (Chen et al., Evaluating
    large language models trained on code, 2021), and the rank of a sample is when it was drawn.
    """
    cells: dict[str, list[ProblemScore]] = {}
    for score in scores:
        cells.setdefault(score.cell, []).append(score)
    statuses = Counter(status for score in scores for status in score.statuses)
    return AccuracySummary(
        problems=len(scores),
        beam=width,
        answered=_accuracy(scores, width, sampled),
        completed=_accuracy(scores, width, sampled, completed=True),
        cells=tuple(
            CellAccuracy(cell, len(g), _accuracy(g, width, sampled)) for cell, g in sorted(cells.items())
        ),
        hypotheses={status: statuses[status] for status in STATUSES},
        duplicates=sum(score.duplicates for score in scores),
        extra_inners=sum(score.extra_inners for score in scores),
        unreadable=sum(score.unreadable for score in scores),
    )


def _accuracy(scores: Sequence[ProblemScore], width: int, sampled: bool, completed: bool = False) -> Accuracy:
    count = max(len(scores), 1)
    found = [rank for score in scores if (rank := score.first[completed]) is not None]
    return Accuracy(
        greedy_exact=sum(score.greedy_exact for score in scores) / count,
        greedy_verified=sum(score.greedy_right[completed] for score in scores) / count,
        pass_at={
            k: (
                sum(_hit(width, score.right[completed], k) for score in scores)
                if sampled
                else sum(rank < k for rank in found)
            )
            / count
            for k in range(1, width + 1)
        },
        rank_score=sum(math.exp(-rank / width) for rank in found) / count,
    )


def _hit(samples: int, right: int, k: int) -> float:
    """The probability that k of the samples, of which so many are right, include a right one."""
    return 1 - math.comb(samples - right, k) / math.comb(samples, k)
