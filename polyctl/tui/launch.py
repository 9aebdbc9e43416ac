"""Trainings and evaluations started from the dashboard: processes of their own that outlive it."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from polyctl.errors import FileError
from polyctl.store.files import open_regular, read_regular, write_atomic
from polyctl.store.owner import process_start
from polyctl.store.places import refuse_links
from polyctl.store.runs import STAMP
from polyctl.store.summary import Summary, writer_of

FOLDER = ".started"
ERROR = "error:"  # how a command says that it has failed
_children: dict[int, subprocess.Popen[bytes]] = {}  # ours: polled, so that none stays a zombie


@dataclass(frozen=True)
class Job:
    """A started command; `mark` is when the system says the process began, since ids are reused."""

    pid: int
    mark: str
    started: float
    command: tuple[str, ...]
    log: Path

    @property
    def command_line(self) -> str:
        """The command as one would type it."""
        return shlex.join(["polyctl", *self.command])

    def concerns(self, run: str) -> bool:
        """Whether EXPERIMENT/ID is the run that it names, or may be one that it has made.

        Of its experiment (the name that --smoke and `rl` give it included), and not older than the process.
        """
        command, *arguments = self.command
        if run in arguments:
            return True
        experiment, _, identifier = run.partition("/")
        if identifier < time.strftime(STAMP, time.gmtime(self.started)):
            return False
        for word in (w.partition("/")[0] for w in arguments):
            names = {word, f"{word}_smoke"} if "--smoke" in arguments else {word}
            if experiment in names:
                return True
            if command == "rl" and experiment.startswith(tuple(f"{name}_" for name in names)):
                return True
        return False

    @property
    def running(self) -> bool:
        """Whether the process still runs."""
        child = _children.get(self.pid)
        if child is not None and child.poll() is not None:
            return False
        return bool(self.mark) and process_start(self.pid) == self.mark

    def last_line(self) -> str:
        """The last line that it has written, or the error that ended it."""
        try:
            with open_regular(self.log) as file:
                file.seek(max(0, self.log.stat().st_size - 4096))
                lines = file.read().decode("utf-8", "replace").split("\n")
        except OSError as error:
            return f"{self.log} cannot be read: {error.strerror}"
        written = [line.strip() for line in reversed(lines) if line.strip()]
        failed = (
            next((line for line in written[:5] if line.startswith(ERROR)), "") if not self.running else ""
        )
        return failed or next(iter(written), "")


def start(arguments: list[str], root: Path) -> Job:
    """Start `polyctl ARGUMENTS` with its output in a file under `root`. Raises FileError if that fails."""
    folder = root / FOLDER
    name = time.strftime(STAMP, time.gmtime()) + f"-{time.time_ns() % 1000:03d}"
    log = folder / f"{name}.log"
    refuse_links(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            child = subprocess.Popen(
                [sys.executable, "-m", "polyctl", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        _children[child.pid] = child
        job = Job(child.pid, process_start(child.pid), time.time(), tuple(arguments), log)
        facts = {"pid": job.pid, "mark": job.mark, "started": job.started, "command": arguments}
        write_atomic(folder / f"{name}.json", json.dumps(facts))
    except OSError as error:
        raise FileError(
            f"nothing can be started in {folder}: {error.strerror}", "choose another --runs"
        ) from error
    return job


def list_jobs(root: Path) -> list[Job]:
    """Everything that was started under this root, newest first; what cannot be read is left out."""
    found = []
    for path in sorted((root / FOLDER).glob("*.json"), reverse=True):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            facts = json.loads(read_regular(path))
            command = tuple(map(str, facts["command"]))
            log = path.with_suffix(".log")
            found.append(Job(int(facts["pid"]), str(facts["mark"]), float(facts["started"]), command, log))
    return found


def stop(job: Job) -> bool:
    """Ask the process to save and end, as Ctrl-C does; whether it still ran."""
    return job.running and _send(job.pid, signal.SIGINT)


def stop_writers(summary: Summary) -> list[str]:
    """Ask the processes of this machine that train or evaluate a run to save and end; which ones they are.

    By SIGTERM, since a shell starts what runs in its background with SIGINT ignored.
    """
    found = []
    owner = summary.owner
    if summary.state == "running" and owner is not None and owner.alive and _send(owner.pid, signal.SIGTERM):
        found.append(f"training, pid {owner.pid}")
    owner = None if summary.evaluation is None else writer_of(summary.evaluation)
    if owner is not None and owner.alive and _send(owner.pid, signal.SIGTERM):
        found.append(f"evaluation, pid {owner.pid}")
    return found


def _send(pid: int, number: signal.Signals) -> bool:
    """Send a signal; whether there is such a process, and it is ours."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True
