"""The published system's numbers, from published.toml beside this file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import tomli


@dataclass(frozen=True)
class Published:
    """One number: a fraction, of how many problems with which beam, if that is known."""

    value: float
    problems: int | None
    beam: int | None


@cache
def raw() -> dict[str, Any]:
    """The whole file."""
    return tomli.loads(Path(__file__).with_name("published.toml").read_text(encoding="utf-8"))


@cache
def _numbers() -> dict[tuple[str, str, str], Published]:
    found = {}
    for table in raw()["table"]:
        facts = table.get("problems"), table.get("beam")
        cells = {measure: {"all": value} for measure, value in table.get("all", {}).items()}
        for measure, values in (cells | table.get("cells", {})).items():
            for cell, value in values.items():
                found[table["experiment"], measure, cell] = Published(round(value / 100, 6), *facts)
    return found


def published(experiment: str, measure: str, cell: str = "all") -> Published | None:
    """`greedy` or `pass@K` of an experiment, on all problems or a degree cell; None if it is not known."""
    return _numbers().get((experiment, measure, cell))


def measures(experiment: str) -> list[str]:
    """What is published of an experiment on all of its problems, such as pass@2, in ascending order."""
    found = {measure for name, measure, cell in _numbers() if (name, cell) == (experiment, "all")}
    return sorted(found, key=lambda measure: int(measure.partition("@")[2] or 0))


def gains() -> dict[str, str]:
    """What reinforcement learning is said to gain, in percentage points."""
    return dict(raw()["gains"])


def complexities() -> dict[str, dict[str, float]]:
    """Mean complexities by (v_in)_(v_out): of Mathematica's simplification and of the known answer."""
    return dict(raw()["complexity"])
