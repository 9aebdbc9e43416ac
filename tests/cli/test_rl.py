"""polyctl rl, as a user types it: what it prints, what it leaves, how it ends."""

import json
import signal
from pathlib import Path

import pytest

from polyctl.cli import app
from polyctl.store.event_kinds import RunStarted
from polyctl.store.events import EventReader
from polyctl.store.runs import find_run, list_runs
from tests.processes import ending, start_polyctl, wait_for
from tests.shared import OURS

pytestmark = pytest.mark.usefixtures("in_an_empty_directory")


@pytest.fixture
def run(run_on_cpu):
    """Any command line."""
    return run_on_cpu


@pytest.mark.parametrize("algorithm", ["bgrpo", "grpo", "boost"])
def test_smoke_runs_on_a_fresh_clone_and_reports_as_json(run, tmp_path, algorithm):
    result = run("rl", "rl_quick", "--smoke", "--algo", algorithm, "--json")
    report = json.loads(result.out)
    assert report["experiment"] == f"rl_quick_smoke_{algorithm}"
    assert (report["algorithm"], report["state"], report["step"]) == (algorithm, "complete", 4)
    assert report["metrics"].keys() >= {"greedy_verified", "pass_at_1", "pass_at_w", "rank_score"}
    assert Path(report["checkpoint"]).is_file()
    assert "rl_quick_smoke/" in report["start"]  # the supervised run was made first
    assert {made.experiment for made in list_runs(tmp_path / "runs")} == {
        "rl_quick_smoke", f"rl_quick_smoke_{algorithm}",
    }  # fmt: skip
    assert f"{algorithm} started at step 0 of 4" in result.err


def test_it_starts_from_the_newest_supervised_run_and_resumes(run, tmp_path):
    run("train", "rl_quick", "--smoke", "--steps", "2")
    result = run("rl", "rl_quick", "--smoke", "--steps", "1", "--json")
    assert "starting from rl_quick_smoke/" in result.err
    first = json.loads(result.out)
    again = json.loads(run("rl", "rl_quick", "--smoke", "--steps", "2", "--resume", "--json").out)
    assert (again["run"], again["step"], again["start"]) == (first["run"], 2, None)
    events = list(EventReader(Path(first["path"]) / "events.jsonl"))
    assert [e.state for e in events if isinstance(e, RunStarted)] == ["started", "resumed"]
    fresh = json.loads(run("rl", "rl_quick", "--smoke", "--steps", "1", "--json").out)
    assert fresh["run"] != first["run"]
    assert fresh["start"] == first["start"]  # not the run that reinforcement made
    named = json.loads(run("rl", "rl_quick", "--smoke", "--steps", "1", "--from", first["run"], "--json").out)
    assert named["start"].startswith(first["path"])


def test_eval_reads_what_rl_made(run):
    run("rl", "rl_quick", "--smoke", "--steps", "1")
    report = json.loads(run("eval", "rl_quick_smoke_bgrpo", "--limit", "4", "--json").out)
    assert report["problems"] == 4


def test_dry_run_says_the_cost_and_makes_nothing(run, tmp_path):
    cost = json.loads(run("rl", "rl_quick", "--smoke", "--dry-run", "--json").out)
    assert cost["problems"] == 16
    assert cost["hypotheses"] == 64
    assert cost["seconds"] > 0
    assert "hypotheses" in run("rl", "rl_quick", "--smoke", "--dry-run").out
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["rl_quick"], 3, "polyctl train rl_quick"),
        (["rl_quick", "--algo", "ppo"], 2, "choose bgrpo, grpo, boost"),
        (["rl_quick", "--resume"], 3, "rl_quick_bgrpo"),
        (["rl_quick", "--resume", "--from", "x"], 2, "leave one of them out"),
        (["rl_quikc"], 2, "rl_quick"),
        (["rl_quick", "--set", "rl.grup_size=3"], 2, "rl.group_size"),
        (["rl_quick", "--set", "rl.difficulty_band=[0.9, 0.1]"], 2, "band"),
    ],
)
def test_mistakes_get_a_remedy_and_no_traceback(run, arguments, code, words):
    result = run("rl", *arguments, code=code)
    assert words in result.err
    assert "Traceback" not in result.err


def test_an_experiment_may_name_its_start(run, tmp_path):
    run("train", "rl_quick", "--smoke", "--steps", "1")
    (start,) = list_runs(tmp_path / "runs")
    named = ("--set", f"rl.init_from={start.name}", "--set", "seed=3")
    found = json.loads(run("rl", "quick", "--smoke", "--steps", "1", *named, "--json").out)
    assert start.name in found["start"]
    assert found["experiment"] == "quick_smoke_bgrpo"


