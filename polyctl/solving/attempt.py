"""What one method did in a search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
