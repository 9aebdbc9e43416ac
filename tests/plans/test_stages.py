"""Which tasks a plan has, in which order, and which of them count as done."""

import json
import os

import pytest

from polyctl.config.registry import PACKAGED, load_registry, smoke
from polyctl.data.manifest import Manifest
from polyctl.errors import FileError, UsageError
from polyctl.plans.stages import (
    Directories,
    Task,
    complete,
    data_set,
    find_report,
    finished_run,
    make_plan,
    parse_stages,
    resolve_start,
    standing,
)
from polyctl.store.evaluation_report import EvaluationReport
from polyctl.store.event_kinds import End, RunStarted
from polyctl.store.events import EventWriter
from polyctl.store.runs import create_run


def finished(experiment, root, ended="complete"):
    """A run with the least that counts as finished."""
    run = create_run(experiment, root)
    run.checkpoint("best").write_bytes(b"weights")
    with EventWriter(run.events) as events:
        events.write(RunStarted(state="started", step=0, total_steps=3))
        events.write(End(state=ended, step=3))
    return run


def keys(tasks):
    return [task.key for task in tasks]


def test_each_experiment_gets_the_stages_that_it_needs(make, directories):
    registry = [make("stream"), make("files", source="files"), make("improved", rl=True)]
    assert keys(make_plan(registry, registry, directories)) == [
        ("train", "stream"),
        ("eval", "stream"),
        ("gen", "files"),
        ("train", "files"),
        ("eval", "files"),
        ("train", "improved"),
        ("eval", "improved"),
        ("rl", "improved_bgrpo"),
        ("eval", "improved_bgrpo"),
    ]


def test_settings_decide_whether_files_are_needed(make, directories):
    registry = [make("files", source="files")]
    settings = ["train.source=stream", "rl.steps=3"]
    tasks = make_plan(registry, registry, directories, settings=settings)
    assert keys(tasks) == [("train", "files"), ("eval", "files")]
    assert tasks[0].experiment.rl.steps == 3


def test_stages_that_are_named_are_for_all(make, directories):
    registry = [make("stream", seed=4), make("files", source="files")]
    tasks = make_plan(registry, registry, directories, parse_stages("rl, gen"))
    assert keys(tasks) == [
        ("gen", "stream"),
        ("rl", "stream_bgrpo"),
        ("gen", "files"),
        ("rl", "files_bgrpo"),
    ]
    assert all(task.needs == () for task in tasks)


@pytest.mark.parametrize(("text", "hint"), [("evla", "did you mean eval?"), ("x", "gen,train,eval,rl")])
def test_a_stage_that_is_none(text, hint):
    with pytest.raises(UsageError) as error:
        parse_stages(text)
    assert hint in error.value.hint


def test_an_experiment_comes_after_the_one_it_starts_from(make, directories):
    registry = [make("tuned", init_from="first"), make("first")]
    tasks = make_plan(registry, registry, directories, ("train",))
    assert keys(tasks) == [("train", "first"), ("train", "tuned")]
    assert tasks[1].needs == (("train", "first"),)
    with pytest.raises(UsageError, match="a -> b -> a"):
        make_plan([make("a", init_from="b"), make("b", init_from="a")], registry, directories)


def test_the_one_it_starts_from_must_be_chosen_or_trained(make, directories):
    first, tuned = make("first"), make("tuned", init_from="first")
    with pytest.raises(FileError, match="first has no finished run") as error:
        make_plan([tuned], [first, tuned], directories)
    assert "polyctl experiments run first" in error.value.hint
    finished(first, directories.runs)
    assert keys(make_plan([tuned], [first, tuned], directories)) == [("train", "tuned"), ("eval", "tuned")]


