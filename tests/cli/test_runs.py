"""polyctl runs, run in this process."""

import io
import json
import sys

import pytest

from polyctl.cli import app
from polyctl.config.schema import Experiment, TrainConfig
from polyctl.store.event_kinds import End, Failure, RunStarted, Step, Validation
from polyctl.store.events import EventWriter
from polyctl.store.lock import sole_writer
from polyctl.store.runs import Run, create_run, list_runs
from tests.processes import ending, start_polyctl


@pytest.fixture
def trained(tmp_path, monkeypatch) -> Run:
    """A run that has ended, in the root that the environment names."""
    monkeypatch.setenv("POLYCTL_RUNS", str(tmp_path))
    run = create_run(Experiment(name="d3_finetune_monic_81920_smoke"))
    with EventWriter(run.events) as events:
        events.write(RunStarted(state="started", step=0, total_steps=20, device="cpu", parameters=7))
        events.write(Step(step=12345, loss=0.51239))
        events.write(Validation(step=20, metrics={"greedy_verified": 0.4375, "valid_loss": float("nan")}))
        events.write(End(state="time limit", step=12345))
    run.checkpoint("best").write_bytes(b"x" * 2500)
    return run


def test_no_runs(tmp_path, capsys):
    assert app.run(["runs", "--runs", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert f"`polyctl train --runs {tmp_path} quick` makes one" in err
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
    for json_ in ([], ["--json"]):
        assert app.run(["runs", "list", "other", *json_]) == 3
        out, err = capsys.readouterr()
        assert out == ""
        assert "fits 'other'" in err


def test_a_name_is_shown_and_a_pattern_listed(trained, capsys):
    for name in (trained.name, str(trained.path)):
        assert app.run(["runs", name]) == 0
        assert "12345 of 20" in capsys.readouterr().out
    for pattern in ("d3_*", "finetune", trained.experiment):
        assert app.run(["runs", pattern, "--json"]) == 0
        assert [run["run"] for run in json.loads(capsys.readouterr().out)["runs"]] == [trained.name]
    assert app.run(["runs", "quick"]) == app.run(["runs", "quick/1"]) == 3
    assert app.run(["runs", trained.name, "--runs", "nowhere"]) == 3


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
    assert shown["last_step"] == {"step": 12345, "loss": 0.51239}
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


# -- compare -------------------------------------------------------------------------------------


@pytest.fixture
def other(trained) -> Run:
    """A second run, with another learning rate, which has only begun."""
    run = create_run(Experiment(name="other", train=TrainConfig(lr=0.5)))
    with EventWriter(run.events) as events:
        events.write(RunStarted(state="started", step=0, total_steps=20))
        events.write(Step(step=1, loss=2.0))
    return run


def test_compare_shows_what_differs(trained, other, capsys):
    assert app.run(["runs", "compare", trained.name, "other"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == [trained.name, other.name]
    assert ["train.lr", "0.0006", "0.5"] in lines
    assert ["step", "12345", "1"] in lines
    assert ["greedy_verified", "0.4375", "-"] in lines
    assert not any(line[0] in ("name", "train.steps") for line in lines)


def test_compare_as_json(trained, other, capsys):
    assert app.run(["runs", "compare", trained.name, other.name, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["runs"] == [trained.name, other.name]
    assert found["settings"] == {"train.lr": [0.0006, 0.5]}
    assert found["metrics"]["greedy_verified"] == [0.4375, None]


def test_compare_needs_two_runs(trained, capsys):
    assert app.run(["runs", "compare", trained.name]) == 2
    assert app.run(["runs", "compare", trained.name, "nothing"]) == 3
    assert app.run(["runs", "compare", trained.name, trained.name]) == 0
    assert "their settings are the same" in capsys.readouterr().err


# -- rm --------------------------------------------------------------------------------------------


def test_rm_removes_a_run_and_its_empty_experiment(trained, other, capsys):
    assert app.run(["runs", "rm", trained.name, "--yes"]) == 0
    assert capsys.readouterr().out.startswith(f"removed {trained.name}, ")
    assert not trained.path.parent.exists()
    assert list_runs() == [other]


def test_rm_by_directory_as_json(trained, capsys):
    assert app.run(["runs", "rm", str(trained.path), "-y", "--json"]) == 0
    (removed,) = json.loads(capsys.readouterr().out)["removed"]
    assert (removed["run"], removed["path"]) == (trained.name, str(trained.path))
    assert removed["bytes"] > 2500


def test_rm_asks_on_a_terminal_only(trained, capsys, monkeypatch):
    assert app.run(["runs", "rm", trained.name]) == 2
    assert "add --yes" in capsys.readouterr().err
    for stream in (sys.stdin, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    for answer, left, code in (("n", True, 130), ("y", False, 0)):
        monkeypatch.setattr("sys.stdin", Typed(f"{answer}\n"))
        assert app.run(["runs", "rm", trained.name]) == code
        assert trained.path.exists() == left


class Typed(io.StringIO):
    """What somebody types on a terminal."""

    def isatty(self):
        return True


def test_rm_takes_no_experiment_for_a_run(trained, capsys):
    for name in (trained.experiment, str(trained.path.parent)):
        assert app.run(["runs", "rm", name, "--yes"]) == 2
        assert f"polyctl runs rm {trained.name}" in capsys.readouterr().err
    assert app.run(["runs", "rm", "nothing", "--yes"]) == 3
    capsys.readouterr()
    for wrong in (f"{trained.experiment}/nope", trained.name[:-1]):
        assert app.run(["runs", "rm", wrong, "--yes"]) == 3
        err = capsys.readouterr().err
        assert f"did you mean {trained.name}?" in err or "`polyctl runs list` shows all" in err
    assert trained.path.exists()


def test_rm_leaves_a_run_alone_that_is_written(trained, capsys):
    with sole_writer(trained.path):
        assert app.run(["runs", "rm", trained.name, "--yes"]) == 3
    assert "is being written by process" in capsys.readouterr().err
    assert trained.checkpoint("best").exists()


def test_rm_leaves_the_bundled_model_alone(trained, capsys, monkeypatch):
    monkeypatch.setenv("POLYCTL_SHIPPED", str(trained.path))
    assert app.run(["runs", "rm", trained.name, "--yes"]) == 2
    assert "POLYCTL_SHIPPED=none" in capsys.readouterr().err
    assert trained.path.exists()


# -- tail ------------------------------------------------------------------------------------------


def test_tail_of_a_run_that_has_ended(trained, capsys):
    assert app.run(["runs", "tail", trained.name]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "started at step 0 of 20 on cpu, 7 parameters",
        "step 12,345 of 20  loss 0.5124  0.0k tokens/s  0 s left",
        "step 20: valid loss nan, greedy exact nan%, verified 43.8%",
        "time limit at step 12,345",
    ]
    assert err == f"{trained.name}: finished (time limit)\n"
    assert app.run(["runs", "tail", trained.name, "--lines", "1"]) == 0
    assert capsys.readouterr().out.splitlines() == ["time limit at step 12,345"]


def test_tail_as_json(trained, capsys):
    assert app.run(["runs", "tail", trained.name, "--json", "--lines", "2"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["kind"] for event in events] == ["validation", "end"]


def test_tail_follows_until_the_run_ends(trained):
    run = create_run(Experiment(name="quick"))
    with sole_writer(run.path), EventWriter(run.events) as events:
        events.write(RunStarted(state="started", step=0, total_steps=2, device="cpu", parameters=7))
        process = start_polyctl("runs", "tail", "quick")
        assert process.stdout.readline() == "started at step 0 of 2 on cpu, 7 parameters\n"
        events.write(Step(step=2, loss=1.0))
        assert process.stdout.readline().startswith("step 2 of 2  loss 1.0000")
        assert process.poll() is None
        events.write(End(state="complete", step=2))
    out, err = ending(process)
    assert out == "complete at step 2\n"
    assert err == f"{run.name}: finished (complete)\n"
    assert process.returncode == 0


def test_tail_of_a_damaged_log(trained, capsys):
    trained.events.write_bytes(b'{"v": 1, "time": 1, "kind": "pool"}\nwhat?\n{"kind": "step"}\n')
    assert app.run(["runs", "tail", trained.name]) == 0
    assert "Traceback" not in capsys.readouterr().err
