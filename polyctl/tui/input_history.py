"""What was entered, in this session and before, to step back and forward through."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from polyctl.store.files import write_atomic

KEPT = 500  # entries, from one session to the next


class InputHistory:
    """Entered texts, oldest first, and behind them the line that is being typed.

    They are kept in a file, a JSON string a line; without one, or if it cannot be written, for the session.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self.entries = _read(path)
        self._draft = ""  # the line being typed, while an older one is looked at
        self._at = len(self.entries)  # place in the entries; their number means the line being typed

    @property
    def at_draft(self) -> bool:
        """Whether the line being typed is looked at, not an older one."""
        return self._at >= len(self.entries)

    def add(self, text: str) -> None:
        """Append an entered text, once if it was the last one too."""
        if not self.entries or self.entries[-1] != text:
            self.entries.append(text)
            if self._path is not None:
                self._write(self._path)
        self._at, self._draft = len(self.entries), ""

    def _write(self, path: Path) -> None:
        lines = "".join(f"{json.dumps(entry, ensure_ascii=False)}\n" for entry in self.entries[-KEPT:])
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, lines)

    def back(self, value: str) -> str | None:
        """The text before `value`, which stands in the input now; None if there is none."""
        return self._step(-1, value)

    def forward(self, value: str) -> str | None:
        """The text after `value`, at last the line that was being typed; None if there is none."""
        return self._step(1, value)

    def _step(self, step: int, value: str) -> str | None:
        if self.at_draft:
            self._draft = value
        at = self._at + step
        if 0 <= at < len(self.entries) and self.entries[at] == value:
            at += step
        if not 0 <= at <= len(self.entries):
            return None
        self._at = at
        return self._draft if self.at_draft else self.entries[at]


def _read(path: Path | None) -> list[str]:
    """The entries of a file, without what is damaged."""
    found: list[str] = []
    if path is not None:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            for line in path.read_text(encoding="utf-8").splitlines():
                with contextlib.suppress(ValueError, RecursionError):
                    entry = json.loads(line)
                    found += [entry] if isinstance(entry, str) else []
    return found[-KEPT:]
