"""Run directories, their states, and event files that are written and damaged while they are read."""

import json
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from polyctl.config.schema import Experiment, TrainConfig
from polyctl.errors import FileError
from polyctl.store import runs
from polyctl.store import summary as summary_module
from polyctl.store.event_kinds import End, Evaluation, EvaluationProgress, RunStarted, Step, Validation
from polyctl.store.events import EventWriter
from polyctl.store.files import write_atomic
from polyctl.store.owner import FILE_NAME, Owner
from polyctl.store.runs import (
    Run,
    create_run,
    default_run,
    find_run,
    list_runs,
    newest_run_with_checkpoint,
    packaged_run,
    run_for_results,
    runs_root,
)

QUICK = Experiment(name="quick", train=TrainConfig(lr=3e-4))


def make(root: Path, experiment: str, id: str, checkpoint: bool = False) -> Run:
    path = root / experiment / id
    (path / "checkpoints").mkdir(parents=True)
    (path / "config.toml").write_text(f'name = "{experiment}"')
    if checkpoint:
        (path / "checkpoints" / "last.safetensors").write_bytes(b"")
    return Run.at(path)


def events_of(run: Run, *events: tuple[str, float, dict]) -> None:
    """Write events by kind, age in seconds, fields."""
    lines = [
        json.dumps({"v": 1, "time": time.time() - age, "kind": k, **fields}) for k, age, fields in events
    ]
    run.events.write_text("".join(f"{line}\n" for line in lines))


# -- directories ---------------------------------------------------------------------------------


def test_a_new_run_holds_its_experiment(tmp_path):
    run = create_run(QUICK, tmp_path)
    assert run.path.parent == tmp_path / "quick"
    assert run.name == f"quick/{run.id}"
    assert run.config() == QUICK
    assert run.checkpoints.is_dir()
    assert run.reports.is_dir()
    assert run.predictions.is_dir()
    assert run.checkpoint("best") == run.path / "checkpoints" / "best.safetensors"


def test_runs_of_one_second_get_suffixes_and_stay_in_order(tmp_path, monkeypatch):
    class Frozen(runs.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2025, 1, 2, 3, 4, 5, tzinfo=tz)

    monkeypatch.setattr(runs, "datetime", Frozen)
    made = [create_run(QUICK, tmp_path) for _ in range(11)]
    assert [run.id for run in made[:3]] == ["20250102-030405", "20250102-030405-2", "20250102-030405-3"]
    assert [run.id for run in list_runs(tmp_path)] == [run.id for run in reversed(made)]


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="no run can be made") as caught:
        create_run(QUICK, tmp_path / "file")
    assert "--runs" in caught.value.hint


def test_root_is_flag_then_environment_then_here(monkeypatch):
    monkeypatch.delenv("POLYCTL_RUNS", raising=False)
    assert runs_root() == Path("runs")
    monkeypatch.setenv("POLYCTL_RUNS", "/elsewhere")
    assert runs_root() == Path("/elsewhere")
    assert runs_root(Path("flag")) == Path("flag")


@pytest.mark.parametrize(
    ("text", "message"),
    [("name = ", "is not TOML"), ("name = 'a'\ntrain.zzz = 1", "train.zzz"), (None, "cannot be read")],
)
def test_a_damaged_config_is_a_file_error(tmp_path, text, message):
    run = make(tmp_path, "a", "20250101-000000")
    run.config_path.unlink()
    if text is not None:
        run.config_path.write_text(text)
    with pytest.raises(FileError, match=message):
        run.config()


def test_the_best_checkpoint_goes_before_the_last(tmp_path):
    run = make(tmp_path, "a", "20250101-000000")
    assert not run.has_checkpoint
    with pytest.raises(FileError, match="no checkpoint yet"):
        run.weights()
    run.checkpoint("last").write_bytes(b"")
    assert run.weights() == run.checkpoint("last")
    run.checkpoint("best").write_bytes(b"")
    assert run.weights() == run.checkpoint("best")


# -- finding -------------------------------------------------------------------------------------


