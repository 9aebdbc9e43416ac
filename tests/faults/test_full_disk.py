"""Full disks, read-only places and folders that vanish: the file is named, what was there before stays."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from polyctl.cli.app import run
from polyctl.config.registry import load_experiment
from polyctl.data.dataset import generate
from polyctl.errors import FileError
from polyctl.runtime.processes import ALONE
from polyctl.store.events import EventReader
from polyctl.store.files import write_atomic
from polyctl.store.runs import Run, create_run, list_runs
from polyctl.training import supervised
from tests.training.helpers import tiny

DISK_BYTES = 4_000_000


@pytest.fixture
def disk(tmp_path):
    """A function that mounts a small file system, with options; skipped where that is not allowed."""
    mounted = []

    def disk(options: str = "") -> Path:
        place = tmp_path / f"disk{len(mounted)}"
        place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}{options}", "none", str(place)]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("a file system cannot be mounted here")
        mounted.append(place)
        return place

    yield disk
    for place in mounted:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place: Path) -> Path:
    """Fill a file system; the file to remove to make room."""
    path = place / "filling"
    with path.open("wb", buffering=0) as file:
        for size in (1 << 12, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return path


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder that commands leave."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".") and path.name != "filling"
    }


def fails(capsys, *words: str) -> str:
    """What a command that must fail with exit code 3 writes to stderr; nothing to stdout, no traceback."""
    capsys.readouterr()
    assert run(list(words)) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    return err


def test_a_training_on_a_full_disk_can_be_resumed(disk, capsys, monkeypatch):
    place = disk()
    monkeypatch.chdir(place)
    assert run(["train", "smoke", "--steps", "2", "--runs", "runs"]) == 0
    (made,) = list_runs(Path("runs"))
    filling = fill(place)
    before = contents(made.path)
    err = fails(capsys, "train", "--resume", made.name, "--steps", "4", "--runs", "runs")
    assert "error: cannot " in err
    assert f"runs/{made.name}/" in err
    assert "No space left on device" in err
    assert "make room" in err
    after = contents(made.path)
    assert {name: data for name, data in after.items() if name != "events.jsonl"} == {
        name: data for name, data in before.items() if name != "events.jsonl"
    }
    assert after["events.jsonl"].startswith(before["events.jsonl"])
    filling.unlink()
    assert run(["train", "--resume", made.name, "--steps", "4", "--runs", "runs"]) == 0
    assert made.summary().ended == "complete"


def test_a_disk_that_fills_while_it_is_trained(tmp_path, monkeypatch):
    """The error is told, not the one of telling it."""
    experiment = tiny(steps=4, eval_every=2)
    made = create_run(experiment, tmp_path)
    saved = supervised.SupervisedTrainer.save

    def save(trainer):
        if trainer.step == 4:
            monkeypatch.setattr("polyctl.store.events.os.write", _full)
            monkeypatch.setattr("polyctl.store.files.os.fsync", _full)
        saved(trainer)

    with monkeypatch.context() as patch:
        patch.setattr(supervised.SupervisedTrainer, "save", save)
        with pytest.raises(FileError, match=r"cannot write .*safetensors: No space left"):
            supervised.train(experiment, made, ALONE)
    monkeypatch.undo()
    assert [event.kind for event in EventReader(made.events)][-1] != "end"
    assert supervised.train(experiment, made, ALONE, resume=True).state == "complete"


def _full(*_):
    raise OSError(28, "No space left on device")


def test_a_data_set_on_a_full_disk(disk, capsys, monkeypatch):
    place = disk()
    monkeypatch.chdir(place)
    assert run(["gen", "smoke", "--workers", "1"]) == 0
    before = contents(place / "data" / "smoke")
    filling = fill(place)
    err = fails(capsys, "gen", "smoke", "--workers", "1", "--force", "--seed", "5")
    assert "data/smoke/" in err
    assert "No space left" in err
    assert {
        name: data for name, data in contents(place / "data" / "smoke").items() if name in before
    } == before
    filling.unlink()
    assert run(["gen", "smoke", "--workers", "1", "--force", "--seed", "5"]) == 0


def test_an_evaluation_on_a_full_disk(disk, capsys, monkeypatch):
    place = disk()
    monkeypatch.chdir(place)
    assert run(["train", "smoke", "--steps", "2", "--runs", "runs"]) == 0
    (made,) = list_runs(Path("runs"))
    filling = fill(place)
    err = fails(capsys, "eval", made.name, "--limit", "2", "--beam", "2", "--runs", "runs")
    assert "cannot " in err
    assert "No space left" in err
    assert not list(made.reports.glob("*.json"))
    filling.unlink()
    assert run(["eval", made.name, "--limit", "2", "--beam", "2", "--runs", "runs"]) == 0


def read_only_run(disk, tmp_path) -> Run:
    """A trained run on a file system that was then made read-only."""
    place = disk()
    assert run(["train", "smoke", "--steps", "2", "--runs", str(place)]) == 0
    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
    return list_runs(place)[0]


def test_a_model_in_a_read_only_place_is_evaluated_elsewhere(disk, tmp_path, capsys, monkeypatch):
    made = read_only_run(disk, tmp_path)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    capsys.readouterr()
    few = ["--limit", "2", "--beam", "2"]
    assert run(["eval", str(made.path), *few]) == 0
    assert f"{made.path} is not written to: the results are in runs/{made.name}" in capsys.readouterr().err
    assert len(list((work / "runs" / made.name / "reports").glob("*.json"))) == 1
    assert run(["eval", str(made.path), *few, "--out", "kept"]) == 0
    assert {path.name for path in (work / "kept").iterdir()} == {"events.jsonl", "predictions", "reports"}


def test_what_must_be_written_to_a_read_only_place_is_named(disk, tmp_path, capsys, monkeypatch):
    made = read_only_run(disk, tmp_path)
    monkeypatch.chdir(tmp_path)
    for words in (
        ["train", "--resume", str(made.path)],
        ["train", "smoke", "--runs", str(made.root)],
        ["gen", "smoke", "--out", str(made.root / "data")],
        ["eval", str(made.path), "--limit", "1", "--out", str(made.root / "out")],
    ):
        err = fails(capsys, *words)
        assert str(made.root) in err
        assert "Read-only file system" in err or "it is read-only" in err
        assert err.count("/.lock") < 2


def test_what_can_be_done_about_a_read_only_place_is_said(disk, tmp_path, capsys, monkeypatch):
    made = read_only_run(disk, tmp_path)
    monkeypatch.setenv("POLYCTL_RUNS", str(made.root))
    assert "hint: name a place for the results with --out DIR" in fails(capsys, "eval", made.name)
    assert "hint: copy the runs to a place that can be written" in fails(capsys, "train", "--resume")
    assert "hint: nothing can be removed there" in fails(capsys, "runs", "rm", made.name, "--yes")


def test_a_folder_that_vanishes_from_under_a_training(tmp_path):
    experiment = tiny(steps=4, eval_every=2)
    made = create_run(experiment, tmp_path)

    def vanish(event):
        if event.kind == "validation" and made.checkpoints.exists():
            shutil.rmtree(made.checkpoints)

    with pytest.raises(FileError, match=r"cannot write .*safetensors: No such file") as caught:
        supervised.train(experiment, made, ALONE, on_event=vanish)
    assert "vanished" in caught.value.hint
    assert made.summary().state == "crashed"


def test_a_folder_that_vanishes_from_under_a_generation(tmp_path):
    place = tmp_path / "made"
    told = []

    def vanish(*progress):
        told.append(progress)
        if place.exists():
            os.rename(place, tmp_path / "away")

    with pytest.raises(FileError, match=r"made.*No such file"):
        generate(load_experiment("smoke", small=True), place, progress=vanish)
    assert told
    assert not place.exists()


def test_what_was_there_stays_if_a_file_cannot_be_written(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomic(path, "old")
    for call in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(f"polyctl.store.files.os.{call}", _full)
            with pytest.raises(FileError, match="cannot write") as caught:
                write_atomic(path, "new")
        assert "make room" in caught.value.hint
        assert contents(tmp_path) == {"file": b"old"}
        assert list(tmp_path.iterdir()) == [path]
