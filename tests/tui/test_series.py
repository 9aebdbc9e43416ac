"""Numbers over steps in bounded memory."""

import math
from itertools import pairwise

from polyctl.tui.series import Series, columns
from tests.tui.shared import points


def test_a_spike_survives_the_reduction():
    values = [1.0] * 1000
    values[500] = 99.0
    found = columns(points(*values), 10, 0, 999)
    assert max(c.high for c in found) == 99.0
    assert [c.low for c in found] == [1.0] * 10


def test_memory_is_bounded_and_extremes_stay():
    series = Series(limit=100)
    for i in range(10_000):
        series.add([(i, -5.0 if i == 4321 else 1.0)], earlier=False)
    assert len(series.points) <= 100
    assert min(p.low for p in series.points) == -5.0


def test_the_resolution_is_even_whatever_the_order():
    forwards, backwards = Series(limit=100), Series(limit=100)
    values = [(float(i), math.sin(i)) for i in range(5000)]
    for at in range(0, 5000, 50):
        forwards.add(values[at : at + 50])
        backwards.add(values[4950 - at : 5000 - at], earlier=True)
    assert forwards.points == backwards.points
    gaps = [b.x - a.x for a, b in pairwise(forwards.points)]
    assert len(gaps) >= 40
    assert set(gaps[:-1]) == {64.0}
