"""The state of the tab Run."""

import pytest

from polyctl.tui.views.run import METRICS, SMOOTHINGS, RunView


def test_a_zoom_stays_within_the_steps():
    view = RunView()
    view.zoom(0.5, 0.0, narrowest=0.0)
    assert view.plot.window == (0.25, 0.75)
    view.zoom(1.0, -0.25, narrowest=0.0)
    view.zoom(1.0, -0.25, narrowest=0.0)
    view.zoom(1.0, -0.25, narrowest=0.0)
    assert view.plot.window == (0.0, 0.5)
    assert view.describe_plots() == "0.0–50.0% of the steps"
    view.zoom(1e-6, 0.0, narrowest=0.1)
    assert view.plot.window[1] - view.plot.window[0] == pytest.approx(0.1)
    view.zoom(1e6, 0.0, narrowest=0.1)
    assert view.plot.window == (0.0, 1.0)
    view.zoom(0.5, 0.0, narrowest=0.0)
    view.show_all_steps()
    assert view.describe_plots() == ""


def test_every_choice_comes_round():
    view = RunView()
    metrics, below, weights = [], [], []
    for _ in METRICS:
        metrics.append(view.metric)
        view.next_metric()
    for _ in range(3):
        below.append(view.below)
        view.next_below()
    for _ in SMOOTHINGS:
        weights.append(view.plot.smoothing)
        view.next_smoothing()
    assert (metrics, below) == (list(METRICS), ["log", "cells", "config"])
    assert tuple(weights) == SMOOTHINGS
    assert (view.metric, view.below, view.plot.smoothing) == ("loss", "log", 0.0)


def test_what_is_unusual_about_the_plots_is_named():
    view = RunView()
    view.next_smoothing()
    view.toggle_log_axis()
    assert view.describe_plots() == "smoothed 0.6, log axis"
