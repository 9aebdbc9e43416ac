"""Notes on runs, and runs that are archived or deleted."""

import json

import pytest

from polyctl.errors import FileError
from polyctl.store.owner import FILE_NAME, Owner
from polyctl.store.runs import Run, list_runs
from polyctl.tui.panes.host import NO_FILES
from polyctl.tui.run_files import ARCHIVE, NOTE, archive, read_note, write_note
from polyctl.tui.run_list import read_row
from polyctl.tui.views.runs import RunsView, describe_run
from tests.tui.shared import drive, event, heard, make_run, until, until_listed, until_shown

NAME = "alpha/20250101-000000"


def test_a_note_is_kept_shown_and_found(tmp_path):
    run = make_run(tmp_path, NAME)
    write_note(run, " baseline \n#good ")
    row = read_row(run)
    assert row.note == "baseline #good"
    assert describe_run(row).endswith("; note: baseline #good")
    assert RunsView(pattern="#GOOD").select([row]) == [row]
    assert RunsView(pattern="#bad").select([row]) == []
    write_note(run, "")
    assert not (run.path / NOTE).exists()
    assert read_note(run) == ""


def test_an_archived_run_is_out_of_the_list_but_not_gone(tmp_path):
    run = make_run(tmp_path, NAME)
    where = archive(run, tmp_path)
    assert list_runs(tmp_path) == []
    assert where == tmp_path / ARCHIVE / NAME
    assert Run.at(where).summary().state == "finished"
    with pytest.raises(FileError, match="exists already"):
        archive(make_run(tmp_path, NAME), tmp_path)


def test_a_run_that_is_written_to_stays(tmp_path):
    run = make_run(tmp_path, NAME)
    (run.path / FILE_NAME).write_text(Owner.here().text())
    run.events.write_text(json.dumps(event(0, "run", state="started", step=0)) + "\n")
    with pytest.raises(FileError, match="is being written by"):
        archive(run, tmp_path)
    assert run.path.exists()


def test_the_keys_ask_first(tmp_path, dashboard, monkeypatch):
    monkeypatch.setattr("polyctl.tui.app.LIST_SECONDS", 0.05)
    run = make_run(tmp_path / "runs", NAME)
    said = heard(dashboard, monkeypatch)

    async def script(pilot):
        await until_listed(pilot, 2)
        await pilot.press("f3", "S")
        assert dashboard.pane("runs").shown[0].run.name == NAME
        await pilot.press("g", "n", *"slow", "enter")
        await until_shown(pilot, "note: slow")
        await pilot.press("D", *"no", "enter")
        await until(pilot, lambda: f"{NAME} stays" in said, "nothing is deleted")
        assert run.path.exists()
        dashboard.allows_jobs = False
        await pilot.press("D", *"yes", "enter")
        await until(pilot, lambda: NO_FILES in said, "a browser deletes nothing")
        dashboard.allows_jobs = True
        await pilot.press("a", *"yes", "enter")
        await until(pilot, lambda: not run.path.exists(), "the run is archived")
        await until_listed(pilot, 1)
        await pilot.press("D", *"yes", "enter")
        await until(pilot, lambda: not list_runs(tmp_path / "runs"), "the run is deleted")

    drive(dashboard, script)
