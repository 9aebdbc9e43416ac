"""The draws that every sampler is made of."""

from collections import Counter

import pytest

from polyctl.data.rng import CounterRNG

PINNED = [23, 5, 24, 34, 24, 24]


def test_the_same_name_gives_the_same_draws_for_ever():
    draws = CounterRNG("univariate:0:0")
    assert [draws.below(41) for _ in range(6)] == PINNED
    again = CounterRNG("univariate:0:0")
    assert [again.below(41) for _ in range(6)] == PINNED
    assert CounterRNG("univariate:0:1").between(0, 999, 5) != CounterRNG("univariate:0:0").between(0, 999, 5)


@pytest.mark.parametrize("n", [1, 2, 41, 2**32, 2**32 + 1, 10**20])
def test_draws_stay_below_and_fill_the_range(n):
    draws = CounterRNG(f"range {n}")
    drawn = [draws.below(n) for _ in range(3000)]
    assert 0 <= min(drawn) <= max(drawn) < n
    assert max(drawn) >= n - 1 - n // 100
    assert min(drawn) <= n // 100


def test_each_of_many_is_as_likely():
    counts = Counter(CounterRNG("even").between(-2, 2, 20_000))
    assert set(counts) == set(range(-2, 3))
    assert all(3700 < count < 4300 for count in counts.values())  # ten standard deviations are 566


def test_samples_are_different_items_in_any_order():
    draws = CounterRNG("samples")
    samples = [tuple(draws.sample("abc", 2)) for _ in range(600)]
    assert set(samples) == {(a, b) for a in "abc" for b in "abc" if a != b}
    assert sorted(draws.sample(range(9), 9)) == list(range(9))
    assert {draws.choice("xy") for _ in range(50)} == {"x", "y"}
