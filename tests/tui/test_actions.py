"""Every action, driven by its keys; and the one list that keys, footer, help and palette come from."""

import threading

from textual.widgets import TabbedContent

from polyctl.store.owner import FILE_NAME, Owner
from polyctl.tui import launch
from polyctl.tui.actions import ACTIONS, BY_ID, list_actions
from polyctl.tui.app import THEMES, Dashboard
from polyctl.tui.panes.host import NO_JOBS
from polyctl.tui.run_log import RunLog
from polyctl.tui.screens.help import HelpScreen, format_help
from polyctl.tui.tabs import TABS
from polyctl.tui.widgets.ask import Ask
from polyctl.tui.widgets.log import LogView
from polyctl.tui.widgets.table import Table
from tests.tui.shared import (
    drive,
    event,
    make_run,
    screen_text,
    until,
    until_focused,
    until_hidden,
    until_listed,
    until_shown,
)
from tests.tui.test_screens import show


def test_every_action_has_a_method_and_ids_are_unique(dashboard):
    assert len(BY_ID) == len(ACTIONS)

    async def script(pilot):
        for place in TABS:
            for action in list_actions(place):
                assert callable(getattr(dashboard.pane(place), f"action_{action.name}")), action.id
        for action in list_actions("app"):
            assert callable(getattr(dashboard, f"action_{action.name}")), action.id
        for action in list_actions("table"):
            assert callable(getattr(dashboard.query(Table).first(), f"action_{action.name}")), action.id

    drive(dashboard, script)


def test_tabs_help_theme_palette_quit(dashboard):
    async def script(pilot):
        for key, place in (
            ("f3", "runs"),
            ("f4", "run"),
            ("f5", "beam"),
            ("f6", "experiments"),
            ("f2", "decompose"),
        ):
            await pilot.press(key)
            assert dashboard.place == place
        await pilot.press("f3", "3")
        assert dashboard.place == "run"
        await pilot.press("question_mark")
        assert isinstance(dashboard.screen, HelpScreen)
        await until_shown(pilot, "Everywhere")
        await pilot.press("j", "k", "escape")
        assert not isinstance(dashboard.screen, HelpScreen)
        themes = {dashboard.theme}
        for _ in THEMES:
            await pilot.press("f9")
            themes.add(dashboard.theme)
        assert len(themes) == len(THEMES)
        await pilot.press("ctrl+p")
        await until_shown(pilot, "Metric")
        await pilot.press(*"Enla")
        await until_shown(pilot, "One plot, or all")
        await pilot.press("enter")
        await until(pilot, lambda: dashboard.pane("run").view.enlarged, "the palette has enlarged the plot")
        await pilot.press("q")
        await until(pilot, lambda: dashboard._exit, "the dashboard ends")

    drive(dashboard, script)


def test_help_names_every_action():
    text = format_help({"runs.sort": "o"}).plain
    for action in ACTIONS:
        assert action.help in text
        assert action.id in text
    assert "  o " in text


def test_runs(tmp_path, dashboard, monkeypatch):
    root = tmp_path / "runs"
    make_run(
        root, "alpha/20250101-000000", [event(0, "run", step=0), event(1, "error", message="[red]boom[/]")]
    )
    make_run(root, "beta/20250102-000000", [])
    stopped = []
    monkeypatch.setattr(Dashboard, "stop_job", lambda self, run: stopped.append(run))

    async def script(pilot):
        await until_listed(pilot, 3)
        await pilot.press("f3")
        pane, table = dashboard.pane("runs"), dashboard.pane("runs").query_one(Table)
        await until(pilot, lambda: table.row_count == 3, "the table has three rows")
        assert [r.run.experiment for r in pane.shown] == ["quick", "beta", "alpha"]
        await pilot.press("G")
        table.move_cursor(row=2)
        await until_shown(pilot, "crashed: [red]boom[/]")
        await pilot.press("g", "k", "k", "space", "j", "space")
        assert pane.view.marked == ["quick/20251009-085320", "beta/20250102-000000"]
        await pilot.press("s")
        assert [r.run.experiment for r in pane.shown] == ["alpha", "beta", "quick"]
        await pilot.press("s", "s", "s")
        assert pane.view.sort == "verified"
        assert pane.shown[0].run.experiment == "quick"
        await pilot.press("x")
        assert stopped == [table.key]
        await pilot.press("slash", *"crash", "enter")
        assert [r.run.experiment for r in pane.shown] == ["alpha"]
        await pilot.press("slash", "ctrl+u", "escape", "enter")
        assert dashboard.place == "run"
        assert [h.run.experiment for h in dashboard.runs.run_logs] == ["quick", "beta"]

    drive(dashboard, script)


