"""One writer at a time, among processes that end properly and that are killed."""

import json
import os
import signal
import socket
import subprocess
import sys

import pytest

from polyctl.errors import FileError
from polyctl.store import owner
from polyctl.store.lock import sole_writer
from polyctl.store.owner import FILE_NAME, Owner, process_start, read_owner
from tests.processes import ROOT

HOLD = """
import sys
from pathlib import Path
from polyctl.store.lock import sole_writer
with sole_writer(Path(sys.argv[1])) as before:
    print(before, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def hold(tmp_path):
    """Start a process that writes to tmp_path until its stdin is closed."""
    started = []

    def hold() -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        started.append(process)
        return process

    yield hold
    for process in started:
        process.kill()
        process.communicate()


def test_a_second_writer_is_told_who_the_first_is(tmp_path, hold):
    first = hold()
    assert first.stdout.readline() == "None\n"
    with pytest.raises(FileError) as caught, sole_writer(tmp_path):
        pass
    assert f"process {first.pid} on {socket.gethostname()} since 20" in caught.value.message
    assert read_owner(tmp_path).alive
    first.communicate("")
    assert read_owner(tmp_path) is None
    with sole_writer(tmp_path) as before:
        assert before is None


def test_what_a_dead_writer_left_is_taken_over(tmp_path, hold):
    first = hold()
    first.stdout.readline()
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    (tmp_path / f".file.{'0' * 32}.tmp").write_text("half")
    (tmp_path / ".file.tmp").write_text("not ours")
    assert read_owner(tmp_path).alive is False
    with sole_writer(tmp_path) as before:
        assert before.pid == first.pid
        assert read_owner(tmp_path).pid == os.getpid()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".file.tmp", ".lock"]


def test_an_error_lets_the_next_one_write(tmp_path):
    with pytest.raises(ZeroDivisionError), sole_writer(tmp_path):
        1 / 0  # noqa: B018
    with sole_writer(tmp_path) as before:
        assert before is None


def test_the_same_process_cannot_write_twice_either(tmp_path):
    with sole_writer(tmp_path), pytest.raises(FileError, match="is being written by"), sole_writer(tmp_path):
        pass


def test_a_place_that_cannot_be_locked(tmp_path):
    (tmp_path / ".lock").mkdir()
    with pytest.raises(FileError, match=r"cannot lock .*\.lock"), sole_writer(tmp_path):
        pass


def facts(**changes) -> str:
    return json.dumps({**json.loads(Owner.here().text()), **changes})


DAMAGED = [
    *("", "{", "[]", '{"pid": "x"}', '{"pid": 1e999}', "[" * 100_000, "\xff"),
    *(facts(since=since) for since in (float("nan"), float("inf"), 1e300, "x", None)),
    *(facts(host=host) for host in ("\x1b[2J", "two\nlines", "x" * 256)),
    facts(pid=10**4000),
]


@pytest.mark.parametrize("text", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_owner_is_none(tmp_path, text):
    (tmp_path / FILE_NAME).write_bytes(text.encode("latin-1"))
    assert read_owner(tmp_path) is None
    with sole_writer(tmp_path) as before:
        assert before is None


def test_a_number_that_another_process_has_now_is_not_the_owner(tmp_path):
    mine = Owner.here()
    assert mine.alive
    assert Owner(mine.pid, "another start", mine.host, mine.since).alive is False
    assert Owner(mine.pid, "", mine.host, mine.since).alive is False
    assert Owner(mine.pid, mine.began, "another-host", mine.since).alive is None
    assert json.loads(mine.text())["pid"] == os.getpid()


def test_the_start_of_a_process_is_known_without_ps(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert process_start(os.getpid()) == process_start(os.getpid()) != ""
    assert process_start(2**22 + 1) == ""


def test_the_start_of_a_process_is_known_without_proc_too(monkeypatch, tmp_path):
    assert process_start(os.getpid()) == process_start(os.getpid()) != ""
    monkeypatch.setattr(owner, "PROC", tmp_path / "none")
    assert process_start(os.getpid()) == process_start(os.getpid()) != ""
    assert process_start(2**22 + 1) == ""
