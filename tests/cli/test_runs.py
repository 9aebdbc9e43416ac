"""polyctl runs, run in this process."""

import json

import pytest

from polyctl.cli import app
from polyctl.config.schema import Experiment
from polyctl.store.event_kinds import End, Failure, RunStarted, Step, Validation
from polyctl.store.events import EventWriter
from polyctl.store.runs import Run, create_run


@pytest.fixture
def trained(tmp_path, monkeypatch) -> Run:
    """A run that has ended, in the root that the environment names."""
    monkeypatch.setenv("POLYCTL_RUNS", str(tmp_path))
    run = create_run(Experiment(name="d3_finetune_monic_81920_smoke"))
    with EventWriter(run.events) as events:
        events.write(RunStarted(state="started", step=0, total_steps=20))
        events.write(Step(step=12345, loss=0.51239))
        events.write(Validation(step=20, metrics={"greedy_verified": 0.4375, "valid_loss": float("nan")}))
        events.write(End(state="time limit", step=12345))
    run.checkpoint("best").write_bytes(b"x" * 2500)
    return run


def test_no_runs(tmp_path, capsys):
    assert app.run(["runs", "--runs", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "polyctl train quick" in err
    assert app.run(["runs", "list", "--json", "--runs", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out) == {"root": str(tmp_path), "runs": []}


def test_list(trained, capsys):
    create_run(Experiment(name="quick"))
    assert app.run(["runs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["run", "state", "step", "loss", "verified"]
    (line,) = [line for line in lines if line.startswith("d3")]
    assert line.split() == [trained.name, "finished", "12345", "0.512", "43.8%"]
    assert any(line.split()[1:] == ["unknown", "-", "-", "-"] for line in lines)
    assert app.run(["runs", "list", "quick"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert app.run(["runs", "list", "other"]) == 0
    assert "fit 'other'" in capsys.readouterr().err


def test_list_as_json(trained, capsys):
    assert app.run(["runs", "--json"]) == 0
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert run["run"] == trained.name
    assert (run["state"], run["ended"], run["step"], run["total_steps"]) == (
        "finished",
        "time limit",
        12345,
        20,
    )
    assert (run["loss"], run["accuracy"]) == (0.51239, 0.4375)
    assert run["checkpoint"] == str(trained.checkpoint("best"))


@pytest.mark.parametrize("name", ["{0.experiment}", "{0.name}", "{0.path}"])
def test_show(trained, capsys, name):
    assert app.run(["runs", "show", name.format(trained)]) == 0
    shown = dict(
        line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines() if " " in line.strip()
    )
    assert shown["run"] == trained.name
    assert shown["state"] == "finished (time limit)"
    assert shown["step"] == "12345 of 20"
    assert shown["greedy_verified"] == "0.4375"
    assert shown["2.5"] == "kB  checkpoints/best.safetensors"


def test_show_as_json(trained, capsys):
    assert app.run(["runs", "show", trained.name, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["metrics"] == {"greedy_verified": 0.4375}
    assert {"path": "checkpoints/best.safetensors", "bytes": 2500} in shown["files"]
    assert {file["path"] for file in shown["files"]} >= {"config.toml", "events.jsonl"}


def test_a_crash_shows_its_error(tmp_path, capsys):
    run = create_run(Experiment(name="quick"), tmp_path)
    with EventWriter(run.events) as events:
        events.write(RunStarted(step=0))
        events.write(Failure(message="the loss is no number"))
    assert app.run(["runs", "show", "quick", "--runs", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "crashed" in out
    assert "the loss is no number" in out


def test_a_run_that_is_not_there(trained, capsys):
    assert app.run(["runs", "show", "quick"]) == 3
    assert "polyctl runs list" in capsys.readouterr().err
    assert app.run(["runs", "show", trained.experiment[:-1]]) == 3
    assert "did you mean d3_finetune_monic_81920_smoke" in capsys.readouterr().err
