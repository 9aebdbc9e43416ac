"""The tabs Runs, Run and Beam: what they show of runs that are odd, and in little room."""

import json
import shutil

import pytest
from textual.containers import VerticalScroll

from polyctl.tui.app import Dashboard
from polyctl.tui.run_log import RunLog
from polyctl.tui.widgets.ask import Ask
from polyctl.tui.widgets.log import LogView
from polyctl.tui.widgets.table import Table
from tests.tui.shared import drive, event, events, make_run, screen_text, until, until_listed, until_shown
from tests.tui.test_run_log import evaluation, read, report
from tests.tui.test_screens import show

LONG = "a_run_with_a_name_that_is_far_too_long_for_any_terminal_of_eighty_columns/20250101-000000"


def lines_with(app: Dashboard, text: str) -> list[str]:
    return [line for line in screen_text(app).splitlines() if text in line]


def test_a_long_name_leaves_room_for_the_other_columns(tmp_path, dashboard):
    make_run(tmp_path / "runs", LONG, events())

    async def script(pilot):
        await show(pilot, dashboard, "runs")
        await until_shown(pilot, "a_run_with")
        (row,) = lines_with(dashboard, "a_run_with")[:1]
        assert "0.1167" in row
        assert row.endswith("5 min")
        assert "…" in row
        assert "000000" in row
        dashboard.open_runs([LONG])
        await until_shown(pilot, "✓ finished, step 60 of 60")
        (title,) = lines_with(dashboard, "✓ finished, step 60 of 60")
        assert title.startswith("a_run_with"), "the name is shortened at its end"

    drive(dashboard, script, (80, 24))


def test_marks_of_runs_that_are_gone_are_dropped(tmp_path, dashboard, monkeypatch):
    monkeypatch.setattr("polyctl.tui.app.LIST_SECONDS", 0.05)
    gone = make_run(tmp_path / "runs", "alpha/20250101-000000")

    async def script(pilot):
        await show(pilot, dashboard, "runs")
        pane = dashboard.pane("runs")
        await until(pilot, lambda: pane.query_one(Table).row_count == 2, "the table has two rows")
        pane.view.marked = ["alpha/20250101-000000"]
        shutil.rmtree(gone.path)
        await until(pilot, lambda: not pane.view.marked, "the mark is dropped")
        await pilot.press("enter")
        assert dashboard.place == "run"
        pane.view.marked = ["quick/20251009-085320"]
        pane.action_unmark()
        assert not pane.view.marked

    drive(dashboard, script)


def test_warnings_are_seen_whatever_the_name(tmp_path):
    make_run(tmp_path / "runs", LONG, [{**event(1, "step", step=1, loss=1.0), "v": 99}])
    app = Dashboard()

    async def script(pilot):
        await show(pilot, app, "run")
        await pilot.press("y", "s", "plus")
        await until_shown(pilot, "loss, log, smooth 0.9", "✗ crashed, step 1", "understood is shown")

    drive(app, script, (80, 24))


def test_every_run_that_is_compared_is_named(tmp_path, dashboard):
    for name in ("alpha", "beta"):
        make_run(tmp_path / "runs", f"{name}/20250101-000000")

    async def script(pilot):
        await until_listed(pilot, 3)
        dashboard.open_runs([row.run.name for row in dashboard.runs.rows])
        for title in ("━━━ 1:", "╍╍╍ 2:", "┅┅┅ 3:"):  # as its lines are drawn
            await until_shown(pilot, f"\n{title}")
        await until_shown(pilot, "f 3:valid 0.1333")
        titles = [line[4:6] for line in screen_text(dashboard).splitlines()[2:5]]
        assert titles == ["1:", "2:", "3:"], "each run has a line of the title"

    drive(dashboard, script, (80, 24))


def test_an_evaluation_says_of_what_it_is(tmp_path):
    run = make_run(tmp_path / "runs", lines=[evaluation(1, 8200, {"1": 0.5, "30": 0.75})])
    report(run, "20260101-000000", 26100, 0.9)
    app = Dashboard()

    async def script(pilot):
        await show(pilot, app, "run")
        await until_shown(pilot, "eval: step 26,100, 120 problems")
        await until_shown(pilot, "a pass@1 90.0%")
        await pilot.press("v")
        await until_shown(pilot, "│step 26,100, 120 problems, 2026-01-01")

    drive(app, script)


def test_keys_of_the_log_bring_it_to_the_front(dashboard):
    async def script(pilot):
        await show(pilot, dashboard, "run")
        pane = dashboard.pane("run")
        for key in ("space", "slash", "f", "N"):
            pane.view.below = "config"
            pane._arrange()
            await pilot.press(key)
            assert pane.view.below == "log", key
            assert pane.query_one(LogView).display
            await pilot.press("escape")

    drive(dashboard, script)


def test_a_filter_of_the_log_can_be_changed(dashboard):
    async def script(pilot):
        await show(pilot, dashboard, "run")
        await pilot.press("slash", *"eval", "enter", "slash")
        ask = dashboard.pane("run").query_one(Ask)
        assert ask.value == "eval"
        await pilot.press("enter")
        assert dashboard.pane("run").query_one(LogView).pattern == "eval"

    drive(dashboard, script)


