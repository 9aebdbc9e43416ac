"""Numbers over steps in bounded memory, reduced to minimum and maximum per column before they are drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

POINTS = 2048  # more than any terminal has columns of dots


@dataclass(frozen=True)
class Point:
    """One or several neighbouring values at x; `low` is None where the value was not finite."""

    x: float
    low: float | None
    high: float | None
    last: float | None


@dataclass(frozen=True)
class Column:
    """What falls into one column of a plot; `gap`: a value that is not finite stands in or before it."""

    low: float
    high: float
    first: float
    last: float
    gap: bool


class Series:
    """Points by rising age at both ends; when there are too many, neighbours are merged."""

    def __init__(self, limit: int = POINTS) -> None:
        self.points: list[Point] = []
        self.broken = 0  # values that were not finite
        self._limit = limit

    def add(self, points: Iterable[tuple[float, Any]], earlier: bool = False) -> None:
        """Append points, or put them before all others; anything but a finite number is a gap."""
        new = [Point(x, v, v, v) for x, value in points for v in [finite(value)]]
        self.broken += sum(point.last is None for point in new)
        self.points = new + self.points if earlier else self.points + new
        while len(self.points) > self._limit:
            self.points = [_merged(self.points[i : i + 2]) for i in range(0, len(self.points), 2)]


def finite(value: Any) -> float | None:
    """The value as a float, None where it is no finite number."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    return None


def _merged(pair: list[Point]) -> Point:
    known = [p for p in pair if p.low is not None and p.high is not None]
    if not known:
        return pair[-1]
    low = min(p.low for p in known if p.low is not None)
    high = max(p.high for p in known if p.high is not None)
    return Point(pair[-1].x, low, high, known[-1].last)


def smooth(points: list[Point], weight: float) -> list[Point]:
    """The exponential moving average, with the bias of its start removed; gaps stay gaps."""
    if weight <= 0:
        return points
    average, total, smoothed = 0.0, 0.0, []
    for point in points:
        if point.last is None:
            smoothed.append(point)
            continue
        average = weight * average + (1 - weight) * point.last
        total = weight * total + (1 - weight)
        value = average / total
        smoothed.append(Point(point.x, value, value, value))
    return smoothed


def columns(
    points: Iterable[Point], count: int, first: float, last: float, log: bool = False
) -> list[Column | None]:
    """The points between `first` and `last` in `count` columns; on a log axis nothing below 0 is shown."""
    found: list[Column | None] = [None] * count
    width = (last - first) or 1.0
    gap = False
    for point in points:
        if not first <= point.x <= last:
            continue
        low, high, value = point.low, point.high, point.last
        if low is None or high is None or value is None or (log and low <= 0):
            gap = True
            continue
        if log:
            low, high, value = math.log10(low), math.log10(high), math.log10(value)
        at = min(count - 1, int((point.x - first) / width * count))
        old = found[at]
        found[at] = (
            Column(low, high, value, value, gap)
            if old is None
            else Column(min(low, old.low), max(high, old.high), old.first, value, old.gap or gap)
        )
        gap = False
    return found
