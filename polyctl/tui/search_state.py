"""A search for decompositions as the dashboard knows it, and how the next one is to be made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from polyctl.solving.methods import CHOICES, DEFAULT_SECONDS

BEAM_WIDTHS = (1, 2, 5, 10, 20, 30, 50, 100)
MOST_INNERS = 8
UNREADABLE = "the input cannot be read, see above"  # where the mistake stands under a caret


@dataclass
class SearchSettings:
    """The options of the next search; 0 inners: any number, no run: the default model."""

    method: str = "auto"
    inners: int = 0
    width: int = 10
    run: str | None = None

    def next_method(self) -> None:
        """Take the next of the methods."""
        self.method = CHOICES[(CHOICES.index(self.method) + 1) % len(CHOICES)]

    def allow_more_inners(self) -> None:
        """Allow one inner polynomial more."""
        self.inners = min(self.inners + 1, MOST_INNERS)

    def allow_fewer_inners(self) -> None:
        """Allow one inner polynomial fewer."""
        self.inners = max(self.inners - 1, 0)

    def widen(self) -> None:
        """Take the next wider beam."""
        self.width = next((w for w in BEAM_WIDTHS if w > self.width), BEAM_WIDTHS[-1])

    def narrow(self) -> None:
        """Take the next narrower beam."""
        self.width = next((w for w in reversed(BEAM_WIDTHS) if w < self.width), BEAM_WIDTHS[0])

    def to_request(self) -> dict[str, Any]:
        """The settings as the solving process takes them."""
        return {
            "method": self.method,
            "inners": self.inners or None,
            "width": self.width,
            "limit": DEFAULT_SECONDS,
            "run": self.run,
        }


@dataclass
class SearchState:
    """What the solving process has reported of the newest search: `receive` takes its messages."""

    asked: str = ""  # the text that the answers are of
    solutions: list[dict[str, Any]] = field(default_factory=list)  # ranked
    verdicts: dict[float, str] = field(default_factory=dict)  # by the log-probability of a hypothesis
    frame: dict[str, Any] | None = None  # the newest one of the beam
    before: dict[str, Any] | None = None  # the one before it
    done: dict[str, Any] | None = None
    problem: str | None = None
    busy: bool = False
    stopped: bool = False

    @classmethod
    def begin(cls, text: str) -> SearchState:
        """A search that has just been asked for."""
        return cls(asked=text, busy=True)

    @property
    def verified(self) -> int:
        """How many of the answers are verified, and not weak."""
        return sum(s["status"] == "verified" and not s["weak"] for s in self.solutions)

    @property
    def weak(self) -> int:
        """How many of the answers are verified but say little: a mere factorisation, or powers."""
        return sum(bool(s["weak"]) for s in self.solutions)

    def receive(self, message: dict[str, Any]) -> None:
        """Take over a message: a solution, a frame of the beam, or the end.

        The end brings all solutions again, since the search has simplified them.
        """
        kind = message["kind"]
        if kind == "solution":
            self.solutions.append({**message, "number": len(self.solutions)})
            self.solutions.sort(key=lambda s: s["rank_key"])
            if message["logprob"] is not None:
                self.verdicts[message["logprob"]] = message["status"]
        elif kind == "beam":
            self.before, self.frame = self.frame, message
        elif kind == "done":
            self.busy, self.done = False, message
            self.solutions = [{**s, "number": i} for i, s in enumerate(message["solutions"])]
        elif kind == "error" and "position" in message:
            self.busy, self.problem = False, UNREADABLE
        elif kind in ("error", "died"):
            hint = message.get("hint")
            self.busy, self.problem = False, message["message"] + (f" ({hint})" if hint else "")

    @property
    def notes(self) -> list[str]:
        """What is worth knowing of how the input was read."""
        return [f"note: {note}" for note in (self.done or {}).get("notes", [])]

    def stop(self) -> None:
        """The search was stopped by the user."""
        self.busy, self.stopped = False, True

    def find(self, key: str | None) -> dict[str, Any] | None:
        """The solution whose number is that."""
        return next((s for s in self.solutions if str(s["number"]) == key), None)

    def judged_frame(self) -> dict[str, Any] | None:
        """The newest frame with the verdict of each finished hypothesis, as far as there is one."""
        if self.frame is None:
            return None
        unjudged = "waiting" if self.busy else "left out"
        finished = [
            {**h, "status": self.verdicts.get(h["logprob"], unjudged)} for h in self.frame["finished"]
        ]
        return {**self.frame, "finished": finished}
