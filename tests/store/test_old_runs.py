"""Runs that older versions wrote are read as their own version read them.

The runs of tests/fixtures/runs have the old names of settings, one kind of event, `eval`, for validations and
evaluations, and reports that name an experiment's own problems by a sentence.
"""

import json
import os
import shutil

import pytest

from polyctl.cli import app
from polyctl.config.schema import Experiment
from polyctl.plans.stages import Directories, make_plan, standing
from polyctl.store.runs import Run, find_run
from tests.shared import OURS, ROOT

FINISHED, INTERRUPTED, CRASHED = "quick/20261118-120000", "quick/20261117-120000", "rl_quick/20261119-120000"


@pytest.fixture
def root(tmp_path):
    """A copy of the runs, so that nothing that is tested writes into the repository."""
    return shutil.copytree(ROOT / "tests" / "fixtures" / "runs", tmp_path / "runs")


@pytest.fixture
def ask(root, capsys):
    """A command with --json and these runs, run in this process; returns what it printed."""

    def run(*arguments, code=0):
        assert app.run([*arguments, "--runs", str(root), "--json"]) == code
        return json.loads(capsys.readouterr().out)

    return run


def open_run(root, name) -> Run:
    return find_run(name, root, need_checkpoint=False)


def test_settings_have_todays_names(root):
    config = open_run(root, FINISHED).config()
    assert config.data.tokenizer == "terms"
    assert (config.model.architecture, config.model.context_length) == ("modern", 96)
    assert (config.model.residues, config.model.ratios, config.model.number_init) == (23, True, "fourier")
    assert (config.train.schedule, config.train.final_lr_ratio, config.train.max_grad_norm) == ("wsd", 0.1, 2)
    rl = config.rl
    assert (rl.groups_per_step, rl.group_size, rl.wrong_reward, rl.updates_per_step) == (16, 7, -0.25, 2)
    assert (rl.kl_weight, rl.max_grad_norm, rl.micro_groups) == (0.05, 0.5, 16)
    assert (rl.pool_candidates, rl.pool_refresh_every, rl.max_solved_share) == (96, 25, 0.5)
    assert rl.difficulty_band == (0.01, 0.99)
    assert (rl.decay_fraction, rl.kl_estimator, rl.weighting, rl.max_redraws) == (1.0, "k3", "reward", 0)
    assert open_run(root, CRASHED).config().model.architecture == "gpt2"
    assert Experiment.model_validate(config.model_dump()) == config


def test_a_finished_run_keeps_the_figures_of_its_last_validation(root):
    """What `polyctl eval` measured later, on other problems, is no validation."""
    found = open_run(root, FINISHED).summary()
    assert (found.state, found.ended) == ("finished", "complete")
    assert (found.step, found.total_steps, found.loss) == (220, 220, 0.125)
    assert found.accuracy == 0.75
    assert found.metrics == {"valid_loss": 0.25, "greedy_exact": 0.625, "greedy_verified": 0.75}
    assert (found.error, found.updated) == (None, 1795000070.25)


def test_an_interrupted_run(root):
    found = open_run(root, INTERRUPTED).summary()
    assert (found.state, found.ended, found.step, found.total_steps) == (
        "interrupted",
        "interrupted",
        64,
        220,
    )
    assert (found.loss, found.accuracy) == (1.5, 0.0625)


def test_a_resumed_run_that_crashed(root):
    """Figures of before it was resumed still hold."""
    found = open_run(root, CRASHED).summary()
    assert (found.state, found.ended, found.error) == ("crashed", None, "CUDA out of memory")
    assert (found.step, found.total_steps, found.loss, found.accuracy) == (150, 400, 0.01, 0.5)


def test_the_list_of_runs(ask):
    listed = [(run["run"], run["state"], run["accuracy"]) for run in ask("runs", "list")["runs"]]
    assert listed == [
        (CRASHED, "crashed", 0.5),
        (FINISHED, "finished", 0.75),
        (INTERRUPTED, "interrupted", 0.0625),
    ]


def test_an_evaluation_on_the_own_problems_is_told_from_one_on_a_file(ask):
    made = ask("report", "quick")
    (row,) = made["tables"][0]["rows"]
    assert row == {"experiment": "quick", "greedy": 0.5, "pass@1": 0.5, "pass@2": 0.625, "rank score": 0.5}
    (source,) = made["sources"]
    assert (source["run"], source["problems"], source["beam"]) == (FINISHED, 200, 2)
    assert (source["trained on"], source["training minutes"]) == (220 * 64, 41 / 60)
    assert source["evaluated"] == "test problems of quick"


def test_predictions_are_compared_with_the_counts_of_their_file(ask):
    made = ask("report", "complexity", "--counts", str(OURS.folder))
    row = made["tables"][0]["rows"][0]
    assert (row["by"], row["problems"], row["solved"]) == (FINISHED, 2, 1)
    assert (row["ours"], row["known, of these"]) == (12, 12)
    assert row["Mathematica, of these"] == 49  # in our counts, the expanded form of the file's first problem


def test_predictions_are_verified_from_their_text(ask):
    tally = ask("verify", FINISHED, code=1)
    assert (tally["total"], tally["verified"], tally["refuted"]) == (2, 1, 1)


def test_what_is_done_is_not_done_again(root):
    """A finished run with its report counts in a plan, if its weights are not newer."""
    run = open_run(root, FINISHED)
    run.checkpoints.mkdir()
    run.checkpoint("best").write_bytes(b"")
    os.utime(run.checkpoint("best"), (0, 0))
    experiment = run.config()
    directories = Directories(root.parent / "data", root)
    evaluation = experiment.eval.model_copy(update={"beam": 2, "problems": 200})
    experiment = experiment.model_copy(update={"eval": evaluation})
    tasks = make_plan([experiment], [experiment], directories, ("train", "eval"))
    assert [(task.stage, standing(task, directories).state) for task in tasks] == [
        ("train", "done"),
        ("eval", "done"),
    ]
