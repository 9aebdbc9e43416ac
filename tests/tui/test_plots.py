"""Plots as one works with them: metrics by name, the cursor, and runs that are compared."""

from polyctl.config.differences import differing, flatten_settings, format_setting
from polyctl.config.registry import to_toml
from polyctl.config.schema import Experiment
from polyctl.tui.run_log import MOST_SERIES, RunLog
from polyctl.tui.screens.find import FindScreen
from polyctl.tui.text_dump import dump_tabs
from polyctl.tui.views.lines import list_marks, list_metrics, plot_lines
from polyctl.tui.views.plot import CHECKPOINT, DASHES, RESUMED, Line, Mark, PlotView, draw_plot
from polyctl.tui.views.run import RunView, format_configs
from polyctl.tui.widgets.plot import Plot
from tests.tui.shared import (
    drive,
    event,
    make_run,
    points,
    screen_text,
    until,
    until_hidden,
    until_open,
    until_shown,
)
from tests.tui.test_run_log import read
from tests.tui.test_screens import show


def measured(steps: int = 40) -> list[dict]:
    found = [event(0, "run", state="started", step=0, total_steps=steps)]
    for i in range(1, steps + 1):
        found.append(event(i, "step", step=i, loss=float(i), margin=i / 4, depth=2))
    return [*found, event(steps, "validation", step=steps, valid_loss=1.5, bleu=0.25)]


def test_all_that_is_logged_can_be_plotted(tmp_path):
    run_log = read(RunLog(make_run(tmp_path, lines=measured())))
    assert list_metrics([run_log]) == [
        ("depth", "2"),
        ("loss", "40"),
        ("margin", "10"),
        ("valid_loss", "1.5"),
        ("validation bleu", "0.25"),
    ]
    view = RunView()
    view.choose_own(["margin", "validation bleu"])
    view.choose_metrics([run_log])
    assert (view.metric, view.metrics[-2:], view.title("own-0")) == ("own-1", ("own-0", "own-1"), "margin")
    (line,) = plot_lines([run_log], "own-0", "step", view.own)
    assert (line.label, line.now, line.smoothed) == ("margin", 10.0, True)
    view.choose_own(["a", "b", "c", "d"])
    assert view.own == ("b", "c", "d")
    view.choose_own([])
    view.choose_metrics([run_log])
    assert view.metric == "loss"


def test_groups_are_counted_as_shares_alone(tmp_path):
    lines = [event(i, "step", step=i, reward=0.5, searched=8, skipped=4, margin=1.0) for i in range(1, 5)]
    run_log = read(RunLog(make_run(tmp_path, lines=lines)))
    assert dict(list_metrics([run_log]))["skipped"] == "50.0%"
    assert {point.high for point in run_log.series["skipped"].points} == {0.5}


def test_what_steps_and_validations_both_measure_is_kept_apart(tmp_path):
    lines = [event(i, "step", step=i, pass_at_1=0.5, mass=0.25, rank_score=0.75) for i in range(1, 5)]
    lines.append(event(9, "validation", step=4, pass_at_1=1.0, mass=0.5, rank_score=1.5))
    run_log = read(RunLog(make_run(tmp_path, lines=lines)))
    assert list_metrics([run_log]) == [
        ("mass", "0.25"),
        ("pass_at_1", "100.0%"),
        ("rank_score", "0.75"),
        ("step pass_at_1", "50.0%"),
        ("validation mass", "0.5"),
        ("validation rank_score", "1.5"),
    ]
    (line,) = plot_lines([run_log], "pass")
    assert len(line.points) == 1


def test_a_file_of_endless_names_takes_bounded_memory(tmp_path):
    lines = [event(i, "step", step=i, loss=1.0, **{f"name{i}_{k}": k for k in range(50)}) for i in range(20)]
    assert len(read(RunLog(make_run(tmp_path, lines=lines))).series) == MOST_SERIES


