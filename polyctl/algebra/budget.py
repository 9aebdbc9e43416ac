"""A time limit that every long loop, linear system and model call asks."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from time import perf_counter
from typing import Self

ENTRY_SECONDS = 5e-7  # to make an entry of a matrix
MODULAR_STEPS = 4e9  # multiplications a second in FLINT's linear algebra modulo a word-size prime
RATIONAL_STEPS = 2e8  # and in its solving over Q


class OutOfTime(Exception):
    """There is not enough time left for the work at hand; raised by `Budget.check` alone."""


@dataclass
class Budget:
    """How long a method may take: until `deadline`, as `time.perf_counter()` counts."""

    deadline: float = inf

    @classmethod
    def of(cls, seconds: float) -> Self:
        """The budget that ends in so many seconds."""
        return cls(perf_counter() + seconds)

    @property
    def left(self) -> float:
        """The seconds left, 0 if there are none."""
        return max(0.0, self.deadline - perf_counter())

    @property
    def expired(self) -> bool:
        """Whether time is up."""
        return perf_counter() >= self.deadline

    def check(self, seconds: float = 0.0) -> None:
        """Raise OutOfTime if time is up, or will be in so many seconds: the estimate for the work to come."""
        if perf_counter() + seconds >= self.deadline:
            raise OutOfTime

    def at_most(self, seconds: float) -> Budget:
        """The part of this budget that ends in so many seconds at the latest."""
        return Budget(min(self.deadline, perf_counter() + seconds))

    def shorten(self, deadline: float) -> None:
        """End at `deadline` at the latest, for all who hold this very budget."""
        self.deadline = min(self.deadline, deadline)


UNLIMITED = Budget()


def elimination_seconds(height: int, width: int) -> float:
    """About how long it takes to make a matrix modulo a prime, and to eliminate in it."""
    return height * width * (ENTRY_SECONDS + min(height, width) / MODULAR_STEPS)


def rational_seconds(size: int) -> float:
    """About how long solving a square system over Q with small entries takes."""
    return size**3 / RATIONAL_STEPS
