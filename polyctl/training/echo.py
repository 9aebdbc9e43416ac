"""Data echoing: each chunk of fresh problems is trained on several times, in other batches each time.

A GPU may take problems faster than processor cores make them. The idea is that of Choi and others, arXiv
1907.05550. Chunks are taken in rounds of ECHO_CHUNKS fresh ones: in each round the fresh chunks alternate
with those of the rounds before, until each has been used `factor` times. So cores and GPU are always busy,
and a problem comes back `factor` * ECHO_CHUNKS chunks later.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyctl.data.batch import TrainingBatch

ECHO_CHUNKS = 16  # in a round; a constant, so that the data depends on the settings alone


@dataclass(frozen=True)
class Use:
    """The chunk that is trained on at a place, how often it was before, and whether this is the last time."""

    chunk: int
    before: int
    last: bool


@dataclass(frozen=True)
class Echo:
    """How often each chunk is used, and the seed of the batches that it is regrouped into.

    `mixed`: batches have problems of all lengths.
    """

    factor: int = 1
    seed: int = 0
    mixed: bool = False

    def use(self, place: int) -> Use:
        """What is used at a place in the sequence of chunks, which begins at 0."""
        full = self.factor * ECHO_CHUNKS
        rounds, rest = 0, place
        while rounds < self.factor - 1 and rest >= (rounds + 1) * ECHO_CHUNKS:
            rounds += 1  # round r of the first ones has only r rounds to repeat
            rest -= rounds * ECHO_CHUNKS
        if rounds == self.factor - 1:
            rounds, rest = rounds + rest // full, rest % full
        offset, before = divmod(rest, min(rounds + 1, self.factor))
        return Use((rounds - before) * ECHO_CHUNKS + offset, before, before == self.factor - 1)

    def first_uses(self, start: int, end: int) -> Iterator[int]:
        """The chunks that are used at the places from `start` up to `end`, each once, in order."""
        held: set[int] = set()
        for place in range(start, end):
            use = self.use(place)
            if use.chunk not in held:
                held.add(use.chunk)
                yield use.chunk
            if use.last:
                held.remove(use.chunk)

    def regroup(self, chunk: list[TrainingBatch], use: Use) -> list[TrainingBatch]:
        """The chunk's problems in the batches of this use, of lengths as at first, and as many."""
        if not use.before:
            return chunk
        width = max(batch.ids_BT.shape[1] for batch in chunk)
        ids_NT = np.concatenate([_widened(batch.ids_BT, width) for batch in chunk])
        loss_NT = np.concatenate([_widened(batch.loss_BT, width) for batch in chunk])
        lengths_N = np.concatenate([batch.lengths_B for batch in chunk])
        rng = np.random.default_rng([self.seed, use.chunk, use.before, 4])
        shuffled_N = rng.permutation(len(lengths_N))
        ordered_N = shuffled_N[np.argsort(lengths_N[shuffled_N], kind="stable")]
        groups = ordered_N.reshape(-1, len(chunk)).T if self.mixed else ordered_N.reshape(len(chunk), -1)
        groups = groups[rng.permutation(len(chunk))]
        return [_batch(ids_NT, loss_NT, lengths_N, rows_B) for rows_B in groups]


def _widened(rows_BT: NDArray[Any], width: int) -> NDArray[Any]:
    return np.pad(rows_BT, ((0, 0), (0, width - rows_BT.shape[1])))


def _batch(
    ids_NT: NDArray[np.int64], loss_NT: NDArray[np.bool_], lengths_N: NDArray[np.int64], rows_B: NDArray[Any]
) -> TrainingBatch:
    width = lengths_N[rows_B].max()
    return TrainingBatch(ids_NT[rows_B, :width], loss_NT[rows_B, :width], int(lengths_N[rows_B].sum()))
