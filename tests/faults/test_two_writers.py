"""Two commands at work on the same run or data set: the second one stops, and nothing is spoilt."""

import os
import socket
from types import SimpleNamespace

import pytest

from polyctl.cli.app import run
from polyctl.config.registry import load_experiment
from polyctl.config.schema import EvalConfig
from polyctl.data import dataset
from polyctl.data.dataset import generate
from polyctl.data.manifest import read_manifest
from polyctl.errors import FileError
from polyctl.evaluation.run import EvaluationOptions, evaluate_run
from polyctl.model.serialization import load_model
from polyctl.runtime.processes import ALONE
from polyctl.store.evaluation_report import ProblemSet, read_reports
from polyctl.store.lock import sole_writer
from polyctl.store.owner import FILE_NAME, Owner
from polyctl.store.runs import create_run, list_runs
from polyctl.training.supervised import train
from tests.training.helpers import tiny

DEAD = Owner(2**22 + 1, "1", socket.gethostname(), 1_700_000_000.0)
HELD = f"is being written by process {os.getpid()} on {socket.gethostname()} since"


def test_a_second_training_of_a_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POLYCTL_RUNS", "runs")
    assert run(["train", "smoke", "--steps", "2"]) == 0
    (made,) = list_runs()
    before = made.events.read_bytes(), made.weights().read_bytes()
    capsys.readouterr()
    with sole_writer(made.path), monkeypatch.context() as patch:
        patch.delattr("polyctl.cli.train.check_size")  # its cost is not looked at
        assert run(["train", "--resume", made.name, "--steps", "4"]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert HELD in err
    assert (made.events.read_bytes(), made.weights().read_bytes()) == before
    assert run(["train", "--resume", made.name, "--steps", "3"]) == 0


def test_a_training_goes_on_after_a_dead_one_and_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["train", "smoke", "--steps", "2", "--runs", "runs"]) == 0
    (made,) = list_runs(tmp_path / "runs")
    (made.path / FILE_NAME).write_text(DEAD.text())
    capsys.readouterr()
    assert run(["train", "--resume", made.name, "--steps", "3", "--runs", "runs"]) == 0
    assert f"taking over from {DEAD}, which has died" in capsys.readouterr().err
    assert not (made.path / FILE_NAME).exists()


def test_fresh_runs_of_an_experiment_stand_side_by_side(tmp_path):
    experiment = tiny(steps=2)
    first, second = (create_run(experiment, tmp_path) for _ in range(2))
    with sole_writer(first.path):
        assert train(experiment, second, ALONE).state == "complete"


def test_a_second_generation_of_a_data_set(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "made").mkdir()
    with sole_writer(tmp_path / "made"):
        assert run(["gen", "smoke", "--out", "made", "--workers", "1"]) == 3
        assert HELD in capsys.readouterr().err
    (tmp_path / "made" / FILE_NAME).write_text(DEAD.text())
    assert run(["gen", "smoke", "--out", "made", "--workers", "1"]) == 0
    assert f"taking over made from {DEAD}, which has died" in capsys.readouterr().err
    with sole_writer(tmp_path / "made"):  # it is complete: nothing has to be written
        assert run(["gen", "smoke", "--out", "made", "--workers", "1"]) == 0


def test_a_data_set_is_replaced_as_a_whole(tmp_path, monkeypatch):
    experiment = load_experiment("smoke", small=True)
    generate(experiment, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.glob("*.txt")}
    other = experiment.model_copy(update={"seed": 6})
    with monkeypatch.context() as patch:
        patch.setattr(dataset, "os", SimpleNamespace(replace=_fail))
        with pytest.raises(FileError, match=r"cannot make a data set in .*: the plug was pulled"):
            generate(other, tmp_path, force=True)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.txt")} == before
    with pytest.raises(FileError, match="no data set"):  # no description of what may be a mixture
        read_manifest(tmp_path)
    stamp = (tmp_path / "parts" / "valid.txt.000000").stat()
    with monkeypatch.context() as patch:
        patch.setattr(dataset, "_remove_parts", lambda _: None)
        assert generate(other, tmp_path, force=True).seed == 6
    assert (tmp_path / "parts" / "valid.txt.000000").stat() == stamp  # the same command has gone on
    assert generate(other, tmp_path).seed == 6
    assert not (tmp_path / "parts").exists()
    assert {path.name for path in tmp_path.iterdir()} == {*before, "manifest.json", ".lock"}


def _fail(*_):
    raise OSError("the plug was pulled")


def test_two_evaluations_in_one_second_keep_two_reports(tmp_path, monkeypatch):
    experiment = tiny(steps=2)
    made = create_run(experiment, tmp_path)
    train(experiment, made, ALONE)
    loaded = load_model(made.weights(), "cpu")
    monkeypatch.setattr("polyctl.evaluation.run.time.time", lambda: 1_800_000_000.0)
    options = EvaluationOptions(EvalConfig(beam=2, max_tokens=4), baseline=False)
    reports = [evaluate_run(made, loaded, [], ProblemSet("tiny"), options, ALONE) for _ in range(2)]
    assert len({report.predictions for report in reports}) == 2
    assert [path.name for path, _ in read_reports(made.reports)] == [
        "eval-20270115-080001.json",
        "eval-20270115-080000.json",
    ]