def test_it_may_start_from_a_certain_run(make, directories):
    old = finished(make("first"), directories.runs)
    finished(make("first"), directories.runs)
    (train, _) = make_plan([make("tuned", init_from=old.name)], [], directories)
    assert standing(train, directories).state == "new"
    assert resolve_start(train, directories).train.init_from == old.name
    with pytest.raises(FileError, match="there is no run"):
        make_plan([make("tuned", init_from="first/none")], [], directories)


def test_reinforcement_may_start_from_another_experiment(make, directories):
    """Then it has no supervised training of its own, whichever stages are asked for."""

    def reinforced(name, start, algorithm):
        made = make(name, source="files")
        rl = made.rl.model_copy(update={"init_from": start, "algorithm": algorithm})
        return made.model_copy(update={"rl": rl})

    first, expert = make("first"), reinforced("expert", "first", "boost")
    then = reinforced("then", "expert_boost", "bgrpo")
    chosen = [then, expert, first]
    tasks = make_plan(chosen, chosen, directories)
    assert keys(tasks) == [
        ("train", "first"), ("eval", "first"), ("rl", "expert_boost"), ("eval", "expert_boost"),
        ("rl", "then_bgrpo"), ("eval", "then_bgrpo"),
    ]  # fmt: skip
    assert [task.needs for task in tasks if task.stage == "rl"] == [
        (("train", "first"),),
        (("rl", "expert_boost"),),
    ]
    start = finished(first, directories.runs)
    assert resolve_start(tasks[2], directories).train.init_from == start.name
    assert keys(make_plan([expert], chosen, directories, ("gen", "train"))) == []


def test_every_arm_of_the_claim_has_its_start_before_it(directories):
    arms = load_registry(PACKAGED).matching(["rl_claim_*"])
    for small in (False, True):
        tasks = make_plan(arms, arms, directories, small=small)
        done = set()
        for task in tasks:
            base = ("train", task.base), ("rl", task.base)
            assert task.base is None or done & set(base) or task.stage == "eval"
            assert set(task.needs) <= done
            done.add(task.key)
        assert len([task for task in tasks if task.stage == "rl"]) == 5


def test_what_the_start_was_kept_from_is_inherited(make, directories):
    first = make("first")
    data = first.data.model_copy(update={"exclude": ("published/monic",)})
    finished(first.model_copy(update={"data": data}), directories.runs)
    (train,) = make_plan([make("tuned", init_from="first")], [], directories, ("train",))
    wanted = resolve_start(train, directories)
    assert wanted.data.exclude == ("published/monic",)
    made = finished(wanted, directories.runs)
    assert standing(train, directories).run == made


def test_experiments_with_the_same_data_share_a_data_set(make, directories):
    one, two = make("one", source="files"), make("two", source="files", lr=0.1)
    other = make("other", source="files", seed=4)
    tasks = make_plan([two, other], [one, two, other], directories, ("gen", "train"))
    assert keys(tasks) == [("gen", "one"), ("train", "two"), ("gen", "other"), ("train", "other")]
    assert [task.data for task in tasks] == [directories.data / "one"] * 2 + [directories.data / "other"] * 2
    (directories.data / "two").mkdir(parents=True)
    (directories.data / "two" / "manifest.json").write_text("{}")
    assert data_set(two, [one, two], directories)[0] == directories.data / "two"  # its own, where it has one


def test_a_data_set_made_with_other_exclusions_is_done(make, directories):
    """What is excluded is left out as the file is read."""
    before = make("files", source="files")
    directory = directories.data / "files"
    directory.mkdir(parents=True)
    manifest = Manifest(experiment="files", seed=3, data=before.data, counts={"train.txt": 24}, sha256={})
    (directory / "manifest.json").write_text(manifest.model_dump_json())
    for changes, state in (({}, "done"), ({"exclude": ("published",)}, "done"), ({"inner_bound": 3}, "new")):
        wanted = before.model_copy(update={"data": before.data.model_copy(update=changes)})
        task = next(task for task in make_plan([wanted], [wanted], directories) if task.stage == "gen")
        assert standing(task, directories).state == state


