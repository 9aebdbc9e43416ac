"""How far an evaluation is, written into the events of its run about once a second."""

from __future__ import annotations

import math
from time import monotonic

from polyctl.store.event_kinds import EvaluationProgress
from polyctl.store.events import EventWriter
from polyctl.store.owner import Owner

PROGRESS_SECONDS = 1.0


class ProgressWriter:
    """Counts problems, searched with beams of `width`; of several processes the main one stands for all."""

    def __init__(self, writer: EventWriter, problems: int, world: int, width: int) -> None:
        self._writer, self._problems, self._world, self._width = writer, problems, world, width
        self._owner = Owner.here()
        self._done = self._verified = self._solved_first = self._solved = 0
        self._last = -math.inf
        self._write()

    def count(self, verified: bool, first: int | None) -> None:
        """One more problem is done: is its greedy answer verified, and which rank has the first right one?"""
        self._done += 1
        self._verified += verified
        self._solved_first += first == 0
        self._solved += first is not None
        if monotonic() - self._last >= PROGRESS_SECONDS:
            self._write()

    def _write(self) -> None:
        self._last = monotonic()
        event = EvaluationProgress(
            done=min(self._done * self._world, self._problems),
            problems=self._problems,
            verified=min(self._verified * self._world, self._problems),
            beam=self._width,
            counted=self._done,
            solved_first=self._solved_first,
            solved=self._solved,
            pid=self._owner.pid,
            began=self._owner.began,
            host=self._owner.host,
        )
        self._writer.write(event)
