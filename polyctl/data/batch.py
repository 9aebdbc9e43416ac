"""Padded batches of token ids for training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Tokens = Sequence[int] | NDArray[np.int64]
TokenPair = tuple[Tokens, Tokens]


@dataclass(frozen=True)
class TrainingBatch:
    """Token ids, right-padded with 0, and which of them count for the loss: targets and their end token.

    `tokens` counts them without padding.
    """

    ids_BT: NDArray[np.int64]
    loss_BT: NDArray[np.bool_]
    tokens: int

    @classmethod
    def of(cls, pairs: Sequence[TokenPair]) -> TrainingBatch:
        """The batch of these (prompt, target) pairs."""
        prompts_B = np.array([len(prompt) for prompt, _ in pairs])
        lengths_B = prompts_B + np.array([len(target) for _, target in pairs])
        places_T = np.arange(lengths_B.max())
        ids_BT = np.zeros((len(pairs), len(places_T)), dtype=np.int64)
        for ids_T, (prompt, target), middle, end in zip(
            ids_BT, pairs, prompts_B.tolist(), lengths_B.tolist(), strict=True
        ):
            ids_T[:middle] = prompt
            ids_T[middle:end] = target
        loss_BT = (places_T >= prompts_B[:, None]) & (places_T < lengths_B[:, None])
        return cls(ids_BT, loss_BT, int(lengths_B.sum()))

    @property
    def lengths_B(self) -> NDArray[np.int64]:
        """The number of tokens in each row, without padding: a row ends with its target."""
        lengths_B: NDArray[np.int64] = self.loss_BT.shape[1] - np.argmax(self.loss_BT[:, ::-1], axis=1)
        return lengths_B


def group_by_length(
    pairs: Sequence[TokenPair], size: int, count: int, mixed: bool = False
) -> list[list[TokenPair]]:
    """`count` groups of `size` pairs each, the shortest first in each.

    The pairs of a group are of near-equal length, or, mixed, of all lengths alike.
    """
    ordered = sorted(pairs, key=lambda pair: len(pair[0]) + len(pair[1]))
    if mixed:
        return [ordered[i : size * count : count] for i in range(count)]
    return [ordered[i * size : (i + 1) * size] for i in range(count)]
