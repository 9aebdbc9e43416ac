"""The table of the claim: arms over seeds, gains over the start of the same seed."""

import json

import pytest

from polyctl.config.registry import PACKAGED, load_registry
from polyctl.reports.make_report import make_report
from polyctl.reports.tables import markdown
from polyctl.store.event_kinds import End, RunStarted, Step, Validation
from polyctl.store.events import EventWriter
from polyctl.store.runs import create_run

REGISTRY = load_registry(PACKAGED)


@pytest.fixture
def evaluated(tmp_path):
    """Make a run of an arm with a seed, its validations, and an evaluation's report."""

    def evaluated(name, seed, pass_at_30, duplicates=300, base=None, stamp="20260101-000000"):
        experiment = REGISTRY.get(base or name).model_copy(update={"name": name, "seed": seed})
        run = create_run(experiment, tmp_path)
        algorithm = None if base is None else experiment.rl.algorithm
        with EventWriter(run.events) as events:
            events.write(
                RunStarted(state="started", device="cpu", algorithm=algorithm, step=0, total_steps=9)
            )
            for step, accuracy in ((3, 0.2), (9, 0.4)):
                events.write(Step(step=step, problems_seen=step * 48, elapsed=60.0 * step))
                events.write(Validation(step=step, metrics={"greedy_verified": accuracy}))
            events.write(End(state="complete", step=9, elapsed=600.0))
        report = {
            "data": f"test problems of {name}",
            "checkpoint": "last",
            "step": 9,
            "problems": 100,
            "beam": 30,
            "greedy": {"exact": 0.1, "verified": 0.2},
            "pass_at": {str(k): pass_at_30 - 0.01 * (30 - k) for k in range(1, 31)},
            "rank_score": 0.3,
            "duplicates": duplicates,
            "cells": [],
        }
        (run.reports / f"eval-{stamp}.json").write_text(json.dumps(report))
        return run

    return evaluated


def rows(report):
    table = report.tables[0]
    return {row[0]: dict(zip((c.name for c in table.columns), row, strict=True)) for row in table.rows}


def test_gains_are_over_the_start_of_the_same_seed(evaluated, tmp_path):
    for seed, start, after in ((0, 0.40, 0.50), (1, 0.46, 0.52)):
        evaluated("rl_claim_start", seed, start)
        evaluated("rl_claim_probabilities_bgrpo", seed, after, 600, base="rl_claim_probabilities")
    evaluated("rl_claim_samples_grpo", 0, 0.41, base="rl_claim_samples")
    report = make_report(["rl_claim"], REGISTRY, tmp_path)
    found = rows(report)
    weighted = found["BGRPO weighted by probability"]
    assert weighted["seeds"] == 2
    assert weighted["pass@30"] == pytest.approx(0.51)
    assert weighted["gain of pass@30"] == pytest.approx(0.08)
    assert weighted["spread of it"] == pytest.approx(0.0283, abs=1e-4)
    assert weighted["copies"] == pytest.approx(0.2)
    assert (weighted["problems"], weighted["minutes"]) == (9 * 48, 10.0)
    assert found["GRPO"]["gain of pass@30"] == pytest.approx(0.01)
    assert found["GRPO"]["spread of it"] is None
    assert found["the start, 4,000 labels"]["gain of pass@30"] is None
    assert found["expert iteration"]["pass@30"] is None
    assert "rl_claim_expert" in report.missing  # what `polyctl experiments run` is given
    problems, minutes = report.figures
    assert dict(problems.series[0].points) == {144.0: 0.2, 432.0: 0.4}
    assert dict(minutes.series[0].points) == {3.0: 0.2, 9.0: 0.4}


def test_the_newest_run_of_a_seed_counts_and_damaged_ones_do_not(evaluated, tmp_path):
    old = evaluated("rl_claim_start", 0, 0.40)
    evaluated("rl_claim_start", 0, 0.45)
    evaluated("rl_claim_start", 1, 0.90).config_path.unlink()
    found = rows(make_report(["rl_claim"], REGISTRY, tmp_path))["the start, 4,000 labels"]
    assert (found["seeds"], found["pass@30"]) == (1, 0.45)
    assert old.reports.exists()


def test_missing_arms_are_said_with_the_command_that_runs_them(tmp_path):
    shown = markdown(make_report(["rl_claim"], REGISTRY, tmp_path))
    assert "`polyctl experiments run rl_claim_start rl_claim_epochs" in shown
