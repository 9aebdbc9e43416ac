"""Reading a growing file of JSON lines from its end, in bounded pieces, whatever happens to it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from polyctl.store.events import is_step, parse_line
from polyctl.store.files import open_regular

LINE_BYTES = 1 << 20
BATCH_BYTES = 1 << 20
MARK_BYTES = 64
BLOCK_BYTES = 1 << 16


@dataclass
class Batch:
    """Events in the order of the file; a line that is none stands among them as kind `broken` or `long`.

    `reset` says that the file was truncated or replaced: what was read before is no longer in it.
    """

    events: list[dict[str, Any]] = field(default_factory=list)
    broken: int = 0
    long: int = 0
    reset: bool = False
    missing: bool = False
    more: bool = False


class Tail:
    """A file from its end in both directions: `earlier` goes back, `later` follows what is appended.

    At most one line of `line_bytes` and one batch are held in memory. The last line counts only when its
    line end is written. Errors of the file system other than a missing file are raised as OSError.
    """

    def __init__(self, path: Path, line_bytes: int = LINE_BYTES) -> None:
        self.path, self.line_bytes = path, line_bytes
        self._identity: tuple[int, int] | None = None
        self._forget()

    def _forget(self) -> None:
        self._start = self._offset = 0  # lines before `start` are unread, bytes behind `offset` too
        self._head = b""  # the known end of the line that reaches over `start`
        self._rest = b""  # the known beginning of the line that reaches over `offset`
        self._inside = False  # whether the line end of that line has been read
        self._head_bytes = self._rest_bytes = 0  # their lengths, the dropped bytes of a long line included
        self._mark = b""

    @property
    def at_start(self) -> bool:
        """Whether everything before the first line read has been read too."""
        return self._start == 0

    @property
    def unread(self) -> int:
        """Bytes before the first line read."""
        return self._start

    def later(self, size: int = BATCH_BYTES) -> Batch:
        """What was appended since the last call; the first call only finds the end of the file."""
        try:
            file = open_regular(self.path)
        except FileNotFoundError:
            gone = self._identity is not None
            self._identity = None
            self._forget()
            return Batch(missing=True, reset=gone)
        with file:
            status = os.fstat(file.fileno())
            identity = (status.st_dev, status.st_ino)
            if identity != self._identity or status.st_size < self._offset or self._changed(file.fileno()):
                known = self._identity is not None
                self._identity = identity
                self._find_end(file.fileno(), status.st_size)
                return Batch(reset=known, more=True)
            data = os.pread(file.fileno(), size, self._offset)
            self._offset += len(data)
            self._remember(file.fileno())
            batch = Batch(more=self._offset < status.st_size)
            self._add(data, batch)
            return batch

    def _changed(self, file: int) -> bool:
        """Whether the bytes before the offset are others than before: truncated and written anew."""
        return os.pread(file, len(self._mark), self._offset - len(self._mark)) != self._mark

    def _remember(self, file: int) -> None:
        size = min(MARK_BYTES, self._offset)
        self._mark = os.pread(file, size, self._offset - size)

    def _find_end(self, file: int, size: int) -> None:
        """Put both ends behind the last finished line."""
        self._forget()
        place = size
        while place:
            first = max(0, place - BATCH_BYTES)
            found = os.pread(file, place - first, first).rfind(b"\n")
            if found >= 0:
                place = first + found + 1
                break
            place = first
        self._start = self._offset = place
        self._remember(file)

    def _add(self, data: bytes, batch: Batch) -> None:
        head, newline, tail = data.rpartition(b"\n")
        if newline:
            first, *others = head.split(b"\n")
            self._parse(self._rest + first, self._rest_bytes + len(first), batch)
            for line in others:
                self._parse(line, len(line), batch)
            self._rest, self._rest_bytes = b"", 0
        self._rest_bytes += len(tail)
        self._rest = self._rest + tail if self._rest_bytes <= self.line_bytes else b""

    def earlier(self, size: int = BATCH_BYTES, every: int = 1) -> Batch:
        """The lines before those read so far, `size` bytes of them; empty at the start of the file.

        Of the lines that look like step events only one in `every` is read.
        """
        batch = Batch()
        lines = self.lines_before(size)
        if lines is None:
            return Batch(missing=True)
        for i, (line, length) in enumerate(lines):
            if i % every == 0 or not is_step(line):
                self._parse(line, length, batch)
        batch.more = self._start > 0 and bool(lines)
        return batch

    def lines_before(self, size: int) -> list[tuple[bytes, int]] | None:
        """The finished lines before those read so far in the next `size` bytes, with their lengths.

        A line over `line_bytes` comes empty. None if the file is not there.
        """
        if self._start == 0:
            return []
        first = max(0, self._start - size)
        try:
            with open_regular(self.path) as file:
                data = os.pread(file.fileno(), self._start - first, first)
        except FileNotFoundError:
            return None
        if len(data) < self._start - first:  # truncated meanwhile: `later` will say so
            return []
        self._start = first
        if not self._inside:
            data = data[:-1]  # the line end of the last line
            self._inside = True
        lines = data.split(b"\n")
        last = lines.pop()
        reach = self._head_bytes + len(last)
        whole = last + self._head if reach <= self.line_bytes else b""
        if not lines and first:
            self._head, self._head_bytes = whole, reach
            return []
        head = lines.pop(0) if first else b""
        self._head, self._head_bytes = head, len(head)
        self._inside = first > 0
        return [*((line, len(line)) for line in lines), (whole, reach)]

    def _parse(self, line: bytes, size: int, batch: Batch) -> None:
        if size > self.line_bytes:
            batch.long += 1
            batch.events.append({"kind": "long", "message": f"a line of {size:,} bytes, left out"})
            return
        if not line.strip():
            return
        if (event := parse_line(line)) is not None:
            batch.events.append(event)
            return
        batch.broken += 1
        shown = line[:200].decode("utf-8", "replace")
        batch.events.append({"kind": "broken", "message": f"unreadable line: {shown}"})


def newest_lines(path: Path, limit: int) -> Iterator[bytes]:
    """The finished lines in a file's newest `limit` bytes, last first, reading only what is asked for."""
    tail = Tail(path)
    with suppress(OSError):
        first = max(0, path.stat().st_size - limit)
        tail.later()
        while (unread := tail.unread) > first:
            for line, _ in reversed(tail.lines_before(min(BLOCK_BYTES, unread - first)) or []):
                yield line
            if tail.unread == unread:  # truncated meanwhile
                return
