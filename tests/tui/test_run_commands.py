"""Runs that are resumed and evaluated from the list, and settings in the user's editor."""

import contextlib
import sys
import time
from dataclasses import replace

import pytest

from polyctl.config.registry import to_toml
from polyctl.config.schema import Experiment
from polyctl.errors import FileError, UsageError
from polyctl.store.runs import Run
from polyctl.tui import launch
from polyctl.tui.editor import find_editor, show_copy
from polyctl.tui.panes.host import NO_JOBS, NO_TERMINAL
from polyctl.tui.run_commands import evaluate_command, resume_command
from polyctl.tui.views.experiments import JobState
from polyctl.tui.widgets.ask import Ask
from polyctl.tui.widgets.table import Table
from tests.tui.shared import drive, event, heard, make_run, reinforced_events, until, until_listed

NAME = "quick/20251009-085320"


def with_model(run: Run) -> Run:
    run.checkpoints.mkdir()
    run.checkpoint("last").touch()
    return run


def make_reinforced(root, name: str) -> Run:
    run = with_model(make_run(root, name, reinforced_events()))
    run.config_path.write_text(to_toml(Experiment(name=run.experiment, rl={"algorithm": "bgrpo"})))
    return run


def test_the_commands_of_a_run(tmp_path):
    run = make_run(tmp_path)
    assert resume_command(run, tmp_path) == f"train --resume {NAME}"
    with pytest.raises(UsageError, match="has no model yet"):
        evaluate_command(run)
    assert evaluate_command(with_model(run)) == f"eval {NAME} --beam {run.config().eval.beam}"
    run.config_path.write_text("[")
    for command in (lambda: resume_command(run, tmp_path), lambda: evaluate_command(run)):
        with pytest.raises(FileError, match="is not TOML"):
            command()


def test_of_reinforcement_learning_the_newest_run_is_resumed(tmp_path):
    old = make_reinforced(tmp_path, "quick_bgrpo/20250101-000000")
    assert resume_command(old, tmp_path) == "rl quick --algo bgrpo --resume"
    new = make_reinforced(tmp_path, "quick_bgrpo/20250102-000000")
    assert resume_command(new, tmp_path) == "rl quick --algo bgrpo --resume"
    with pytest.raises(UsageError, match=new.name):
        resume_command(old, tmp_path)
    small = make_reinforced(tmp_path, "quick_smoke_bgrpo/20250101-000000")
    assert resume_command(small, tmp_path) == "rl quick --smoke --algo bgrpo --resume"


def test_the_editor_is_the_users(monkeypatch):
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", " ")
    with pytest.raises(UsageError, match="no editor is named") as error:
        find_editor()
    assert "export EDITOR=vim" in error.value.hint
    monkeypatch.setenv("EDITOR", "code --wait")
    assert find_editor() == ["code", "--wait"]
    monkeypatch.setenv("VISUAL", "'vim")
    with pytest.raises(UsageError, match="VISUAL cannot be read"):
        find_editor()


def test_a_copy_is_shown_and_the_file_stays(tmp_path):
    path, seen = tmp_path / "config.toml", tmp_path / "seen"
    path.write_text("seed = 1\n")
    script = f"import pathlib, sys; p = pathlib.Path(sys.argv[1]); pathlib.Path({str(seen)!r})"
    assert not show_copy(path, [sys.executable, "-c", f"{script}.write_text(p.name + p.read_text())"])
    assert seen.read_text() == "config.tomlseed = 1\n"
    assert show_copy(path, [sys.executable, "-c", f"{script}; p.chmod(0o600); p.write_text('seed = 2')"])
    assert path.read_text() == "seed = 1\n"
    with pytest.raises(FileError, match="no_such_editor cannot be started"):
        show_copy(path, ["no_such_editor"])
    with pytest.raises(FileError, match="cannot be read"):
        show_copy(tmp_path / "gone", ["true"])


