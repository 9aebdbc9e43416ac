"""A clock that says what a test wants, in place of the module `time`."""

from __future__ import annotations


class Clock:
    """Each reading of `perf_counter` is later than the one before by the next of `passed` seconds.

    Raises AssertionError for a reading that no test foresaw.
    """

    def __init__(self, *passed: float) -> None:
        self.passed, self.now = list(passed), 0.0

    @classmethod
    def intervals(cls, *seconds: float) -> Clock:
        """A clock that is read before and after each piece of work, which takes so many seconds."""
        return cls(*(step for length in seconds for step in (0.0, length)))

    def perf_counter(self) -> float:
        assert self.passed, "the clock is read more often than the test foresees"
        self.now += self.passed.pop(0)
        return self.now