def test_keys_of_the_plots(dashboard):
    async def script(pilot):
        await show(pilot, dashboard, "run")
        view = dashboard.pane("run").view
        await pilot.press("m", "z")
        assert view.metric == "verified"
        await until_hidden(pilot, "pass@k")
        await pilot.press("z", "y", "s")
        assert (view.style.log, view.style.smoothing) == (True, 0.6)
        await until_shown(pilot, "verified accuracy, log, smooth 0.6")
        await pilot.press("plus", "plus", "h")
        assert view.window == (0.6875, 0.9375)
        await pilot.press("t")
        await until_shown(pilot, "over time")
        await pilot.press("l", "minus", "0")
        assert view.window == (0.0, 1.0)

    drive(dashboard, script)


def test_a_question_stays_while_it_is_answered(dashboard):
    async def script(pilot):
        await show(pilot, dashboard, "experiments")
        await pilot.press("t")
        await until_shown(pilot, "Enter starts it, Escape does not", "train quick")
        footer = screen_text(dashboard).splitlines()[-1]
        assert "Filter" not in footer, "these keys would be typed"
        assert "Back" in footer
        await pilot.press("escape")
        await until_hidden(pilot, "Enter starts it")

    drive(dashboard, script)


def test_the_footer_has_the_keys_that_do_something(tmp_path, dashboard):
    def footer() -> str:
        return screen_text(dashboard).splitlines()[-1]

    async def script(pilot):
        await pilot.press("escape")
        await until(pilot, lambda: "Copy" not in footer() and "Quit" in footer(), "there is no answer yet")
        await show(pilot, dashboard, "decompose")
        await pilot.press("escape")
        await until(pilot, lambda: "Copy" in footer() and "Cancel" not in footer(), "an answer is copied")
        await show(pilot, dashboard, "runs")
        await until(pilot, lambda: "Stop" not in footer() and "Sort" in footer(), "nothing runs")
        run = dashboard.runs.rows[0].run
        (run.path / FILE_NAME).write_text(Owner.here().text())
        run.events.write_text("")
        await until(pilot, lambda: "Stop" in footer(), "it runs")

    drive(dashboard, script)


def test_lines_that_divide_the_log_are_rules(dashboard):
    async def script(pilot):
        await show(pilot, dashboard, "run")
        rows = screen_text(dashboard).splitlines()
        for word in ("validation ", "evaluation "):
            assert any(word in row and row.endswith("───│") for row in rows)
        assert not any(" step=60 " in row and "step " in row[:20] and "───" in row for row in rows)

    drive(dashboard, script)


def test_the_log_is_paused_and_followed(dashboard):
    async def script(pilot):
        await show(pilot, dashboard, "run")
        log = dashboard.pane("run").query_one(LogView)
        await pilot.press("space")
        assert not log.following
        with dashboard.runs.run_logs[0].run.events.open("a") as file:
            file.write('{"v": 1, "time": 0, "kind": "note", "message": "[bold]fresh[/bold]"}\n')
        await until_shown(pilot, "paused, 1 new")
        assert "fresh" not in screen_text(dashboard)
        await pilot.press("space")
        await until_shown(pilot, "[bold]fresh[/bold]")

    drive(dashboard, script)


def test_the_log_is_scrolled(dashboard):
    async def script(pilot):
        await show(pilot, dashboard, "run")
        log = dashboard.pane("run").query_one(LogView)
        await pilot.press("k", "k", "j")
        assert not log.following
        low = log._last
        await pilot.press("pageup")
        assert log._last < low - 3
        await pilot.press("pagedown")
        assert log._last == low

    drive(dashboard, script)


def test_the_log_is_filtered_and_searched(dashboard):
    async def script(pilot):
        await show(pilot, dashboard, "run")
        log = dashboard.pane("run").query_one(LogView)
        await pilot.press("slash", *"kind|end", "enter")
        await until(pilot, lambda: "1 of" in log.state, "the log is filtered")
        await pilot.press("slash", "ctrl+u", "enter", "f", *"step=5.", "enter")
        assert not log.following
        first = log._last
        await pilot.press("N")
        assert log._last < first
        await pilot.press("slash", *"(", "enter")
        await until_shown(pilot, "not a regular expression")

    drive(dashboard, script)


