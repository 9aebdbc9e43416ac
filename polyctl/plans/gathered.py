"""What the reports of a plan are made from: the registry, our runs, and note of what was read and missed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from polyctl.config.registry import Registry
from polyctl.plans.measured import Measured, newest
from polyctl.plans.published import published
from polyctl.plans.tables import Figure, Report, Table


@dataclass
class Gathered:
    """Reads runs, and remembers which it read and which were not there."""

    registry: Registry
    root: Path
    counts: Path  # where the published complexity counts lie
    solver: Path | None = None  # a report of the solver
    sources: dict[str, Measured] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def names(self, pattern: str) -> list[str]:
        """The experiments whose whole name fits a regular expression, in the registry's order."""
        return [name for name in self.registry.names() if re.fullmatch(pattern, name)]

    def of(self, name: str) -> Measured | None:
        """The newest report of an experiment with the widest beam."""
        return self.noted(name, newest(name, self.root))

    def noted(self, name: str, measured: Measured | None) -> Measured | None:
        """The same, remembered as a source or as missing."""
        if measured is not None:
            self.sources[str(measured.path)] = measured
        elif name not in self.missing:
            self.missing.append(name)
        return measured

    def report(
        self, name: str, title: str, tables: Iterable[Table], figures: Iterable[Figure] = ()
    ) -> Report:
        """What was made, with what it was made from."""
        sources = tuple(measured.source() for measured in self.sources.values())
        return Report(name, title, tuple(tables), tuple(figures), sources, tuple(self.missing))


def ours_of(measured: Measured | None, measure: str, cell: str = "all") -> float | None:
    """A value of ours; None where there is no report."""
    return None if measured is None else measured.value(measure, cell)


def theirs_of(experiment: str, measure: str, cell: str = "all") -> float | None:
    """A published value; None where there is none."""
    found = published(experiment, measure, cell)
    return None if found is None else found.value


def common_k(found: Sequence[Measured | None]) -> int:
    """The widest beam that all reports have; the published 30 without any."""
    return min((measured.beam for measured in found if measured is not None), default=30)
