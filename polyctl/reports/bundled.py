"""Figures of one model on all published sets, as `benchmarks/shipped.py --out FILE` writes them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polyctl.errors import FileError
from polyctl.store.files import read_regular


@dataclass(frozen=True)
class Bundled:
    """Fractions of problems with a verified answer, by published set and measure (greedy, pass@15)."""

    beam: int
    sets: dict[str, dict[str, float]]

    def value(self, name: str, measure: str) -> float | None:
        """The fraction; None if the set or the measure was not evaluated."""
        return self.sets.get(name, {}).get(measure)

    def mean(self, names: Sequence[str], measure: str) -> float | None:
        """The mean over sets of equally many problems; None unless all of them were evaluated."""
        found = [value for name in names if (value := self.value(name, measure)) is not None]
        return sum(found) / len(found) if found and len(found) == len(names) else None

    @property
    def note(self) -> str:
        """Where the figures come from."""
        counts = sorted({int(figures["problems"]) for figures in self.sets.values()})
        problems = " or ".join(map(str, counts))
        return f"Bundled model: one model for all, beam {self.beam}, {problems} published problems a set."


def read_bundled(path: Path) -> Bundled:
    """Read the file. Raises FileError if it is missing or something else."""
    try:
        found = json.loads(read_regular(path))
        sets = {str(name): _figures(figures) for name, figures in found["sets"].items()}
        return Bundled(int(found["beam"]), sets)
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}", "correct --bundled") from error
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        hint = "write it with: python benchmarks/shipped.py --out FILE"
        raise FileError(f"{path} has no figures of a model: {error}", hint) from error


def _figures(figures: dict[str, Any]) -> dict[str, float]:
    numbers = {str(name): float(value) for name, value in figures.items()}
    if not all(map(math.isfinite, numbers.values())) or "problems" not in numbers:
        raise ValueError("a figure is not finite, or the number of problems is missing")
    return numbers
