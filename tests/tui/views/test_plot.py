"""Plots in braille."""

import math
from typing import Any

from polyctl.tui.series import Point, Series, columns, smooth
from polyctl.tui.views.plot import Line, PlotView, draw_plot
from tests.tui.shared import points


def test_values_that_are_not_finite_leave_gaps():
    series = Series()
    series.add(enumerate([1.0, math.nan, 1.0, None, "x", True]))
    assert series.broken == 4
    assert [c and c.gap for c in columns(series.points, 6, 0, 5)] == [False, None, True, None, None, None]
    one, two = (
        draw_plot([Line("a", points(1.0, 2.0, 3.0))], PlotView(), 40, 9),
        draw_plot([Line("a", points(1.0, math.nan, 3.0))], PlotView(), 40, 9),
    )
    dots = [sum("⠀" < c <= "⣿" for c in text.plain) for text in (one, two)]
    assert dots[1] < dots[0] / 3


def test_log_axis_and_smoothing():
    text = draw_plot([Line("a", points(1e-4, 1.0, -1.0))], PlotView(log=True), 40, 9).plain
    assert "1.0e-4" in text
    assert "nothing above 0" in draw_plot([Line("a", points(-1.0, 0.0))], PlotView(log=True), 40, 9).plain
    assert [p.last for p in smooth(points(2.0, 2.0, 2.0), 0.9)] == [2.0, 2.0, 2.0]
    rough = [p.last for p in smooth(points(0.0, 10.0, math.nan, 0.0), 0.5)]
    assert rough[2] is None
    assert 0 < rough[3] < rough[1] < 10


def test_a_plot_is_as_large_as_asked():
    for width, height in ((120, 30), (20, 5), (12, 3), (5, 2)):
        rows = draw_plot([Line("a" * 50, points(*range(50)))], PlotView(), width, height).plain.split("\n")
        assert len(rows) <= height
        assert all(len(row) <= width for row in rows)


def test_lone_points_are_letters_and_are_not_joined():
    line = Line("eval", points(0.2, 0.4, 0.9), joined=False)
    text = draw_plot([line], PlotView(), 60, 12).plain.split("\n", 1)[1]
    assert text.count("a") == 3
    assert not any("⠀" < c <= "⣿" for c in text)


def test_why_a_plot_is_empty():
    line = Line("a", points(1.0, *[math.nan] * 98, 2.0))
    between = PlotView(log=True, window=(0.4, 0.6))
    assert draw_plot([line], between, 60, 9).plain == "nothing measured at these steps"
    assert "nothing above 0" in draw_plot([Line("a", points(-1.0, -2.0))], PlotView(log=True), 60, 9).plain
    assert draw_plot([], PlotView(empty="reading"), 60, 9).plain == "reading"


def test_a_legend_takes_more_rows_before_it_leaves_out_values():
    lines = [Line(f"{i}:train", points(0.5, 0.25 * i), percent=True) for i in range(1, 5)]
    text = draw_plot(lines, PlotView(), 38, 12).plain.splitlines()
    assert "a 1:train 25.0%" in text[0]
    assert "d 4:train 100.0%" in text[1]
    assert len(text) == 12
    assert text[2].split()[0] == "100%"


def test_ticks_are_round_and_shares_stay_within_0_and_100_percent():
    def labels(*values: float, percent: bool = True, **how: Any) -> list[str]:
        text = draw_plot([Line("a", points(*values), percent=percent)], PlotView(**how), 60, 14).plain
        return [row.split("┤")[0].strip() for row in text.splitlines() if "┤" in row]

    assert labels(1.0, 1.0) == ["100%", "95%", "90%"]
    assert labels(0.0, 0.0)[-1] == "0%"
    assert labels(0.1167, 7.0, percent=False) == ["6", "4", "2"]
    assert labels(1e-4, 2.0, percent=False, log=True) == ["1", "0.01", "1.0e-4"]


def test_the_x_axis_has_round_labels_and_says_what_it_is():
    def axis(last: float, unit: str) -> str:
        line = Line("a", [Point.at(last * i / 20, 1.0 * i) for i in range(21)])
        return draw_plot([line], PlotView(unit=unit), 70, 9).plain.splitlines()[-1]

    assert axis(6000, "step").split() == ["step", "0", "2000", "4000", "6000"]
    assert axis(80_000, "problems").split() == ["problems", "0", "20k", "40k", "60k", "80k"]
    assert axis(3 * 3600, "time").split("  ")[-1].strip() == "3 h"


def test_the_raw_line_lies_under_the_smoothed_one():
    line = Line("train", points(*[1 + 0.2 * (-1) ** i for i in range(200)]))
    text = draw_plot([line], PlotView(smoothing=0.9), 60, 12)
    assert {str(span.style) for span in text.spans} >= {"dim cyan", "cyan"}
    assert "dim cyan" not in {str(span.style) for span in draw_plot([line], PlotView(), 60, 12).spans}


def test_all_lines_of_a_run_have_its_colour():
    lines = [Line(f"{i}", points(1.0, 1.0 + i), run=i // 2) for i in range(4)]
    spans = {str(span.style).removeprefix("bold ") for span in draw_plot(lines, PlotView(), 60, 12).spans}
    assert spans - {"dim"} == {"cyan", "yellow"}
