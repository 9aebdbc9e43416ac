"""What the tasks of a plan report while they run: the events of a training, or how much is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from polyctl.store.event_kinds import Event


@dataclass(frozen=True)
class Progress:
    """How much of making data or of an evaluation is done."""

    what: str
    done: int
    total: int


OnEvent = Callable[[Event | Progress], None]
