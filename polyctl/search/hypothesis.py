"""What a search finds, and who looks on while it runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from polyctl.data.tokenizers.errors import UnwritableProblem
from polyctl.data.tokenizers.readable import write_answer
from polyctl.store.event_kinds import ShownHypothesis

if TYPE_CHECKING:
    from polyctl.algebra.polynomial import Polynomial
    from polyctl.data.problem import Problem
    from polyctl.data.tokenizers.base import Tokenizer


@dataclass(frozen=True)
class Hypothesis:
    """An answer: its tokens without prompt and end token, and the model's log-probability of it.

    `logprob` sums the log-probabilities of the tokens and, if it is finished, of the end token. A beam that
    is shown while it grows has the log-probability of each token in `each`; answers have none.
    """

    tokens: tuple[int, ...]
    logprob: float
    finished: bool
    each: tuple[float, ...] = field(default=(), compare=False)


def shown_hypothesis(hypothesis: Hypothesis, tokenizer: Tokenizer, f: Polynomial) -> ShownHypothesis:
    """A hypothesis for people: as polynomials in f's own variables, as far as it goes."""
    text = write_answer(tokenizer, hypothesis.tokens, f, hypothesis.finished)
    return ShownHypothesis(text, hypothesis.logprob, tokens=list(hypothesis.tokens))


def shown_beam(
    hypotheses: Iterable[Hypothesis], tokenizer: Tokenizer, f: Polynomial
) -> list[ShownHypothesis]:
    """Hypotheses for people, with the log-probabilities of those last tokens that none before it shares."""
    known: dict[int, Any] = {}  # tokens by the tokens before them
    found = []
    for one in hypotheses:
        at, shared = known, 0
        for token in one.tokens:
            shared += token in at
            at = at.setdefault(token, {})
        logprobs = [round(value, 3) for value in one.each[shared:]]
        found.append(replace(shown_hypothesis(one, tokenizer, f), logprobs=logprobs or None))
    return found


def token_words(tokenizer: Tokenizer, f: Polynomial, several: Iterable[Sequence[int]]) -> dict[str, str]:
    """What each of the tokens stands for, in f's own variables, by its number."""
    return {str(token): tokenizer.text([token], f) for token in sorted(set(chain(*several)))}


def known_tokens(tokenizer: Tokenizer, problem: Problem) -> list[int] | None:
    """The tokens of the known decomposition, without end token; None if there is none that can be written."""
    try:
        return None if problem.decomposition is None else tokenizer.encode_target(problem)[:-1]
    except UnwritableProblem:
        return None


@dataclass(frozen=True)
class BeamStep:
    """The beam of one problem, named by the caller's key, after `step` tokens, best first."""

    key: int
    step: int
    live: tuple[Hypothesis, ...]
    finished: tuple[Hypothesis, ...]


class Observer:
    """Looks on while a beam search runs; this one sees every step and does nothing."""

    def wants(self, key: int) -> bool:
        """Whether to see the beam of this problem now; asked after each step, since reading it takes time."""
        return True

    def step(self, step: BeamStep) -> None:
        """Called with a beam that is wanted, after each of its steps."""

    def result(self, key: int, hypotheses: Sequence[Hypothesis]) -> None:
        """Called with the answers to a problem as soon as its search has ended."""
