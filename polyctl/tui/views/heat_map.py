"""Accuracy by degree cell as a heat map: the number is always there, shade and colour are on top."""

from __future__ import annotations

import re
from typing import Any

from rich.text import Text

from polyctl.tui.series import to_finite

SHADES = " ░▒▓█"
COLOURS = ("red", "red", "yellow", "yellow", "green")
WIDE, NARROW = 20, 11  # cells with pass@k and without


def format_heat_map(cells: list[dict[str, Any]], of: str = "", width: int = 80) -> Text:
    """Outer degrees down, inner degrees across; each cell shows its verified accuracy and its best pass@k.

    `of` says what was evaluated. Where there is no room for both numbers pass@k is left out.
    """
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for cell in cells:
        match = re.fullmatch(r"(\d+)\D+(\d+)", str(cell.get("cell")))
        if match is not None and _verified(cell) is not None:
            found[match[1], match[2]] = cell
    if not found:
        return Text("no accuracy by degree yet: `polyctl eval` measures it", style="dim")
    outers = sorted({o for o, _ in found}, key=int)
    inners = sorted({i for _, i in found}, key=int)
    both = 6 + WIDE * len(inners) <= width
    room = WIDE if both else NARROW
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"{of}\n" if of else "", style="bold")
    text.append("verified, and pass@k of the beam; " if both else "verified; ")
    text.append("rows: degree of g, columns: degree of h\n")
    text.append("      " + "".join(f"{i:^{room}}" for i in inners) + "\n", style="dim")
    for outer in outers:
        text.append(f"{outer:>4}  ", style="dim")
        for inner in inners:
            text.append_text(_cell(found.get((outer, inner), {}), both))
        text.append("\n")
    return text


def _verified(cell: dict[str, Any]) -> float | None:
    greedy = cell.get("greedy")
    return to_finite(greedy.get("verified") if isinstance(greedy, dict) else greedy)


def _cell(cell: dict[str, Any], both: bool) -> Text:
    value, passed = _verified(cell), cell.get("pass_at")
    text = Text()
    if value is not None:
        level = min(len(SHADES) - 1, max(0, round(value * (len(SHADES) - 1))))
        text.append(SHADES[level] * 2 + f" {100 * value:5.1f}%", style=COLOURS[level])
    if both and isinstance(passed, dict) and passed:
        widest = max((k for k in passed if str(k).isdigit()), key=int, default=None)
        best = to_finite(passed.get(widest))
        if best is not None:
            text.append(f" @{widest} {100 * best:3.0f}%")
    text.pad_right(max(0, (WIDE if both else NARROW) - text.cell_len))
    return text
