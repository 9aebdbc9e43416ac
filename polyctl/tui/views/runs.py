"""The table of runs as text: its columns, cells, order and title."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.text import Text

from polyctl.formatting import format_age, format_duration, format_number, format_percent
from polyctl.store.summary import Summary
from polyctl.tui.format import Column, clean, format_progress, shorten
from polyctl.tui.run_list import RunList, RunRow, explain_no_runs
from polyctl.tui.run_settings import MOST_COLUMNS, RunSettings
from polyctl.tui.views.run_columns import (
    Group,
    LooksUp,
    format_value,
    group_rows,
    order_of,
    value_of,
    width_of,
)
from polyctl.tui.views.status import format_rate, format_state, format_strip

SORTS = ("newest", "run", "state", "loss", "verified")


@dataclass
class RunsView:
    """Which runs are listed, in which order, and which are marked to be compared."""

    marked: list[str] = field(default_factory=list)
    sort: str = "newest"
    pattern: str = ""
    reverse: bool = False
    columns: tuple[str, ...] = ()  # chosen ones behind state and run; none: as many as there is room for
    grouped: bool = False
    closed: set[str] = field(default_factory=set)  # experiments whose runs are not listed
    settings: RunSettings = field(default_factory=RunSettings)

    def select(self, rows: list[RunRow]) -> list[RunRow]:
        """The rows that match the filter, sorted."""
        found = [row for row in rows if self.pattern.lower() in _searchable(row)]
        if self.sort in SORTS[1:]:  # the newest come first
            found.sort(key=lambda row: _sort_key(row, self.sort))
        elif self.sort in self.own_columns:
            found.sort(key=lambda row: order_of(row, self.sort, self.settings.get))
        return found[::-1] if self.reverse else found

    def list_entries(self, rows: list[RunRow]) -> list[RunRow | Group]:
        """What the table lists of the selected rows, if wanted under a heading for each experiment."""
        return group_rows(rows, self.closed) if self.grouped else [*rows]

    @property
    def own_columns(self) -> tuple[str, ...]:
        """The chosen columns that are metrics or settings."""
        return tuple(name for name in self.columns if name not in WIDTHS)

    def choose_columns(self, names: Sequence[str]) -> None:
        """Show these columns."""
        self.columns = tuple(name for name in names if name not in ("*", "state", "run"))[:MOST_COLUMNS]
        if self.sort not in (*SORTS, *self.own_columns):
            self.sort = SORTS[0]

    def toggle_group(self, experiment: str) -> None:
        """List the runs of an experiment, or only its heading."""
        self.closed ^= {experiment}

    def next_sort(self) -> None:
        """Sort by the next column."""
        sorts = (*SORTS, *self.own_columns)
        self.sort = sorts[(sorts.index(self.sort) + 1) % len(sorts)]

    def sort_by(self, label: str) -> None:
        """Sort by a column, by age if it is no order; the other way round if it is the order already."""
        sort = label if label in (*SORTS, *self.own_columns) else "newest"
        self.reverse = sort == self.sort and not self.reverse
        self.sort = sort

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
            ("newest first" if self.sort == "newest" else f"by {self.sort}") + ", reversed" * self.reverse,
        ]
        if self.pattern:
            parts.append(f"with {self.pattern!r}")
        if self.grouped:
            parts.append("by experiment")
        if self.marked:
            parts.append(f"{len(self.marked)} marked: Enter opens them")
        return clean(", ".join(parts))

    def format_cells(self, row: RunRow, columns: Sequence[Column]) -> list[Text | str]:
        """The cells of a row, its name shortened in its middle."""
        s = row.summary
        mark = "●" if row.run.name in self.marked else " "
        if s is None:
            every: dict[str, Text | str] = {"*": mark, "state": Text("… reading", style="dim")}
            s_cells = dict.fromkeys(WIDTHS, "-")
        else:
            every = {"*": mark, "state": format_state(s)}
            s_cells = {
                "step": "-" if s.step is None else f"{s.step:,}",
                "elapsed": format_duration(s.elapsed, digits=0),
                "left": format_duration(s.left, digits=0),
                "rate": format_rate(s),
                "lr": format_number(s.lr, 3),
                "loss": format_number(s.loss),
                "verified": format_percent(s.accuracy),
                "best": format_percent(s.best),
                "age": format_age(s.updated),
            }
        cells: list[Text | str] = []
        for column in columns:
            if column.label == "run":
                cells.append(shorten(clean(row.run.name), column.width))
            elif column.label == "progress" and s is not None:
                cells.append(format_progress(s.step, s.total_steps, 8 if column.width > 8 else 0))
            elif column.label not in WIDTHS:
                cells.append(format_value(column.label, value_of(row, column.label, self.settings.get)))
            else:
                cells.append(every.get(column.label) or s_cells[column.label])
        return cells


# in the order in which they stand; the widths of all but the state and the run, which follow from the rows
WIDTHS = {
    **{"*": 1, "state": 0, "run": 0, "progress": 13, "step": 5, "elapsed": 7, "left": 6, "rate": 11},
    **{"lr": 8, "loss": 6, "verified": 8, "best": 6, "age": 6},
}
FIRST = ("*", "state", "run", "loss", "verified")  # which even a narrow terminal has
FURTHER = ("progress", "age", "left", "step", "best", "elapsed", "rate", "lr")
LEAST_NAME = 22  # of a run, before a further column takes its room
LEAST_OWN_NAME = 12  # before a chosen one does


def choose_columns(
    rows: Sequence[RunRow], width: int, own: Sequence[str] = (), settings: LooksUp = lambda run, key: None
) -> list[Column]:
    """The columns for a width of the terminal: the more room there is, the more of them.

    If some are chosen, these alone stand behind state and run, as far as there is room.
    """
    known = [row.summary for row in rows if row.summary is not None]
    widths = {
        **WIDTHS,
        "state": max([9, *(format_state(s).cell_len for s in _unusual(known))]),
        "step": len(f"{max([10_000, *(s.step for s in known if s.step is not None)]):,}"),
        "loss": max([6, *(len(format_number(s.loss)) for s in known)]),
    }
    longest = max([3, *(len(row.run.name) for row in rows)])
    if own:
        return _own_columns(rows, width, own, widths, longest, settings)
    chosen, room = set(FIRST), width - 1 - sum(widths[label] + 2 for label in FIRST)
    for label in FURTHER:
        if label == "progress" and width < 100:
            widths[label] = 8
        if room - widths[label] - 2 >= min(longest, LEAST_NAME):
            chosen.add(label)
            room -= widths[label] + 2
    widths["run"] = min(longest, max(8, room))
    return [Column(label, widths[label]) for label in WIDTHS if label in chosen]


def _own_columns(
    rows: Sequence[RunRow],
    width: int,
    own: Sequence[str],
    widths: dict[str, int],
    longest: int,
    settings: LooksUp,
) -> list[Column]:
    """State and run, and as many of the chosen columns as there is room for."""
    found = [Column(label, widths[label]) for label in ("*", "state")]
    room = width - 1 - sum(column.width + 2 for column in found) - 2
    further: list[Column] = []
    for name in own:
        wide = widths[name] if name in widths else width_of(name, rows, settings)
        if room - wide - 2 >= min(longest, LEAST_OWN_NAME):
            further.append(Column(name, wide))
            room -= wide + 2
    return [*found, Column("run", min(longest, max(8, room))), *further]


def _unusual(known: Sequence[Summary]) -> list[Summary]:
    """A summary of each state, and those of all running evaluations."""
    states = {s.state: s for s in known}
    return [*states.values(), *(s for s in known if s.evaluation is not None)]


def describe_run(row: RunRow) -> str:
    """A run in one line: its error, the problem with its file, or how it ended; then its note."""
    return _describe_state(row) + (f"; note: {row.note}" if row.note else "")


def _describe_state(row: RunRow) -> str:
    s = row.summary
    if row.problem:
        return row.problem
    if s is None:
        return "reading"
    if s.error:
        return f"{row.run.name} crashed: {s.error}"
    if s.state == "crashed":
        if s.owner is not None and s.owner.alive is False:
            return f"{row.run.name} has not ended, and its {s.owner} is gone"
        return f"{row.run.name} has not ended, but nothing works on it any more"
    if s.state == "unknown":
        return f"{row.run.name} has written no events yet"
    if s.state == "running" or s.evaluation is not None:
        return f"{row.run.name}: {format_strip(s)}"
    metrics = ", ".join(describe_metric(name, value) for name, value in s.metrics.items())
    return f"{row.run.name}: {s.ended or s.state}{f', {metrics}' if metrics else ''}"


def describe_metric(name: str, value: float) -> str:
    """A metric in words: greedy_verified as a percentage, pass_at_1 as pass@1."""
    words = name.replace("pass_at_", "pass@").replace("_", " ")
    share = name.startswith(("greedy_", "pass_at_")) or name == "rank_score"
    return f"{words} {format_percent(value) if share else format_number(value)}"


def _searchable(row: RunRow) -> str:
    return f"{row.run.name} {row.summary.state if row.summary else ''} {row.note}".lower()


def _sort_key(row: RunRow, by: str) -> tuple[Any, str]:
    s = row.summary
    if by == "loss":
        return (math.inf if s is None or s.loss is None else s.loss, row.run.name)
    if by == "verified":
        return (math.inf if s is None or s.accuracy is None else -s.accuracy, row.run.name)
    return ((s.state if s else "") if by == "state" else "", row.run.name)
