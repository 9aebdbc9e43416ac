"""What our runs have measured: the reports that `polyctl eval` and plans left in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polyctl.errors import FileError
from polyctl.plans.stages import runs_of
from polyctl.store.events import read_events
from polyctl.store.runs import Run, list_runs


@dataclass(frozen=True)
class Measured:
    """A report of a run, and what the run is: where and how long it trained."""

    run: Run
    report: dict[str, Any]
    path: Path

    @property
    def beam(self) -> int:
        return int(self.report["beam"])

    def value(self, measure: str, cell: str = "all") -> float | None:
        """`greedy`, `exact`, `rank` or `pass@K` of all problems or of a degree cell; None where it is not."""
        part = self.report
        if cell != "all":
            part = next((c for c in self.report["cells"] if c["cell"] == cell), {})
        if not part:
            return None
        if measure == "rank":
            return float(part["rank_score"])
        if measure.startswith("pass@"):
            found = part["pass_at"].get(measure.removeprefix("pass@"))
            return None if found is None else float(found)
        return float(part["greedy"]["verified" if measure == "greedy" else measure])

    def problems(self, cell: str = "all") -> int | None:
        """How many problems the values of a cell are of."""
        if cell == "all":
            return int(self.report["problems"])
        return next((int(c["problems"]) for c in self.report["cells"] if c["cell"] == cell), None)

    def source(self) -> dict[str, Any]:
        """Where the numbers come from: run, device, parameters, steps, problems, minutes, report."""
        began: dict[str, Any] = {}
        elapsed = None
        try:
            for event in read_events(self.run.events):
                if event["kind"] == "run":
                    began = event
                elif event["kind"] == "end":
                    elapsed = event.get("elapsed")
            config = self.run.config()
            batch = config.rl.problems if "algorithm" in began else config.train.batch
        except FileError:  # a run that lost its files still has its report
            batch = None
        step = self.report["step"]
        return {
            "run": self.run.name,
            "device": began.get("device"),
            "parameters": began.get("parameters"),
            "step": step,
            "steps": began.get("total_steps"),
            "trained on": None if batch is None else step * batch,
            "training minutes": None if elapsed is None else elapsed / 60,
            "evaluated": self.report["data"],
            "problems": self.report["problems"],
            "beam": self.beam,
            "report": str(self.path),
        }


def reports(run: Run) -> Iterator[Measured]:
    """All evaluations of a run, newest first; what cannot be read is left out."""
    for path in sorted(run.reports.glob("eval-*.json"), reverse=True):
        try:
            report = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(report, dict) and {"data", "problems", "beam", "pass_at", "cells"} <= report.keys():
            yield Measured(run, report, path)


def own_reports(name: str, root: Path, run_name: str | None = None) -> list[Measured]:
    """The evaluations on the experiment's own test problems, newest first, of one run.

    That is the run of the name given, else the newest that has any.
    """
    for run in runs_of(name, root):
        if run_name not in (None, run.name):
            continue
        if found := [m for m in reports(run) if m.report["data"] == f"test problems of {name}"]:
            return found
    return []


def newest(name: str, root: Path) -> Measured | None:
    """The newest of them with the widest beam."""
    found = own_reports(name, root)
    return max(found, key=lambda m: m.beam) if found else None


def on_file(file: str, root: Path) -> Measured | None:
    """The newest evaluation of any run on that file of problems."""
    for run in list_runs(root):
        for measured in reports(run):
            if measured.report["data"] == file:
                return measured
    return None
