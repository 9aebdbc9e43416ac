"""Event files: one line of JSON an event, appended by writers, read whole, from the end, or as they grow.

An event has `v`, `time` (Unix seconds) and `kind`. A `run` event opens a training, `step` events come from it
alone, and an `end` event with its `state` closes it; the others (eval, beam, verdict, checkpoint, error) may
come from any program that works on the run, at any time.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from polyctl.errors import FileError

VERSION = 1
BLOCK_BYTES = 1 << 16

Event = dict[str, Any]


class EventWriter:
    """Appends events to a file, which several programs may do at once; readers see whole lines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def __enter__(self) -> EventWriter:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        size = os.fstat(self._descriptor).st_size
        if size and os.pread(self._descriptor, 1, size - 1) != b"\n":
            os.write(self._descriptor, b"\n")  # a writer died within its last line
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def write(self, kind: str, /, **fields: Any) -> None:
        """Append one event; floats that are not finite become null.

        Raises ValueError for a field named v, time or kind, TypeError for a value that JSON does not have.
        """
        if self._descriptor is None:
            raise ValueError("an EventWriter writes only within its `with` block")
        if taken := fields.keys() & {"v", "time", "kind"}:
            raise ValueError(f"an event has its own {', '.join(sorted(taken))}")
        event = {"v": VERSION, "time": time.time(), "kind": kind, **_finite(fields)}
        line = json.dumps(event, allow_nan=False, default=_plain).encode() + b"\n"
        if os.write(self._descriptor, line) != len(line):
            raise OSError(f"{self.path}: the disk took only a part of an event")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"an event cannot hold a {type(value).__name__}")


class EventReader(Iterator[Event]):
    """The events of a file in order.

    Lines that are damaged are counted in `broken`; `partial` says that the last one is not finished. Raises
    FileError at the first event if the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.broken = 0
        self.partial = False
        self._events = self._read(path)

    def __next__(self) -> Event:
        return next(self._events)

    def _read(self, path: Path) -> Iterator[Event]:
        try:
            file = path.open("rb")
        except OSError as error:
            raise FileError(
                f"{path} cannot be read: {error.strerror}", "`polyctl runs list` shows all runs"
            ) from error
        with file:
            for line in file:
                if not line.endswith(b"\n"):
                    self.partial = True
                elif event := parse_event(line):
                    yield event
                elif line.strip():
                    self.broken += 1


def parse_event(line: bytes) -> Event | None:
    """The event that a line is, None where it is none."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and isinstance(event.get("kind"), str) else None


def opening(path: Path) -> dict[str, Event]:
    """The `run` event in the first block of a file, by its kind; empty where there is none."""
    try:
        with path.open("rb") as file:
            lines = file.read(BLOCK_BYTES).split(b"\n")
    except OSError:
        return {}
    events = (parse_event(line) for line in lines[:-1])
    return next(({"run": event} for event in events if event and event["kind"] == "run"), {})


def lines_from_end(path: Path, limit: int) -> Iterator[bytes]:
    """The finished lines of a file's newest `limit` bytes, last first, reading only what is asked for."""
    try:
        file = path.open("rb")
    except OSError:
        return
    with file:
        place = file.seek(0, os.SEEK_END)
        first = max(0, place - limit)
        rest, unfinished = b"", True
        while place > first:
            size = min(BLOCK_BYTES, place - first)
            place = file.seek(place - size)
            head, *lines = (file.read(size) + rest).split(b"\n")
            if lines and unfinished:
                lines.pop()  # what stands after the last line end: nothing, or a line still being written
                unfinished = False
            yield from reversed(lines)
            rest = head
        if not unfinished and first == 0:
            yield rest
