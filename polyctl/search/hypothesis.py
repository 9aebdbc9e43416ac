"""What a search finds, and what it shows while it looks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Hypothesis:
    """An answer: its tokens without prompt and end token, and the model's log-probability of it.

    `logprob` sums the log-probabilities of the tokens and, where it is finished, of the end token.
    """

    tokens: tuple[int, ...]
    logprob: float
    finished: bool


@dataclass(frozen=True)
class BeamStep:
    """The beam of one problem (its index in the prompts given) after `step` tokens, best first."""

    problem: int
    step: int
    live: tuple[Hypothesis, ...]
    finished: tuple[Hypothesis, ...]
