"""Keys that a user has chosen, and the mouse."""

import pytest

from polyctl.errors import FileError, UsageError
from polyctl.tui.actions import load_keymap
from polyctl.tui.app import Dashboard
from polyctl.tui.widgets.log import LogView
from polyctl.tui.widgets.table import Table
from tests.tui.shared import drive, until, until_listed


def test_other_keys(tmp_path, monkeypatch):
    path = tmp_path / "tui.toml"
    assert load_keymap() == {}
    path.write_text('[keys]\n"app.runs" = "ctrl+r"\nruns.sort = "o"\n')
    app = Dashboard(keymap=load_keymap())

    async def script(pilot):
        await pilot.press("f3")
        assert app.place == "decompose"
        await pilot.press("ctrl+r")
        assert app.place == "runs"
        await pilot.press("o")
        assert app.pane("runs").view.sort == "run"

    drive(app, script)
    path.write_text('[keys]\n"runs.sorted" = "o"\n')
    with pytest.raises(UsageError, match=r"runs\.sorted") as error:
        load_keymap()
    assert "runs.sort" in error.value.hint
    path.write_text("[keys")
    with pytest.raises(FileError):
        load_keymap()


def test_the_mouse(dashboard):
    async def script(pilot):
        await until_listed(pilot, 1)
        await pilot.click("#--content-tab-tab-runs")
        await until(pilot, lambda: dashboard.place == "runs", "the tab Runs is open")
        await pilot.click(Table, offset=(12, 1))
        await pilot.click("#--content-tab-tab-run")
        await until(pilot, lambda: dashboard.place == "run", "the tab Run is open")
        log = dashboard.pane("run").query_one(LogView)
        await until(pilot, lambda: log._lines, "the log has lines")
        dashboard.pane("run").on_mouse_scroll_up()
        assert not log.following

    drive(dashboard, script)
