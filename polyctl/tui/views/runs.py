"""The table of runs as text: its columns, cells, order and title."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.text import Text

from polyctl.formatting import format_age, format_number, format_percent
from polyctl.tui.format import Column, clean, format_progress, format_status, shorten
from polyctl.tui.run_list import RunList, RunRow, explain_no_runs

SORTS = ("newest", "run", "state", "loss", "verified")


@dataclass
class RunsView:
    """Which runs are listed, in which order, and which are marked to be compared."""

    marked: list[str] = field(default_factory=list)
    sort: str = "newest"
    pattern: str = ""

    def select(self, rows: list[RunRow]) -> list[RunRow]:
        """The rows that match the filter, sorted."""
        found = [row for row in rows if self.pattern.lower() in _searchable(row)]
        if self.sort != "newest":  # that is how they come
            found.sort(key=lambda row: _sort_key(row, self.sort))
        return found

    def next_sort(self) -> None:
        """Sort by the next column."""
        self.sort = SORTS[(SORTS.index(self.sort) + 1) % len(SORTS)]

    def sort_by(self, label: str) -> None:
        """Sort by a column, by age if it is no order."""
        self.sort = label if label in SORTS else "newest"

    def toggle_mark(self, name: str) -> None:
        """Mark a run, or remove its mark."""
        if name in self.marked:
            self.marked.remove(name)
        else:
            self.marked.append(name)

    def drop_gone(self, rows: list[RunRow]) -> None:
        """Forget the marks of runs that no longer exist."""
        names = {row.run.name for row in rows}
        self.marked = [name for name in self.marked if name in names]

    def describe(self, runs: RunList, shown: int) -> str:
        """The line above the table."""
        if runs.problem is not None:
            return runs.problem
        if not runs.listed:
            return f"looking for runs in {runs.root}"
        if not runs.rows:
            return f"{explain_no_runs(runs.root)}\nor F6 and then t starts it from here"
        parts = [
            f"{shown} of {len(runs.rows)} runs in {runs.root}",
            "newest first" if self.sort == "newest" else f"by {self.sort}",
        ]
        if self.pattern:
            parts.append(f"with {self.pattern!r}")
        if self.marked:
            parts.append(f"{len(self.marked)} marked: Enter opens them")
        return clean(", ".join(parts))

    def format_cells(self, row: RunRow, columns: Sequence[Column]) -> list[Text | str]:
        """The cells of a row, its name shortened in its middle."""
        s, labels = row.summary, [column.label for column in columns]
        bar = 8 if "step" in labels else 0
        every: dict[str, Text | str] = {
            "*": "●" if row.run.name in self.marked else " ",
            "state": Text("… reading", style="dim") if s is None else format_status(s.state),
            "progress": "-" if s is None else format_progress(s.step, s.total_steps, bar),
            "step": "-" if s is None or s.step is None else f"{s.step:,}",
            "loss": format_number(None if s is None else s.loss),
            "verified": format_percent(None if s is None else s.accuracy),
            "age": format_age(None if s is None else s.updated),
        }
        for column in columns:
            if column.label == "run":
                every["run"] = shorten(clean(row.run.name), column.width)
        return [every[label] for label in labels]


WIDTHS = {"*": 1, "progress": 13, "verified": 8, "age": 6}


def choose_columns(rows: Sequence[RunRow], width: int) -> list[Column]:
    """The columns for a width of the terminal; the name gets what the others leave."""
    if width >= 100:
        labels = ["*", "state", "run", "progress", "step", "loss", "verified", "age"]
    elif width >= 72:
        labels = ["*", "state", "run", "progress", "loss", "verified", "age"]
    else:
        labels = ["*", "state", "run", "loss", "verified"]
    known = [row.summary for row in rows if row.summary is not None]
    widths = {
        **WIDTHS,
        "state": 2 + max([len("reading"), *map(len, {s.state for s in known})]),
        "step": len(f"{max([1000, *(s.step for s in known if s.step is not None)]):,}"),
        "loss": max([6, *(len(format_number(s.loss)) for s in known)]),
    }
    if "step" not in labels:
        widths["progress"] = len("progress")
    others = sum(widths.get(label, 0) + 2 for label in labels)
    name = min(max([3, *(len(row.run.name) for row in rows)]), max(8, width - others - 1))
    return [Column(label, widths.get(label, name)) for label in labels]


def describe_run(row: RunRow) -> str:
    """A run in one line: its error, the problem with its file, or how it ended."""
    s = row.summary
    if row.problem:
        return row.problem
    if s is None:
        return "reading"
    if s.error:
        return f"{row.run.name} crashed: {s.error}"
    if s.state == "crashed":
        return f"{row.run.name} has not ended, but nothing works on it any more"
    if s.state == "unknown":
        return f"{row.run.name} has written no events yet"
    metrics = ", ".join(describe_metric(name, value) for name, value in s.metrics.items())
    return f"{row.run.name}: {s.ended or s.state}{f', {metrics}' if metrics else ''}"


def describe_metric(name: str, value: float) -> str:
    """A metric in words: greedy_verified as a percentage, pass_at_1 as pass@1."""
    words = name.replace("pass_at_", "pass@").replace("_", " ")
    share = name.startswith(("greedy_", "pass_at_")) or name == "rank_score"
    return f"{words} {format_percent(value) if share else format_number(value)}"


def _searchable(row: RunRow) -> str:
    return f"{row.run.name} {row.summary.state if row.summary else ''}".lower()


def _sort_key(row: RunRow, by: str) -> tuple[Any, str]:
    s = row.summary
    if by == "loss":
        return (math.inf if s is None or s.loss is None else s.loss, row.run.name)
    if by == "verified":
        return (math.inf if s is None or s.accuracy is None else -s.accuracy, row.run.name)
    return ((s.state if s else "") if by == "state" else "", row.run.name)
