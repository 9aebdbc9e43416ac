"""Keys that a user has chosen, and the mouse."""

import pytest

from polyctl.errors import FileError, UsageError
from polyctl.store.runs import Run
from polyctl.tui.actions import list_actions, load_keymap
from polyctl.tui.app import PANES, Dashboard
from polyctl.tui.tabs import TABS
from polyctl.tui.widgets.log import LogView
from polyctl.tui.widgets.table import Table
from tests.tui.shared import drive, make_predictions, until, until_listed
from tests.tui.test_screens import show


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


@pytest.mark.parametrize("place", TABS)
def test_every_key_of_a_tab_does_what_the_help_says(place, tmp_path, dashboard, monkeypatch):
    """Outside an input; Enter in a table is the table's own and comes as a message."""
    make_predictions(Run.at(tmp_path / "runs/quick/20251009-085320"))
    done = []
    for action in list_actions(place):
        monkeypatch.setattr(
            PANES[place], f"action_{action.name}", lambda self, name=action.name: done.append(name)
        )

    async def script(pilot):
        await show(pilot, dashboard, place)
        pane = dashboard.pane(place)
        tables = pane.query(Table)
        (tables.first() if tables else pane).focus()
        await pilot.pause()
        for action in list_actions(place):
            for key in action.keys.split(","):
                done.clear()
                own = key in ("up", "down") and bool(tables)  # of the table, as is Enter
                await pilot.press(key)
                if key == "enter":
                    await until(pilot, lambda: done, f"Enter does {action.id}")
                assert own or done == [action.name], f"{key} does {done} and not {action.id}"

    drive(dashboard, script)


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
