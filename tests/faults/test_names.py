"""Hostile names of experiments and runs: nothing is written outside the runs, the data and --out."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from polyctl.cli.app import run
from polyctl.config.names import check_name, is_name, is_run_name
from polyctl.config.registry import load_registry
from polyctl.config.schema import Experiment
from polyctl.errors import FileError, UsageError
from polyctl.plans.runner import Options, perform
from polyctl.plans.stages import Directories, Task
from polyctl.rl.trainer import with_algorithm_name
from polyctl.store.event_kinds import End
from polyctl.store.events import EventWriter
from polyctl.store.runs import Run, create_run, find_run, list_runs, run_for_results

HOSTILE = [
    "",
    " ",
    ".",
    "..",
    "../x",
    "x/../../y",
    "/tmp/x",
    "a/b/c",
    ".hidden",
    "-rf",
    "two words",
    "x\n",
    "x\x1b[2Jy",
    "x\x00",
    "x\\y",
    "C:x",
    "~",
    "x" * 101,
    "größe",
    "\u202egnp",
]
FAIR = ["quick", "_published", "d2_arch_256_l6", "a.b-c", "0", "x" * 100]


def snapshot(folder: Path) -> dict[str, object]:
    """Everything below a folder, by name: where a link leads, or when a file was changed."""
    return {
        str(path.relative_to(folder)): str(path.readlink()) if path.is_symlink() else path.stat().st_mtime_ns
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder to work in, with runs and data; what lies beside it must not change."""
    inside = tmp_path / "inside"
    (inside / "runs").mkdir(parents=True)
    (inside / "data").mkdir()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("keep")
    monkeypatch.chdir(inside)
    monkeypatch.delenv("POLYCTL_RUNS", raising=False)
    before = snapshot(outside)
    yield inside
    assert snapshot(outside) == before
    assert {path.name for path in tmp_path.iterdir()} == {"inside", "outside"}


# -- the rule --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_none(name):
    assert not is_name(name)
    assert not is_run_name(f"quick/{name}")
    with pytest.raises(ValueError, match="letters, digits"):
        check_name(name)


@pytest.mark.parametrize("name", FAIR)
def test_fair_names_are_allowed(name):
    assert is_name(name)
    assert is_run_name(name)
    assert is_run_name(f"{name}/20261127-120000-2")


@given(st.text(max_size=120), st.text(max_size=20))
def test_a_run_name_stays_where_it_is_put(experiment, identifier):
    for name in (experiment, f"{experiment}/{identifier}"):
        if is_run_name(name):
            path = os.path.normpath(f"/runs/{name}")
            assert path == f"/runs/{name}"
            assert not any(part.startswith(".") for part in Path(path).parts)


# -- where names come from -------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in HOSTILE if "\x00" not in name])
def test_a_registry_cannot_name_a_place_elsewhere(place, name):
    registry = place / "experiments.toml"
    registry.write_text(f"[experiment.{json.dumps(name)}]\n", encoding="utf-8")
    with pytest.raises(UsageError, match="letters, digits"):
        load_registry(registry)


def test_a_template_cannot_either(place):
    registry = place / "experiments.toml"
    registry.write_text('[experiment."x_{where}"]\ngrid.where = ["a", "/../../../outside/x"]\n')
    with pytest.raises(UsageError, match="letters, digits"):
        load_registry(registry)


@pytest.mark.parametrize("name", [name for name in HOSTILE if "\x00" not in name])
@pytest.mark.parametrize("command", [["gen"], ["train"], ["rl"], ["train", "--resume"], ["eval"], ["export"]])
def test_the_command_line_cannot_either(place, capsys, command, name):
    more = ["exported"] if command == ["export"] else []
    assert run([*command, "--", name, *more]) in (2, 3)
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    assert "\x1b[2J" not in err
    assert snapshot(place) == {"runs": snapshot(place)["runs"], "data": snapshot(place)["data"]}


