"""How a run stands, in a line and in cells."""

from dataclasses import replace
from pathlib import Path

from polyctl.store.event_kinds import DEVICE_MEMORY, EvaluationProgress
from polyctl.store.owner import Owner
from polyctl.store.runs import Run
from polyctl.store.summary import Summary
from polyctl.tui.run_list import RunRow
from polyctl.tui.views.runs import choose_columns
from polyctl.tui.views.status import describe_evaluation, format_rate, format_state, format_strip

SUMMARY = Summary(
    state="running",
    ended=None,
    step=500,
    total_steps=2000,
    loss=0.5,
    metrics={"greedy_verified": 0.25},
    step_metrics={},
    error=None,
    updated=100.0,
    elapsed=120.0,
    lr=8e-4,
    tokens_per_second=51_234.0,
    problems_seen=6400,
    best=0.5,
    device="cuda",
    owner=Owner.here(),
)
PROGRESS = EvaluationProgress(done=34, problems=200, verified=17, pid=5)


def test_the_strip_holds_progress_times_accuracy_speed_and_the_process(monkeypatch):
    monkeypatch.setattr(Owner, "memory", 1_500_000_000)
    assert format_strip(replace(SUMMARY, step_metrics={DEVICE_MEMORY: 3e9})) == (
        "━━╌╌╌╌╌╌  25% · 2 min elapsed · 6 min left · verified 25.0%, best 50.0% · 51.2k tok/s · "
        f"lr 8.0e-4 · pid {SUMMARY.owner.pid} alive · cuda · memory 1.5 GB · 3.0 GB of the device"
    )
    ended = replace(SUMMARY, state="finished", step=2000)
    assert "left" not in format_strip(ended)
    assert "pid" not in format_strip(ended)
    dead = replace(SUMMARY, state="crashed", owner=replace(SUMMARY.owner, pid=2**22 + 1))
    assert f"pid {2**22 + 1} dead" in format_strip(dead)


def test_the_memory_is_that_of_a_process_that_lives_here():
    assert Owner.here().memory > 1_000_000
    assert replace(Owner.here(), pid=2**22 + 1).memory is None
    assert replace(Owner.here(), host="elsewhere").memory is None


def test_rates_are_tokens_or_problems_a_second():
    assert format_rate(SUMMARY) == "51.2k tok/s"
    assert format_rate(replace(SUMMARY, tokens_per_second=None)) == "53.3 prob/s"
    assert format_rate(replace(SUMMARY, tokens_per_second=None, elapsed=None)) == "-"


def test_a_running_evaluation_is_seen_with_the_problems_done_of_all():
    ended = replace(SUMMARY, state="finished", evaluation=PROGRESS)
    assert format_state(ended).plain == "▶ eval 34/200"
    assert format_state(replace(ended, evaluation=None)).plain == "✓ finished"
    assert describe_evaluation(PROGRESS) == (
        "evaluating: 34 of 200 problems, greedy verified 50.0% so far (pid 5)"
    )
    assert format_strip(ended).startswith("evaluating: 34 of 200")
    passed = replace(PROGRESS, beam=10, counted=34, solved_first=16, solved=20)
    assert describe_evaluation(passed) == (
        "evaluating: 34 of 200 problems, greedy verified 50.0%, pass@1 47.1% (31.5–63.3%), "
        "pass@10 58.8% (42.2–73.6%) so far (pid 5)"
    )
    assert describe_evaluation(replace(passed, counted=0)) == describe_evaluation(PROGRESS)
    assert describe_evaluation(replace(passed, solved=10**400)) == describe_evaluation(PROGRESS)


def test_the_more_room_the_more_columns():
    rows = [RunRow(Run.at(Path("a_name_of_thirty_nine_columns/20250101-000000")), None)]
    labels = [[c.label for c in choose_columns(rows, width)] for width in (60, 80, 120, 200)]
    assert labels[0] == ["*", "state", "run", "loss", "verified"]
    assert labels[1] == ["*", "state", "run", "progress", "loss", "verified", "age"]
    assert {"left", "step", "best"} < set(labels[2])
    assert len(labels[3]) == 13
    for width in (60, 80, 120, 200):
        assert sum(c.width + 2 for c in choose_columns(rows, width)) < width
