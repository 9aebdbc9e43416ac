"""What train, rl and plans print while they run and at the end."""

import pickle
from dataclasses import replace

from polyctl.cli import output
from polyctl.cli.training import ProgressReporter, print_cost
from polyctl.plans.progress import Progress
from polyctl.store.event_kinds import Pool, RunStarted, Step, Validation
from polyctl.training.cost import Cost
from tests.training.helpers import tiny

RUN = RunStarted("started", None, 0, 4, "cpu", 1, 12345)
RL_METRICS = {
    "reward": 0.25, "pass_at_1": 0.5, "kl": 0.01, "entropy": 0.8, "mass": 0.31, "copies": 0.09,
    "skipped": 2.0, "all_right": 0.0, "all_wrong": 2.0,
}  # fmt: skip


def reported(capsys, *events):
    reporter = ProgressReporter()
    for event in events:
        reporter(event)
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.splitlines()


def test_supervised_training_is_reported_in_lines_without_a_bar(capsys, monkeypatch):
    monkeypatch.setattr(output, "LINE_SECONDS", 0.0)
    step = Step(2, loss=1.5, tokens_per_second=2500.0)
    validation = Validation(4, {"valid_loss": 1.25, "greedy_exact": 0.25, "greedy_verified": 0.5})
    lines = reported(capsys, RUN, step, replace(step, metrics={"mfu": 0.3}), validation)
    assert lines == [
        "started at step 0 of 4 on cpu, 12,345 parameters",
        "step 2 of 4  loss 1.5000  2.5k tokens/s  0 s left",
        "step 2 of 4  loss 1.5000  2.5k tokens/s  30.0% MFU  0 s left",
        "step 4: valid loss 1.2500, greedy exact 25.0%, verified 50.0%",
    ]


def test_reinforcement_is_reported_by_the_same_reporter(capsys):
    validation = {"greedy_verified": 0.5, "pass_at_1": 0.25, "pass_at_w": 1.0, "rank_score": 0.75}
    validation |= {"mass": 0.31, "copies": 0.09, "sample_kl": 0.04, "sample_entropy": 0.8}
    lines = reported(
        capsys,
        replace(RUN, algorithm="bgrpo"),
        Pool(0, candidates=8, kept=3, first_right=0.5),
        Step(4, metrics=RL_METRICS),
        Validation(4, validation),
    )
    assert lines == [
        "bgrpo started at step 0 of 4 on cpu, 12,345 parameters",
        "step 0: 3 of 8 problems in the band, first answer right 50.0%",
        "step 4 of 4  reward 0.250  pass@1 50%  kl 0.0100  entropy 0.80  mass 0.31  copies 9%  "
        "skipped 0 right, 2 wrong  0 s left",
        "step 4: held out: greedy verified 50.0%, pass@1 25.0%, pass@w 100.0%, rank score 0.750; "
        "mass 0.31, copies 9.0%; of samples: kl 0.0400, entropy 0.80",
    ]


def test_lines_are_rare_but_the_last_step_is_always_reported(capsys):
    lines = reported(capsys, RUN, *[Step(step, metrics=RL_METRICS) for step in (1, 2, 3, 4)])
    assert [line.partition("  ")[0] for line in lines[1:]] == ["step 1 of 4", "step 4 of 4"]


def test_a_reporter_without_a_bar_can_go_to_another_process(capsys):
    reporter = pickle.loads(pickle.dumps(ProgressReporter()))
    reporter(Progress("evaluating", 1, 2))
    reporter(RUN)
    assert "started at step 0" in capsys.readouterr().err


def test_a_cost_shows_what_applies_to_its_kind(capsys):
    rl = Cost(
        "cpu", 60.0, parameters=1000, steps=4, problems=16, hypotheses=64, probed=0, memory_bytes=20_000,
        disk_bytes=24_000, search_seconds_per_step=0.5, update_seconds_per_step=0.25,
    )  # fmt: skip
    print_cost(rl, tiny(), as_json=False)
    table = capsys.readouterr().out
    assert "4 steps, 16 problems, 64 hypotheses" in table
    assert "0 problems for the pools" in table
    assert "at most about 60 s: 0.5 s a step to search and 0.25 s to update" in table
    assert "tokens" not in table
    print_cost(rl, tiny(), as_json=True)
    assert '"probed": 0' in (written := capsys.readouterr().out)
    assert "tokens" not in written
