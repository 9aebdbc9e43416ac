"""The answers of a search as rows of a table: as `solve` ranks them, as wide as the terminal allows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.text import Text

from polyctl.formatting import format_number
from polyctl.tui.format import clean, format_status

SIZE_WIDTH, FULL_WIDTH = 76, 100  # of the terminal, from which on there are more columns


def choose_columns(width: int) -> list[str]:
    """The columns for a width of the terminal."""
    more = ["size"] * (width >= SIZE_WIDTH) + ["source", "time"] * (width >= FULL_WIDTH)
    return ["#", "status", "g", "h", *more]


def format_solutions(solutions: Sequence[dict[str, Any]], width: int) -> list[tuple[str, list[Text | str]]]:
    """(key, cells) of each answer, for the columns of this width."""
    outers = [s["outer"] or "-" for s in solutions]
    inners = [_join_inners(s["inners"]) for s in solutions]
    rest = 24 + 8 * (width >= SIZE_WIDTH) + 44 * (width >= FULL_WIDTH)
    room_g, room_h = _share_room(
        max(map(len, outers), default=0), max(map(len, inners), default=0), width - rest
    )
    found = []
    for rank, (s, g, h) in enumerate(zip(solutions, outers, inners, strict=True), 1):
        cells: list[Text | str] = [
            Text(str(rank), justify="right"),
            format_status("weak" if s["weak"] else s["status"]),
            _fit(g, room_g),
            _fit(h, room_h),
        ]
        if width >= SIZE_WIDTH:
            cells.append(str(s["complexity"] or "-"))
        if width >= FULL_WIDTH:
            cells += [_fit(format_source(s), 32), f"{s['seconds']:.2g} s"]
        found.append((str(s["number"]), cells))
    return found


def _join_inners(inners: Sequence[str]) -> str:
    return inners[0] if len(inners) == 1 else "; ".join(f"h{i} = {h}" for i, h in enumerate(inners))


def _share_room(g: int, h: int, room: int) -> tuple[int, int]:
    """The widths of two columns that want to be g and h wide: half the room, or what the other one leaves."""
    half = max(10, room // 2)
    return max(half, room - h), max(half, room - g)


def format_source(s: dict[str, Any]) -> str:
    """Where an answer comes from, with rank and log-probability if a beam found it."""
    if s["source"] != "beam":
        return clean(s["source"])
    rank = f" rank {s['rank']}" if s.get("rank") else ""
    return f"beam{rank}, log-prob {format_number(s['logprob'])}"


def _fit(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1] + "…"
