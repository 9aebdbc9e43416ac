"""Plans carried out: all stages, skipping, resuming, failures, interrupts."""

import os
import signal

import pytest

from polyctl.plans import runner
from polyctl.plans.runner import Options, Outcome, perform, run_plan
from polyctl.plans.stages import Task, make_plan
from polyctl.store.event_kinds import RunStarted, Step
from polyctl.store.events import EventWriter
from polyctl.store.lock import sole_writer
from polyctl.store.runs import find_run, list_runs
from polyctl.training import checkpoint

OPTIONS = Options(device="cpu")


@pytest.fixture
def go(directories):
    """Carry out the plan of some experiments; returns its outcomes."""

    def go(*experiments, **options):
        tasks = make_plan(experiments, experiments, directories)
        return list(run_plan(tasks, lambda task: perform(task, directories, OPTIONS, **options)))

    return go


def test_all_stages_and_then_nothing_is_left_to_do(make, go, directories):
    experiments = (
        make("tuned", init_from="first", source="files"),
        make("first", source="files", rl=True),
    )
    outcomes = go(*experiments)
    assert [o.state for o in outcomes] == ["done"] * len(outcomes)
    assert [(o.stage, o.experiment) for o in outcomes] == [
        ("gen", "tuned"),  # named first, and the two share it
        ("train", "first"),
        ("eval", "first"),
        ("rl", "first_bgrpo"),
        ("eval", "first_bgrpo"),
        ("train", "tuned"),
        ("eval", "tuned"),
    ]
    assert sum(outcomes[0].figures["counts"].values()) == 32
    assert outcomes[2].figures["problems"] == 5
    first = find_run("first", directories.runs)
    for name in ("tuned", "first_bgrpo"):
        assert find_run(name, directories.runs).config().train.init_from == first.name
    again = go(*experiments)
    assert [o.state for o in again] == ["skipped"] * len(again)
    assert again[2].figures == outcomes[2].figures


def test_a_training_that_broke_off_goes_on_in_its_run(make, go, directories):
    experiment = make(steps=6, eval_every=6)
    sent = []

    def interrupt(event):
        if isinstance(event, Step) and not sent:  # again a second later, it would end the training at once
            sent.append(event)
            signal.raise_signal(signal.SIGINT)

    (outcome,) = go(experiment, on_event=interrupt)
    assert outcome.state == "interrupted"
    (run,) = list_runs(directories.runs)
    assert 0 < checkpoint.read_facts(run.checkpoints / "trainer.safetensors")["step"] < 6
    outcomes = go(experiment)
    assert [o.state for o in outcomes] == ["done", "done"]
    assert list_runs(directories.runs) == [run]
    assert outcomes[0].figures["step"] == 6


def test_a_run_that_another_process_writes_to_is_left_alone(make, go, directories):
    experiment = make(steps=6)
    perform(Task("train", experiment), directories, Options(device="cpu", max_minutes=0))
    (run,) = list_runs(directories.runs)
    # nothing was trained, and so nothing saved: make it look like a run in its middle
    (run.checkpoints / "trainer.safetensors").write_bytes(b"")
    with EventWriter(run.events) as events:
        events.write(RunStarted(state="started", step=0, total_steps=6))
    with sole_writer(run.path):
        train, evaluation = go(experiment)
    assert train.state == "failed"
    assert f"is being written by process {os.getpid()} on" in train.message
    assert evaluation.state == "blocked"


def test_a_time_limit_is_no_success_and_says_how_to_go_on(make, directories):
    outcome = perform(Task("train", make()), directories, Options(device="cpu", max_minutes=0))
    assert (outcome.state, outcome.message) == ("failed", "the time limit was reached")


def test_a_failure_stops_what_needs_it_and_nothing_else(make, go):
    bad = make("bad", accumulate=9)
    assert [(o.experiment, o.state) for o in go(bad, make("good"))] == [
        ("bad", "failed"),
        ("bad", "blocked"),
        ("good", "done"),
        ("good", "done"),
    ]


def test_fail_fast_stops_at_the_first_failure(make, directories):
    experiments = [make("bad", accumulate=9), make("good")]
    tasks = make_plan(experiments, experiments, directories)
    outcomes = list(run_plan(tasks, lambda task: perform(task, directories, OPTIONS), fail_fast=True))
    assert [o.state for o in outcomes] == ["failed"]


def test_an_unforeseen_error_is_told_with_its_traceback(make, directories, monkeypatch, capfd):
    monkeypatch.setattr(runner, "generate", lambda *_, **__: 1 / 0)
    outcome = perform(Task("gen", make(), directories.data / "x"), directories, OPTIONS)
    assert (outcome.state, outcome.message) == ("failed", "ZeroDivisionError: division by zero")
    assert "Traceback" in capfd.readouterr().err


def test_an_interrupt_ends_the_plan(make, directories):
    tasks = make_plan([make("a"), make("b")], [], directories)

    def carry_out(task):
        return Outcome(*task.key, "interrupted")

    assert len(list(run_plan(tasks, carry_out))) == 1
