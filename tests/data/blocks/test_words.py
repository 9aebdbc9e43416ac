"""Draws of many generators at once are those of each."""

import numpy as np
import pytest

from polyctl.data.blocks.words import Words
from polyctl.data.rng import CounterRNG

NAMES = [f"family:7:{i}" for i in range(40)]


def test_every_kind_of_draw_is_the_same_word_by_word():
    words, singles = Words(NAMES), [CounterRNG(name) for name in NAMES]
    choose = np.random.default_rng(3)
    for _ in range(30):  # more than a block of words for some, fewer for others
        rows = np.flatnonzero(choose.random(len(NAMES)) < 0.7)
        limits = choose.integers(1, 50, len(rows))
        counts = choose.integers(0, 5, len(rows))
        assert words.below(rows, limits).tolist() == [
            singles[i].below(n) for i, n in zip(rows.tolist(), limits.tolist(), strict=True)
        ]
        drawn = words.between(rows, 20, counts, 6)
        assert drawn.tolist() == [
            singles[i].between(-20, 20, n) + [0] * (6 - n)
            for i, n in zip(rows.tolist(), counts.tolist(), strict=True)
        ]
        places = words.sample(rows, 5 + limits, counts, 6)
        for i, size, n, found in zip(*(x.tolist() for x in (rows, 5 + limits, counts, places)), strict=True):
            assert found[:n] == singles[i].sample(range(size), n)


@pytest.mark.parametrize("limit", [1, 10, (1 << 31) - 1, 1 << 32])
def test_limits_up_to_a_whole_word(limit):
    rows = np.arange(len(NAMES))
    assert Words(NAMES).below(rows, limit).tolist() == [CounterRNG(name).below(limit) for name in NAMES]
