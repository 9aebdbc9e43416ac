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
class Batch:
    """Problems searched together: their indices among the prompts given, and the longest answer of each."""

    indices: tuple[int, ...]
    prompts: tuple[Sequence[int], ...]
    limits: tuple[int, ...]
    device: torch.device


def batches(model: GPT, prompts: Sequence[Sequence[int]], *, max_tokens: int, size: int) -> Iterator[Batch]:
    """Prompts by rising length, `size` at a time.

    An answer ends at `max_tokens` (its end token counts), in the published form also where the block is
    full. Raises UsageError where a prompt is empty or leaves no room.
    """
    if max_tokens < 1 or size < 1:
        raise UsageError(f"max_tokens {max_tokens} and batch {size} must be at least 1")
    block = model.config.block
    for index, prompt in enumerate(prompts):
        if not prompt:
            raise UsageError(f"prompt {index} is empty")
        if model.published and len(prompt) >= block:
            raise UsageError(
                f"prompt {index} has {len(prompt)} tokens, which leaves no room in a block of {block}",
                "use a model with a larger block",
            )
    device = model.embedding.weight.device
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    for start in range(0, len(order), size):
        indices = tuple(order[start : start + size])
        room = [block - len(prompts[i]) if model.published else max_tokens for i in indices]
        yield Batch(
            indices, tuple(prompts[i] for i in indices), tuple(min(max_tokens, r) for r in room), device
        )


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
        """Hypothesis w of problem b becomes its parent and one more token, or None where it is not live."""
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
