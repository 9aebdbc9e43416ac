"""Runs: all runs with their state, to filter, sort, mark and open."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import DataTable, Static

from polyctl.formatting import format_age, format_number, format_percent
from polyctl.store.runs import Run, Summary
from polyctl.tui.actions import bindings
from polyctl.tui.format import clean, format_progress, format_status, shorten
from polyctl.tui.panes.pane import Pane
from polyctl.tui.widgets.ask import Ask
from polyctl.tui.widgets.table import Table

SORTS = ("newest", "run", "state", "loss", "verified")


@dataclass(frozen=True)
class Row:
    """A run with what its events say, and what is wrong with its files."""

    run: Run
    summary: Summary | None
    problem: str | None = None
    has_model: bool = False


def summarise(run: Run) -> Row:
    """A run's row; what is wrong with its files is said in it, never raised."""
    problem = None
    try:
        with run.events.open("rb"):
            pass
    except FileNotFoundError:
        pass
    except OSError as error:
        problem = f"{run.events} cannot be read: {error.strerror}"
    return Row(run, run.summary(), problem, run.has_checkpoint)


def columns(width: int) -> list[str]:
    """The columns for a width of the terminal."""
    if width >= 100:
        return ["*", "state", "run", "progress", "step", "loss", "verified", "age"]
    if width >= 72:
        return ["*", "state", "run", "progress", "loss", "verified", "age"]
    return ["*", "state", "run", "loss", "verified"]


def cells(row: Row, marked: bool, labels: list[str]) -> list[Text | str]:
    """A run's cells for these columns."""
    s = row.summary
    every: dict[str, Any] = {
        "*": "●" if marked else " ",
        "state": Text("… reading", style="dim") if s is None else format_status(s.state),
        "run": row.run.name,
        "progress": "-"
        if s is None
        else format_progress(s.step, s.total_steps, 8 if "step" in labels else 0),
        "step": "-" if s is None or s.step is None else f"{s.step:,}",
        "loss": format_number(None if s is None else s.loss),
        "verified": format_percent(None if s is None else s.accuracy),
        "age": "-" if s is None else format_age(s.updated),
    }
    return [every[label] for label in labels]


def fit(rows: list[list[Text | str]], labels: list[str], width: int) -> None:
    """Shorten the names of runs to the room that the other columns leave."""
    at = labels.index("run")
    widths = [max([len(label), *(len(row[i]) for row in rows)]) for i, label in enumerate(labels)]
    room = width - sum(widths) + widths[at] - 2 * len(labels) - 1  # padding, and a scrollbar
    for row in rows:
        row[at] = shorten(clean(row[at]), max(8, room))


def words(row: Row) -> str:
    """A run in one line of words: its error, its file's problem, or how it ended."""
    s = row.summary
    if row.problem:
        return row.problem
    if s is None:
        return "reading"
    if s.error:
        return f"{row.run.name} crashed: {s.error}"
    if s.state == "crashed":
        return f"{row.run.name} has been silent for ten minutes without an end"
    if s.state == "unknown":
        return f"{row.run.name} has written no events yet"
    metrics = ", ".join(f"{k} {format_number(v)}" for k, v in s.metrics.items())
    return f"{row.run.name}: {s.ended or s.state}{f', {metrics}' if metrics else ''}"


class RunsPane(Pane):
    """The table of runs."""

    BINDINGS = bindings("runs")
    place = "runs"

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Row] | None = None
        self.marked: list[str] = []
        self.sort, self.pattern = "newest", ""
        self.problem: str | None = None

    def compose(self) -> ComposeResult:
        yield Static("", id="runs-title", markup=False)
        yield Table(id="runs-table")
        yield Static("", id="runs-words", markup=False)
        yield Ask(id="runs-ask")

    def on_mount(self) -> None:
        self.redraw()

    def arrive(self) -> None:
        self.query_one(Table).focus()
        self.redraw()

    def on_resize(self) -> None:
        self.redraw()

    @property
    def shown(self) -> list[Row]:
        """The rows that fit the filter, sorted."""
        found = [row for row in self.rows or [] if self.pattern.lower() in _searched(row)]
        if self.sort != "newest":  # that is how they come
            found.sort(key=lambda row: _sort_key(row, self.sort))
        return found

    def redraw(self) -> None:
        """Fill the table from the rows; a run that has gone is no longer marked."""
        if self.rows is not None:
            names = {row.run.name for row in self.rows}
            self.marked = [name for name in self.marked if name in names]
        title = self.query_one("#runs-title", Static)
        root = self.dashboard.root
        if self.problem is not None:
            title.update(self.problem)
        elif self.rows is None:
            title.update(f"looking for runs in {root}")
        elif not self.rows:
            title.update(
                f"no runs in {root} yet\n`polyctl train quick` makes one in about a minute; "
                "F6 and then t starts it from here"
            )
        else:
            shown = self.shown
            said = f"{len(shown)} of {len(self.rows)} runs in {root}, "
            said += "newest first" if self.sort == "newest" else f"by {self.sort}"
            said += f", with {self.pattern!r}" if self.pattern else ""
            said += f", {len(self.marked)} marked: Enter opens them" if self.marked else ""
            title.update(Text(clean(said), no_wrap=True, overflow="ellipsis"))
        table = self.query_one(Table)
        labels = columns(self.size.width)
        table.head(labels)
        shown = self.shown
        rows = [cells(row, row.run.name in self.marked, labels) for row in shown]
        fit(rows, labels, self.size.width)
        table.fill([(row.run.name, some) for row, some in zip(shown, rows, strict=True)])
        self._words()

    def on_data_table_row_highlighted(self) -> None:
        self._words()

    def _words(self) -> None:
        key = self.query_one(Table).key
        row = next((r for r in self.rows or [] if r.run.name == key), None)
        self.query_one("#runs-words", Static).update(clean(words(row)) if row else "")

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        event.stop()
        self.action_open()

    def action_open(self) -> None:
        key = self.query_one(Table).key
        names = self.marked or ([key] if key else [])
        if names:
            self.dashboard.open_runs(names)

    def action_mark(self) -> None:
        key = self.query_one(Table).key
        if key is None:
            return
        if key in self.marked:
            self.marked.remove(key)
        else:
            self.marked.append(key)
        self.redraw()

    def action_unmark(self) -> None:
        self.marked = []
        self.redraw()

    def action_sort(self) -> None:
        self.sort = SORTS[(SORTS.index(self.sort) + 1) % len(SORTS)]
        self.redraw()

    def action_filter(self) -> None:
        self.query_one(Ask).ask("part of a name or a state", self.pattern, self._filter, self._filter)

    def _filter(self, pattern: str) -> None:
        self.pattern = pattern
        self.redraw()

    def action_stop(self) -> None:
        key = self.query_one(Table).key
        if key is not None:
            self.dashboard.stop_job(key)


def _searched(row: Row) -> str:
    return f"{row.run.name} {row.summary.state if row.summary else ''}".lower()


def _sort_key(row: Row, by: str) -> tuple[Any, str]:
    s = row.summary
    if by == "loss":
        return (math.inf if s is None or s.loss is None else s.loss, row.run.name)
    if by == "verified":
        return (math.inf if s is None or s.accuracy is None else -s.accuracy, row.run.name)
    return ((s.state if s else "") if by == "state" else "", row.run.name)
