"""Evaluation results of runs, and the builder that gathers them into a report."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from polyctl.config.registry import Registry
from polyctl.errors import FileError
from polyctl.plans.stages import runs_of
from polyctl.reports.bundled import Bundled
from polyctl.reports.published import published
from polyctl.reports.tables import Figure, Report, Table
from polyctl.store.evaluation_report import EvaluationReport, ProblemSet, read_reports
from polyctl.store.event_kinds import End, RunStarted
from polyctl.store.events import EventReader
from polyctl.store.runs import Run, list_runs


@dataclass(frozen=True)
class RunReport:
    """A report of a run, and what the run is: where and how long it trained."""

    run: Run
    report: EvaluationReport
    path: Path

    @property
    def beam(self) -> int:
        return self.report.summary.beam

    @property
    def cells(self) -> list[str]:
        """The degree cells of its problems."""
        return [cell.cell for cell in self.report.summary.cells]

    def value(self, measure: str, cell: str = "all") -> float | None:
        """`greedy`, `exact`, `rank` or `pass@K` of all problems or of a degree cell; None if missing."""
        return self.report.summary.measure(measure, cell)

    def problems(self, cell: str = "all") -> int | None:
        """How many problems the values of a cell are of."""
        summary = self.report.summary
        if cell == "all":
            return summary.problems
        return next((one.problems for one in summary.cells if one.cell == cell), None)

    def source(self) -> dict[str, Any]:
        """Where the numbers come from: run, device, parameters, steps, problems, minutes, report."""
        began, elapsed = RunStarted(), None
        try:
            for event in EventReader(self.run.events):
                if isinstance(event, RunStarted):
                    began = event
                elif isinstance(event, End):
                    elapsed = event.elapsed
            config = self.run.config()
            batch = config.train.batch if began.algorithm is None else config.rl.groups_per_step
        except FileError:  # a run that lost its files still has its report
            batch = None
        step = self.report.step
        return {
            "run": self.run.name,
            "device": began.device,
            "parameters": began.parameters,
            "step": step,
            "steps": began.total_steps,
            "trained on": None if batch is None else step * batch,
            "training minutes": None if elapsed is None else elapsed / 60,
            "evaluated": str(self.report.data),
            "problems": self.report.summary.problems,
            "beam": self.beam,
            "report": str(self.path),
        }


def own_reports(name: str, root: Path, run_name: str | None = None) -> list[RunReport]:
    """The evaluations on the experiment's own test problems, newest first, of one run.

    That is the run of the name given, else the newest that has any.
    """
    for run in runs_of(name, root):
        if run_name not in (None, run.name):
            continue
        if found := _reports(run, ProblemSet(name)):
            return found
    return []


def by_seed(name: str, run_name: str, data: ReportBuilder) -> dict[int, RunReport]:
    """The newest evaluation of each seed's newest run; the experiment is noted as missing if it has none."""
    found: dict[int, RunReport] = {}
    for run in runs_of(run_name, data.root):
        try:
            seed = run.config().seed
        except FileError:  # a run of another version does not count
            continue
        reports = own_reports(run_name, data.root, run.name) if seed not in found else []
        if reports:
            widest = max(reports, key=lambda report: report.beam)
            found[seed] = widest
            data.note(run_name, widest)
    if not found:
        data.note(name, None)
    return found


def mean_of(values: Sequence[float | None]) -> float | None:
    """The mean; None if there is none, or one of them is missing."""
    known = [value for value in values if value is not None]
    return fmean(known) if known and len(known) == len(values) else None


def spread_of(values: Sequence[float]) -> float | None:
    """The standard deviation (n - 1); None of fewer than two."""
    return stdev(values) if len(values) > 1 else None


def newest(name: str, root: Path) -> RunReport | None:
    """The newest of them with the widest beam."""
    found = own_reports(name, root)
    return max(found, key=lambda m: m.beam) if found else None


def on_file(file: str, root: Path) -> RunReport | None:
    """The newest evaluation of any run on that file of problems."""
    for run in list_runs(root):
        if found := _reports(run, ProblemSet(files=(file,))):
            return found[0]
    return None


def _reports(run: Run, data: ProblemSet) -> list[RunReport]:
    """A run's evaluations on these problems, newest first."""
    return [RunReport(run, report, path) for path, report in read_reports(run.reports) if report.data == data]


@dataclass
class ReportBuilder:
    """Reads runs, and keeps track of which it read and which were missing."""

    registry: Registry
    root: Path
    counts: Path | None  # where the published complexity counts lie
    solver: Path | None = None  # a report of the solver
    bundled: Bundled | None = None  # figures of one model on all published sets
    sources: dict[str, RunReport] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def names(self, pattern: str) -> list[str]:
        """The experiments whose whole name fits a regular expression, in the registry's order."""
        return [name for name in self.registry.names() if re.fullmatch(pattern, name)]

    def of(self, name: str) -> RunReport | None:
        """The newest report of an experiment with the widest beam."""
        return self.note(name, newest(name, self.root))

    def note(self, name: str, measured: RunReport | None) -> RunReport | None:
        """The report, listed among the sources, or its name among what is missing."""
        if measured is not None:
            self.sources[str(measured.path)] = measured
        elif name not in self.missing:
            self.missing.append(name)
        return measured

    def report(
        self, name: str, title: str, tables: Iterable[Table], figures: Iterable[Figure] = ()
    ) -> Report:
        """The tables and figures, with the runs that their numbers come from."""
        sources = tuple(measured.source() for measured in self.sources.values())
        return Report(name, title, tuple(tables), tuple(figures), sources, tuple(self.missing))


def measured_value(measured: RunReport | None, measure: str, cell: str = "all") -> float | None:
    """A value that polyctl measured; None if there is no report."""
    return None if measured is None else measured.value(measure, cell)


def published_value(experiment: str, measure: str, cell: str = "all") -> float | None:
    """A published value; None if there is none."""
    found = published(experiment, measure, cell)
    return None if found is None else found.value


def common_k(found: Sequence[RunReport | None]) -> int:
    """The widest beam that all reports have; the published 30 without any."""
    return min((measured.beam for measured in found if measured is not None), default=30)
