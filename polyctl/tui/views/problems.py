"""The problems of an evaluation as text: which are listed, in which order, and one with its beam."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.text import Text

from polyctl.store.predictions import JudgedAnswer, Prediction
from polyctl.tui.format import Column, clean, format_status
from polyctl.tui.interval import format_pass_at
from polyctl.tui.problem_list import MOST, ProblemList, ProblemRow

KINDS: dict[str, Callable[[ProblemRow], bool]] = {
    "all": lambda row: True,
    "failed": lambda row: row.first is None,
    "solved": lambda row: row.first is not None,
    "solved first": lambda row: row.first == 0,
    "solved later": lambda row: bool(row.first),
    "inner right": lambda row: row.first is None and row.completed is not None,
    "unreadable": lambda row: row.unreadable,
}
SORTS = ("number", "log-prob", "result", "cell")
EMPTY = (
    "no evaluation of this run has kept its problems\n"
    "`polyctl eval RUN` makes one, and its problems appear here while it runs; n goes to a run that has one"
)
BEFORE = 15  # columns of a beam before an answer: rank and log-probability
STATUS = 13  # and those of its status


@dataclass
class ProblemsView:
    """Which problems are listed, and in which order."""

    kind: str = "all"
    cell: str | None = None
    pattern: str = ""
    sort: str = "number"
    reverse: bool = False

    def select(self, rows: Sequence[ProblemRow]) -> list[ProblemRow]:
        """The rows that match, in order."""
        fits, wanted = KINDS[self.kind], self.pattern.lower()
        found = [
            row
            for row in rows
            if fits(row) and self.cell in (None, row.cell) and wanted in f"{row.index} {row.text}".lower()
        ]
        found.sort(key=_ORDERS[self.sort])
        return found[::-1] if self.reverse else found

    def next_kind(self) -> None:
        """Show the next kind of problems."""
        self.kind = _next(list(KINDS), self.kind)

    def next_cell(self, rows: Sequence[ProblemRow]) -> None:
        """Show the problems of the next degree cell, then those of all."""
        cells = [None, *sorted({row.cell for row in rows if row.cell})]
        self.cell = cells[(cells.index(self.cell) + 1) % len(cells)] if self.cell in cells else None

    def next_sort(self) -> None:
        """Sort by the next column."""
        self.sort = _next(list(SORTS), self.sort)

    def sort_by(self, label: str) -> None:
        """Sort by a column; the other way round if it is the order already."""
        sort = label if label in SORTS else "number"
        self.reverse = sort == self.sort and not self.reverse
        self.sort = sort

    def describe(self, found: ProblemList, shown: int) -> str:
        """The line above the list."""
        rows = found.rows
        first, solved = sum(row.first == 0 for row in rows), sum(row.first is not None for row in rows)
        of = f" of {found.problems:,}" if found.problems else ""
        parts = [f"{len(rows):,}{of} problems, {first:,} solved first, {solved:,} in all"]
        if self.kind != "all" or self.cell is not None or self.pattern:
            chosen = [
                self.kind if self.kind != "all" else "",
                self.cell or "",
                self.pattern and f"{self.pattern!r}",
            ]
            parts.append(f"shown: {shown:,} ({', '.join(filter(None, chosen))})")
        if self.sort != "number" or self.reverse:
            parts.append(f"by {self.sort}{', reversed' * self.reverse}")
        if beam := max((row.answers for row in rows), default=0):
            parts.append(format_pass_at(first, solved, beam, len(rows)))
        parts += [] if found.complete else ["reading"]
        parts += [f"the first {MOST:,} are listed"] if len(rows) >= MOST else []
        parts += [f"{found.left_out:,} lines cannot be read"] if found.left_out else []
        parts += [found.error] if found.error else []
        return clean(" · ".join(parts))


def _next(names: list[str], name: str) -> str:
    return names[(names.index(name) + 1) % len(names)]


_ORDERS: dict[str, Callable[[ProblemRow], tuple[object, ...]]] = {
    "number": lambda row: (row.index,),
    "log-prob": lambda row: (math.inf if row.logprob is None else -row.logprob, row.index),
    "result": lambda row: (
        math.inf if row.first is None else row.first,
        math.inf if row.completed is None else row.completed,
        row.unreadable,
        row.index,
    ),
    "cell": lambda row: (row.cell, row.index),
}


def choose_columns(width: int) -> list[Column]:
    """The columns for a width: f takes what the others leave."""
    first = [
        Column("number", 6, right=True),
        Column("cell", 4),
        Column("result", 13),
        Column("log-prob", 8, True),
    ]
    return [*first, Column("f", max(8, width - sum(c.width + 2 for c in first) - 3))]


def format_row(row: ProblemRow) -> list[Text | str]:
    """The cells of a row."""
    logprob = "-" if row.logprob is None else f"{row.logprob:.3f}"
    return [str(row.index), row.cell or "-", format_result(row), logprob, row.text]


def format_result(row: ProblemRow) -> Text:
    """How a problem ended: at which rank it was solved, or how not."""
    if row.unreadable:
        return Text("! unreadable", style="red")
    if row.first is not None:
        return Text(f"✓ rank {row.first + 1}", style="green")
    if row.completed is not None:
        return Text("○ inner right", style="yellow")
    return Text("✗ failed", style="red")


def format_problem(found: Prediction, width: int) -> Text:
    """A problem with its known decomposition and its beam: ranks, log-probabilities, verdicts, answers."""
    text = Text()
    text.append(f"problem {found.index}", style="bold")
    text.append(f"  cell {clean(found.cell)}\n" if found.cell else "\n")
    text.append("f = ", style="dim")
    text.append(f"{clean(found.input)}\n")
    if found.known is not None:
        text.append("known: ", style="dim")
        text.append(f"{clean(format_decomposition(*found.known))}\n")
    if found.error is not None:
        text.append(f"not asked: {clean(found.error)}\n", style="red")
    if found.greedy is not None and not found.beam:
        text.append("greedy: ", style="dim")
        text.append_text(_format_answer(found.greedy, width - len("greedy: ")))
    if found.beam:
        text.append(f"{'rank':>4} {'log-prob':>9} {'status':<12} answer\n", style="dim")
    for one in found.beam:
        text.append(f"{one.rank + 1:>4} ")
        text.append("      -   " if one.logprob is None else f"{one.logprob:>9.3f} ")
        text.append_text(_format_answer(one, width - BEFORE))
    return text


def _format_answer(one: JudgedAnswer, room: int) -> Text:
    """An answer behind its status, with what else is known of it, cut to so many columns."""
    text = Text().append_text(format_status(clean(one.status)))
    text.pad_right(max(0, 12 - text.cell_len))
    notes = [f"as rank {one.duplicate_of + 1}"] if one.duplicate_of is not None else []
    notes += ["as known"] if one.exact else []
    notes += ["right with another g"] if one.status != "verified" and one.completed == "verified" else []
    notes += ["too many inner polynomials"] if one.extra_inners else []
    answer = clean(format_decomposition(one.outer, one.inner)) if one.inner else clean(one.reason)
    said = f" ({', '.join(notes)})" if notes else ""
    room = max(10, room - STATUS - len(said))
    text.append(f" {answer if len(answer) <= room else answer[: room - 1] + '…'}")
    text.append(f"{said}\n", style="cyan")
    return text


def format_decomposition(outer: str | None, inner: Sequence[str]) -> str:
    """`g = …; h = …`, without g if there is none."""
    names = ["h"] if len(inner) == 1 else [f"h{i}" for i in range(len(inner))]
    sides = [f"{name} = {one}" for name, one in zip(names, inner, strict=True)]
    return "; ".join(sides if outer is None else [f"g = {outer}", *sides])