def test_smoke_keeps_files_and_the_start_of_every_experiment_of_the_registry():
    for experiment in load_registry(PACKAGED).matching():
        small = smoke(experiment, alone=False)
        assert small.name.endswith("smoke")
        assert small.train.source == experiment.train.source
        assert (small.train.init_from is None) == (experiment.train.init_from is None)
        assert small.train.init_from in (None, f"{experiment.train.init_from}_smoke")
        assert small.data.train_size <= 200
        assert (small.rl.steps, small.train.steps, small.train.epochs) == (4, 8, 0)


def test_a_run_counts_only_with_the_same_settings_and_at_its_end(make, directories):
    experiment = make()
    task = Task("train", experiment)
    assert standing(task, directories).state == "new"
    finished(make(lr=0.5), directories.runs)
    broken = finished(experiment, directories.runs, ended="interrupted")
    assert standing(task, directories).state == "new"  # nothing to resume from
    (broken.checkpoints / "trainer.safetensors").write_bytes(b"state")
    assert (standing(task, directories).state, standing(task, directories).run) == ("resume", broken)
    done = finished(experiment, directories.runs)
    assert (standing(task, directories).state, standing(task, directories).run) == ("done", done)
    assert finished_run("stream", directories) == done
    assert not complete(broken)


def test_a_tuned_run_counts_only_if_it_began_with_the_newest_start(make, directories):
    tuned = make("tuned", init_from="first")
    first = finished(make("first"), directories.runs)
    train = tuned.train.model_copy(update={"init_from": first.name})
    made = finished(tuned.model_copy(update={"train": train}), directories.runs)
    task = Task("train", tuned, base="first")
    assert standing(task, directories).run == made
    finished(make("first"), directories.runs)
    assert standing(task, directories).state == "new"


def test_a_report_counts_for_the_same_problems_beam_and_weights(make, directories):
    experiment = make()
    run = finished(experiment, directories.runs)
    accuracy = {"greedy": {"exact": 0.5, "verified": 0.5}, "pass_at": {"1": 0.5, "2": 1.0}, "rank_score": 0.5}
    asked = {"data": {"set": "test", "experiment": "stream"}, "problems": 5, "beam": 2, "checkpoint": "best"}
    report = {**asked, "step": 3, **accuracy, "cells": []}
    path = run.reports / "eval-20260101-000000.json"
    others = ({"data": {"files": ["other.txt"]}}, {"data": {"set": "test", "experiment": "other"}})
    for change in (*others, {"problems": 4}, {"beam": 3}, {"checkpoint": "last"}):
        path.write_text(json.dumps({**report, **change}))
        assert find_report(run, experiment) is None
    for data in (report["data"], "test problems of stream"):  # as it is stored now, and as it was before
        path.write_text(json.dumps({**report, "data": data}))
        assert find_report(run, experiment) == EvaluationReport.from_json(report)
    assert standing(Task("eval", experiment), directories).state == "done"
    os.utime(path, (1, 1))  # written before the weights
    assert find_report(run, experiment) is None


def test_without_a_finished_run_there_is_nothing_to_evaluate(make, directories):
    finished(make(lr=0.5), directories.runs)
    with pytest.raises(FileError, match="stream has no finished run with these settings"):
        standing(Task("eval", make()), directories)


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("quick", "quick"),
        ("smoke", "smoke"),
        ("rl_claim_start_smoke", "rl_claim_start --smoke"),
        ("rl_quick_smoke_bgrpo", "rl_quick --smoke"),
        ("rl_quick_bgrpo", "rl_quick"),
    ],
)
def test_a_run_that_is_missing_is_named_as_one_types_it(name, typed, tmp_path):
    with pytest.raises(FileError) as raised:
        finished_run(name, Directories(tmp_path / "data", tmp_path / "runs"))
    assert raised.value.hint == f"train it first: polyctl experiments run {typed}"
