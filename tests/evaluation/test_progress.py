"""What a running evaluation writes of how far it is."""

import os

import pytest

from polyctl.evaluation import progress as module
from polyctl.evaluation.progress import ProgressWriter
from polyctl.store.events import EventReader, EventWriter


@pytest.mark.parametrize(("seconds", "written"), [(0.0, [0, 2, 4, 5]), (1e9, [0])])
def test_problems_done_of_all_are_written_now_and_then(tmp_path, monkeypatch, seconds, written):
    monkeypatch.setattr(module, "PROGRESS_SECONDS", seconds)
    path = tmp_path / "events.jsonl"
    with EventWriter(path) as writer:
        progress = ProgressWriter(writer, 5, world=2)
        for right in (True, False, True):
            progress.count(right)
    events = list(EventReader(path))
    assert [event.done for event in events] == written
    assert {(event.problems, event.pid) for event in events} == {(5, os.getpid())}
    assert events[-1].verified == (4 if seconds == 0 else 0)
