"""Processes that are started from the dashboard."""

import subprocess
import sys
import time
from dataclasses import replace

import pytest

from polyctl.errors import FileError
from polyctl.store.event_kinds import EvaluationProgress
from polyctl.store.owner import Owner, process_start
from polyctl.tui import launch
from tests.tui.views.test_status import SUMMARY


def wait_until(condition, what: str, seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds:.0f} s in vain until {what}"
        time.sleep(0.05)


def test_start_find_stop(tmp_path):
    job = launch.start(["train", "smoke", "--steps", "100000", "--runs", str(tmp_path)], tmp_path)
    try:
        assert job.running
        launch._children.clear()  # as another dashboard would find it, later
        (found,) = launch.list_jobs(tmp_path)
        assert found == job
        assert found.command_line.startswith("polyctl train smoke")
        wait_until(lambda: list(tmp_path.glob("smoke/*/events.jsonl")), "the run has begun")
        assert launch.stop(found)
        wait_until(lambda: not found.running, "the process has ended")
        (run,) = tmp_path.glob("smoke/*/")
        assert '"state": "interrupted"' in (run / "events.jsonl").read_text()
        assert (run / "checkpoints" / "last.safetensors").is_file()
        assert found.last_line()
        assert not launch.stop(found)
    finally:
        launch.stop(job)


def test_the_writers_of_a_run_are_stopped_whoever_started_them():
    program = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(100)"
    child = subprocess.Popen([sys.executable, "-c", program])  # as a shell starts it with &
    try:
        owner = replace(Owner.here(), pid=child.pid, began=process_start(child.pid))
        gone = replace(owner, pid=2**22 + 1)
        evaluation = EvaluationProgress(pid=owner.pid, began=owner.began, host=owner.host)
        assert launch.stop_writers(replace(SUMMARY, owner=gone)) == []
        assert launch.stop_writers(replace(SUMMARY, owner=replace(owner, host="elsewhere"))) == []
        assert launch.stop_writers(replace(SUMMARY, owner=owner)) == [f"training, pid {child.pid}"]
        assert child.wait(60) != 0
        ended = replace(SUMMARY, state="finished", evaluation=evaluation)
        assert launch.stop_writers(ended) == []
    finally:
        child.kill()


def test_a_process_of_the_same_number_is_not_ours(tmp_path):
    job = launch.Job(1, "some other start", 0.0, ("train",), tmp_path / "log")
    assert not job.running
    assert not launch.stop(job)
    assert "cannot be read" in job.last_line()


def test_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError):
        launch.start(["train"], tmp_path / "file")


def test_damaged_notes_are_left_out(tmp_path):
    folder = tmp_path / launch.FOLDER
    folder.mkdir()
    (folder / "a.json").write_text("{")
    (folder / "b.json").write_text('{"pid": "x"}')
    assert launch.list_jobs(tmp_path) == []


@pytest.mark.parametrize(
    ("command", "run", "concerns"),
    [
        (("train", "quick"), "quick/20250101-000001", True),
        (("train", "quick"), "quick/20241231-235959", False),
        (("train", "quick", "--smoke"), "quick_smoke/20250101-000001-2", True),
        (("train", "quick"), "quick_smoke/20250101-000001", False),
        (("eval", "quick/20240101-000000", "--beam", "30"), "quick/20240101-000000", True),
        (("eval", "quick/20240101-000000", "--beam", "30"), "quick/20240102-000000", False),
        (("rl", "quick", "--algo", "grpo"), "quick_grpo/20250101-000001", True),
        (("rl", "quick", "--smoke"), "quick_smoke_bgrpo/20250101-000001", True),
        (("train", "quick"), "quick_bgrpo/20250101-000001", False),
    ],
)
def test_which_runs_a_command_concerns(tmp_path, command, run, concerns):
    new_year_2025 = 1735689600.0
    assert launch.Job(1, "", new_year_2025, command, tmp_path).concerns(run) is concerns


def test_a_command_that_failed_is_told_by_its_error(tmp_path):
    log = tmp_path / "a.log"
    log.write_text("step 1\nerror: no such option: --bogus\nhint: did you mean --runs?\n")
    assert launch.Job(1, "", 0.0, ("train", "quick"), log).last_line() == "error: no such option: --bogus"
    log.write_text("step 1\nstep 2\n")
    assert launch.Job(1, "", 0.0, ("train", "quick"), log).last_line() == "step 2"
