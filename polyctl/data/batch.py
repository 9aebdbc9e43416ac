"""Padded batches of token ids for training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TokenPair = tuple[list[int], list[int]]


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
        lengths = [len(prompt) + len(target) for prompt, target in pairs]
        ids_BT = np.zeros((len(pairs), max(lengths)), dtype=np.int64)
        loss_BT = np.zeros(ids_BT.shape, dtype=np.bool_)
        for row, (prompt, target) in enumerate(pairs):
            end = len(prompt) + len(target)
            ids_BT[row, : len(prompt)] = prompt
            ids_BT[row, len(prompt) : end] = target
            loss_BT[row, len(prompt) : end] = True
        return cls(ids_BT, loss_BT, sum(lengths))

    @property
    def lengths_B(self) -> NDArray[np.int64]:
        """The number of tokens in each row, without padding: a row ends with its target."""
        lengths_B: NDArray[np.int64] = self.loss_BT.shape[1] - np.argmax(self.loss_BT[:, ::-1], axis=1)
        return lengths_B


def group_by_length(pairs: Sequence[TokenPair], size: int, count: int) -> list[list[TokenPair]]:
    """`count` groups of `size` pairs each, of near-equal length within a group, shortest first."""
    ordered = sorted(pairs, key=lambda pair: len(pair[0]) + len(pair[1]))
    return [ordered[i * size : (i + 1) * size] for i in range(count)]
