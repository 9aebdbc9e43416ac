"""Worker processes that die."""

import multiprocessing
import os
import signal

import pytest

from polyctl.cli.app import run
from polyctl.data.families import draw_problem
from polyctl.evaluation.accuracy import Answers
from polyctl.evaluation.judges import Judges
from polyctl.runtime.pool import WorkerDied, noticing_deaths, worker_pool
from polyctl.runtime.processes import ALONE
from polyctl.store.event_kinds import Failure, Step
from polyctl.store.events import EventReader
from polyctl.store.runs import create_run
from polyctl.training import supervised
from tests.training.helpers import tiny


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_is_killed_is_no_traceback():
    with pytest.raises(WorkerDied) as caught, noticing_deaths(), worker_pool(1) as pool:
        pool.submit(_kill).result()
    assert caught.value.exit_code == 3
    assert "--workers 1" in caught.value.hint


def test_gen_says_that_a_worker_was_killed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("polyctl.data.dataset._make_part", _kill_part)
    assert run(["gen", "smoke", "--workers", "1", "--out", str(tmp_path)]) == 3
    assert "a worker process was killed" in capsys.readouterr().err
    monkeypatch.undo()
    assert run(["gen", "smoke", "--workers", "1", "--out", str(tmp_path)]) == 0


def _kill_part(*_: object) -> None:
    _kill()


def test_an_evaluation_says_that_a_judge_was_killed():
    problem = draw_problem(tiny().data, 0, 0)
    judges = Judges(tiny().data, _kill_part, lambda *_: None, workers=1)
    with pytest.raises(WorkerDied), judges:
        judges.submit(Answers(0, problem))


def test_a_training_says_that_its_loader_was_killed(tmp_path):
    experiment = tiny(steps=4000, eval_every=4000, workers=1)
    made = create_run(experiment, tmp_path)

    def kill_loader(event):
        if isinstance(event, Step) and event.step == 1:
            (loader,) = multiprocessing.active_children()
            os.kill(loader.pid, signal.SIGKILL)

    with pytest.raises(WorkerDied) as caught:
        supervised.train(experiment, made, ALONE, on_event=kill_loader)
    assert "train.workers=0" in caught.value.hint
    *_, last = EventReader(made.events)
    assert isinstance(last, Failure)
    assert made.state() == "crashed"
