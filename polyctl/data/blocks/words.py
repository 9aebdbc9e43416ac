"""The draws of many generators at once: those of `CounterRNG`, word by word."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_BLOCK = 16  # words of a digest


class Words:
    """A row of words for each name, and how many of them are used; rows are given by their numbers."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = [name.encode() for name in names]
        self._words = _hashed(self._names, 0)
        self._filled = np.full(len(names), _BLOCK)
        self._at = np.zeros(len(names), dtype=np.int64)

    def _fill(self, rows: Ints, needed: Ints) -> None:
        """Add blocks until each of the rows has as many words as it needs."""
        while len(rows := rows[short := self._filled[rows] < needed]):
            needed = needed[short]
            for block in np.unique(self._filled[rows]).tolist():
                now = rows[self._filled[rows] == block]
                if self._words.shape[1] == block:
                    self._words = np.pad(self._words, ((0, 0), (0, block)))
                names = [self._names[i] for i in now.tolist()]
                self._words[now, block : block + _BLOCK] = _hashed(names, block // _BLOCK)
                self._filled[now] += _BLOCK

    def below(self, rows: Ints, limit: int | Ints) -> Ints:
        """One draw in [0, limit) for each of the rows; limits are up to 2^31, or 2^32."""
        at = self._at[rows]
        self._fill(rows, at + 1)
        self._at[rows] += 1
        words: Ints = self._words[rows, at]
        return words if isinstance(limit, int) and limit == 1 << 32 else words * limit >> 32

    def between(self, rows: Ints, bound: int, counts: Ints, width: int) -> Ints:
        """For each row as many draws in [-bound, bound] as its count says, then zeros up to the width."""
        at = self._at[rows]
        self._fill(rows, at + counts)
        self._at[rows] += counts
        places = np.arange(width)
        inside = places < counts[:, None]
        words = self._words[rows[:, None], np.where(inside, at[:, None] + places, 0)]
        return np.where(inside, (words * (2 * bound + 1) >> 32) - bound, 0)

    def sample(self, rows: Ints, sizes: Ints, counts: Ints, width: int) -> Ints:
        """For each row as many different numbers below its size as its count says; any beyond it."""
        pool = np.tile(np.arange(max(width, int(sizes.max(initial=0)))), (len(rows), 1))
        for i in range(int(counts.max(initial=0))):
            now = np.flatnonzero(counts > i)
            j = i + self.below(rows[now], sizes[now] - i)
            pool[now, i], pool[now, j] = pool[now, j], pool[now, i]
        return pool[:, :width]


def _hashed(names: Sequence[bytes], number: int) -> Ints:
    """The words of each name's block of this number, in the order in which they are used."""
    salt = number.to_bytes(8, "little")
    blocks = b"".join([blake2b(name, digest_size=64, salt=salt).digest() for name in names])
    return np.frombuffer(blocks, dtype="<u4").reshape(-1, _BLOCK)[:, ::-1].astype(np.int64)
