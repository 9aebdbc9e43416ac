"""Wilson's interval against a plain slow twin."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyctl.tui.interval import NORMAL_95, format_pass_at, format_share, wilson_interval


@given(st.integers(1, 10_000), st.data())
def test_its_ends_are_where_the_score_test_would_just_reject(trials, data):
    hits = data.draw(st.integers(0, trials))
    low, high = wilson_interval(hits, trials)
    assert 0 <= low <= hits / trials <= high <= 1
    for end in (low, high):
        if 1e-9 < end < 1 - 1e-9:
            distance = abs(hits / trials - end) / math.sqrt(end * (1 - end) / trials)
            assert distance == pytest.approx(NORMAL_95, rel=1e-6)


def test_shares_as_text():
    assert format_share(45, 100) == "45.0% (35.6–54.8%)"
    assert format_share(0, 10) == "0.0% (0.0–27.8%)"
    assert format_share(10**400, 10**400) == "100.0% (100.0–100.0%)"
    assert format_pass_at(1, 3, 5, 4) == "pass@1 25.0% (4.6–69.9%), pass@5 75.0% (30.1–95.4%)"
    assert format_pass_at(1, 1, 1, 4) == "pass@1 25.0% (4.6–69.9%)"
    for hits, trials in ((0, 0), (2, 1), (-1, 1)):
        with pytest.raises(ValueError, match="is no share"):
            wilson_interval(hits, trials)