def test_what_is_below_the_plots_and_the_next_run(tmp_path, dashboard):
    make_run(tmp_path / "runs", "alpha/20250101-000000", [event(1, "step", step=3, loss=1.0)])

    async def script(pilot):
        await show(pilot, dashboard, "run")
        await pilot.press("v")
        await until_shown(pilot, "90.0% @10 100%")
        await pilot.press("v")
        await until_shown(pilot, 'name = "quick"')
        await pilot.press("down", "up", "n")
        await until(
            pilot, lambda: dashboard.runs.run_logs[0].run.experiment == "alpha", "the next run is open"
        )

    drive(dashboard, script)


def test_the_newest_run_is_shown_until_one_is_opened(tmp_path, dashboard, monkeypatch):
    monkeypatch.setattr("polyctl.tui.app.LIST_SECONDS", 0.05)

    async def script(pilot):
        def shown():
            return [h.run.experiment for h in dashboard.runs.run_logs]

        await until(pilot, lambda: shown() == ["quick"], "the only run is open")
        make_run(tmp_path / "runs", "alpha/20990101-000000")
        await until(pilot, lambda: shown() == ["alpha"], "the newer run is open")
        dashboard.open_runs(["alpha/20990101-000000"])
        make_run(tmp_path / "runs", "beta/20990102-000000")
        await until_listed(pilot, 3)
        assert shown() == ["alpha"]

    drive(dashboard, script)


def test_several_runs_on_one_plot(tmp_path, dashboard):
    make_run(
        tmp_path / "runs", "alpha/20250101-000000", [event(i, "step", step=i, loss=2.0) for i in range(9)]
    )

    async def script(pilot):
        await until_listed(pilot, 2)
        dashboard.open_runs([row.run.name for row in dashboard.runs.rows])
        await until_shown(pilot, "c 2:train")
        await until_shown(pilot, "a 1:train")
        for start in (
            "━━━ 1:quick/20251009-085320  ✓ finished, step 60 of 60",
            "╍╍╍ 2:alpha/20250101-000000  ",
        ):
            await until_shown(pilot, f"\n{start}")
        for title in ("Log", "Accuracy by degree"):
            await until_shown(pilot, f"{title} of 1:quick/20251009-085320")
            await pilot.press("v")
        await until_shown(pilot, "their settings are the same", "all settings of 1:quick/20251009-085320")

    drive(dashboard, script)


def test_beam(dashboard):
    async def script(pilot):
        await show(pilot, dashboard, "beam")
        pane = dashboard.pane("beam")
        await until_shown(pilot, "frame 8 of 8, following")
        await until_shown(pilot, "✗ refuted")
        await pilot.press("left", "left")
        await until_shown(pilot, "frame 6 of 8, paused, 2 newer")
        await until_shown(pilot, "+ growing")
        await pilot.press("l")
        assert pane.view.at == 6
        await pilot.press("up")
        await until_shown(pilot, "problem 0, verdicts")
        await pilot.press("down")
        assert pane.view.at == 4
        await pilot.press("space")
        await until_shown(pilot, "following")
        await pilot.press("space")
        assert pane.view.at == 7
        await pilot.press("t")
        await until_shown(pilot, "#9 #3 #7 ■")
        await pilot.press("t", "n")
        await until_shown(pilot, "log-prob status       answer")

    drive(dashboard, script)


def test_the_beam_of_a_search_as_a_tree_and_step_by_step(dashboard):
    def say(step, *tokens):
        live = [{"text": f"step {step}", "logprob": -1.0, "tokens": list(tokens)}]
        frame = {"kind": "beam", "step": step, "live": live, "finished": [], "words": {"1": "x^2", "2": "+"}}
        dashboard.solver.say(frame)

    async def script(pilot):
        await pilot.press(*"x^4", "enter")
        say(1, 1)
        say(2, 1, 2)
        await until_shown(pilot, "Beam, step 2")
        dashboard.pane("decompose").query_one(Table).focus()
        await pilot.press("t")
        await until_shown(pilot, "x^2 + …")
        await pilot.press("left")
        await until_shown(pilot, "Beam, step 1, 1 newer", "x^2 …")
        await pilot.press("l", "t")
        await until_shown(pilot, "Beam, step 2", "+ growing    step 2")

    drive(dashboard, script)


