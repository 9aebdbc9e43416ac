"""Wide screens, where what is under the cursor stands beside the list."""

import json

from textual.widgets import Input

from polyctl.config.registry import to_toml
from polyctl.config.schema import Experiment
from polyctl.store.runs import Run
from polyctl.tui.panes.pane import BESIDE
from polyctl.tui.run_list import RunRow, read_row
from polyctl.tui.views.preview import format_own_settings, format_preview
from polyctl.tui.widgets.preview import RunPreview
from tests.tui.shared import (
    drive,
    event,
    make_run,
    reinforced_events,
    screen_text,
    until,
    until_focused,
    until_shown,
)
from tests.tui.test_screens import TEXT, answers, show

SIZE = (BESIDE, 40)


def test_facts_of_a_run_one_a_line(tmp_path):
    run = make_run(tmp_path)
    lines = format_preview(read_row(run)).plain.splitlines()
    assert lines[:2] == [run.name, "✓ finished"]
    assert "progress   ━━━━━━━━━━━━━━━━ 100%" in lines
    assert "verified   100.0%, best 100.0%" in lines
    assert format_preview(RunRow(run, None)).plain == f"{run.name}\nreading"


def test_only_settings_that_are_no_defaults(tmp_path):
    run = make_run(tmp_path)
    assert format_own_settings(run) == "all settings are defaults"
    run.config_path.write_text(to_toml(Experiment(name="quick", seed=7)))
    assert format_own_settings(run) == "settings other than the defaults:\nseed = 7"
    run.config_path.write_text("[")
    assert "is not TOML" in format_own_settings(run)


def test_the_run_under_the_cursor_stands_beside_the_runs(tmp_path, dashboard):
    other = make_run(tmp_path / "runs", "quick_bgrpo/20240101-000000", reinforced_events())
    first = Run.at(tmp_path / "runs/quick/20251009-085320")

    async def script(pilot):
        await show(pilot, dashboard, "runs")
        preview = dashboard.pane("runs").query_one(RunPreview)
        await until_shown(pilot, "all settings are defaults", "a train 0.1167", "verified accuracy")
        await pilot.press("j")
        await until_shown(pilot, f"│ {other.name}", "a reward")
        assert preview.query_one("#preview-loss").display is False
        await pilot.press("k")
        await until_shown(pilot, f"│ {first.name}", "a train 0.1167")
        with first.events.open("a") as file:
            file.write(json.dumps(event(99, "step", step=61, loss=0.5)) + "\n")
        await until_shown(pilot, "a train 0.5")
        await pilot.resize_terminal(BESIDE - 1, 40)
        await until(pilot, lambda: not preview.display, "the preview gives way")

    drive(dashboard, script, SIZE)


def test_the_proof_stands_beside_the_answers(dashboard):
    async def script(pilot):
        await show(pilot, dashboard, "decompose")
        await until_shown(pilot, "─ Proof ─")
        (heading,) = [row for row in screen_text(dashboard).splitlines() if "Proof" in row]
        assert " status " in heading
        await pilot.resize_terminal(100, 40)
        await until(
            pilot,
            lambda: not any("Proof" in r and " status " in r for r in screen_text(dashboard).splitlines()),
            "the proof stands below the answers",
        )

    drive(dashboard, script, SIZE)


def test_rank_and_log_probability_are_columns(dashboard):
    async def script(pilot):
        pane = dashboard.pane("decompose")
        await until_focused(pilot, pane.query_one("#question Input", Input))
        pane.solve(TEXT)
        *_, done = answers(TEXT)
        (solution,) = done["solutions"]
        beam = {**solution, "source": "beam", "rank": 3, "logprob": -0.25}
        dashboard.solver.say({**done, "solutions": [beam]})
        await until_shown(pilot, "rank  log-prob", "beam    3     -0.25")
        dashboard.solver.say({**done, "solutions": [solution]})
        await until(pilot, lambda: "log-prob" not in screen_text(dashboard), "there is no beam")

    drive(dashboard, script, (120, 40))
