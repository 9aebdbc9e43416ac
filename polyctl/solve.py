"""Candidates from every source, verified, brought to normal form, de-duplicated and ranked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from polyctl.algebra.complexity import Complexity, complexity
from polyctl.algebra.decomposition import Decomposition, equivalence_key, normal_form
from polyctl.algebra.polynomial import Polynomial
from polyctl.algebra.verify import Verdict, verify
from polyctl.data.problem import Problem
from polyctl.data.tokenizer import MalformedTarget, decode_for, make_tokenizer

if TYPE_CHECKING:
    from polyctl.model.files import LoadedModel
    from polyctl.search.beam import BeamStep


@dataclass(frozen=True)
class Candidate:
    """A decomposition that a source proposes; not believed until verified."""

    decomposition: Decomposition
    source: str
    logprob: float | None = None
    rank: int | None = None


@dataclass(frozen=True)
class Solution:
    """A judged candidate in normal form, with its complexity; the outer is completed where it was missing."""

    decomposition: Decomposition
    verdict: Verdict
    source: str
    logprob: float | None
    complexity: Complexity | None


def neural_candidates(
    f: Polynomial,
    loaded: LoadedModel,
    *,
    width: int,
    max_tokens: int,
    grammar: bool = False,
    on_step: Callable[[BeamStep], None] | None = None,
) -> Iterator[Candidate]:
    """A model's beam for f, best first. Raises UnwritableProblem where the model has no tokens for f."""
    from polyctl.data.tokenizer import UnwritableProblem
    from polyctl.search.beam import beam_search
    from polyctl.search.grammar import make_grammar

    tokenizer = make_tokenizer(loaded.experiment.data)
    prompt = tokenizer.encode_prompt(Problem(f, None, "typed", 0))
    if len(prompt) >= loaded.model.config.block:
        raise UnwritableProblem(
            f"f takes {len(prompt)} tokens, this model reads {loaded.model.config.block - 1}"
        )
    rules = make_grammar(tokenizer) if grammar else None
    beam = beam_search(
        loaded.model,
        [prompt],
        width=width,
        max_tokens=max_tokens,
        end=tokenizer.end,
        grammar=rules,
        on_step=on_step,
    )[0]
    for rank, hypothesis in enumerate(beam):
        if not hypothesis.finished:
            continue
        try:
            decomposition = decode_for(tokenizer, f, hypothesis.tokens)
        except MalformedTarget:
            continue
        yield Candidate(decomposition, "beam", hypothesis.logprob, rank)


def judge(f: Polynomial, candidate: Candidate) -> Solution:
    """Verify a candidate; an outer that is wrong is replaced by the one that fits its inners, if one does."""
    decomposition = candidate.decomposition
    verdict = verify(f, decomposition)
    if verdict.status == "refuted" and decomposition.outer is not None:
        completed = verify(f, Decomposition(None, decomposition.inners))
        if completed.verified:
            verdict = completed
    if not verdict.verified:
        return Solution(decomposition, verdict, candidate.source, candidate.logprob, None)
    normal = normal_form(Decomposition(verdict.outer, decomposition.inners))
    return Solution(normal, verdict, candidate.source, candidate.logprob, complexity(normal))


def solutions(f: Polynomial, candidates: Iterable[Candidate]) -> list[Solution]:
    """Judge candidates, drop equivalents of earlier ones; verified ones first, by complexity."""
    seen: set[object] = set()
    found: list[Solution] = []
    for candidate in candidates:
        solution = judge(f, candidate)
        key = _key(solution)
        if key not in seen:
            seen.add(key)
            found.append(solution)
    verified = [s for s in found if s.verdict.verified]
    verified.sort(key=lambda s: (s.complexity is None, s.complexity))
    return [*verified, *(s for s in found if not s.verdict.verified)]


def _key(solution: Solution) -> object:
    try:
        return equivalence_key(solution.decomposition)
    except (ValueError, IndexError):
        return str(solution.decomposition)
