"""What one method did in a search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Ending = Literal["finished", "proved", "out of time", "not tried"]


@dataclass(frozen=True)
class Attempt:
    """A method, how long it took, and how it ended.

    `note` is what it proved, or why it was not tried. `ending` is "finished", "proved", "out of time" or
    "not tried".
    """

    method: str
    seconds: float
    found: int
    note: str | None = None
    ending: Ending = "finished"

    def __str__(self) -> str:
        said = (self.note or "").removeprefix(self.ending).removeprefix(": ")
        note = f": {said}" if said else ""
        return f"{self.method}: {self.found} found in {self.seconds:.2g} s, {self.ending}{note}"

    def to_dict(self) -> dict[str, Any]:
        """The attempt as JSON (docs/scripting.md)."""
        return {"method": self.method, "seconds": self.seconds, "found": self.found, "note": self.note}
