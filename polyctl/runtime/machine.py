"""What this machine has: processor cores and memory, as far as this process may use them."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")  # of a container, on Linux
PROCESSES_A_CORE = 4  # at most: more would only take turns, each with its own memory


def cores() -> int:
    """Processor cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_bytes() -> int | None:
    """Memory of this machine, or of the container if that has less; None if it is not known."""
    found = []
    with suppress(AttributeError, OSError, ValueError):  # not on Windows
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    with suppress(OSError, ValueError):  # no such file, or the limit "max"
        found.append(int(CGROUP_LIMIT.read_text()))
    return min((size for size in found if size > 0), default=None)
