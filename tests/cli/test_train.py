"""polyctl train, as a user types it: what it prints, what it leaves, how it ends."""

import json
import signal
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from polyctl.cli import size
from polyctl.cli import train as command
from polyctl.store.events import EventReader
from polyctl.store.runs import list_runs
from polyctl.training import checkpoint, foresight
from tests.processes import ending, start_polyctl, wait_for

pytestmark = pytest.mark.usefixtures("in_an_empty_directory")


@pytest.fixture
def run(run_on_cpu):
    """`polyctl train` with these arguments."""
    return partial(run_on_cpu, "train")


def test_smoke_trains_and_reports_as_json(run, tmp_path):
    result = run("quick", "--smoke", "--json", "--seed", "5")
    report = json.loads(result.out)
    assert report.keys() >= {"run", "experiment", "state", "step", "metrics", "checkpoint"}
    assert (report["experiment"], report["state"], report["step"]) == ("quick_smoke", "complete", 8)
    assert report["metrics"].keys() == {"valid_loss", "greedy_exact", "greedy_verified"}
    assert Path(report["checkpoint"]).is_file()
    (made,) = list_runs(tmp_path / "runs")
    assert made.config().seed == 5
    assert made.summary().state == "finished"
    assert "step 8: valid loss" in result.err
    assert [e.kind for e in EventReader(made.events)][-1] == "end"


def test_resume_goes_on_in_the_same_run_with_more_steps(run, tmp_path):
    run("smoke", "--steps", "3")
    (made,) = list_runs(tmp_path / "runs")
    for spelling in (
        ["smoke", "--resume"],
        ["--resume", made.name],
        ["smoke", "--resume", made.id],
        ["--resume"],
    ):
        steps = checkpoint.read_facts(made.checkpoints / "trainer.safetensors")["step"] + 1
        report = json.loads(run(*spelling, "--steps", str(steps), "--json").out)
        assert (report["run"], report["step"]) == (made.name, steps)
        assert Path(report["path"]).samefile(made.path)
    assert len(list_runs(tmp_path / "runs")) == 1


def test_without_its_data_set_an_experiment_trains_on_fresh_problems(run, tmp_path):
    files = ["--set", "train.source=files", "--set", "train.epochs=2", "--set", "data.train_size=16"]
    captured = run("smoke", *files, "--json")
    assert "no data set at data/smoke (`polyctl gen smoke` makes it)" in captured.err
    assert json.loads(captured.out)["step"] == 4
    (made,) = list_runs(tmp_path / "runs")
    assert made.config().train.source == "stream"


def test_a_file_in_the_published_format_is_trained_on(run, tmp_path):
    polynomial = "+ P 4 + * N 4 ^ a P 2 ^ a P 4"
    (tmp_path / "mine.txt").write_text(f"{polynomial} ⁇ ^ a P 2\n" * 3)
    run("smoke", "--steps", "2", "--data", "mine.txt", "--json")
    (made,) = list_runs(tmp_path / "runs")
    assert made.config().train.source == "files"
    (tmp_path / "mine.txt").write_text(f"{polynomial} a\n")
    assert "mine.txt, line 1: no separator" in run("smoke", "--data", "mine.txt", code=3).err


def test_max_minutes_is_a_normal_end(run):
    result = run("smoke", "--max-minutes", "0", "--json")
    report = json.loads(result.out)
    assert (report["state"], report["step"], report["checkpoint"]) == ("time limit", 0, None)


def test_dry_run_prints_the_bill_and_trains_nothing(run, tmp_path):
    bill = json.loads(run("smoke", "--dry-run", "--json").out)
    assert bill["experiment"] == "smoke"
    assert bill["parameters"] > 0
    assert bill["steps"] == 20
    assert bill["memory_bytes"] > 16 * bill["parameters"]
    table = run("smoke", "--dry-run").out
    assert all(word in table for word in ("parameters", "memory", "disk", "time", "tokens"))
    assert not (tmp_path / "runs").exists()


def test_a_long_training_on_a_cpu_says_what_it_will_cost(run, monkeypatch):
    monkeypatch.setattr(command, "LONG_SECONDS", 0.0)
    result = run("smoke", "--steps", "2", "--max-minutes", "1")
    assert "smoke on this CPU: about" in result.err
    monkeypatch.setattr(command, "LONG_SECONDS", 1e9)
    assert "on this CPU" not in run("smoke", "--steps", "2").err


def test_what_needs_more_memory_than_there_is_is_refused_before_a_run_is_made(run, tmp_path, monkeypatch):
    huge = ["smoke", "--set", "model.width=65536", "--set", "model.layers=20"]
    for options in ([], ["--dry-run"]):
        assert "of memory with its 1,030," in run(*huge, *options, code=2).err
    assert not (tmp_path / "runs").exists()
    monkeypatch.setattr(foresight, "memory_bytes", lambda: 1000)
    assert "--force tries it" in run("smoke", code=2).err
    assert "warning: smoke needs about" in run("smoke", "--steps", "1", "--force").err
    monkeypatch.setattr(foresight, "memory_bytes", lambda: None)
    run("smoke", "--steps", "1")


