"""Programs that tests start: each has a time limit, and a test that waits for one says what for."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 180.0  # seconds; far more than any program needs, since other work may share the machine
POLYCTL = (sys.executable, "-m", "polyctl")


def run_program(
    arguments: Sequence[str | Path], seconds: float = PATIENCE, **options: Any
) -> subprocess.CompletedProcess:
    """subprocess.run with its output kept as text; the test fails with that output after so many seconds."""
    settings = {"text": True, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "check": False, **options}
    try:
        return subprocess.run(arguments, timeout=seconds, **settings)
    except subprocess.TimeoutExpired as error:
        pytest.fail(f"{arguments} did not end in {seconds:g} seconds\n{error.stdout}\n{error.stderr}")


def start_polyctl(*arguments: str, **options: Any) -> subprocess.Popen:
    """`polyctl ARGUMENTS` begun as a process of its own, with one thread; `ending` waits for it."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([*POLYCTL, *arguments], text=True, env=environment, **pipes, **options)


def ending(process: subprocess.Popen, seconds: float = PATIENCE) -> tuple[Any, Any]:
    """What a process has written to stdout and stderr once it has ended.

    If it does not end in time it is killed, and the test fails with what it wrote.
    """
    try:
        return process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        pytest.fail(f"{process.args} did not end in {seconds:g} seconds\n{out}\n{err}")


def wait_for(
    condition: Callable[[], T], what: str, process: subprocess.Popen | None = None, seconds: float = PATIENCE
) -> T:
    """The first true value of a condition that is looked at again and again.

    If none comes in time, or the process that should bring it about ends first, the test fails and says what
    it waited for.
    """
    deadline = time.monotonic() + seconds
    while True:
        ended = process is not None and process.poll() is not None
        if found := condition():
            return found
        if ended:
            pytest.fail(f"{process.args} ended before {what}\n{ending(process)}")
        if time.monotonic() > deadline:
            written = ""
            if process is not None:
                process.kill()
                written = f"\n{ending(process)}"
            pytest.fail(f"waited {seconds:g} seconds in vain: {what}{written}")
        time.sleep(0.05)


def in_two_processes(*arguments: str | Path) -> str:
    """Run a script, or `-m` and a module, in two processes under torchrun; what they wrote to stdout."""
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = run_program([sys.executable, *launch, *map(str, arguments)], env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout
