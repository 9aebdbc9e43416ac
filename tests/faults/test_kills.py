"""A few rounds of benchmarks/faults.py: commands killed at random moments, continued, and compared."""

import importlib
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def faults(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    before = set(sys.modules)
    yield importlib.import_module("faults")
    for name in {"faults", "common"} & set(sys.modules) - before:
        del sys.modules[name]


@pytest.mark.slow
def test_what_is_killed_and_continued_equals_what_was_left_in_peace(faults, tmp_path, monkeypatch):
    monkeypatch.setattr(faults, "MOST_KILLS", 1)
    tallies = faults.play(list(faults.JOBS), 1, 1, tmp_path)
    assert {name: tally.faults for name, tally in tallies.items()} == {name: [] for name in tallies}
    assert all(tally.equal == tally.rounds == 1 for tally in tallies.values())
