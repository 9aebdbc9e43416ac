"""Signals that ask a long job to stop, obeyed between two of its steps."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

from polyctl.errors import EXIT_INTERRUPTED


class Interrupts:
    """Turns SIGINT, SIGTERM and SIGHUP into a request (`asked`) that the training obeys between two steps.

    The same signal again, a second or more later, acts as if this were not here. (torchrun passes on a
    Ctrl-C that the terminal has already delivered, so an immediate repetition is not impatience.)
    `answer` is a line for stderr at the first signal.
    """

    def __init__(self, answer: str | None = None) -> None:
        self._answer = answer
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
        if self._answer is not None and not self.asked:
            say_at_once(self._answer)
        if now - self._asked_at.setdefault(number, now) >= 1.0:
            signal.signal(number, self._previous[number])
            signal.raise_signal(number)


@contextmanager
def answering_interrupts(answer: str) -> Iterator[None]:
    """Answer the first Ctrl-C at once with a line on stderr, before it takes its usual course.

    A second one ends this process without waiting for anything.
    """
    usual = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or usual == signal.SIG_IGN:
        yield
        return

    def second(_number: int, _frame: FrameType | None) -> NoReturn:
        os._exit(EXIT_INTERRUPTED)

    def first(_number: int, _frame: FrameType | None) -> NoReturn:
        signal.signal(signal.SIGINT, second)
        say_at_once(answer)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)


@contextmanager
def ignoring_interrupts() -> Iterator[None]:
    """Let no Ctrl-C disturb the block."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    usual = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)


def say_at_once(text: str) -> None:
    """Print a line to stderr from a signal's handler, even amid another line."""
    try:
        print(text, file=sys.stderr, flush=True)
    except RuntimeError:  # the signal came while this very stream was written
        os.write(2, f"\n{text}\n".encode())
