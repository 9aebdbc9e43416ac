"""Round numbers for the axes of a plot."""

from __future__ import annotations

import math
from collections.abc import Iterator

MANTISSAS = (1, 2, 5)
X_MANTISSAS = (1, 2, 2.5, 5)
X_LABELS = 6
TIMES = ((86_400, "days"), (3600, "h"), (60, "min"))  # in seconds


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers from `low` to `high`: as many as there are, up to `most`, and two if possible.

    >>> ticks(0.1167, 7, 4)
    [2.0, 4.0, 6.0]
    >>> ticks(0.9, 1.0, 3)
    [0.9, 0.95, 1.0]
    """
    best: list[float] = []
    for step in _steps(high - low):
        found = _multiples(step, low, high)
        if len(found) > max(most, 1):
            break
        best = found
    return best


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Powers of ten between 10^low and 10^high as their exponents, or round numbers if there are few."""
    for every in range(1, 400):
        powers = [float(k) for k in range(math.ceil(low), math.floor(high) + 1) if k % every == 0]
        if len(powers) <= max(most, 1):
            break
    if len(powers) >= 2:
        return powers
    return [math.log10(value) for value in ticks(10**low, 10**high, most) if value > 0]


def widen(low: float, high: float, share: bool) -> tuple[float, float]:
    """A range that is not empty; shares stay between 0 and 1."""
    if high - low < 1e-12 * max(1.0, abs(high)):
        room = 0.1 if share else 0.1 * (abs(low) or 1)
        low, high = low - room, high + room
        if share:
            low, high = max(0.0, low), min(1.0, high)
    return low, high


def format_x(value: float, unit: str, size: float = 1.0) -> str:
    """A label of the x axis: steps and problems in thousands, time in units of so many seconds."""
    if unit == "time":
        return f"{value / size:g} {_word_of(size)}" if value else "0"
    for suffix, size in (("M", 1e6), ("k", 1e4)):
        if abs(value) >= size:
            return f"{value / (1e3 if suffix == 'k' else size):g}{suffix}"
    return f"{value:g}"


def x_ticks(first: float, last: float, unit: str, cells: int) -> list[float]:
    """Round places for the labels below a plot of so many cells: four or five, if there is room for them."""
    size, best = _unit_size(first, last, unit), list[float]()
    for step in _steps((last - first) / size, X_MANTISSAS if unit != "time" else MANTISSAS):
        found = [size * value for value in _multiples(step, first / size, last / size)]
        room = sum(len(format_x(value, unit, size)) + 2 for value in found[:20])
        if len(found) > X_LABELS or (room > cells and len(found) > 2):
            break
        if unit == "time" or all(value == int(value) for value in found):
            best = found
    return best or [first]


def _word_of(size: float) -> str:
    """The name of a unit of so many seconds."""
    return next((word for seconds, word in TIMES if seconds == size), "s")


def _unit_size(first: float, last: float, unit: str) -> float:
    """The unit of a time axis in seconds; 1 for any other."""
    return next((float(s) for s, _ in TIMES if last - first > 2 * s), 1.0) if unit == "time" else 1.0


def x_labels(first: float, last: float, unit: str, cells: int) -> str:
    """The labels below a plot of so many cells, each in the middle of its column."""
    line, size = [" "] * cells, _unit_size(first, last, unit)
    for value in x_ticks(first, last, unit, cells):
        label = format_x(value, unit, size)
        at = round((value - first) / ((last - first) or 1) * (cells - 1)) - len(label) // 2
        at = max(0, min(at, cells - len(label)))
        around = line[max(0, at - 1) : at + len(label) + 1]
        if len(label) <= cells and not "".join(around).strip():
            line[at : at + len(label)] = label
    return "".join(line).rstrip()


def _steps(span: float, mantissas: tuple[float, ...] = MANTISSAS) -> Iterator[float]:
    """Round steps from larger than the span down."""
    exponent = math.floor(math.log10(span)) + 1 if span > 0 else 0
    for power in range(exponent, exponent - 6, -1):
        for mantissa in reversed(mantissas):
            yield mantissa * 10.0**power


def _multiples(step: float, low: float, high: float) -> list[float]:
    digits = max(0, 2 - math.floor(math.log10(step)))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    if last - first > 1000:
        return [math.nan] * 1001
    return [round(n * step, min(digits, 300)) for n in range(first, last + 1)]