def test_the_cursor_reads_values():
    line = Line("train", points(*[float(i) for i in range(101)]))
    sparse = Line("valid", [line.points[40], line.points[80]])
    assert [line.at(x) for x in (-1.0, 0.0, 57.3, 900.0)] == [None, 0.0, 57.0, 100.0]
    assert [sparse.at(x) for x in (39.0, 40.0, 79.0)] == [None, 40.0, 40.0]
    text = draw_plot([line, sparse], PlotView(cursor=57.0), 80, 12).plain
    assert text.startswith("a train 57  b valid 40")
    (column,) = {row.index("│", 12) for row in text.splitlines()[2:5]}
    assert column == 9 + int(57 / 100 * 71)


def test_the_cursor_moves_and_takes_the_window_with_it():
    view = RunView()
    view.move_cursor(0.1, (0.0, 100.0))
    assert view.cursor is None
    view.zoom(0.5, 0.0, narrowest=0.0)
    view.toggle_cursor((0.0, 100.0))
    assert (view.cursor, view.describe_plots()) == (100.0, "50.0–100.0% of the steps; values at step 100")
    view.move_cursor(-0.5, (0.0, 100.0))
    assert (view.cursor, view.window) == (75.0, (0.5, 1.0))
    view.move_cursor(-1.0, (0.0, 100.0))
    assert (view.cursor, view.window) == (25.0, (0.0, 0.5))
    view.move_cursor(9.0, (0.0, 100.0))
    assert (view.cursor, view.window) == (100.0, (0.5, 1.0))
    view.next_unit()
    assert view.cursor is None


def test_each_run_has_its_dashes():
    flat = points(*[1.0] * 200)
    rows = [
        draw_plot([Line("a", flat, run=run)], PlotView(), 100, 8).plain.splitlines()[1:-1]
        for run in range(len(DASHES))
    ]
    drawn = ["".join(max(column) for column in zip(*found, strict=True))[9:] for found in rows]
    assert " " not in drawn[0]
    assert len(set(drawn)) == len(DASHES)


def test_no_spike_is_lost_between_dashes():
    for run in range(len(DASHES)):
        for at in range(20, 40):
            spiked = points(*[9.0 if i == at else 1.0 for i in range(200)])
            rows = draw_plot([Line("a", spiked, run=run)], PlotView(), 100, 8).plain.splitlines()
            assert rows[1][9:].strip(), "the top row has the spike"


def test_settings_that_differ_stand_side_by_side(tmp_path, monkeypatch):
    monkeypatch.setattr("polyctl.tui.views.run.to_toml", to_toml)
    runs = [make_run(tmp_path, f"{name}/20250101-000000") for name in ("alpha", "beta")]
    changed = Experiment(name="beta", seed=7)
    runs[1].config_path.write_text(to_toml(changed))
    found = differing([flatten_settings(run.config()) for run in runs])
    assert found == {"seed": [0, 7]}
    assert [format_setting(value) for value in (None, "a", True, (1, 2))] == [None, "a", "true", "[1, 2]"]
    text = format_configs([RunLog(run) for run in runs]).splitlines()
    assert text[:5] == [
        "settings that differ:",
        "      run 1  run 2",
        "seed  0      7",
        "",
        "all settings of 1:alpha/20250101-000000:",
    ]
    runs[1].config_path.write_text("[")
    assert "is not TOML" in format_configs([RunLog(run) for run in runs])


def test_metrics_are_chosen_by_name_and_the_cursor_is_set(tmp_path, dashboard):
    make_run(tmp_path / "runs", "own/20260101-000000", measured())

    async def script(pilot):
        await show(pilot, dashboard, "run")
        pane = dashboard.pane("run")
        await pilot.press("M")
        await until_open(pilot, FindScreen)
        await pilot.press(*"marg", "tab", "ctrl+u", *"ble", "enter")
        await until_shown(pilot, "margin", "bleu")
        assert pane.view.own == ("margin", "validation bleu")
        await pilot.press("c")
        await until_shown(pilot, "values at step 40")
        await pilot.press("H", "left", "l")
        await until(pilot, lambda: pane.view.cursor < 40, "the cursor moves")
        await pilot.press("L", "c")
        await until_hidden(pilot, "values at step")
        await pilot.click("#plot-own-0", offset=(20, 4))
        await until_shown(pilot, "values at step")
        assert pane.view.metric == "own-0"
        assert isinstance(pane.query_one("#plot-own-0"), Plot)
        await pilot.press("M")
        await until_open(pilot, FindScreen)
        await pilot.press(*"nothing", "up", "down", "escape")
        await pilot.press("M")
        await until_open(pilot, FindScreen)
        await pilot.press(*"bleu", "enter")
        await until(pilot, lambda: pane.view.own == ("margin",), "the metric is taken away")
        assert "values at" in screen_text(dashboard)

    drive(dashboard, script, (140, 50))


