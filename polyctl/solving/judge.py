"""Candidates judged: verified or completed, in their simpler form, their complexity counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from polyctl.algebra.budget import UNLIMITED, Budget
from polyctl.algebra.complexity import complexity
from polyctl.algebra.decomposition import Decomposition, normal_form
from polyctl.algebra.polynomial import Polynomial
from polyctl.algebra.relations import with_simplest_outer
from polyctl.algebra.verify import verify, verify_or_complete
from polyctl.solvers.exact.recursive import by_recursion, with_outer_decomposed
from polyctl.solvers.exact.simplify import simplify
from polyctl.solving.rank import is_weak
from polyctl.solving.solution import Candidate, Solution

LONGEST_OUTER = 60


def simplify_solution(solution: Solution, budget: Budget = UNLIMITED) -> Solution:
    """The same solution with simpler inner polynomials and outer, if any are found and verified."""
    simpler = min(_simpler_forms(solution.decomposition, budget), key=complexity)
    size = complexity(simpler)
    fewer = len(simpler.inners) < len(solution.inner)
    if (
        solution.complexity is None
        or size > solution.complexity
        or (size == solution.complexity and not fewer)
    ):
        return solution
    verdict = verify(solution.f, simpler, budget=budget)
    if not verdict.verified:
        return solution
    return replace(solution, decomposition=simpler, verdict=verdict, complexity=size)


def _simpler_forms(decomposition: Decomposition, budget: Budget) -> Iterator[Decomposition]:
    """It by moves, and u(v(h)) by moves for each u(v) that is its outer polynomial, with fewer v than h."""
    yield simplify(decomposition, budget)
    outer = decomposition.outer
    if outer is None or len(decomposition.inners) < 2 or not 1 < len(outer) <= LONGEST_OUTER:
        return  # the components of one inner polynomial are answers of their own
    for inside in by_recursion(outer, budget).decompositions:
        if len(inside.inners) < len(decomposition.inners) and not is_weak(outer, inside):
            yield simplify(with_outer_decomposed(decomposition, inside), budget)


def judge(f: Polynomial, candidate: Candidate, budget: Budget = UNLIMITED, seconds: float = 0.0) -> Solution:
    """Verify a candidate; a wrong outer is replaced by one that fits its inner polynomials, if one does."""
    decomposition, size = candidate.decomposition, None
    verdict = verify_or_complete(f, decomposition, budget=budget).best
    if verdict.verified:
        proved = Decomposition(verdict.outer, decomposition.inners)
        normal = with_simplest_outer(f, normal_form(proved), budget)
        decomposition = min(normal, proved, key=complexity)
        if not verify(f, decomposition, budget=budget).verified:  # what is shown is what was proved
            decomposition = proved
        size = complexity(decomposition)
    return Solution(
        f, decomposition, verdict, candidate.source, candidate.logprob, candidate.rank, size, seconds
    )
