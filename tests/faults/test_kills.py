"""A few rounds of benchmarks/faults.py: commands killed at random moments, continued, and compared."""

import importlib
import os
import sys
from pathlib import Path

import pytest

from polyctl.store.events import EventReader

CONTINUED = ("gen", "train", "rl", "eval")
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
    tallies = faults.play([job for job in faults.JOBS if job.name in CONTINUED], 1, 1, tmp_path)
    assert {name: tally.faults for name, tally in tallies.items()} == {name: [] for name in tallies}
    assert all(tally.equal == tally.rounds == 1 for tally in tallies.values())


@pytest.mark.slow
def test_of_commands_that_start_at_once_one_writes(faults, tmp_path):
    """The others say who it is; what it leaves is what it leaves alone."""
    faults.finish(faults.BASE, tmp_path)
    made = faults.newest(tmp_path, "smoke")
    resume = ["train", "--resume", made.name, "--runs", "runs", "--steps", "60"]
    gen = ["gen", "smoke", "--out", "made", "--workers", "1"]
    for command in (resume, gen):
        started = [faults.start(command, tmp_path) for _ in range(4)]
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in started]
        assert set(codes) <= {0, 3}
        assert codes.count(0) >= 1
        log = (tmp_path / "log.txt").read_text()
        assert log.count("is being written by") >= codes.count(3)
        assert "Traceback" not in log
    *_, last = EventReader(made.events)
    assert (last.kind, last.state, last.step) == ("end", "complete", 60)
    steps = [event.step for event in EventReader(made.events) if event.kind == "run"]
    assert steps == sorted(steps)
    assert not (tmp_path / "made" / "parts").exists()
