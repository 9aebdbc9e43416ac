"""polyctl report as a user types it, on runs that a plan made."""

import json

import pytest

from polyctl.cli import app
from polyctl.config.registry import PACKAGED
from polyctl.reports.make_report import PLANS
from polyctl.reports.names import PLAN_NAMES


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("POLYCTL_RUNS", raising=False)
    monkeypatch.setenv("POLYCTL_REGISTRY", str(PACKAGED))

    def run(*arguments, code=0):
        assert app.run(list(arguments)) == code, capsys.readouterr().err
        return capsys.readouterr()

    return run


def test_what_a_plan_measured_is_what_the_report_shows(run, tmp_path):
    settings = ["--set", "train.steps=3", "--set", "eval.problems=4"]
    (_, evaluated) = run(
        "experiments", "run", "smoke", "--json", "--device", "cpu", *settings
    ).out.splitlines()
    made = json.loads(run("report", "smoke", "--json").out)
    (row,) = made["tables"][0]["rows"]
    figures = json.loads(evaluated)["figures"]
    assert (row["experiment"], row["greedy"]) == ("smoke", figures["greedy_verified"])
    assert row["pass@4"] == figures["pass_at_beam"]
    assert made["sources"][0]["run"] == json.loads(evaluated)["run"]
    assert "Verified answers" in run("report", "smoke").out
    assert run("report", "smoke", "--markdown").out.startswith("## Experiments: smoke\n")


def test_all_plans_without_a_name(run):
    assert tuple(PLANS) == PLAN_NAMES
    assert [made["plan"] for made in json.loads(run("report", "--json").out)] == list(PLANS)
    captured = run("report", "--figures", "figures")
    assert "nothing was measured" in captured.err
    assert "polyctl experiments run d1_degree" in captured.out


def test_complexity_without_the_published_counts(run, tmp_path):
    assert "Without --counts DIR" in run("report", "complexity").out
    assert "no directory" in run("report", "complexity", "--counts", "missing", code=3).err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["d5"], "it is no plan"), (["d4", "--json", "--markdown"], "cannot both be printed")],
)
def test_mistakes(run, arguments, message):
    assert message in run("report", *arguments, code=2).err
