"""What all searches share: batches of prompts, the model's mode, and grammar masks."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch

from polyctl.errors import UsageError
from polyctl.model.gpt import GPT
from polyctl.search.grammar import Grammar


@dataclass(frozen=True)
class Decoding:
    """What every search needs to know: longest answer in tokens, end token, grammar, problems a batch.

    A grammar masks after the softmax: scores stay the model's log-probabilities.
    """

    max_tokens: int
    end: int
    grammar: Grammar | None = None
    batch: int = 16


@dataclass(frozen=True)
class Batch:
    """Problems searched together: their indices among the prompts given, and the longest answer of each."""

    indices: tuple[int, ...]
    prompts: tuple[Sequence[int], ...]
    limits: tuple[int, ...]
    device: torch.device


class Queue:
    """Prompts that wait to be searched, by rising length.

    An answer ends at `max_tokens` (its end token counts), with gpt2 also if the context is
    full. Raises UsageError if a prompt is empty or leaves no room.
    """

    def __init__(self, model: GPT, prompts: Sequence[Sequence[int]], max_tokens: int) -> None:
        if max_tokens < 1:
            raise UsageError(f"max_tokens {max_tokens} must be at least 1")
        block = model.config.context_length
        for index, prompt in enumerate(prompts):
            if not prompt:
                raise UsageError(f"prompt {index} is empty")
            if model.is_gpt2 and len(prompt) >= block:
                raise UsageError(
                    f"prompt {index} has {len(prompt)} tokens, which leaves no room in a block of {block}",
                    "use a model with a larger block",
                )
        self._prompts, self._device = prompts, model.embedding.weight.device
        self._limits = [
            min(max_tokens, block - len(prompt)) if model.is_gpt2 else max_tokens for prompt in prompts
        ]
        self._order = sorted(range(len(prompts)), key=lambda i: -len(prompts[i]))

    def __len__(self) -> int:
        return len(self._order)

    def take(self, count: int) -> Batch:
        """The next `count` of them, or as many as there are. Raises UsageError if that is not positive."""
        if count < 1:
            raise UsageError(f"a batch of {count} problems must be at least 1")
        indices = tuple(self._order.pop() for _ in range(min(count, len(self._order))))
        prompts = tuple(self._prompts[i] for i in indices)
        return Batch(indices, prompts, tuple(self._limits[i] for i in indices), self._device)


@contextmanager
def inference(model: GPT) -> Iterator[None]:
    """No gradients and no dropout inside; the model's mode is restored afterwards."""
    training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        model.train(training)


class GrammarStates:
    """The grammar's state of every live hypothesis; None stands for one that is not live."""

    def __init__(self, grammar: Grammar, problems: int, width: int) -> None:
        self.grammar = grammar
        self._states: list[list[Hashable | None]] = [[grammar.start()] * width for _ in range(problems)]

    def mask(self, logp_BWV: torch.Tensor) -> torch.Tensor:
        """log-probabilities with -inf for what the grammar forbids; the others stay the model's own."""
        forbidden = np.ones(tuple(logp_BWV.shape), dtype=np.bool_)
        for row, states in enumerate(self._states):
            for w, state in enumerate(states):
                if state is not None:
                    forbidden[row, w] = ~self.grammar.allowed(state)
        return logp_BWV.masked_fill(torch.from_numpy(forbidden).to(logp_BWV.device), -torch.inf)

    def advance(self, parents_BW: torch.Tensor, tokens_BW: torch.Tensor, live_BW: torch.Tensor) -> None:
        """Hypothesis w of problem b becomes its parent and one more token, or None if it is not live."""
        self._states = [
            [
                self.grammar.advance(old[parent], token) if live else None
                for parent, token, live in zip(parents, tokens, lives, strict=True)
            ]
            for old, parents, tokens, lives in zip(
                self._states, parents_BW.tolist(), tokens_BW.tolist(), live_BW.tolist(), strict=True
            )
        ]

    def keep(self, problems: Sequence[int]) -> None:
        """Drop every problem whose row is not in `problems`."""
        self._states = [self._states[row] for row in problems]

    def join(self, other: GrammarStates) -> None:
        """Take in other problems, behind its own."""
        self._states += other._states
