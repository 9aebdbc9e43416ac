"""Run directories and recorders for trainings of a second."""

import pytest
import torch

from polyctl.store.runs import create_run
from polyctl.training import supervised
from tests.training.helpers import Recorder


@pytest.fixture(autouse=True)
def _one_thread_and_every_step_reported(monkeypatch):
    torch.set_num_threads(1)
    monkeypatch.setattr(supervised, "STEP_EVENT_SECONDS", 0.0)


@pytest.fixture
def new_run(tmp_path):
    """A function that makes a run for an experiment."""
    return lambda experiment: create_run(experiment, tmp_path / "runs")


@pytest.fixture
def recorder():
    return Recorder()
