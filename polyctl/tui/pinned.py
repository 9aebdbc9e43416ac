"""A polynomial that a training is asked about again at each of its checkpoints."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from polyctl.solving.methods import DEFAULT_SECONDS
from polyctl.store.runs import Run

LOOK_SECONDS = 2.0
WIDTH = 5  # of the beam, small since it is searched beside a training
MOST = 1000  # answers that are kept


@dataclass(frozen=True)
class PinnedAnswer:
    """The best answer of a checkpoint, or in `text` why there is none; `right` of so many are verified."""

    step: int | None
    status: str
    text: str
    rank: int | None = None
    logprob: float | None = None
    right: int = 0
    of: int = 0
    seconds: float | None = None

    @classmethod
    def of_message(cls, message: dict[str, Any]) -> PinnedAnswer:
        """What the last message of a search says: its kind is done, error or died."""
        step = message.get("step")
        if message["kind"] != "done":
            return cls(step, "not asked", str(message["message"]))
        found = message["solutions"]
        if not found:
            notes = [str(note) for *_, note in message["tried"] if note]
            return cls(step, "none", "; ".join(notes) or "no answer", seconds=message["seconds"])
        best = found[0]
        return cls(
            step,
            "weak" if best["weak"] else best["status"],
            "; ".join([f"g = {best['outer'] or '-'}", *_name_inners(best["inners"])]),
            best["rank"],
            best["logprob"],
            sum(one["status"] == "verified" for one in found),
            len(found),
            message["seconds"],
        )


def _name_inners(inners: list[str]) -> list[str]:
    return [f"h{i if len(inners) > 1 else ''} = {h}" for i, h in enumerate(inners)]


class Pin:
    """f, the run whose newest checkpoint is asked, and the answers so far.

    A thread calls `look`; the rest belongs to the tab. `due` says that a checkpoint is still to be asked,
    `request` which request of the solver is being answered.
    """

    def __init__(self, text: str, run: Run) -> None:
        self.text, self.run = text, run
        self.answers: list[PinnedAnswer] = []
        self.due = False
        self.request: int | None = None
        self.dropped = threading.Event()
        self._seen: object = None

    def look(self) -> bool:
        """Whether a checkpoint has been written since the last look, or there is one at the first."""
        try:
            status = self.run.checkpoint("last").stat()
        except OSError:
            return False
        seen = (status.st_ino, status.st_size, status.st_mtime_ns)
        before, self._seen = self._seen, seen
        return seen != before

    def to_request(self) -> dict[str, Any]:
        """How the solving process is asked."""
        return {
            "method": "neural",
            "inners": None,
            "width": WIDTH,
            "limit": DEFAULT_SECONDS,
            "run": self.run.name,
            "checkpoint": "last",
        }

    def begin(self, request: int) -> None:
        """It has been asked, under that number."""
        self.due, self.request = False, request

    def postpone(self) -> None:
        """Another search goes first: what was being asked is asked again afterwards."""
        if self.request is not None:
            self.due, self.request = True, None

    def receive(self, message: dict[str, Any]) -> bool:
        """Take over a message of its own search; whether that was the last one."""
        if self.request is None or message["kind"] not in ("done", "error", "died"):
            return False
        self.request, new = None, PinnedAnswer.of_message(message)
        if self.answers and new.step is not None and self.answers[-1].step == new.step:
            self.answers.pop()  # the same weights, written once more
        self.answers = [*self.answers, new][-MOST:]
        return True
