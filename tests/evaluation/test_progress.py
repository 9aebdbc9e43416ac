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
        progress = ProgressWriter(writer, 5, world=2, width=4)
        for right, first in ((True, 0), (False, None), (True, 2)):
            progress.count(right, first)
    events = list(EventReader(path))
    assert [event.done for event in events] == written
    assert {(event.problems, event.pid) for event in events} == {(5, os.getpid())}
    last = events[-1]
    assert last.verified == (4 if seconds == 0 else 0)
    found = (last.beam, last.counted, last.solved_first, last.solved)
    assert found == ((4, 3, 1, 2) if seconds == 0 else (4, 0, 0, 0)), "those that were counted, unlike `done`"
