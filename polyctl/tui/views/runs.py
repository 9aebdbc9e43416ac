"""The table of runs as text: its columns, cells, order and title."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from rich.text import Text

from polyctl.formatting import format_age, format_number, format_percent
from polyctl.tui.format import clean, format_progress, format_status, shorten
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

    def describe(self, runs: RunList) -> str:
        """The line above the table."""
        if runs.problem is not None:
            return runs.problem
        if not runs.listed:
            return f"looking for runs in {runs.root}"
        if not runs.rows:
            return f"{explain_no_runs(runs.root)}\nor F6 and then t starts it from here"
        parts = [
            f"{len(self.select(runs.rows))} of {len(runs.rows)} runs in {runs.root}",
            "newest first" if self.sort == "newest" else f"by {self.sort}",
        ]
        if self.pattern:
            parts.append(f"with {self.pattern!r}")
        if self.marked:
            parts.append(f"{len(self.marked)} marked: Enter opens them")
        return clean(", ".join(parts))

    def format_rows(self, rows: list[RunRow], labels: list[str], width: int) -> list[list[Text | str]]:
        """The cells of these rows, names shortened to the room that the other columns leave."""
        cells = [_format_cells(row, row.run.name in self.marked, labels) for row in rows]
        at = labels.index("run")
        widths = [max([len(label), *(len(row[i]) for row in cells)]) for i, label in enumerate(labels)]
        room = width - sum(widths) + widths[at] - 2 * len(labels) - 1  # padding, and a scrollbar
        for row in cells:
            row[at] = shorten(clean(row[at]), max(8, room))
        return cells


def choose_columns(width: int) -> list[str]:
    """The columns for a width of the terminal."""
    if width >= 100:
        return ["*", "state", "run", "progress", "step", "loss", "verified", "age"]
    if width >= 72:
        return ["*", "state", "run", "progress", "loss", "verified", "age"]
    return ["*", "state", "run", "loss", "verified"]


def _format_cells(row: RunRow, marked: bool, labels: list[str]) -> list[Text | str]:
    s = row.summary
    bar = 8 if "step" in labels else 0
    every: dict[str, Text | str] = {
        "*": "●" if marked else " ",
        "state": Text("… reading", style="dim") if s is None else format_status(s.state),
        "run": row.run.name,
        "progress": "-" if s is None else format_progress(s.step, s.total_steps, bar),
        "step": "-" if s is None or s.step is None else f"{s.step:,}",
        "loss": format_number(None if s is None else s.loss),
        "verified": format_percent(None if s is None else s.accuracy),
        "age": format_age(None if s is None else s.updated),
    }
    return [every[label] for label in labels]


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
        return f"{row.run.name} has not ended and has written nothing for ten minutes"
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
