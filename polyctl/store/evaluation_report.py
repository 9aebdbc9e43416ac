"""The report of an evaluation: whose accuracy, on which problems; as JSON (docs/scripting.md) and back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from polyctl.store.files import read_regular

CheckpointName = Literal["best", "last", "average"]
TEST_PROBLEMS = "test problems of "


@dataclass(frozen=True)
class ProblemSet:
    """What was evaluated on: an experiment's own test problems, or files of problems, by their names."""

    experiment: str | None = None
    files: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ", ".join(self.files) if self.experiment is None else TEST_PROBLEMS + self.experiment

    def to_json(self) -> dict[str, Any]:
        """`{"set": "test", "experiment": NAME}` or `{"files": [NAME, …]}`."""
        if self.experiment is None:
            return {"files": list(self.files)}
        return {"set": "test", "experiment": self.experiment}

    @classmethod
    def from_json(cls, data: object) -> ProblemSet:
        """The set that `to_json` wrote, or that a report of before names in words. Raises ValueError."""
        if isinstance(data, str):
            if data.startswith(TEST_PROBLEMS):
                return cls(data.removeprefix(TEST_PROBLEMS))
            return cls(files=tuple(data.split(", ")))
        if isinstance(data, dict) and data.get("set") == "test" and isinstance(data.get("experiment"), str):
            return cls(data["experiment"])
        if isinstance(data, dict) and isinstance(data.get("files"), list):
            return cls(files=tuple(map(str, data["files"])))
        raise ValueError(f"{data!r} names no problems")


