"""A search for decompositions as the dashboard knows it, and how the next one is to be made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from polyctl.solving.methods import CHOICES, DEFAULT_SECONDS

BEAM_WIDTHS = (1, 2, 5, 10, 20, 30, 50, 100)
MOST_INNERS = 8
FRAMES = 400  # of a beam that can be stepped through
UNREADABLE = "the input cannot be read, see above"  # where the mistake stands under a caret


@dataclass
class SearchSettings:
    """The options of the next search; 0 inners: any number, no run: the default model.

    `main` are the variables that are decomposed, the others being parameters; with none each is tried.
    """

    method: str = "auto"
    inners: int = 0
    width: int = 10
    run: str | None = None
    main: tuple[str, ...] = ()

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
            "main": list(self.main),
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
    frames: list[dict[str, Any]] = field(default_factory=list)  # of the beam
    at: int | None = None  # which of them is shown; None follows the newest
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
            if len(self.frames) == FRAMES:
                del self.frames[1]  # the first one shows where the search began
                self.at = None if self.at is None else max(0, self.at - 1)
            self.frames.append(message)
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

    @property
    def forms(self) -> list[str]:
        """Other forms of f: all its complete chains by degree, and f as a reciprocal polynomial."""
        return list((self.done or {}).get("forms", []))

    def stop(self) -> None:
        """The search was stopped by the user."""
        self.busy, self.stopped = False, True

    def find(self, key: str | None) -> dict[str, Any] | None:
        """The solution whose number is that."""
        return next((s for s in self.solutions if str(s["number"]) == key), None)

    @property
    def here(self) -> int:
        """The place of the frame that is shown."""
        return len(self.frames) - 1 if self.at is None else self.at

    def step_by(self, count: int) -> None:
        """Show an earlier or later frame; behind the newest one it follows again."""
        at = self.here + count
        self.at = None if at >= len(self.frames) - 1 or not self.frames else max(0, at)

    @property
    def before(self) -> dict[str, Any] | None:
        """The frame before the one that is shown."""
        return self.frames[self.here - 1] if self.here > 0 else None

    def judged_frame(self) -> dict[str, Any] | None:
        """The frame that is shown with the verdict of each finished hypothesis, as far as there is one."""
        if not self.frames:
            return None
        frame = self.frames[self.here]
        unjudged = "waiting" if self.busy else "left out"
        finished = [{**h, "status": self.verdicts.get(h["logprob"], unjudged)} for h in frame["finished"]]
        return {**frame, "finished": finished}

    def describe_frame(self) -> str:
        """Which step of the beam is shown, and whether newer ones are followed."""
        step = f"Beam, step {self.frames[self.here]['step']}"
        return step if self.at is None else f"{step}, {len(self.frames) - 1 - self.at} newer"
