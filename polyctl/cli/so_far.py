"""What `decompose` prints if its search must be ended amid a long step: what was found and tried by then."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from polyctl.cli.guard import Guard, Instead

if TYPE_CHECKING:
    from polyctl.solving.attempt import Attempt
    from polyctl.solving.solution import Solution

STOPPED = "time limit"


class SoFar:
    """Follows a search and tells its guard what to print, after each answer: without other forms of it.

    `line` says that JSON stays on one line, `verbose` that all that was tried is listed on stderr.
    """

    def __init__(
        self,
        guard: Guard,
        seconds: float,
        text: str,
        top: int,
        *,
        latex: bool = False,
        as_json: bool,
        line: bool = False,
        verbose: bool = False,
    ) -> None:
        self._guard, self._seconds, self._text, self._top = guard, seconds, text, top
        self._latex, self._json, self._line, self._verbose = latex, as_json, line, verbose
        self._solutions: list[Solution] = []
        self._tried: list[Attempt] = []

    def begin(self, _reading: object) -> None:
        """The search begins, and its time limit counts."""
        self._guard.limit(self._seconds, self._instead)

    def add(self, solution: Solution) -> None:
        """A solution was found."""
        self._solutions.append(solution)
        self._guard.keep(self._instead)

    def add_attempt(self, attempt: Attempt) -> None:
        """A method has ended."""
        self._tried.append(attempt)
        self._guard.keep(self._instead)

    def _instead(self) -> Instead:
        ranked = sorted(self._solutions, key=lambda s: s.rank_key)
        verified = [s for s in ranked if s.verified]
        code = 0 if verified else 1
        said = [str(attempt) for attempt in self._tried] if self._verbose else []
        if self._json:
            return Instead(self._as_json(ranked), _lines(said), code)
        if not verified:
            from polyctl.solving.describe import write_tried

            found = f"none found in {self._seconds:.2g} s ({STOPPED})"
            return Instead("\n   ".join([found, *write_tried(self._tried)]) + "\n", _lines(said), code)
        blocks = [
            f"{i}. {s.to_text(self._latex, forms=False)}" for i, s in enumerate(verified[: self._top], 1)
        ]
        said.append(f"stopped amid a step by the {STOPPED} of {self._seconds:.2g} s")
        return Instead(_lines([block.replace("\n", "\n   ") for block in blocks]), _lines(said), code)

    def _as_json(self, ranked: list[Solution]) -> str:
        record = {
            "input": self._text,
            "solutions": [
                {"rank": i, **s.to_dict(forms=False)} for i, s in enumerate(ranked[: self._top], 1)
            ],
            "indecomposable": None,
            "chain_degrees": [],
            "reciprocal": None,
            "tried": [attempt.to_dict() for attempt in self._tried],
            "stopped": STOPPED,
            "seconds": self._seconds,
            "notes": [],
        }
        return json.dumps(record, indent=None if self._line else 2) + "\n"


def _lines(texts: list[str]) -> str:
    return "".join(f"{text}\n" for text in texts)
