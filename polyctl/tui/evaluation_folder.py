"""The evaluations whose predictions a run keeps, looked for only as often as they can change."""

from __future__ import annotations

import time
from pathlib import Path

from polyctl.store.predictions import EvaluationFiles, list_evaluations

LOOK_SECONDS = 2.0  # between two looks, and how long a directory's time may lag behind its files


class EvaluationFolder:
    """A directory of predictions that may hold very many files."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: list[EvaluationFiles] = []
        self._changed: int | None = None  # the directory's time of change when it was listed
        self._settled = False  # whether that lay far enough back for a later change to be seen in it
        self._next = 0.0

    def look(self) -> list[EvaluationFiles]:
        """Its evaluations, newest first, as of the last look. Raises OSError if it cannot be read."""
        now = time.monotonic()
        if now < self._next:
            return self._found
        try:
            changed = self._path.stat().st_mtime_ns
        except FileNotFoundError:
            changed = None
        if not self._settled or changed != self._changed:
            self._found = list_evaluations(self._path)
            self._changed = changed
            self._settled = changed is None or time.time() - changed / 1e9 > LOOK_SECONDS
        self._next = now + LOOK_SECONDS
        return self._found

    def look_again(self) -> None:
        """A file has gone: do not wait for the next look."""
        self._settled, self._next = False, 0.0
