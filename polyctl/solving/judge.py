"""Candidates judged: verified or completed, brought to normal form, their complexity counted."""

from __future__ import annotations

from dataclasses import dataclass

from polyctl.algebra.budget import UNLIMITED, Budget
from polyctl.algebra.complexity import Complexity, complexity
from polyctl.algebra.decomposition import Decomposition, normal_form
from polyctl.algebra.polynomial import Polynomial
from polyctl.algebra.relations import with_simplest_outer
from polyctl.algebra.verify import Verdict, verify, verify_or_complete


@dataclass(frozen=True)
class Candidate:
    """A decomposition that a source proposes; not believed until verified."""

    decomposition: Decomposition
    source: str
    logprob: float | None = None
    rank: int | None = None


@dataclass(frozen=True)
class Solution:
    """A judged candidate; if verified, in normal form, with its outer and its complexity."""

    decomposition: Decomposition
    verdict: Verdict
    source: str
    logprob: float | None
    complexity: Complexity | None
    seconds: float = 0.0


def judge(f: Polynomial, candidate: Candidate, budget: Budget = UNLIMITED, seconds: float = 0.0) -> Solution:
    """Verify a candidate; a wrong outer is replaced by one that fits its inner polynomials, if one does."""
    decomposition = candidate.decomposition
    verdict = verify_or_complete(f, decomposition, budget=budget).best
    if not verdict.verified:
        return Solution(decomposition, verdict, candidate.source, candidate.logprob, None, seconds)
    normal = with_simplest_outer(f, normal_form(Decomposition(verdict.outer, decomposition.inners)), budget)
    if not verify(f, normal, budget=budget).verified:  # what is shown is what was proved
        normal = Decomposition(verdict.outer, decomposition.inners)
    return Solution(normal, verdict, candidate.source, candidate.logprob, complexity(normal), seconds)