@dataclass(frozen=True)
class Accuracy:
    """Fractions between 0 and 1; `pass_at` has every k up to the width of the beam."""

    greedy_exact: float
    greedy_verified: float
    pass_at: Mapping[int, float]
    rank_score: float

    def measure(self, name: str) -> float | None:
        """`greedy`, `exact`, `rank` or `pass@K`; None for a K beyond the beam."""
        if name.startswith("pass@"):
            return self.pass_at.get(int(name.removeprefix("pass@")))
        return {"greedy": self.greedy_verified, "exact": self.greedy_exact, "rank": self.rank_score}[name]

    def to_json(self) -> dict[str, Any]:
        """The fields of docs/scripting.md."""
        return {
            "greedy": {"exact": self.greedy_exact, "verified": self.greedy_verified},
            "pass_at": {str(k): share for k, share in self.pass_at.items()},
            "rank_score": self.rank_score,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Accuracy:
        """What `to_json` wrote."""
        greedy = data["greedy"]
        passed = {int(k): float(share) for k, share in data["pass_at"].items()}
        return cls(float(greedy["exact"]), float(greedy["verified"]), passed, float(data["rank_score"]))


@dataclass(frozen=True)
class CellAccuracy:
    """The accuracy on the problems of one degree cell, such as `2∘3`."""

    cell: str
    problems: int
    accuracy: Accuracy

    def to_json(self) -> dict[str, Any]:
        """The fields of docs/scripting.md."""
        return {"cell": self.cell, "problems": self.problems, **self.accuracy.to_json()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> CellAccuracy:
        """What `to_json` wrote."""
        return cls(str(data["cell"]), int(data["problems"]), Accuracy.from_json(data))


@dataclass(frozen=True)
class AccuracySummary:
    """The accuracy on a set of problems, as answered and with the outer completed, and what was counted."""

    problems: int
    beam: int
    answered: Accuracy
    completed: Accuracy | None  # None in reports that do not say it
    cells: tuple[CellAccuracy, ...]
    hypotheses: Mapping[str, int] = field(default_factory=dict)
    duplicates: int = 0
    extra_inners: int = 0
    unreadable: int = 0

    def measure(self, name: str, cell: str = "all") -> float | None:
        """A measure of all problems or of a degree cell; None for a cell that is not there."""
        if cell == "all":
            return self.answered.measure(name)
        return next((c.accuracy.measure(name) for c in self.cells if c.cell == cell), None)

    def to_json(self) -> dict[str, Any]:
        """The fields of docs/scripting.md."""
        return {
            "problems": self.problems,
            "beam": self.beam,
            **self.answered.to_json(),
            **({} if self.completed is None else {"completed": self.completed.to_json()}),
            "cells": [cell.to_json() for cell in self.cells],
            "hypotheses": dict(self.hypotheses),
            "duplicates": self.duplicates,
            "extra_inners": self.extra_inners,
            "unreadable": self.unreadable,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> AccuracySummary:
        """What `to_json` wrote."""
        completed = data.get("completed")
        return cls(
            int(data["problems"]),
            int(data["beam"]),
            Accuracy.from_json(data),
            None if completed is None else Accuracy.from_json(completed),
            tuple(map(CellAccuracy.from_json, data["cells"])),
            {str(status): int(count) for status, count in data.get("hypotheses", {}).items()},
            *(int(data.get(name, 0)) for name in ("duplicates", "extra_inners", "unreadable")),
        )


@dataclass(frozen=True)
class Baseline:
    """What another program reaches on the same problems."""

    problems: int
    verified: float
    problems_per_second: float

    def to_json(self) -> dict[str, Any]:
        """The fields of docs/scripting.md."""
        return dict(vars(self))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Baseline:
        """What `to_json` wrote."""
        return cls(int(data["problems"]), float(data["verified"]), float(data["problems_per_second"]))


@dataclass(frozen=True)
class EvaluationReport:
    """What an evaluation of a run's model found, kept in the run's reports/."""

    run: str
    checkpoint: CheckpointName
    step: int
    data: ProblemSet
    seconds: float
    device: str
    processes: int
    summary: AccuracySummary
    sympy: Baseline | None = None
    temperature: float | None = None  # of samples; None: a beam
    may_have_trained_on: int | None = None  # of the problems; None in reports that do not say it
    predictions: Path | None = None  # known to who evaluates, not kept in the file

    def to_json(self) -> dict[str, Any]:
        """The JSON of docs/scripting.md."""
        return {
            "run": self.run,
            "checkpoint": self.checkpoint,
            "step": self.step,
            "data": str(self.data),
            "problem_set": self.data.to_json(),
            "seconds": self.seconds,
            "device": self.device,
            "processes": self.processes,
            **({} if self.may_have_trained_on is None else {"may_have_trained_on": self.may_have_trained_on}),
            **({} if self.temperature is None else {"temperature": self.temperature}),
            **self.summary.to_json(),
            "baselines": {"sympy": None if self.sympy is None else self.sympy.to_json()},
            **({} if self.predictions is None else {"predictions": str(self.predictions)}),
        }

    @classmethod
    def from_json(cls, data: object) -> EvaluationReport:
        """What `to_json` wrote, now or in a version of before. Raises ValueError for anything else."""
        if not isinstance(data, dict):
            raise ValueError("a report is a JSON object")
        try:
            sympy = data.get("baselines", {}).get("sympy")
            return cls(
                str(data.get("run", "")),
                data["checkpoint"] if data.get("checkpoint") in get_args(CheckpointName) else "best",
                int(data["step"]),
                ProblemSet.from_json(data.get("problem_set", data["data"])),
                float(data.get("seconds", 0.0)),
                str(data.get("device", "")),
                int(data.get("processes", 1)),
                AccuracySummary.from_json(data),
                None if sympy is None else Baseline.from_json(sympy),
                None if (temperature := data.get("temperature")) is None else float(temperature),
                None if (seen := data.get("may_have_trained_on")) is None else int(seen),
            )
        except (KeyError, TypeError, AttributeError, OverflowError) as error:
            raise ValueError(f"a damaged report: {error!r}") from error

    def text(self) -> str:
        """The report as its file has it."""
        return json.dumps(replace(self, predictions=None).to_json(), indent=2) + "\n"


def read_reports(directory: Path) -> Iterator[tuple[Path, EvaluationReport]]:
    """All reports in a run's directory with their files, newest first; what cannot be read is left out."""
    for path in sorted(directory.glob("eval-*.json"), reverse=True):
        try:
            report = EvaluationReport.from_json(json.loads(read_regular(path)))
        except (OSError, ValueError, RecursionError):
            continue
        yield path, report