def test_nothing_measured_nothing_to_choose(tmp_path, empty, monkeypatch):
    said = []
    monkeypatch.setattr(empty, "notify", lambda text, **_: said.append(text))

    async def script(pilot):
        await pilot.press("f4", "M", "c", "L")
        assert said == ["nothing has been measured yet"]

    drive(empty, script)


def saved(*steps: int) -> list[dict]:
    """A training whose checkpoints were written at these steps, resumed from the first one."""
    found = measured()
    found += [event(s, "checkpoint", step=s, which=which) for s in steps for which in ("last", "best")]
    return [*found, event(90, "run", state="resumed", step=steps[0]), event(91, "checkpoint", step=None)]


def test_checkpoints_and_resumes_are_gathered_once_a_step(tmp_path, monkeypatch):
    run = make_run(tmp_path, lines=saved(10, 20, 30))
    run_log = read(RunLog(run))
    assert (run_log.checkpoints, run_log.resumes) == ([10.0, 20.0, 30.0], [10.0])
    assert list_marks([run_log]) == (
        *(Mark(step) for step in (10.0, 20.0, 30.0)),
        Mark(10.0, resumed=True),
    )
    assert {mark.run for mark in list_marks([run_log, run_log])} == {0, 1}
    assert list_marks([run_log], "time") == (), "nothing says when these steps were"
    monkeypatch.setattr("polyctl.tui.run_log.MARKS", 2)
    assert read(RunLog(run)).checkpoints == [20.0, 30.0]


def test_marks_stand_behind_the_lines():
    line = Line("train", points(*[1.0] * 101))
    marks = (Mark(25.0), Mark(50.0), Mark(50.0, resumed=True), Mark(900.0))
    rows = draw_plot([line], PlotView(marks=marks), 80, 12).plain.splitlines()[1:-1]
    at = [9 + int(x / 100 * 71) for x in (25.0, 50.0)]
    marked = [row for row in rows if row[at[0] :][:1] == CHECKPOINT]
    assert len(marked) == len(rows) - 1, "the line itself takes one row"
    assert all(row[at[1]] == RESUMED for row in marked)
    assert sum(row.count(CHECKPOINT) for row in rows) == len(marked)


def test_checkpoints_that_are_too_many_for_lines_are_ticks():
    line = Line("train", points(*[float(i) for i in range(101)]))
    marks = tuple(Mark(float(x), resumed=x == 50) for x in range(0, 101, 5))
    rows = draw_plot([line], PlotView(marks=marks), 80, 12).plain.splitlines()[1:-1]
    assert [row.count(CHECKPOINT) > 0 for row in rows] == [False] * (len(rows) - 1) + [True]
    assert sum(RESUMED in row for row in rows) >= len(rows) - 1


def test_the_title_says_what_the_marks_are(tmp_path, dashboard):
    async def script(pilot):
        await show(pilot, dashboard, "run")
        assert "checkpoint" not in screen_text(dashboard)
        make_run(tmp_path / "runs", "quick/20261009-085320", saved(10, 20))
        await until_shown(pilot, f"{CHECKPOINT} checkpoint  {RESUMED} resumed")

    drive(dashboard, script)


def test_plain_has_the_steps_of_the_marks(tmp_path):
    make_run(tmp_path / "runs", lines=saved(10, 20))
    make_run(tmp_path / "many", lines=saved(*range(1, 14)))
    lines = list(dump_tabs(["run"], tmp_path / "runs", None, None))
    assert {"checkpoints at 10, 20", "resumed at 10"} <= set(lines)
    lines = list(dump_tabs(["run"], tmp_path / "many", None, None))
    assert "checkpoints at … 4, 5, 6, 7, 8, 9, 10, 11, 12, 13" in lines
