"""Random draws named by a text: the same in every process and every version of Python."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from struct import unpack
from typing import TypeVar

T = TypeVar("T")


class Draws:
    """Uniform draws from 32-bit words of BLAKE2b(name, counter): a range of n is uneven by at most n / 2^32.

    The standard library's generator needs as long to be seeded as a whole problem takes to draw, and its
    ways to choose and sample may change between versions of Python.
    """

    __slots__ = ("_block", "_name", "_words")

    def __init__(self, name: str) -> None:
        self._name = name.encode()
        self._block = 0
        self._words: list[int] = []

    def _fill(self) -> None:
        salt = self._block.to_bytes(8, "little")
        self._words = list(unpack("<16I", blake2b(self._name, digest_size=64, salt=salt).digest()))
        self._block += 1

    def below(self, n: int) -> int:
        """Uniform in [0, n)."""
        if n > 1 << 32:
            number = self.below(1 << 32)
            for _ in range(n.bit_length() // 32):
                number = number << 32 | self.below(1 << 32)
            return number * n >> 32 * (1 + n.bit_length() // 32)
        if not self._words:
            self._fill()
        return self._words.pop() * n >> 32

    def below_each(self, n: int, count: int) -> list[int]:
        """`count` draws uniform in [0, n)."""
        while len(self._words) < count:
            kept = self._words
            self._fill()
            self._words += kept
        drawn, self._words = self._words[-count:], self._words[:-count]
        return [word * n >> 32 for word in drawn]

    def choice(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[self.below(len(items))]

    def sample(self, items: Sequence[T], count: int) -> list[T]:
        """`count` different items, in random order."""
        pool = list(items)
        for i in range(count):
            j = i + self.below(len(pool) - i)
            pool[i], pool[j] = pool[j], pool[i]
        return pool[:count]
