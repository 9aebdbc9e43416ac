"""Random draws named by a text: the same in every process and every version of Python."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from struct import unpack
from typing import TypeVar

T = TypeVar("T")


class CounterRNG:
    """Uniform draws from 32-bit words of BLAKE2b(name, counter): a range of n is uneven by at most n / 2^32.

    The standard library's generator needs as long to be seeded as a whole problem takes to draw, and its
    ways to choose and sample may change between versions of Python.
    """

    __slots__ = ("_blocks", "_name", "_words")

    def __init__(self, name: str) -> None:
        self._name = name.encode()
        self._blocks = 1
        self._words: list[int] = list(unpack("<16I", blake2b(self._name, digest_size=64).digest()))

    def _fill(self) -> None:
        salt = self._blocks.to_bytes(8, "little")
        block = unpack("<16I", blake2b(self._name, digest_size=64, salt=salt).digest())
        self._words = [*block, *self._words]
        self._blocks += 1

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

    def between(self, low: int, high: int, count: int) -> list[int]:
        """`count` draws uniform in [low, high], for ranges below 2^32."""
        while len(self._words) < count:
            self._fill()
        n, pop = high - low + 1, self._words.pop
        return [low + (pop() * n >> 32) for _ in range(count)]

    def choice(self, items: Sequence[T]) -> T:
        """One of the items."""
        if not self._words:
            self._fill()
        return items[self._words.pop() * len(items) >> 32]

    def sample(self, items: Sequence[T], count: int) -> list[T]:
        """`count` different items, in random order."""
        pool = list(items)
        for i in range(count):
            j = i + self.below(len(pool) - i)
            pool[i], pool[j] = pool[j], pool[i]
        return pool[:count]
