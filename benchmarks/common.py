"""What the benchmarks share: options, rounds in alternating order, spreads, tables, the last line of JSON."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import TypeVar

T = TypeVar("T")


def parser(
    doc: str, *, rounds: int | None = None, device: bool = False, settings: Sequence[str] | None = None
) -> argparse.ArgumentParser:
    """A parser that shows the script's docstring, with --rounds, --device and --set if they are given."""
    made = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    if rounds is not None:
        made.add_argument("--rounds", type=int, default=rounds)
    if device:
        made.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    if settings is not None:
        made.add_argument("--set", action="append", default=list(settings), metavar="KEY=VALUE")
    return made


def add_published(made: argparse.ArgumentParser) -> None:
    """Add --data, the folder of the published problems."""
    made.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ["POLYCTL_PUBLISHED"]) if os.environ.get("POLYCTL_PUBLISHED") else None,
        metavar="DIR",
        help="folder of the published problems, univariate_2_2.txt and so on (default: POLYCTL_PUBLISHED)",
    )


def published(folder: Path | None) -> Path:
    """The folder of the published problems; SystemExit that says what to do if it is missing."""
    if folder is not None and folder.is_dir():
        return folder
    what = "the published problems are needed" if folder is None else f"there is no folder {folder}"
    raise SystemExit(
        f"{what}: name the folder that holds univariate_2_2.txt and so on with --data or POLYCTL_PUBLISHED"
    )


# -- measuring -------------------------------------------------------------------------------------


def clock(device: str) -> Callable[[], float]:
    """Seconds of processor time, or of wall time after everything queued on a GPU is done."""
    if device != "cuda":
        return time.process_time
    import torch

    def synchronized() -> float:
        torch.cuda.synchronize()
        return time.perf_counter()

    return synchronized


def seconds(work: Callable[[], object], now: Callable[[], float] = time.process_time) -> float:
    """How long a piece of work takes."""
    began = now()
    work()
    return now() - began


def in_turn(
    works: Mapping[str, Callable[[int], T]], rounds: int, *, warm: int = 0, show: bool = False
) -> list[dict[str, T]]:
    """What each work gives in each round: every round runs all of them, in alternating order.

    A work is called with the number of its round; rounds to warm up have negative numbers and are left out.
    """
    rows = []
    for number in range(-warm, rounds):
        order = list(works) if number % 2 == 0 else list(reversed(works))
        found = {name: works[name](number) for name in order}
        if number >= 0:
            rows.append({name: found[name] for name in works})
        if number >= 0 and show:
            print(f"round {number + 1}: {json.dumps(rows[-1])}", flush=True)
    return rows


@dataclass(frozen=True)
class Spread:
    """The median of what the rounds gave, and their range or quartiles."""

    median: float
    low: float
    high: float

    @classmethod
    def range(cls, values: Iterable[float]) -> Spread:
        """Median, smallest and largest."""
        ordered = sorted(values)
        return cls(median(ordered), ordered[0], ordered[-1])

    @classmethod
    def quartiles(cls, values: Iterable[float]) -> Spread:
        """Median and quartiles, of two values or more."""
        ordered = sorted(values)
        low, _, high = quantiles(ordered, n=4)
        return cls(median(ordered), low, high)

    def text(self, digits: int = 2) -> str:
        """Median (low-high)."""
        return f"{self.median:.{digits}f} ({self.low:.{digits}f}-{self.high:.{digits}f})"

    def to_dict(self) -> dict[str, float]:
        """For the line of JSON."""
        return asdict(self)


# -- printing --------------------------------------------------------------------------------------


def print_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table whose first column is aligned left and whose others are aligned right."""
    lines = [list(map(str, line)) for line in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for first, *others in lines:
        cells = [f"{cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True)]
        print("  ".join([f"{first:{widths[0]}}", *cells]).rstrip())


def finish(benchmark: str, **figures: object) -> None:
    """The last line: the figures as JSON."""
    print(json.dumps({"benchmark": benchmark, **figures}, ensure_ascii=False))