def test_more_than_a_day_is_asked_about_on_a_terminal(run, tmp_path, monkeypatch):
    monkeypatch.setattr(size, "LONG", 1e-6)
    monkeypatch.setattr(command, "LONG", 1e-6)
    assert "warning: smoke takes at least 0 s here" in run("smoke", "--steps", "1").err
    for stream in (sys.stdin, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    asked = []
    monkeypatch.setattr(size.typer, "confirm", lambda *words, **_: asked.append(words))
    run("smoke", "--steps", "1", "--yes")
    assert not asked
    run("smoke", "--steps", "1")
    assert asked


@pytest.mark.parametrize(
    ("arguments", "code", "message", "hint"),
    [
        (["smok"], 2, "no experiment is named 'smok'", "did you mean smoke?"),
        (["smoke", "--set", "trian.lr=1e-3"], 2, "there is no key 'trian.lr'", "train.lr"),
        ([], 2, "which experiment?", "polyctl experiments list"),
        (["smoke", "quick"], 2, "'quick' is an unexpected argument", "--resume"),
        (["smoke", "--resume"], 3, "there is no run 'smoke'", "polyctl train"),
        (["smoke", "--data", "x"], 3, "no training data at x/train.txt", "polyctl gen smoke"),
        (["two_sets_1000", "--data", "x"], 2, "needs source = 'stream'", ""),
        (["smoke", "--set", "train.accumulate=9"], 2, "train.batch 8 is too small", "train.batch=9"),
    ],
)
def test_mistakes_have_a_message_a_hint_and_an_exit_code(run, arguments, code, message, hint):
    words = run(*arguments, code=code).err
    assert message in words
    assert hint in words
    assert "Traceback" not in words


def test_what_cannot_change_on_resume_is_refused(run, tmp_path):
    run("smoke", "--steps", "1")
    (made,) = list_runs(tmp_path / "runs")
    assert "other model settings" in run("smoke", "--resume", "--set", "model.width=64", code=2).err
    assert "is of smoke, not of quick" in run("quick", "--resume", made.name, code=2).err


def test_from_the_shell_an_unknown_experiment_exits_2_with_the_nearest_name():
    process = start_polyctl("train", "smoek")
    _, words = ending(process)
    assert process.returncode == 2
    assert "did you mean smoke?" in words
    assert "Traceback" not in words


def test_ctrl_c_saves_and_exits_130(tmp_path):
    process = start_polyctl("train", "smoke", "--steps", "1000000", "--set", "train.eval_every=1000000")

    def two_steps():
        found = [run for run in list_runs(tmp_path / "runs") if run.events.is_file()]
        return found and [e.kind for e in EventReader(found[0].events)].count("step") >= 2

    wait_for(two_steps, "the events of two steps", process)
    process.send_signal(signal.SIGINT)
    _, words = ending(process)
    assert process.returncode == 130, words
    assert "interrupted: saving smoke/" in words
    assert "Traceback" not in words
    assert "interrupted: `polyctl train --resume smoke/" in words
    assert not words.endswith("\ninterrupted\n")
    (made,) = list_runs(tmp_path / "runs")
    assert made.summary().state == "interrupted"
    assert checkpoint.read_facts(made.checkpoints / "trainer.safetensors")["step"] == made.summary().step


@pytest.mark.slow
def test_three_ctrl_c_do_not_leave_a_run_running(tmp_path):
    process = start_polyctl("train", "smoke", "--steps", "1000000")
    while not process.stderr.readline().startswith("step "):
        assert process.poll() is None
    for _ in range(3):
        process.send_signal(signal.SIGINT)
        time.sleep(1.1)
    ending(process)
    (made,) = list_runs(tmp_path / "runs")
    assert made.summary().state in ("interrupted", "crashed")


def test_a_mixture_is_reweighed_by_what_its_start_can_do(run, tmp_path):
    one = ["--smoke", "--steps", "1", "--set", "train.eval_problems=1", "--set", "data.valid_size=4"]
    run("general", *one)
    (first,) = list_runs(tmp_path / "runs")
    result = run("general", *one, "--set", f"train.init_from={first.name}", "--reweigh", "1")
    assert "homogeneous 4,3 3∘3: 0% verified" in result.err
    second = next(made for made in list_runs(tmp_path / "runs") if made.name != first.name)
    parts = second.config().data.parts
    assert len(parts) > len(first.config().data.parts)
    assert all(len(part.outer_degrees) == 1 for part in parts)


def test_reweighing_needs_a_start_and_a_mixture(run):
    assert "needs weights to start from" in run("general", "--smoke", "--reweigh", "1", code=2).err
    run("smoke", "--steps", "1")
    wrong = ["smoke", "--set", "train.init_from=smoke", "--reweigh", "1"]
    assert "is not a mixture" in run(*wrong, code=2).err


def test_settings_that_do_not_fit_together_are_told_in_full(run):
    error = run("general", "--dry-run", "--set", "data.tokenizer=compact", code=2).err
    needs = 'error: model.residues = 23 needs data.tokenizer = "terms"'
    assert f"{needs}, not 'compact': set model.residues = 0" in error