def test_a_wide_beam_scrolls(tmp_path):
    live = [{"text": f"x^{i}", "logprob": -float(i)} for i in range(30)]
    make_run(
        tmp_path / "runs", lines=[event(1, "beam", problem=0, input="x^4", step=1, live=live, finished=[])]
    )
    app = Dashboard()

    async def script(pilot):
        await show(pilot, app, "beam")
        assert "x^29" not in screen_text(app)
        await pilot.press("pagedown", "pagedown")
        await until_shown(pilot, "x^29")
        await pilot.press("pageup", "pageup")
        await until_hidden(pilot, "x^29")

    drive(app, script, (80, 24))


def test_experiments(empty, monkeypatch):
    started, stopped = [], []
    job = launch.Job(1, "x", 0.0, ("train", "quick"), None)
    monkeypatch.setattr(launch, "start", lambda arguments, root: started.append(arguments) or job)
    monkeypatch.setattr(launch, "list_jobs", lambda root: [])
    monkeypatch.setattr(Dashboard, "stop_job", lambda self, run: stopped.append(run))

    class Done:
        stdout, stderr = "0.7M parameters", ""

    monkeypatch.setattr("polyctl.tui.panes.experiments.subprocess.run", lambda *a, **k: Done)

    async def script(pilot):
        await pilot.press("f6")
        pane = empty.pane("experiments")
        await until(pilot, lambda: pane.chosen is not None, "an experiment is chosen")
        await until_focused(pilot, pane.query_one(Table))
        name = pane.chosen.name
        await pilot.press("t")
        assert pane.query_one(Ask).value == f"train {name}"
        await pilot.press("space", *"--smoke", "enter")
        await until(pilot, lambda: started, "a training is started")
        assert started[0] == ["train", name, "--smoke", "--runs", "runs"]
        await pilot.press("e", "escape", "e")
        assert pane.query_one(Ask).value.startswith(f"eval {name} --beam ")
        await pilot.press("ctrl+u", *"rm", "space", *"-r", "enter")
        await pilot.press("r")
        assert pane.query_one(Ask).value == f"rl {name} --algo bgrpo"
        await pilot.press("escape")
        await pilot.press("c")
        await until_shown(pilot, "cost: 0.7M parameters")
        await pilot.press("slash", *"d2_heads", "enter")
        assert pane.query_one(Table).row_count == 3
        await pilot.press("x")
        assert stopped == [None]
        assert len(started) == 1

    drive(empty, script)


def test_in_a_browser_no_job_is_started_or_stopped(monkeypatch):
    app = Dashboard(jobs=False)
    done = []
    monkeypatch.setattr(launch, "start", lambda *_: done.append("started"))
    monkeypatch.setattr(launch, "stop", lambda _: done.append("stopped"))
    monkeypatch.setattr(
        "polyctl.tui.panes.experiments.subprocess.run", lambda *a, **k: done.append("measured")
    )
    monkeypatch.setattr(launch, "list_jobs", lambda _: [launch.Job(1, "x", 0.0, ("train", "quick"), None)])
    told = []
    monkeypatch.setattr(app, "notify", lambda text, **_: told.append(text))

    async def script(pilot):
        await pilot.press("f6")
        pane = app.pane("experiments")
        await until(pilot, lambda: pane.chosen is not None, "an experiment is chosen")
        await until_focused(pilot, pane.query_one(Table))
        for key in "terxc":
            await pilot.press(key, "enter")
        assert told == [NO_JOBS] * 5
        assert done == []

    drive(app, script)


def test_keys_are_answered_while_every_worker_blocks(dashboard, monkeypatch):
    gate = threading.Event()
    blocked = threading.Event()

    def block(self):
        blocked.set()
        gate.wait(30)
        return False

    monkeypatch.setattr(RunLog, "refresh", block)
    monkeypatch.setattr("polyctl.algebra.reading.read", lambda *a: gate.wait(30))

    async def script(pilot):
        try:
            await until(pilot, blocked.is_set, "a worker reads a run")
            await pilot.press(*"x^2", "enter")
            assert dashboard.solver.asked[-1][0] == "x^2"
            await pilot.press("escape")
            assert dashboard.solver.cancelled
            for key, place in (("f4", "run"), ("f5", "beam"), ("f6", "experiments"), ("f3", "runs")):
                await pilot.press(key)
                assert dashboard.query_one(TabbedContent).active == f"tab-{place}"
            assert not gate.is_set()
        finally:
            gate.set()

    drive(dashboard, script)
