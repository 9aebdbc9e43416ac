"""How often a directory of predictions is listed."""

import os

import pytest

from polyctl.tui import evaluation_folder as module
from polyctl.tui.evaluation_folder import LOOK_SECONDS, EvaluationFolder


@pytest.fixture
def listed(monkeypatch):
    """The directories that were listed, one after the other."""
    found, usual = [], module.list_evaluations
    monkeypatch.setattr(module, "list_evaluations", lambda path: found.append(path) or usual(path))
    return found


@pytest.fixture
def clock(monkeypatch):
    """What the time is, in seconds; the first item is changed by a test."""
    now = [1_000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(module.time, "time", lambda: 1_760_000_000.0 + now[0])
    return now


def touch(path, clock) -> None:
    """Set a directory's time of change to now."""
    os.utime(path, (1_760_000_000.0 + clock[0],) * 2)


def test_it_is_listed_every_two_seconds_at_most_and_only_if_it_has_changed(tmp_path, listed, clock):
    folder, path = EvaluationFolder(tmp_path / "predictions"), tmp_path / "predictions"
    assert folder.look() == []
    path.mkdir()
    (path / "eval-20250101-000000.jsonl").touch()
    touch(path, clock)
    assert folder.look() == [], "too soon"
    clock[0] += LOOK_SECONDS
    assert [one.name for one in folder.look()] == ["eval-20250101-000000"]
    clock[0] += LOOK_SECONDS + 1
    folder.look()
    assert len(listed) == 3, "a change so near to the last look might have been missed"
    for _ in range(5):
        clock[0] += LOOK_SECONDS
        assert len(folder.look()) == 1
    assert len(listed) == 3
    (path / "eval-20250102-000000.jsonl").touch()
    touch(path, clock)
    clock[0] += LOOK_SECONDS
    assert len(folder.look()) == 2


def test_a_file_that_has_gone_is_not_waited_for(tmp_path, listed, clock):
    (tmp_path / "eval-20250101-000000.jsonl").touch()
    folder = EvaluationFolder(tmp_path)
    assert len(folder.look()) == 1
    (tmp_path / "eval-20250101-000000.jsonl").unlink()
    assert len(folder.look()) == 1
    folder.look_again()
    assert folder.look() == []