def test_what_the_start_was_kept_from_is_inherited(run, tmp_path):
    kept = tmp_path / "kept.txt"
    kept.write_text((OURS.path("univariate_2_2")).read_text())
    run("train", "rl_quick", "--smoke", "--steps", "1", "--set", f'data.exclude=["{kept}"]')
    (start,) = list_runs(tmp_path / "runs")
    first = json.loads(run("rl", "rl_quick", "--smoke", "--steps", "1", "--json").out)
    assert find_run(first["run"]).config().data.exclude == (str(kept),)
    tuned = ["quick", "--smoke", "--steps", "1", "--set", f"train.init_from={start.name}", "--json"]
    second = json.loads(run("train", *tuned).out)
    assert find_run(second["run"]).config().data.exclude == (str(kept),)
    kept.unlink()
    result = run("rl", "rl_quick", "--smoke", "--steps", "1", "--from", start.name, "--json")
    assert f"was kept from the problems of {kept}; these files are not here" in " ".join(result.err.split())
    assert find_run(json.loads(result.out)["run"]).config().data.exclude == ()


def test_a_risky_setting_is_warned_of(run):
    result = run("rl", "rl_quick", "--smoke", "--dry-run", "--set", "rl.lr=1e-3")
    assert "warning: rl.lr = 0.001" in result.err
    assert "warning" not in run("rl", "rl_quick", "--smoke", "--dry-run").err


def test_a_pool_that_wears_out_is_warned_of(run):
    pool = ("--set", "rl.pool_candidates=4", "--set", "rl.pool_refresh_every=4")
    result = run("rl", "rl_quick", "--smoke", *pool)
    assert "warning: the pool wears out: each of its problems is used 4.0 times" in result.err
    assert "Set rl.pool_candidates=8, or 0 for fresh problems" in result.err


def test_where_the_probability_goes_is_shown(run, capsys):
    result = run("rl", "rl_quick", "--smoke")
    for word in ("entropy", "mass", "copies", "kl", "skipped"):
        assert word in result.err
    assert app.run(["runs", "show", "rl_quick_smoke_bgrpo"]) == 0
    shown = capsys.readouterr().out
    assert "sample_kl" in shown
    assert "last step" in shown
    assert "all_wrong" in shown
    assert app.run(["runs", "show", "rl_quick_smoke_bgrpo", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["last_step"].keys() >= {"mass", "entropy", "kl", "copies", "skipped", "all_right"}
    assert facts["metrics"].keys() >= {"mass", "sample_kl", "sample_entropy", "copies"}


@pytest.mark.slow
def test_ctrl_c_saves_and_resume_finishes(run, tmp_path):
    run("train", "rl_quick", "--smoke", "--steps", "1")
    process = start_polyctl("rl", "rl_quick", "--smoke", "--steps", "2000", "--device", "cpu")
    wait_for(lambda: _stepped(tmp_path), "the event of a step", process)
    process.send_signal(signal.SIGINT)
    out, err = ending(process)
    assert process.returncode == 130, err
    assert "interrupted at step" in out
    steps = str(int(out.split("step ")[1].split(":")[0].replace(",", "")) + 1)
    report = json.loads(run("rl", "rl_quick", "--smoke", "--resume", "--steps", steps, "--json").out)
    assert (report["state"], str(report["step"])) == ("complete", steps)


def _stepped(tmp_path):
    return any(
        '"kind": "step"' in path.read_text()
        for path in (tmp_path / "runs" / "rl_quick_smoke_bgrpo").glob("*/events.jsonl")
    )


def test_questions_may_come_from_a_file(run, tmp_path, capsys):
    assert app.run(["gen", "rl_quick", "--smoke", "--out", str(tmp_path / "made")]) == 0
    capsys.readouterr()
    questions = next((tmp_path / "made").rglob("train.txt"))
    made = json.loads(
        run("rl", "rl_quick", "--smoke", "--steps", "1", "--data", str(questions), "--json").out
    )
    assert str(questions) in (Path(made["path"]) / "config.toml").read_text()
    run("rl", "rl_quick", "--smoke", "--data", "absent.txt", code=3)


def test_hints_of_a_smoke_run_name_the_experiment(run, tmp_path):
    err = run("rl", "rl_quick", "--smoke", "--resume", code=3).err
    assert "there is nothing to continue yet: polyctl rl rl_quick --smoke --algo bgrpo" in err
    err = run("rl", "rl_quick", "--smoke", "--max-minutes", "0").err
    assert "next: polyctl rl rl_quick --smoke --algo bgrpo --resume" in err
    assert run("rl", "rl_quick", "--smoke", "--algo", "bgrpo", "--resume").err
