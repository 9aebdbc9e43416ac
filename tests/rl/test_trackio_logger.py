"""The tracker gets the numbers of a run; if it is missing, the error says how to install it."""

import sys
from types import SimpleNamespace

import pytest

from polyctl.errors import UsageError
from polyctl.rl.trackio_logger import Tracker
from polyctl.store.event_kinds import RunStarted, Step
from polyctl.store.runs import create_run
from tests.rl.helpers import tiny


class Stub(SimpleNamespace):
    """Stands for trackio: keeps what it is given."""

    def __init__(self):
        super().__init__(started=None, logged=[], finished=False)

    def init(self, **options):
        self.started = options

    def log(self, metrics, step=None):
        self.logged.append((step, metrics))

    def finish(self):
        self.finished = True


def test_numbers_are_forwarded_with_their_step(monkeypatch, tmp_path):
    stub = Stub()
    monkeypatch.setitem(sys.modules, "trackio", stub)
    run = create_run(tiny(), tmp_path)
    with Tracker(tiny(), run) as tracker:
        tracker(RunStarted(state="started", step=0))
        tracker(Step(step=3, metrics={"reward": 0.5, "skipped": 2}))
    assert (stub.started["project"], stub.started["name"]) == ("polyctl-tiny", run.id)
    assert stub.logged == [(3, {"step/reward": 0.5, "step/skipped": 2})]
    assert stub.finished


def test_without_trackio_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "trackio", None)
    with pytest.raises(UsageError, match="needs trackio") as error:
        Tracker(tiny(), create_run(tiny(), tmp_path))
    assert "polyctl[track]" in error.value.hint
