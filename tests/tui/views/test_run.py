"""The state of the tab Run."""

import pytest

from polyctl.tui.run_log import RunLog
from polyctl.tui.views.lines import REINFORCED, SUPERVISED, measure_steps, plot_lines
from polyctl.tui.views.run import SMOOTHINGS, RunView, lay_out
from tests.tui.shared import event, make_run
from tests.tui.test_run_log import read


def test_a_zoom_stays_within_the_steps():
    view = RunView()
    view.zoom(0.5, 0.0, narrowest=0.0)
    assert view.window == (0.5, 1.0), "the newest steps stay in view"
    view.zoom(1.0, -0.25, narrowest=0.0)
    view.zoom(0.5, 0.0, narrowest=0.0)
    assert view.window == (0.5, 0.75)
    view.zoom(2.0, 0.0, narrowest=0.0)
    view.zoom(1.0, -0.25, narrowest=0.0)
    view.zoom(1.0, -0.25, narrowest=0.0)
    view.zoom(1.0, -0.25, narrowest=0.0)
    assert view.window == (0.0, 0.5)
    assert view.describe_plots() == "0.0–50.0% of the steps"
    view.zoom(1e-6, 0.0, narrowest=0.1)
    assert view.window[1] - view.window[0] == pytest.approx(0.1)
    view.zoom(1e6, 0.0, narrowest=0.1)
    assert view.window == (0.0, 1.0)
    view.zoom(0.5, 0.0, narrowest=0.0)
    view.show_all_steps()
    assert view.describe_plots() == ""


def test_every_choice_comes_round():
    view = RunView()
    metrics, below, weights, units = [], [], [], []
    for _ in SUPERVISED:
        metrics.append(view.metric)
        view.next_metric()
    for _ in range(3):
        below.append(view.below)
        view.next_below()
        units.append(view.unit)
        view.next_unit()
    for _ in SMOOTHINGS:
        weights.append(view.style.smoothing)
        view.next_smoothing()
    assert (metrics, below) == (list(SUPERVISED), ["log", "cells", "config"])
    assert (weights, units) == ([0.6, 0.9, 0.98, 0.0], ["step", "time", "problems"])
    assert (view.metric, view.below, view.style.smoothing, view.unit) == ("loss", "log", 0.6, "step")


def test_the_chosen_plot_alone_changes_and_what_is_unusual_is_named():
    view = RunView()
    view.next_smoothing()
    view.toggle_log_axis()
    view.next_metric()
    view.toggle_log_axis()
    view.next_unit()
    assert view.describe_plots() == "over time"
    assert view.title("loss") == "loss, log, smooth 0.9"
    assert view.title("verified") == "verified accuracy, log"
    assert view.title("lr") == "learning rate"
    loss, passed = (view.plot(metric, None, "") for metric in ("loss", "pass"))
    assert (loss.log, loss.smoothing, loss.unit) == (True, 0.9, "time")
    assert (passed.log, passed.smoothing, passed.unit) == (False, 0.0, "time")


def learning(**more: float) -> dict:
    return event(1, "step", step=1, loss=0.1, reward=-0.4, kl=0.01, entropy=0.5, clip_share=0.25, **more)


def test_reinforcement_learning_has_plots_of_its_own(tmp_path):
    counts = {"searched": 8, "all_right": 2, "all_wrong": 4, "skipped": 6}
    found = read(RunLog(make_run(tmp_path, lines=[learning(**counts)])))
    view = RunView(metric="lr")
    view.choose_metrics([found])
    assert view.metrics == ("reward", "groups", "kl", "entropy", "clip", "loss"), "empty plots give way"
    assert view.metric == "reward"
    now = {m: [(line.label, line.now, line.percent) for line in plot_lines([found], m)] for m in REINFORCED}
    assert now["reward"] == [("reward", -0.4, False)]
    assert now["verified"] == [], "a reward is no accuracy"
    assert now["groups"] == [("all right", 0.25, True), ("all wrong", 0.5, True), ("skipped", 0.75, True)]
    assert (now["kl"], now["clip"]) == ([("kl", 0.01, False)], [("clipped", 0.25, True)])
    view.choose_metrics([])
    assert view.metrics == SUPERVISED


@pytest.mark.parametrize("plots", range(1, 13))
def test_the_grid_has_no_empty_place(plots):
    columns, rows, span = lay_out(plots)
    assert plots - 1 + span == columns * rows
    assert span <= columns <= 4
    assert columns <= 3 or plots > 9


def test_steps_lie_where_time_and_problems_say(tmp_path):
    lines = [event(i, "step", step=i, loss=1.0, elapsed=10.0 * i, problems_seen=32 * i) for i in (1, 2, 4)]
    lines.append(event(9, "validation", step=3, valid_loss=0.5))
    found = read(RunLog(make_run(tmp_path, lines=lines)))
    train, valid = plot_lines([found], "loss", "time")
    assert [p.x for p in train.points] == [10.0, 20.0, 40.0]
    assert [p.x for p in valid.points] == [30.0]
    assert measure_steps([found], "problems") == (32.0, 128.0)
    none = read(RunLog(make_run(tmp_path, "old/20250101-000000", [event(1, "step", step=1, loss=1.0)])))
    assert measure_steps([none], "time") is None


def test_a_run_has_one_colour_in_all_plots(tmp_path):
    runs = [read(RunLog(make_run(tmp_path, f"{name}/20250101-000000"))) for name in ("one", "two")]
    for metric in ("loss", "verified", "lr"):
        assert {(line.label[0], line.run) for line in plot_lines(runs, metric)} == {("1", 0), ("2", 1)}
    assert {line.run for line in plot_lines(runs[:1], "loss")} == {None}
