"""Signals that ask a long job to stop, obeyed between two of its steps."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType
from typing import Any


class Interrupts:
    """Turns SIGINT, SIGTERM and SIGHUP into a request (`asked`) that the training obeys between two steps.

    The same signal again, a second or more later, acts as if this were not here. (torchrun passes on a
    Ctrl-C that the terminal has already delivered, so an immediate repetition is not impatience.)
    """

    def __init__(self) -> None:
        self._asked_at: dict[int, float] = {}
        self._previous: dict[int, Any] = {}

    @property
    def asked(self) -> bool:
        """Whether a signal has come."""
        return bool(self._asked_at)

    def __enter__(self) -> Interrupts:
        # Python delivers signals to the main thread only, and lets only it change their handlers.
        if threading.current_thread() is threading.main_thread():
            for name in ("SIGINT", "SIGTERM", "SIGHUP"):
                number = getattr(signal, name, None)  # Windows has no SIGHUP
                if number is not None and signal.getsignal(number) != signal.SIG_IGN:  # nohup means it
                    self._previous[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if now - self._asked_at.setdefault(number, now) >= 1.0:
            signal.signal(number, self._previous[number])
            signal.raise_signal(number)