def test_finding_runs(tmp_path, monkeypatch):
    root = tmp_path / "runs"
    old = make(root, "a", "20250101-000000", checkpoint=True)
    middle = make(root, "a", "20250102-000000", checkpoint=True)
    newest = make(root, "a", "20250103-000000")
    other = make(root, "b", "20250101-120000", checkpoint=True)
    assert list_runs(root) == [newest, middle, other, old]
    assert newest_run_with_checkpoint(root) == middle
    assert find_run("a", root) == middle
    assert find_run("a", root, need_checkpoint=False) == newest
    assert find_run("a/20250101-000000", root) == old
    assert find_run(newest.path, tmp_path / "nowhere") == newest
    assert find_run(root / "b", tmp_path / "nowhere") == other
    monkeypatch.chdir(newest.path)
    here = find_run(".", root)
    assert (here.experiment, here.id) == ("a", "20250103-000000")


def test_the_bundled_run_lies_in_a_clones_runs_or_inside_an_installed_package(tmp_path):
    package = tmp_path / "polyctl"
    clone = make(tmp_path / "runs", "general", "shipped")
    assert packaged_run(package) == clone.path
    installed = make(package / "shipped", "general", "shipped")
    assert packaged_run(package) == installed.path
    assert Run.at(packaged_run(package)).name == "general/shipped"


def test_results_go_to_the_runs_root_if_the_run_cannot_be_written(tmp_path, monkeypatch):
    run, root = make(tmp_path / "box", "general", "shipped"), tmp_path / "runs"
    assert run_for_results(run, root) == run
    monkeypatch.setattr(runs.os, "access", lambda path, mode: Path(path) != run.path)
    results = run_for_results(run, root)
    assert (results.path, results.name) == (root / "general" / "shipped", run.name)
    assert results.path.is_dir()
    monkeypatch.setattr(runs.os, "access", lambda path, mode: False)
    with pytest.raises(FileError, match="it is read-only") as error:
        run_for_results(run, root)
    assert "--out" in error.value.hint
    assert list_runs(root) == []  # results alone are no run
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="cannot be made"):
        run_for_results(run, tmp_path / "file")


def test_results_never_go_into_the_installed_package(tmp_path, monkeypatch):
    package = tmp_path / "site-packages" / "polyctl"
    monkeypatch.setattr(runs, "__file__", str(package / "store" / "runs.py"))
    run = make(package / "shipped", "general", "shipped")
    assert run_for_results(run, tmp_path / "runs").path == tmp_path / "runs" / "general" / "shipped"


def test_the_shipped_run_is_used_where_none_is_named(tmp_path, monkeypatch):
    shipped = make(tmp_path / "package" / "runs", "general", "shipped", checkpoint=True)
    monkeypatch.setenv("POLYCTL_SHIPPED", str(shipped.path))
    root = tmp_path / "runs"
    make(root, "general", "20240101-000000")
    assert default_run(root) == shipped
    assert find_run("general", root) == find_run("general/shipped", root) == shipped
    own = make(root, "general", "20250101-000000", checkpoint=True)
    assert newest_run_with_checkpoint(root) == find_run("general", root) == own
    assert default_run(root) == shipped
    shutil.rmtree(shipped.checkpoints)
    assert default_run(root) == own
    assert find_run("general/shipped", root) == shipped
    with pytest.raises(FileError):
        find_run("quick", root)


def test_a_run_that_is_not_there_says_what_to_do(tmp_path):
    with pytest.raises(FileError) as caught:
        find_run("quick", tmp_path)
    assert "polyctl train quick" in caught.value.hint
    with pytest.raises(FileError) as caught:
        newest_run_with_checkpoint(tmp_path)
    assert "polyctl train quick" in caught.value.hint
    make(tmp_path, "quick", "20250101-000000")
    with pytest.raises(FileError, match="has a checkpoint yet") as caught:
        find_run("quick", tmp_path)
    assert "polyctl train quick" in caught.value.hint
    with pytest.raises(FileError) as caught:
        find_run("quik", tmp_path)
    assert "did you mean quick?" in caught.value.hint


# -- states --------------------------------------------------------------------------------------

