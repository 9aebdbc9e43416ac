"""The inputs of a session, to step back and forward through."""

from __future__ import annotations


class InputHistory:
    """Entered texts, oldest first, and behind them the line that is being typed."""

    def __init__(self) -> None:
        self.entries: list[str] = []
        self._draft = ""  # the line being typed, while an older one is looked at
        self._at = 0  # place in the entries; their number means the line being typed

    @property
    def at_draft(self) -> bool:
        """Whether the line being typed is looked at, not an older one."""
        return self._at >= len(self.entries)

    def add(self, text: str) -> None:
        """Append an entered text, once if it was the last one too."""
        if not self.entries or self.entries[-1] != text:
            self.entries.append(text)
        self._at, self._draft = len(self.entries), ""

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