def test_the_keys_propose_a_command_and_enter_starts_it(tmp_path, dashboard, monkeypatch):
    run = with_model(Run.at(tmp_path / "runs" / NAME))
    make_run(tmp_path / "runs", "alpha/20250101-000000", [event(0, "run", state="started", step=0)])
    started = []
    job = launch.Job(1, "x", 0.0, ("train", "quick"), None)
    monkeypatch.setattr(launch, "start", lambda arguments, root: started.append(arguments) or job)
    monkeypatch.setattr(launch, "list_jobs", lambda root: [])
    said = heard(dashboard, monkeypatch)

    async def script(pilot):
        await until_listed(pilot, 2)
        await pilot.press("f3")
        pane, table = dashboard.pane("runs"), dashboard.pane("runs").query_one(Table)
        await until(pilot, lambda: table.key == NAME, "the finished run is chosen")
        ask = pane.query_one(Ask)
        await pilot.press("r")
        assert ask.value == f"train --resume {NAME}"
        await pilot.press("escape", "e")
        assert ask.value == evaluate_command(run)
        assert started == []
        await pilot.press("enter")
        await until(pilot, lambda: started, "an evaluation is started")
        assert started == [[*evaluate_command(run).split(), "--runs", "runs"]]
        await pilot.press("j", "e")
        assert any("has no model yet" in text for text in said)
        dashboard.allows_jobs = False
        said.clear()
        await pilot.press("r", "e", "k", "r", "e", "enter")
        assert said[:4] == [NO_JOBS] * 4
        assert len(started) == 1

    drive(dashboard, script)


def test_the_error_that_ended_a_process_is_told_once(tmp_path, empty, monkeypatch):
    said = heard(empty, monkeypatch)
    line = "error: no such option: \x1b[31m--beem"
    old, new = (
        launch.Job(1, "", time.time() + since, ("eval", NAME), tmp_path / f"{since}.log")
        for since in (-3600, 3600)
    )
    states = [JobState(old, False, line), JobState(new, False, line), JobState(new, True, "step 3")]

    async def script(pilot):
        for _ in range(2):
            empty.on_dashboard_jobs_listed(empty.JobsListed(states))
        assert said == [f"polyctl eval {NAME}: error: no such option: �[31m--beem"]

    drive(empty, script)


def test_a_run_that_is_running_is_not_resumed(tmp_path, empty, monkeypatch):
    run = make_run(tmp_path / "runs")
    said = heard(empty, monkeypatch)

    async def script(pilot):
        await until_listed(pilot, 1)
        await pilot.press("f3")
        row = empty.runs.rows[0]
        monkeypatch.setattr(
            type(empty.pane("runs")),
            "_row",
            property(lambda self: replace(row, summary=replace(row.summary, state="running"))),
        )
        await pilot.press("r")
        assert said == [f"{run.name} is running"]

    drive(empty, script)


def test_settings_are_opened_in_the_editor(dashboard, monkeypatch):
    said = heard(dashboard, monkeypatch)
    shown = []
    monkeypatch.setattr("polyctl.tui.panes.runs.show_copy", lambda *given: shown.append(given) or True)
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)

    async def script(pilot):
        await until_listed(pilot, 1)
        await pilot.press("f3", "v")
        assert said == ["no editor is named; set EDITOR, for example: export EDITOR=vim"]
        monkeypatch.setenv("EDITOR", "vim -R")
        await pilot.press("v")
        assert said[1:] == [NO_TERMINAL], "the driver of a test has none, as that of a browser"
        monkeypatch.setattr(dashboard, "suspend", contextlib.nullcontext)
        await pilot.press("v")
        ((path, editor),) = shown
        assert (path.name, editor) == ("config.toml", ["vim", "-R"])
        assert said[2:] == [f"only a copy was changed: {NAME} keeps its settings"]

    drive(dashboard, script)