RUN, STEP = ("run", 5000, {"step": 0, "total_steps": 9}), ("step", 10, {"step": 4, "loss": 0.5})


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([RUN, STEP], "running"),
        ([RUN, ("step", 601, {"step": 4})], "crashed"),
        ([RUN, STEP, ("end", 5, {"state": "complete"})], "finished"),
        ([RUN, STEP, ("end", 5000, {"state": "time limit"})], "finished"),
        ([RUN, STEP, ("end", 5, {"state": "interrupted"})], "interrupted"),
        ([RUN, STEP, ("end", 5000, {"state": "interrupted"}), ("run", 5, {"step": 4})], "running"),
        ([RUN, STEP, ("end", 5000, {"state": "complete"}), ("beam", 5, {})], "finished"),
        ([RUN, STEP, ("end", 5000, {"state": "complete"}), ("error", 5, {"message": "m"})], "finished"),
        ([RUN, STEP, ("error", 5, {"message": "m"})], "crashed"),
        ([RUN, STEP, ("error", 15, {"message": "m"}), ("eval", 5, {})], "crashed"),
        ([RUN, ("error", 15, {"message": "m"}), STEP], "running"),
        ([], "unknown"),
    ],
)
def test_state(tmp_path, events, state):
    run = make(tmp_path, "a", "20250101-000000")
    events_of(run, *events)
    assert run.state() == state


HERE = Owner.here()
DEAD = replace(HERE, pid=2**22 + 1)
ELSEWHERE = replace(HERE, host="another-host")
SILENT = ("step", 601, {"step": 4})


@pytest.mark.parametrize(
    ("owner", "events", "state"),
    [
        (DEAD, [RUN, STEP], "crashed"),
        (DEAD, [], "crashed"),
        (DEAD, [RUN, STEP, ("end", 5, {"state": "complete"})], "finished"),
        (HERE, [RUN, SILENT], "running"),
        (HERE, [], "running"),
        (HERE, [RUN, STEP, ("error", 5, {"message": "m"})], "crashed"),
        (ELSEWHERE, [RUN, STEP], "running"),
        (ELSEWHERE, [RUN, SILENT], "crashed"),
    ],
)
def test_a_dead_writer_is_known_at_once_on_its_own_machine(tmp_path, owner, events, state):
    run = make(tmp_path, "a", "20250101-000000")
    events_of(run, *events)
    (run.path / FILE_NAME).write_text(owner.text())
    assert run.state() == state


def test_a_run_without_events_is_unknown(tmp_path):
    assert make(tmp_path, "a", "20250101-000000").state() == "unknown"


def test_the_summary_is_that_of_the_newest_training(tmp_path):
    run = make(tmp_path, "a", "20250101-000000")
    steps = [("step", 100 - i / 100, {"step": i, "loss": 1 / (i + 1)}) for i in range(3000)]
    evaluation = ("eval", 70, {"step": 2999, "greedy_verified": 0.25, "valid_loss": None, "note": "x"})
    events_of(
        run, RUN, *steps[:1500], ("run", 90, {"step": 1500, "total_steps": 3000}), *steps[1500:], evaluation
    )
    with run.events.open("ab") as file:
        file.write(b'{"v": 1, "time": 1, "kind": "end", "state": "int')
    summary = run.summary()
    assert (summary.state, summary.step, summary.total_steps) == ("running", 2999, 3000)
    assert summary.loss == pytest.approx(1 / 3000)
    assert summary.metrics == {"greedy_verified": 0.25}
    assert summary.accuracy == 0.25


def test_an_evaluation_is_no_validation(tmp_path):
    run = make(tmp_path, "a", "20250101-000000")
    validation = ("eval", 5, {"step": 3, "greedy_verified": 0.25})
    other = ("eval", 4, {"step": 3, "greedy_verified": 0.75, "source": "eval"})
    events_of(run, RUN, STEP, validation, other)
    assert run.summary().accuracy == 0.25
    events_of(run, RUN, STEP, other)
    assert run.summary().accuracy is None


def test_the_step_is_the_furthest_that_any_event_names(tmp_path):
    run = make(tmp_path, "a", "20250101-000000")
    events_of(run, RUN, STEP, ("eval", 4, {"step": 8}))
    assert run.summary().step == 8
    events_of(run, RUN, ("eval", 5, {"step": 3}), STEP)
    assert run.summary().step == 4