def test_a_long_line_of_the_log_is_wrapped_and_pages_do_not_skip_lines(tmp_path):
    lines = [event(i, "note", message=f"n{i} " + "word " * 30 + f"end{i}") for i in range(8)]
    make_run(tmp_path / "runs", lines=lines)
    app = Dashboard()

    async def script(pilot):
        await show(pilot, app, "run")
        log = app.pane("run").query_one(LogView)
        await until_shown(pilot, "end7")
        seen = set()
        for _ in range(8):
            seen |= {i for i in range(8) if f" n{i} " in screen_text(app) and f"end{i}" in screen_text(app)}
            log.move_by(-log.page)
            await pilot.pause()
        assert seen == set(range(8))
        assert not log.following

    drive(app, script, (80, 24))


def test_a_new_day_is_seen_in_the_log(tmp_path):
    make_run(tmp_path / "runs", lines=[event(86400 * i, "note", message=f"n{i}") for i in range(2)])
    app = Dashboard()

    async def script(pilot):
        await show(pilot, app, "run")
        rows = [line[1:11] for line in lines_with(app, "│")[-40:]]
        at = next(i for i, row in enumerate(rows) if row.startswith("2025-10-10"))
        assert rows[at - 1].startswith("08:53:20")
        assert rows[at + 1].startswith("08:53:20")
        assert lines_with(app, " 2025-10-10 ─")

    drive(app, script)


def test_another_run_is_followed_though_the_log_of_the_last_was_paused(tmp_path, dashboard):
    make_run(tmp_path / "runs", "alpha/20250101-000000", events(200))

    async def script(pilot):
        await show(pilot, dashboard, "run")
        log = dashboard.pane("run").query_one(LogView)
        await pilot.press("k", "n")
        await until_shown(pilot, "step 200 of 200")
        assert log.following

    drive(dashboard, script)


def test_a_zoom_ends_where_nothing_would_be_seen(dashboard):
    async def script(pilot):
        await show(pilot, dashboard, "run")
        await pilot.press(*["plus"] * 14)
        low, high = dashboard.pane("run").view.window
        assert high - low == pytest.approx(4 / 60)
        await pilot.press("y")
        await until_shown(pilot, "loss, log")
        assert "nothing" not in screen_text(dashboard).split("verified accuracy")[0]

    drive(dashboard, script, (80, 24))


def test_the_step_is_that_of_the_plots(dashboard, monkeypatch):
    monkeypatch.setattr("polyctl.tui.app.LIST_SECONDS", 60.0)

    async def script(pilot):
        await show(pilot, dashboard, "run")
        rows = dashboard.runs.rows
        with dashboard.runs.run_logs[0].run.events.open("a") as file:
            file.write(json.dumps(event(99, "step", step=77, loss=1.0)) + "\n")
        await until_shown(pilot, "step 77 of 60")
        assert rows[0].summary.step == 60

    drive(dashboard, script)


def test_what_has_not_been_read_is_not_called_empty(dashboard, monkeypatch):
    monkeypatch.setattr(RunLog, "refresh", lambda self: False)

    async def script(pilot):
        await until_listed(pilot, 1)
        await pilot.press("f4")
        await until(
            pilot, lambda: len(lines_with(dashboard, "│reading")) >= 2, "plots and log say that they are read"
        )
        await pilot.press("f5")
        await until_shown(pilot, "reading")
        assert "no beam" not in screen_text(dashboard)

    drive(dashboard, script)


def test_without_runs_none_can_be_chosen(empty):
    async def script(pilot):
        for key in ("f4", "f5"):
            await pilot.press(key)
            await until_shown(pilot, "no runs in runs yet; `polyctl train quick`")
        assert not empty.runs.run_logs, "nothing is open"

    drive(empty, script, (80, 24))


def test_a_run_without_beams_has_no_caption(tmp_path, dashboard):
    make_run(tmp_path / "runs", "alpha/20250101-000000", [event(1, "step", step=3, loss=1.0)])

    async def script(pilot):
        await show(pilot, dashboard, "beam")
        await until_shown(pilot, "problem 1")
        await pilot.press("f4", "n", "f5")
        await until_shown(pilot, "no beam has been seen", "step by step")
        assert "problem 1" not in screen_text(dashboard)
        assert "log-prob" not in screen_text(dashboard)

    drive(dashboard, script, (60, 16))


def test_a_beam_keeps_its_head_and_another_one_begins_at_the_top(tmp_path):
    live = [{"text": f"x^{i}", "logprob": -float(i)} for i in range(40)]
    problems = [
        event(i, "beam", problem=i, input=f"x^{4 + i}", step=1, live=live, finished=[]) for i in range(2)
    ]
    make_run(tmp_path / "runs", lines=problems)
    app = Dashboard()

    async def script(pilot):
        await show(pilot, app, "beam")
        box = app.pane("beam").query_one("#beam-box", VerticalScroll)
        await pilot.press("pagedown")
        await until(pilot, lambda: box.scroll_y > 0, "the beam is scrolled")
        await until_shown(pilot, "log-prob")
        await pilot.press("up")
        await until(pilot, lambda: box.scroll_y == 0, "another problem begins at the top")
        assert app.pane("beam").view.at == 0

    drive(app, script, (80, 24))


def test_reading_again_changes_nothing(tmp_path):
    run_log = read(RunLog(make_run(tmp_path)))
    changes = run_log.changes
    read(run_log)
    assert run_log.changes == changes
