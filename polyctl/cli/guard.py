"""Time limits that hold amid a long step of FLINT: the work is done by a process that can be ended.

`python-flint` does not ask a budget within a factorisation or a product, and hears no Ctrl-C. So a command
with a time limit forks: the copy does the work and prints, and sends what is to be printed if its time is
up. The first process waits for it, ends it some tenths of a second after its limit, or after a Ctrl-C that it
does not hear, and then prints that itself.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from polyctl.errors import EXIT_INTERRUPTED, FileError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

GRACE_SECONDS = 0.3  # after its time limit, in which it may end by itself
HEARING_SECONDS = 1.0  # within which a Ctrl-C is heard
PASSED_ON = ("SIGINT", "SIGTERM", "SIGHUP")
_on = _beside_torch = False
_kept: list[Guard] = []  # for as long as this process works, so that its connections stay open


@dataclass(frozen=True)
class Instead:
    """What is printed, and the exit code, if the work is ended."""

    out: str = ""
    err: str = ""
    code: int = 1


def switch_on(*, beside_torch: bool = False) -> None:
    """Guard the commands of this process, which has nothing else to do.

    A process that has loaded torch is not forked, whose threads would be missing, but for `beside_torch`.
    """
    global _on, _beside_torch
    _on, _beside_torch = hasattr(os, "fork") and sys.platform == "linux", beside_torch


class Guard:
    """The side of the process that works; without a guard, nothing happens."""

    def __init__(self, other: Connection | None = None, requests: Connection | None = None) -> None:
        self._other, self._requests = other, requests

    def limit(self, seconds: float, instead: Callable[[], Instead]) -> None:
        """From now on the work takes so many seconds at most; `instead` says what is printed otherwise."""
        if self._other is not None:
            self._tell("limit", time.monotonic() + seconds, instead())

    def keep(self, instead: Callable[[], Instead]) -> None:
        """Print that if the time is up, and no longer what was said before."""
        if self._other is not None:
            self._tell("keep", None, instead())

    def done(self) -> None:
        """There is no limit any more."""
        if self._other is not None:
            self._tell("done", None, None)

    def _tell(self, *words: Any) -> None:
        assert self._other is not None
        with contextlib.suppress(OSError):
            self._other.send(words)

    def lines(self) -> Iterator[str]:
        """The lines that the first process passes on."""
        assert self._requests is not None
        with contextlib.suppress(EOFError):
            while True:
                yield self._requests.recv()
                self._tell("line", None, None)


def start() -> Guard:
    """Fork, if this process is guarded: only the copy returns. The first process ends with it."""
    if not _may_fork():
        return Guard()
    first = _First()
    guard = first.fork()
    if guard is not None:
        return guard
    code = first.wait()
    raise SystemExit(code)


def over_lines(lines: Iterable[str]) -> tuple[Guard, Iterable[str]]:
    """As `start`, for work that is done line by line; another copy goes on behind one that was ended."""
    if not _may_fork():
        return Guard(), lines
    first, code = _First(), 0
    for line in lines:
        if not first.alive and (guard := first.fork()) is not None:
            return guard, guard.lines()
        first.send(line)
        ended = first.wait()
        if ended is not None:
            code = max(code, ended)
            if first.interrupted:
                raise SystemExit(ended)
    if first.alive:
        code = max(code, first.finish())
    raise SystemExit(code)


def _may_fork() -> bool:
    free = _beside_torch or "torch" not in sys.modules
    return _on and free and threading.active_count() == 1


class _First:
    """The process that was there first, and what it knows of the one that works."""

    def __init__(self) -> None:
        self.alive = self.interrupted = False
        self._deadline: float | None = None
        self._instead = Instead()

    def fork(self) -> Guard | None:
        """Start the process that works; a Guard in it, None here."""
        from multiprocessing import Pipe

        from polyctl.runtime.parent import Parent

        ours, theirs = Pipe()
        requests, send = Pipe(duplex=False)
        sys.stdout.flush()
        sys.stderr.flush()
        here = Parent.here()
        # until `wait` can pass them on, signals wait: the other may have said already that it is at work
        passed_on = [getattr(signal, name) for name in PASSED_ON]
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, passed_on)
        pid = os.fork()
        if not pid:
            ours.close()
            send.close()
            here.end_together()
            os.setpgid(0, 0)  # so that a terminal's Ctrl-C comes once, from the first process
            signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
            _kept.append(Guard(theirs, requests))
            return _kept[0]
        theirs.close()
        requests.close()
        self._pid, self._ours, self._requests, self.alive = pid, ours, send, True
        self._deadline, self._instead = None, Instead()
        return None

    def send(self, line: str) -> None:
        """Pass a line on."""
        with contextlib.suppress(OSError):
            self._requests.send(line)

    def finish(self) -> int:
        """There are no more lines; the exit code."""
        self._requests.close()
        code = self.wait()
        assert code is not None
        return code

    def wait(self) -> int | None:
        """Wait until the other has ended, and say its exit code, or has done a line: then None."""
        import select

        asked: list[float] = []
        with self._passing_signals_on(asked) as woken:
            while True:
                now = time.monotonic()
                ends = [self._deadline + GRACE_SECONDS] if self._deadline is not None else []
                ends += [asked[0] + HEARING_SECONDS] if asked else []
                left = max(0.0, min(ends) - now) if ends else None
                waited: list[Any] = [self._ours, woken]
                ready = select.select(waited, [], [], left)[0]
                if woken in ready:
                    os.read(woken, 64)
                    continue
                if not ready:
                    self.interrupted = bool(asked)
                    return self._end()
                try:
                    word, deadline, instead = self._ours.recv()
                except (EOFError, OSError):
                    self.interrupted = bool(asked)
                    return self._code(os.waitpid(self._pid, 0)[1])
                if word == "line":
                    self._deadline = None
                    return None
                if word != "keep":
                    self._deadline = deadline
                self._instead = instead or self._instead

    def _end(self) -> int:
        """End the other, and print what it would have wanted."""
        os.kill(self._pid, signal.SIGKILL)  # it may take a while to give its memory back
        self._close()
        print(self._instead.out, end="", flush=True)
        print(self._instead.err, end="", file=sys.stderr, flush=True)
        if self.interrupted:
            print("interrupted", file=sys.stderr, flush=True)
            return EXIT_INTERRUPTED
        return self._instead.code

    def _code(self, status: int) -> int:
        """The exit code, as that of this process; FileError if it was killed by somebody else."""
        self._close()
        code = os.waitstatus_to_exitcode(status)
        if code >= 0:
            return code
        if -code in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(-code, signal.SIG_DFL)
            os.kill(os.getpid(), -code)
        raise FileError(
            f"the search was ended by {signal.Signals(-code).name}", "was there too little memory?"
        )

    def _close(self) -> None:
        self.alive = False
        self._ours.close()
        self._requests.close()

    @contextlib.contextmanager
    def _passing_signals_on(self, asked: list[float]) -> Iterator[int]:
        """Pass signals on; `asked` gets the times of those that ask to stop. The pipe that they wake."""

        def pass_on(number: int, _frame: object) -> None:
            asked.append(time.monotonic())
            with contextlib.suppress(OSError):
                os.kill(self._pid, number)

        def suspend(_number: int, _frame: object) -> None:
            with contextlib.suppress(OSError):
                os.kill(self._pid, signal.SIGSTOP)
            os.kill(os.getpid(), signal.SIGSTOP)
            with contextlib.suppress(OSError):
                os.kill(self._pid, signal.SIGCONT)

        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        before = {}
        for name in PASSED_ON:
            number = getattr(signal, name)
            if signal.getsignal(number) != signal.SIG_IGN:
                before[number] = signal.signal(number, pass_on)
        before[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, suspend)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
        try:
            yield reading
        finally:
            signal.set_wakeup_fd(-1)
            os.close(reading)
            os.close(writing)
            for number, handler in before.items():
                signal.signal(number, handler)