def test_steps_that_were_lost_with_a_killed_process_do_not_count_in_the_end(tmp_path):
    run = make(tmp_path, "a", "20250101-000000")
    lost = ("step", 50, {"step": 120, "loss": 0.5})
    resumed = ("run", 40, {"state": "resumed", "step": 110, "total_steps": 3000})
    events_of(run, RUN, lost, resumed, ("end", 30, {"state": "interrupted", "step": 110}))
    assert run.summary().step == 110


def test_of_a_long_file_the_end_and_the_opening_are_read(tmp_path, monkeypatch):
    run = make(tmp_path, "a", "20250101-000000")
    steps = [("step", 100 - i / 100, {"step": i, "loss": 1 / (i + 1)}) for i in range(3000)]
    lost = ("eval", 99, {"step": 0, "greedy_verified": 0.5})
    events_of(run, RUN, lost, *steps, ("eval", 70, {"step": 2999, "greedy_verified": 0.25}))
    monkeypatch.setattr(summary_module, "SUMMARY_BYTES", 2000)
    summary = run.summary()
    assert (summary.state, summary.step, summary.total_steps, summary.accuracy) == ("running", 2999, 9, 0.25)
    events_of(run, RUN, lost, *steps)
    assert run.summary().accuracy is None


# -- files ---------------------------------------------------------------------------------------


def test_an_atomic_write_replaces_the_whole_file(tmp_path):
    path = tmp_path / "file"
    write_atomic(path, "long text")
    write_atomic(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_atomic_write_leaves_the_old_file_alone(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomic(path, "old")

    def fail(descriptor: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(FileError, match=r"cannot write .*file: disk full"):
        write_atomic(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_run_that_was_resumed_keeps_its_figures_but_not_its_old_end(tmp_path):
    run = make(tmp_path, "a", "20250101-000000")
    before = [
        ("run", 50, {"state": "started", "step": 0, "total_steps": 8}),
        ("step", 40, {"step": 4, "loss": 0.5}),
        ("eval", 30, {"step": 4, "greedy_verified": 0.25}),
        ("error", 25, {"message": "boom"}),
        ("end", 20, {"state": "interrupted", "step": 4}),
    ]
    events_of(run, *before, ("run", 10, {"state": "resumed", "step": 4, "total_steps": 8}))
    summary = run.summary()
    assert (summary.state, summary.ended, summary.error) == ("running", None, None)
    assert (summary.step, summary.loss, summary.accuracy) == (4, 0.5, 0.25)
    events_of(
        run, *before, ("run", 10, {"state": "resumed", "step": 4}), ("step", 5, {"step": 6, "loss": 0.4})
    )
    summary = run.summary()
    assert (summary.step, summary.loss, summary.accuracy) == (6, 0.4, 0.25)


def test_a_summary_knows_pace_best_validation_and_a_running_evaluation(tmp_path):
    run = make(tmp_path, "quick", "20250101-000000")
    owner = Owner.here()
    progress = EvaluationProgress(
        done=3, problems=8, verified=2, pid=owner.pid, began=owner.began, host=owner.host
    )
    with EventWriter(run.events) as events:
        events.write(RunStarted(state="started", step=0, total_steps=40, device="cpu"))
        events.write(Validation(step=5, metrics={"greedy_verified": 0.75}))
        events.write(RunStarted(state="resumed", step=5, total_steps=40, device="cpu"))
        events.write(Step(step=10, loss=1.0, lr=1e-3, elapsed=20.0, tokens_per_second=7.0, problems_seen=80))
        events.write(Validation(step=10, metrics={"greedy_verified": 0.5}))
    found = run.summary()
    assert (found.accuracy, found.best, found.lr, found.device) == (0.5, 0.75, 1e-3, "cpu")
    assert (found.left, found.problems_per_second, found.evaluation) == (60.0, 4.0, None)
    with EventWriter(run.events) as events:
        events.write(End(state="complete", step=10))
        events.write(progress)
    found = run.summary()
    assert (found.state, found.left) == ("finished", None)
    assert (found.evaluation.done, found.evaluation.problems) == (3, 8)
    with EventWriter(run.events) as events:
        events.write(replace(progress, pid=2**22 + 1))
    assert run.summary().evaluation is None, "its process is gone"
    with EventWriter(run.events) as events:
        events.write(progress)
        events.write(Evaluation(step=10))
    assert run.summary().evaluation is None, "it has ended"
