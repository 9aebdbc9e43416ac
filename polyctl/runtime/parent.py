"""Worker processes that end when the process that started them does, even if that one was killed."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass

PR_SET_PDEATHSIG = 1  # from linux/prctl.h
POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Parent:
    """A process that starts workers, as they need to know it; picklable.

    Linux can send a signal when the thread that started a process ends. `steady` says that this thread is the
    main one, which ends with its process.
    """

    pid: int
    steady: bool

    @classmethod
    def here(cls) -> Parent:
        """This process, in the thread that will start the workers."""
        return cls(os.getpid(), threading.current_thread() is threading.main_thread())

    def end_together(self) -> None:
        """Called in a worker: have it end with this process, POLL_SECONDS later where nobody tells it."""
        if not (self.steady and _ask_for_signal()):
            threading.Thread(target=self._watch, daemon=True).start()
        if os.getppid() != self.pid:  # it ended before it could be asked for
            os._exit(1)

    def _watch(self) -> None:
        while os.getppid() == self.pid:
            time.sleep(POLL_SECONDS)
        os._exit(1)


def _ask_for_signal() -> bool:
    """Have Linux kill this process when its parent ends; whether that is possible."""
    if sys.platform != "linux":
        return False
    try:
        return bool(ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) == 0)
    except (OSError, AttributeError):
        return False
