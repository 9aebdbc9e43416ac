"""What is too large for the machine, or takes more than a day, for every command that computes."""

import sys

import pytest
import torch

from polyctl.cli import size
from polyctl.cli.app import run
from polyctl.config.registry import PACKAGED, load_experiment
from polyctl.training import foresight
from polyctl.training.foresight import foresee_evaluation, foresee_reinforcement

CPU = torch.device("cpu")
SMOKE = load_experiment("smoke", registry=PACKAGED)
SHORT = ("--set", "train.steps=1", "--set", "train.eval_problems=1", "--set", "eval.problems=1")
COMMANDS = {
    "train": ("train", "smoke", "--steps", "1"),
    "rl": ("rl", "smoke", "--smoke", "--steps", "1"),
    "eval": ("eval", "smoke", "--limit", "1", "--beam", "2", "--no-baseline"),
    "plan": ("experiments", "run", "smoke", "--smoke", *SHORT),
}


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """A folder with a run of smoke."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("POLYCTL_RUNS", raising=False)
    assert run(["train", "smoke", "--steps", "1"]) == 0
    return tmp_path


@pytest.mark.parametrize("name", COMMANDS)
def test_more_memory_than_there_is_is_refused_and_forced(trained, capsys, monkeypatch, name):
    monkeypatch.setattr(foresight, "memory_bytes", lambda: 1000)
    capsys.readouterr()
    assert run([*COMMANDS[name]]) == 2
    err = capsys.readouterr().err
    assert "of memory with its" in err
    assert "--force tries it" in err
    assert run([*COMMANDS[name], "--force"]) == 0
    assert "warning: smoke" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["rl", "eval", "plan"])
def test_more_than_a_day_is_asked_about_on_a_terminal(trained, capsys, monkeypatch, name):
    monkeypatch.setattr(size, "LONG", 1e-9)
    capsys.readouterr()
    assert run([*COMMANDS[name]]) == 0
    assert "takes at least 0 s here" in capsys.readouterr().err
    for stream in (sys.stdin, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    asked = []
    monkeypatch.setattr(size.typer, "confirm", lambda *words, **_: asked.append(words))
    anew = ("--runs", "anew") if name == "plan" else ()  # what is done takes no time
    assert run([*COMMANDS[name], *anew, "--yes"]) == 0
    assert not asked
    anew = ("--runs", "again") if name == "plan" else ()
    assert run([*COMMANDS[name], *anew]) == 0
    assert asked


def test_a_task_of_a_plan_that_is_too_large_fails_alone(trained, capsys, monkeypatch):
    """If the plan was so long that it was not looked through before."""
    monkeypatch.setattr(size, "PLAN_SECONDS", -1.0)
    monkeypatch.setattr(foresight, "memory_bytes", lambda: 1000)
    assert run([*COMMANDS["plan"]]) == 1
    assert "of memory with its" in capsys.readouterr().err


def test_what_drives_the_cost_of_an_evaluation_and_of_reinforcement_does(monkeypatch):
    monkeypatch.setattr(foresight, "_speed", lambda _: 1e9)
    few, many = (foresee_evaluation(SMOKE, CPU, problems) for problems in (100, 1000))
    assert many.flops == pytest.approx(10 * few.flops)
    assert many.memory_bytes == few.memory_bytes
    wide = SMOKE.model_copy(update={"eval": SMOKE.eval.model_copy(update={"beam": 500})})
    assert foresee_evaluation(wide, CPU, 100).memory_bytes > few.memory_bytes
    assert foresee_evaluation(SMOKE, CPU, 100, world=2).seconds == few.seconds / 2
    longer = SMOKE.model_copy(update={"rl": SMOKE.rl.model_copy(update={"steps": 10 * SMOKE.rl.steps})})
    short, long = foresee_reinforcement(SMOKE, CPU), foresee_reinforcement(longer, CPU)
    assert long.flops == pytest.approx(10 * short.flops)
    assert long.memory_bytes == short.memory_bytes == 20 * short.parameters
    boosted = SMOKE.model_copy(update={"rl": SMOKE.rl.model_copy(update={"algorithm": "boost"})})
    assert foresee_reinforcement(boosted, CPU).flops < short.flops


def test_the_largest_task_of_a_plan_is_looked_at_first():
    from polyctl.plans.stages import Task

    large = load_experiment("d1_degree", registry=PACKAGED)
    tasks = [Task("eval", SMOKE), Task("train", SMOKE), Task("train", large)]
    assert max(tasks, key=size._work).experiment == large
