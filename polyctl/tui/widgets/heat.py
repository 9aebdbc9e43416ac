"""Accuracy by degree cell as a heat map: the number is always there, shade and colour are on top."""

from __future__ import annotations

import re
from typing import Any

from rich.text import Text

from polyctl.tui.series import finite

SHADES = " ░▒▓█"
COLOURS = ("red", "red", "yellow", "yellow", "green")


def heat_map(cells: list[dict[str, Any]]) -> Text:
    """Outer degrees down, inner degrees across; each cell shows its verified accuracy and its best pass@k."""
    found: dict[tuple[str, str], Text] = {}
    for cell in cells:
        match = re.fullmatch(r"(\d+)\D+(\d+)", str(cell.get("cell")))
        greedy = cell.get("greedy")
        value = finite(greedy.get("verified") if isinstance(greedy, dict) else greedy)
        if match is None or value is None:
            continue
        found[match[1], match[2]] = _cell(value, cell.get("pass_at"))
    if not found:
        return Text("no accuracy by degree yet: `polyctl eval` measures it", style="dim")
    outers = sorted({o for o, _ in found}, key=int)
    inners = sorted({i for _, i in found}, key=int)
    text = Text("greedy verified, and pass@k of the widest beam; rows: degree of g, columns: degree of h\n")
    text.append("      " + "".join(f"{i:^20}" for i in inners) + "\n", style="dim")
    for outer in outers:
        text.append(f"{outer:>4}  ", style="dim")
        for inner in inners:
            text.append_text(found.get((outer, inner), Text(" " * 20)))
        text.append("\n")
    return text


def _cell(value: float, passed: object) -> Text:
    level = min(len(SHADES) - 1, max(0, round(value * (len(SHADES) - 1))))
    text = Text(SHADES[level] * 2 + f" {100 * value:5.1f}%", style=COLOURS[level])
    if isinstance(passed, dict) and passed:
        widest = max((k for k in passed if str(k).isdigit()), key=int, default=None)
        best = finite(passed.get(widest))
        if best is not None:
            text.append(f" @{widest} {100 * best:3.0f}%")
    return Text.assemble(text, " " * max(0, 20 - text.cell_len))
