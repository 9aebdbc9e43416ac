"""What a training tells the world while it runs, and how the world tells it to stop."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from polyctl.store.events import EventWriter

OnEvent = Callable[[str, dict[str, Any]], None]


class Journal:
    """Writes events to the run's file and to a callback; silent in every process but the main one."""

    def __init__(self, path: Path, main: bool, on_event: OnEvent | None = None) -> None:
        self.writer = EventWriter(path) if main else None
        self.on_event = on_event if main else None

    def __enter__(self) -> Journal:
        if self.writer is not None:
            self.writer.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.writer is not None:
            self.writer.__exit__(kind, error, trace)

    def write(self, kind: str, **fields: Any) -> None:
        """One event, to the file first."""
        if self.writer is not None:
            self.writer.write(kind, **fields)
        if self.on_event is not None:
            self.on_event(kind, fields)


class Interrupts:
    """Turns SIGINT, SIGTERM and SIGHUP into a request (`asked`) that the training heeds between two steps.

    The same signal again, a second or more later, acts as if this were not here. (torchrun passes on a
    Ctrl-C that the terminal has already delivered, so a repetition at once is not impatience.)
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


class Meter:
    """Tokens and model FLOPs a second since it was made."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.tokens = 0
        self.flops = 0.0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    @property
    def rate(self) -> float:
        """Real tokens a second."""
        return self.tokens / max(self.seconds, 1e-9)

    def utilisation(self, peak: float) -> float:
        """Model FLOPs a second as a share of the device's peak."""
        return self.flops / max(self.seconds, 1e-9) / peak
