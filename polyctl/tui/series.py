"""Numbers over steps in bounded memory, reduced to minimum and maximum per column before they are drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

POINTS = 2048  # more than any terminal has columns of dots


@dataclass(frozen=True)
class Point:
    """Neighbouring values from `first_x` to x; all of them are None if none was finite."""

    x: float
    low: float | None
    high: float | None
    last: float | None
    first_x: float
    first: float | None

    @classmethod
    def at(cls, x: float, value: float | None) -> Point:
        """One value."""
        return cls(x, value, value, value, x, value)


@dataclass(frozen=True)
class Column:
    """What falls into one column of a plot; `gap`: a value that is not finite stands in or before it."""

    low: float
    high: float
    first: float
    last: float
    gap: bool


class Series:
    """Values over x in bounded memory: buckets, whose width doubles when there are too many of them.

    So the resolution is the same everywhere, whatever the order in which a file's parts are read.
    """

    def __init__(self, limit: int = POINTS) -> None:
        self.broken = 0  # values that were not finite
        self._limit = limit
        self._width = 1
        self._buckets: dict[int, Point] = {}

    @property
    def points(self) -> list[Point]:
        """The buckets by rising x."""
        return [self._buckets[at] for at in sorted(self._buckets)]

    def add(self, points: Sequence[tuple[float, Any]], earlier: bool = False) -> None:
        """Add points that come after all others, or before; anything but a finite number is a gap."""
        buckets, width = self._buckets, self._width
        for x, value in reversed(points) if earlier else points:
            v = to_finite(value)
            self.broken += v is None
            point, at = Point.at(x, v), int(x // width)
            old = buckets.get(at)
            if old is not None:
                point = _merged(point, old) if earlier else _merged(old, point)
            buckets[at] = point
        while len(self._buckets) > self._limit:
            self._coarsen()

    def _coarsen(self) -> None:
        self._width *= 2
        points, self._buckets = self.points, {}
        for point in points:
            at = int(point.x // self._width)
            old = self._buckets.get(at)
            self._buckets[at] = point if old is None else _merged(old, point)


def to_finite(value: Any) -> float | None:
    """The value as a float, None if it is not a finite number."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _merged(old: Point, new: Point) -> Point:
    """Both as one, `new` being the later."""
    if old.low is None or old.high is None:
        return replace(new, first_x=old.first_x)
    if new.low is None or new.high is None:
        return replace(old, x=new.x)
    return Point(new.x, min(old.low, new.low), max(old.high, new.high), new.last, old.first_x, old.first)


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
        smoothed.append(Point.at(point.x, average / total))
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
        low, high, start, end = point.low, point.high, point.first, point.last
        if low is None or high is None or start is None or end is None or (log and low <= 0):
            gap = True
            continue
        if log:
            low, high, start, end = (math.log10(value) for value in (low, high, start, end))
        new = Column(low, high, start, end, gap)
        at = min(count - 1, int((point.x - first) / width * count))
        old = found[at]
        found[at] = (
            new
            if old is None
            else Column(min(new.low, old.low), max(new.high, old.high), old.first, new.last, old.gap or gap)
        )
        gap = False
    return found
