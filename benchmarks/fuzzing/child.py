"""A process that reads one input after the other, with a limit on its memory, and says how each ended."""

from __future__ import annotations

import io
import os
import resource
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from fuzzing.case import Case, carry_out
from polyctl.cli import guard

SECONDS = 5.0  # of processor time, for one input
WAITING_SECONDS = 10.0  # without using any: it waits for something
MEMORY = 1 << 30  # bytes beyond what the process has before
RESTART_GROWTH = 1 << 28  # after which the process is replaced
CODES = (0, 1, 2, 3)
STEERING = ("\x1b", "\x07", "\x08", "\x9b")  # what would steer a terminal
PROC = Path("/proc")


@dataclass(frozen=True)
class Ending:
    """How an input ended: what was wrong with that ("" if nothing), and what it took."""

    fault: str
    code: int = 0
    seconds: float = 0.0
    memory: int = 0
    detail: str = ""


class Child:
    """A copy of this process that reads inputs; it is replaced when it is killed or has grown."""

    def __init__(self, base: Path, place: Path, calls: dict[str, Callable[[Path], object]]) -> None:
        self._base, self._place, self._calls = base, place, calls
        self._start()

    def _start(self) -> None:
        self._ours, theirs = get_context("fork").Pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self._pid = os.fork()
        if not self._pid:
            self._ours.close()
            try:
                _serve(theirs, self._base, self._place, self._calls)
            except BaseException:
                traceback.print_exc()
            os._exit(99)
        theirs.close()

    def close(self) -> None:
        """End the process."""
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        self._ours.close()

    def read(self, case: Case) -> Ending:
        """How the input ends; a process that takes too long is killed."""
        self._ours.send(case)
        used = newest = _processor_seconds(self._pid)
        worked = time.monotonic()
        while not self._ours.poll(0.05):
            if (now := _processor_seconds(self._pid)) > newest:
                newest, worked = now, time.monotonic()
            seconds = newest - used
            if seconds > SECONDS or time.monotonic() - worked > WAITING_SECONDS:
                where = _stack(self._pid)
                self.close()
                self._start()
                return Ending("hang" if seconds > SECONDS else "waits", seconds=seconds, detail=where)
        try:
            ending, grown = self._ours.recv()
        except EOFError:
            status = os.waitpid(self._pid, 0)[1]
            self._ours.close()
            self._start()
            return Ending("crash", os.waitstatus_to_exitcode(status))
        if grown > RESTART_GROWTH:
            self.close()
            self._start()
        return ending


def _processor_seconds(pid: int) -> float:
    fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _stack(pid: int) -> str:
    """Where a process is, as faulthandler says it."""
    path = PROC.parent / "tmp" / f"fuzz-{pid}.txt"
    try:
        os.kill(pid, signal.SIGUSR1)
        time.sleep(0.3)
        return path.read_text()[-1500:]
    except OSError:
        return ""


# -- in the process --------------------------------------------------------------------------------


def _serve(requests: Connection, base: Path, place: Path, calls: dict[str, Callable[[Path], object]]) -> None:
    import faulthandler

    faulthandler.register(signal.SIGUSR1, file=open(f"/tmp/fuzz-{os.getpid()}.txt", "w"), all_threads=False)  # noqa: SIM115
    guard.switch_on(beside_torch=True)
    before = _kilobytes("VmSize")
    resource.setrlimit(resource.RLIMIT_AS, (before * 1024 + MEMORY,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while True:
        try:
            case = requests.recv()
        except EOFError:
            return
        ending = _read(case, base, place, calls)
        requests.send((ending, (_kilobytes("VmSize") - before) * 1024))


def _read(case: Case, base: Path, place: Path, calls: dict[str, Callable[[Path], object]]) -> Ending:
    os.chdir("/")
    shutil.rmtree(place, ignore_errors=True)
    if case.needs:
        shutil.copytree(base, place, symlinks=True)
    else:
        place.mkdir()
    for edit in case.edits:
        carry_out(edit, place)
    os.chdir(place)
    (PROC / "self" / "clear_refs").write_text("5")  # from here on the peak is this input's
    before, began = _kilobytes("VmRSS"), time.process_time()
    code, out, err, raised = _run(case, place, calls)
    seconds, memory = time.process_time() - began, (_kilobytes("VmHWM") - before) * 1024
    text = out + err
    if raised or "Traceback (most recent call last)" in err:
        fault, detail = "traceback", raised or err
        if "MemoryError" in detail:
            fault = "memory"
    elif code not in CODES:
        fault, detail = "exit code", f"{code}"
    elif code in (2, 3) and not case.call and "error: " not in err:
        fault, detail = "no message", err
    elif any(character in text for character in STEERING):
        fault, detail = "steers the terminal", repr(text)
    else:
        fault, detail = "", ""
    return Ending(fault, code, seconds, memory, detail[-3000:])


def _run(case: Case, place: Path, calls: dict[str, Callable[[Path], object]]) -> tuple[int, str, str, str]:
    """Exit code, what was written, and a traceback if an exception came out."""
    from polyctl.cli.app import run
    from polyctl.errors import PolyctlError

    streams = sys.stdin, sys.stdout, sys.stderr
    me, paths = os.getpid(), [place.parent / name for name in ("out.txt", "err.txt")]
    out, err = (
        io.TextIOWrapper(
            path.open("wb", buffering=0), encoding="utf-8", errors="backslashreplace", write_through=True
        )
        for path in paths
    )
    given = case.stdin.encode("utf-8", "surrogateescape")
    sys.stdin = io.TextIOWrapper(io.BytesIO(given), encoding="utf-8", errors="replace")
    sys.stdout, sys.stderr = out, err
    code, raised = 0, ""
    try:
        if case.call:
            calls[case.call](place)
        else:
            code = run(list(case.arguments))
    except PolyctlError as error:
        code = error.exit_code
        if not case.call:
            raised = traceback.format_exc()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        raised = traceback.format_exc()
    finally:
        if os.getpid() != me:  # the copy that a guarded command works in
            print(raised, file=err)
            os._exit(code)
        sys.stdin, sys.stdout, sys.stderr = streams
    written = [path.read_bytes().decode("utf-8", "replace") for path in paths]
    return code, written[0], written[1], raised


def _kilobytes(name: str) -> int:
    for line in (PROC / "self" / "status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0
