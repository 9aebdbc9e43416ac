"""Columns of the table of runs that a user chooses, and runs grouped by experiment."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from polyctl.config.differences import format_setting
from polyctl.formatting import format_number, format_percent
from polyctl.tui.format import Column, clean
from polyctl.tui.run_list import RunRow
from polyctl.tui.views.lines import is_share

WIDEST = 16  # of a chosen column
LooksUp = Callable[[str, str], Any]  # a setting of a run
GROUP = "group:"  # how the key of a group begins; the name of no run does


@dataclass(frozen=True)
class Group:
    """The runs of an experiment, in their order; of a closed one none is listed."""

    experiment: str
    rows: tuple[RunRow, ...]
    closed: bool

    @property
    def key(self) -> str:
        """What stands for it in the table."""
        return GROUP + self.experiment

    def format_cells(self, columns: Sequence[Column]) -> list[Text | str]:
        """Its cells: name and number of runs, how many run now, and the best of their figures."""
        known = [row.summary for row in self.rows if row.summary is not None]
        running = sum(s.state == "running" or s.evaluation is not None for s in known)
        losses = [s.loss for s in known if s.loss is not None]
        verified = [s.accuracy for s in known if s.accuracy is not None]
        best = [s.best for s in known if s.best is not None]
        count = len(self.rows)
        cells = {
            "*": "▸" if self.closed else "▾",
            "run": clean(f"{self.experiment}, {count} run{'s' * (count != 1)}"),
            "state": f"▶ {running} live" if running else "",
            "loss": format_number(min(losses)) if losses else "-",
            "verified": format_percent(max(verified)) if verified else "-",
            "best": format_percent(max(best)) if best else "-",
        }
        return [Text(cells.get(column.label, ""), style="bold") for column in columns]


def group_rows(rows: Sequence[RunRow], closed: Collection[str]) -> list[RunRow | Group]:
    """The rows by experiment, each group behind its heading, in the order of the groups' first runs."""
    groups: dict[str, list[RunRow]] = {}
    for row in rows:
        groups.setdefault(row.run.experiment, []).append(row)
    found: list[RunRow | Group] = []
    for experiment, several in groups.items():
        shut = experiment in closed
        found.append(Group(experiment, tuple(several), shut))
        found += [] if shut else several
    return found


def value_of(row: RunRow, name: str, settings: LooksUp) -> Any:
    """A metric of the last validation, else of the last step, else a setting; None if there is none."""
    s = row.summary
    for metrics in () if s is None else (s.metrics, s.step_metrics):
        if name in metrics:
            return metrics[name]
    return settings(row.run.name, name)


def format_value(name: str, value: Any) -> str:
    """A metric or a setting for a cell."""
    if isinstance(value, float):
        return format_percent(value) if is_share(name) else format_number(value)
    return "-" if value is None else clean(format_setting(value))


def width_of(name: str, rows: Sequence[RunRow], settings: LooksUp) -> int:
    """How wide a chosen column is: as its widest value among some of the rows, up to WIDEST."""
    lengths = [len(format_value(name, value_of(row, name, settings))) for row in rows[:200]]
    return min(WIDEST, max([len(name), *lengths])) if len(name) <= WIDEST else WIDEST


def order_of(row: RunRow, name: str, settings: LooksUp) -> tuple[Any, ...]:
    """What a chosen column is sorted by: numbers, then texts, then what is missing."""
    value = value_of(row, name, settings)
    if value is None:
        return (2, 0.0, "", row.run.name)
    if isinstance(value, (int, float)):
        return (0, value if math.isfinite(value) else math.inf, "", row.run.name)
    return (1, 0.0, format_value(name, value), row.run.name)
