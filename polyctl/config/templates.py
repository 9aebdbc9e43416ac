"""Tables of a registry with a grid: an experiment for each point, its values filled in for {placeholders}."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polyctl.errors import UsageError, did_you_mean

PLACEHOLDER = re.compile(r"\{(\w+)\}")
Values = dict[str, Any]
MOST_POINTS = 10_000  # of a grid


@dataclass(frozen=True)
class Table:
    """One table of a registry, its placeholders filled in; `label` is how the file writes its header."""

    path: Path
    label: str
    extends: str | None
    values: Values

    @property
    def place(self) -> str:
        """File and header, for error messages."""
        return f"{self.path}: [{self.label}]"


def as_table(value: Any, path: Path, label: str) -> Values:
    if isinstance(value, dict):
        return value
    raise UsageError(f"{path}: {label} must be a table, not {value!r}", f"write it as [{label}]")


def expand(raw: Values, path: Path) -> Iterator[tuple[str, Table]]:
    """Every experiment that the tables stand for, templates filled in with each point of their grid."""
    seen: dict[str, str] = {}
    for written, value in raw.items():
        label = f'experiment."{written}"' if PLACEHOLDER.search(written) else f"experiment.{written}"
        values = dict(as_table(value, path, label))
        where = f"{path}: [{label}]"
        grid = values.pop("grid", None)
        if grid is None and PLACEHOLDER.search(written):
            raise UsageError(f"{where} has placeholders in its name but no grid", "add grid.NAME = [...]")
        for point in [None] if grid is None else _points(grid, where):
            name = written if point is None else str(_fill(written, point, where, as_text=True))
            filled = values if point is None else _fill(values, point, where)
            if name in seen:
                raise UsageError(
                    f"{where} defines {name} a second time, after [{seen[name]}]",
                    "rename one, or use every placeholder of the grid in the name",
                )
            seen[name] = label
            extends = filled.get("extends")
            if extends is not None and not isinstance(extends, str):
                raise UsageError(f"{where} extends: must be the name of one experiment, not {extends!r}")
            if "name" in filled:
                raise UsageError(f"{where} name: an experiment is named by its table", "remove the key")
            yield name, Table(path, label, extends, {k: v for k, v in filled.items() if k != "extends"})


def _points(grid: Any, where: str) -> Iterator[Values]:
    """The points of a grid: a table of lists is their product, an array of tables one after the other."""
    for part in grid if isinstance(grid, list) else [grid]:
        if not isinstance(part, dict) or not part or [] in part.values():
            raise UsageError(
                f"{where} grid: must be a table of lists, or an array of tables, none of them empty",
                "for example grid.width = [256, 512]",
            )
        axes = [value if isinstance(value, list) else [value] for value in part.values()]
        if math.prod(map(len, axes)) > MOST_POINTS:
            raise UsageError(
                f"{where} grid: stands for more than {MOST_POINTS:,} experiments", "make it smaller"
            )
        for values in itertools.product(*axes):
            yield dict(zip(part, values, strict=True))


def _fill(value: Any, point: Values, where: str, as_text: bool = False) -> Any:
    """`value`, its placeholders filled in; a string that is one placeholder takes the type of its value."""
    if isinstance(value, dict):
        return {key: _fill(item, point, where) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, point, where) for item in value]
    if not isinstance(value, str):
        return value
    for name in PLACEHOLDER.findall(value):
        if name not in point:
            raise UsageError(
                f"{where} uses {{{name}}} in {value!r}, which its grid does not have",
                did_you_mean(name, point, f"the grid has {', '.join(point)}"),
            )
    whole = PLACEHOLDER.fullmatch(value)
    if whole and not as_text:
        return point[whole[1]]
    return PLACEHOLDER.sub(lambda match: str(point[match[1]]), value)