@pytest.mark.parametrize("name", HOSTILE)
def test_settings_and_models_cannot_either(place, name):
    with pytest.raises(ValidationError):
        Experiment(name=name)
    with pytest.raises(UsageError, match="no run can be made"):
        create_run(Experiment(name="quick").model_copy(update={"name": name}))


def test_a_name_that_grows_too_long_is_refused(place):
    grown = with_algorithm_name(Experiment(name="x" * 99))
    with pytest.raises(UsageError, match="up to 100"):
        create_run(grown)


def test_the_config_of_a_run_cannot_either(place, capsys):
    made = create_run(Experiment(name="quick"))
    made.config_path.write_text('name = "../../outside/x"\n')
    with pytest.raises(FileError, match="does not fit this polyctl: name"):
        made.config()
    assert run(["train", "quick", "--resume"]) == 3


def test_directories_with_other_names_are_no_runs_but_can_be_named_by_their_path(place):
    for name in ("two words/1", ".hidden/1", "quick/\x1b[2J"):
        folder = place / "runs" / name
        folder.mkdir(parents=True)
        (folder / "config.toml").write_text('name = "quick"\n')
    assert list_runs() == []
    with pytest.raises(FileError, match="there is no run"):
        find_run("two words/1")
    assert find_run(place / "runs" / "two words" / "1", need_checkpoint=False).id == "1"


@pytest.mark.parametrize("name", ["", " ", "x\0", "../..", "/nonexistent", "a/b/c"])
def test_what_names_no_run(place, name):
    create_run(Experiment(name="quick"))
    with pytest.raises(FileError):
        find_run(name)


def test_a_run_without_a_fair_name_keeps_its_results_to_itself(place, monkeypatch):
    folder = place / "two words" / "1"
    folder.mkdir(parents=True)
    monkeypatch.setattr("polyctl.store.runs.os.access", lambda *_: False)
    with pytest.raises(FileError, match="no name of a run"):
        run_for_results(Run.at(folder))


# -- symbolic links --------------------------------------------------------------------------------


def test_links_among_the_runs_are_not_written_through(place):
    outside = place.parent / "outside"
    (place / "runs" / "quick").symlink_to(outside)
    with pytest.raises(FileError, match="a symbolic link to"):
        create_run(Experiment(name="quick"))
    made = create_run(Experiment(name="real"))
    made.reports.rmdir()
    made.reports.symlink_to(outside)
    with pytest.raises(FileError, match="a symbolic link"):
        run_for_results(made)
    made.reports.unlink()
    (place / "runs" / "linked").mkdir()
    (place / "runs" / "linked" / "1").symlink_to(made.path)
    assert run_for_results(made) == made
    with pytest.raises(FileError, match="a symbolic link"):
        run_for_results(Run.at(place / "runs" / "linked" / "1"))


def test_events_are_not_appended_to_what_a_link_leads_to(place):
    made = create_run(Experiment(name="quick"))
    made.events.symlink_to(place.parent / "outside" / "precious")
    with pytest.raises(FileError, match="a symbolic link"), EventWriter(made.events) as events:
        events.write(End(state="complete"))


def test_data_are_not_made_in_what_a_link_leads_to(place, capsys):
    outside = place.parent / "outside"
    (place / "data" / "smoke").symlink_to(outside)
    assert run(["gen", "smoke"]) == 3
    assert "a symbolic link" in capsys.readouterr().err
    (place / "made").mkdir()
    (place / "made" / "parts").symlink_to(outside)
    assert run(["gen", "smoke", "--out", "made"]) == 3
    assert "a symbolic link" in capsys.readouterr().err
    task = Task("gen", Experiment(name="smoke"), place / "data" / "smoke")
    outcome = perform(task, Directories(place / "data", place / "runs"), Options("cpu"))
    assert outcome.state == "failed"
    assert "a symbolic link" in outcome.message
