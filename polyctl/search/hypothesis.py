"""What a search finds, and who looks on while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from polyctl.data.tokenizers.readable import write_answer
from polyctl.store.event_kinds import ShownHypothesis

if TYPE_CHECKING:
    from polyctl.algebra.polynomial import Polynomial
    from polyctl.data.tokenizers.base import Tokenizer


@dataclass(frozen=True)
class Hypothesis:
    """An answer: its tokens without prompt and end token, and the model's log-probability of it.

    `logprob` sums the log-probabilities of the tokens and, if it is finished, of the end token.
    """

    tokens: tuple[int, ...]
    logprob: float
    finished: bool


def shown_hypothesis(hypothesis: Hypothesis, tokenizer: Tokenizer, f: Polynomial) -> ShownHypothesis:
    """A hypothesis for people: as polynomials in f's own variables, as far as it goes."""
    text = write_answer(tokenizer, hypothesis.tokens, f, hypothesis.finished)
    return ShownHypothesis(text, hypothesis.logprob, tokens=list(hypothesis.tokens))


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
