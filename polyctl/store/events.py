"""Event files: one line of JSON an event, appended by writers, read whole here and as they grow by tail.py.

Each line has `v`, `time` (Unix seconds) and `kind`, and the fields of its kind (event_kinds.py). A `run`
event opens a training, `step` events come from it alone, and an `end` event closes it; the others may come
from any program that works on the run, at any time.
"""

from __future__ import annotations

import errno
import json
import math
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from polyctl.errors import FileError
from polyctl.store.event_kinds import Event, event_from_json
from polyctl.store.files import explaining, make_directory, open_regular, size_of_regular
from polyctl.store.places import refuse_links

VERSION = 1
_KIND = re.compile(rb'"kind": ?"(\w+)"')
_STEP = b'"kind": "step"'


class EventWriter:
    """Appends events to a file, which several programs may do at once; readers see whole lines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def __enter__(self) -> EventWriter:
        make_directory(self.path.parent)
        refuse_links(self.path)
        with explaining("append to", self.path):
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
            size = size_of_regular(self._descriptor, self.path)
            if size and os.pread(self._descriptor, 1, size - 1) != b"\n":
                os.write(self._descriptor, b"\n")  # a writer died within its last line
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def write(self, event: Event) -> None:
        """Append one event with the time of now; floats that are not finite become null. Raises FileError."""
        if self._descriptor is None:
            raise ValueError("an EventWriter writes only within its `with` block")
        # `kind` stands before every field that could hold such text: readers look for it in the bytes
        data = {"v": VERSION, "time": time.time(), "kind": event.kind, **finite(event.to_json())}
        line = json.dumps(data, allow_nan=False).encode() + b"\n"
        with explaining("append to", self.path):
            if os.write(self._descriptor, line) != len(line):
                raise OSError(errno.ENOSPC, "the disk took only a part of an event")


def finite(value: Any) -> Any:
    """A value for JSON: in it, None for each float that is not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return value


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
            file = open_regular(path)
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


def parse_line(line: bytes) -> dict[str, Any] | None:
    """The JSON object of an event; None if the line is not one."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) and isinstance(data.get("kind"), str) else None


def parse_event(line: bytes) -> Event | None:
    """The event of a line; None if it is damaged."""
    data = parse_line(line)
    return None if data is None else event_from_json(data)


def kind_in(line: bytes) -> str | None:
    """The word for the kind in a line that an EventWriter wrote, found without reading it as JSON."""
    found = _KIND.search(line)
    return None if found is None else found[1].decode()


def is_step(line: bytes) -> bool:
    """Whether a line that an EventWriter wrote is a step event; as JSON a text cannot hold these bytes."""
    return _STEP in line
