"""What `polyctl eval` found for a run: from its events, or from its newest report if that is newer."""

from __future__ import annotations

import json
import math
import time
from calendar import timegm
from dataclasses import dataclass
from typing import Any

from polyctl.store.files import read_regular
from polyctl.store.runs import Run
from polyctl.tui.format import clean, format_date
from polyctl.tui.series import to_finite


@dataclass(frozen=True)
class Evaluation:
    """One evaluation; `passed` is pass@k by k, `time` is minus infinity if it is not known."""

    time: float
    step: float | None
    problems: float | None
    verified: float | None
    passed: dict[int, float]
    cells: list[dict[str, Any]]

    @classmethod
    def from_event(cls, found: dict[str, Any]) -> Evaluation:
        """The evaluation that an event reports, without the fields that are damaged."""
        when = to_finite(found.get("time"))
        passed, cells = found.get("pass_at"), found.get("cells")
        known = passed.items() if isinstance(passed, dict) else ()
        return cls(
            -math.inf if when is None else when,
            to_finite(found.get("step")),
            to_finite(found.get("problems")),
            to_finite(found.get("greedy_verified")),
            {int(k): v for k, value in known if _is_count(k) and (v := to_finite(value)) is not None},
            [cell for cell in cells if isinstance(cell, dict)] if isinstance(cells, list) else [],
        )

    @property
    def title(self) -> str:
        """Which step and how many problems were evaluated, and when."""
        parts = [] if self.step is None else [f"step {self.step:,.0f}"]
        parts += [] if self.problems is None else [f"{self.problems:,.0f} problems"]
        parts += [format_date(self.time)] if math.isfinite(self.time) else []
        return clean(", ".join(parts))


def _is_count(key: object) -> bool:
    return isinstance(key, str) and key.isdecimal() and len(key) < 10


class Reports:
    """The newest report in a run's directory, read again only when that has changed."""

    def __init__(self, run: Run) -> None:
        self._directory = run.reports
        self._changed: int | None = None
        self.newest: Evaluation | None = None

    def refresh(self) -> bool:
        """Look again; whether a report was read."""
        try:
            changed = self._directory.stat().st_mtime_ns
            if changed == self._changed:
                return False
            self._changed = changed
            path = max(self._directory.glob("eval-*.json"))
            stamp = time.strptime(path.stem, "eval-%Y%m%d-%H%M%S")
            report = json.loads(read_regular(path))
            greedy = report["greedy"]["verified"]
        except (OSError, ValueError, RecursionError, TypeError, KeyError):
            return False
        self.newest = Evaluation.from_event({**report, "time": timegm(stamp), "greedy_verified": greedy})
        return True
