"""Which process writes to a run or a data set, as a file beside what it writes, and whether it still runs."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from polyctl.store.files import read_regular

FILE_NAME = "writer.json"
MOST_BYTES = 10_000
HOST_LENGTH = 255  # the longest that a host name can be
PROC = Path("/proc/self").parent  # on Linux; elsewhere `ps` is called


@dataclass(frozen=True)
class Owner:
    """A process: its number, when the system says that it began, its machine, and since when it writes."""

    pid: int
    began: str
    host: str
    since: float  # Unix seconds

    @classmethod
    def here(cls) -> Owner:
        """This process, from now on."""
        return cls(os.getpid(), process_start(os.getpid()), os.uname().nodename, time.time())

    @property
    def alive(self) -> bool | None:
        """Whether the process still runs; None if it is one of another machine, so that we cannot know."""
        if self.host != os.uname().nodename:
            return None
        return bool(self.began) and process_start(self.pid) == self.began

    @property
    def memory(self) -> int | None:
        """Bytes that the process holds in this machine's memory; None if that is not known."""
        if not self.alive:
            return None
        try:
            pages = int((PROC / str(self.pid) / "statm").read_text().split()[1])
        except (OSError, ValueError, IndexError):
            return None
        return pages * os.sysconf("SC_PAGE_SIZE")

    def __str__(self) -> str:
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(self.since))
        return f"process {self.pid} on {self.host} since {since} UTC"

    def text(self) -> str:
        """What its file holds."""
        return json.dumps(asdict(self)) + "\n"


def read_owner(directory: Path) -> Owner | None:
    """Who writes there, or died doing so; None if nobody does, or the file cannot be read."""
    try:
        facts = json.loads(read_regular(directory / FILE_NAME, MOST_BYTES))
        owner = Owner(int(facts["pid"]), str(facts["began"]), str(facts["host"]), float(facts["since"]))
        # it is printed: no time that has no date, and nothing that steers a terminal
        fair = str(owner).isprintable() and len(owner.host) <= HOST_LENGTH and 0 < owner.pid < 1 << 32
        return owner if fair else None
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None


def process_start(pid: int) -> str:
    """When that process began, as the system says it; "" if there is none. Numbers are reused, starts not."""
    if PROC.is_dir():
        try:
            state, *fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            return ""
        return "" if state == "Z" else fields[18]
    import subprocess  # every command reads the states of runs, and few machines need this

    found = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, _, began = found.stdout.strip().partition(" ")
    return "" if not state or state.startswith("Z") else began.strip()
