"""The answers of a search as rows of a table: as `solve` ranks them, as wide as the terminal allows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.text import Text

from polyctl.formatting import format_number
from polyctl.tui.format import clean, format_status

SIZE_WIDTH, FULL_WIDTH = 76, 100  # of the table, from which on there are more columns
LEAST_ROOM = 10  # columns of g, and of h
Cells = list[Text | str]


def format_solutions(
    solutions: Sequence[dict[str, Any]], width: int
) -> tuple[list[str], list[tuple[str, Cells]]]:
    """The headings for a width of the table, and (key, cells) of each answer.

    Rank and log-probability are columns if a beam has found any of them. What is left is of g and h.
    """
    before: dict[str, Cells] = {"#": [Text(str(n), justify="right") for n in range(1, len(solutions) + 1)]}
    before["status"] = [format_status("weak" if s["weak"] else s["status"]) for s in solutions]
    after: dict[str, Cells] = {}
    if width >= SIZE_WIDTH:
        after["size"] = [str(s["complexity"] or "-") for s in solutions]
    if width >= FULL_WIDTH:
        after["source"] = [_fit(clean(s["source"]), 24) for s in solutions]
    if width >= SIZE_WIDTH and any(s["source"] == "beam" for s in solutions):
        after["rank"] = [str(s["rank"]) if s.get("rank") else "-" for s in solutions]
        after["log-prob"] = [format_number(s["logprob"]) for s in solutions]
    if width >= FULL_WIDTH:
        after["time"] = [f"{s['seconds']:.2g} s" for s in solutions]
    taken = sum(_width_of(label, cells) + 2 for label, cells in (before | after).items())
    outers = [s["outer"] or "-" for s in solutions]
    inners = [_join_inners(s["inners"]) for s in solutions]
    room_g, room_h = _share_room(
        max(map(len, outers), default=0), max(map(len, inners), default=0), width - taken - 5
    )
    columns = dict(before)
    columns["g"] = [_fit(outer, room_g) for outer in outers]
    columns["h"] = [_fit(inner, room_h) for inner in inners]
    columns |= after
    rows = [(str(s["number"]), [cells[at] for cells in columns.values()]) for at, s in enumerate(solutions)]
    return list(columns), rows


def _width_of(label: str, cells: Sequence[Text | str]) -> int:
    return max([len(label), *(len(cell) for cell in cells)])


def _join_inners(inners: Sequence[str]) -> str:
    return inners[0] if len(inners) == 1 else "; ".join(f"h{i} = {h}" for i, h in enumerate(inners))


def _share_room(g: int, h: int, room: int) -> tuple[int, int]:
    """The widths of two columns that want to be g and h wide: half the room, or what the other one leaves."""
    half = max(LEAST_ROOM, room // 2)
    return max(half, room - h), max(half, room - g)


def format_source(s: dict[str, Any]) -> str:
    """Where an answer comes from, with rank and log-probability if a beam found it."""
    if s["source"] != "beam":
        return clean(s["source"])
    rank = f" rank {s['rank']}" if s.get("rank") else ""
    return f"beam{rank}, log-prob {format_number(s['logprob'])}"


def _fit(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1] + "…"
