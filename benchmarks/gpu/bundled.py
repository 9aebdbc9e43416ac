"""The bundled model's experiment, problems and trainers, for the GPU benchmarks."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from record import shorten

from polyctl.config.registry import load_registry, override
from polyctl.config.schema import Experiment
from polyctl.data.batch import TrainingBatch
from polyctl.data.problem import Problem
from polyctl.data.stream import StreamSource
from polyctl.evaluation.accuracy import evaluation_problems
from polyctl.model.serialization import LoadedModel, load_model
from polyctl.runtime.processes import join_processes
from polyctl.store.runs import Run, create_run, find_run
from polyctl.training.journal import Journal
from polyctl.training.loss import make_objective
from polyctl.training.supervised import SupervisedTrainer

RUN, EXPERIMENT = "general/shipped", "general_wide"
RUNS = Path(__file__).resolve().parents[2] / "runs"
# Few problems to validate on, since nothing here validates; no problems are kept out of the steps timed.
FRESH = ("data.exclude=[]", "data.valid_size=8", "train.eval_problems=8", "train.steps=1000000")


def bundled_run() -> Run:
    """The run of the bundled model."""
    return find_run(RUN, RUNS)


def experiment(*settings: str) -> Experiment:
    """The bundled model's experiment as a training from scratch, with settings on top."""
    return override(load_registry().get(EXPERIMENT), settings)


def model(device: str) -> LoadedModel:
    """The bundled model."""
    return load_model(bundled_run().weights(), device)


def problems(count: int) -> list[Problem]:
    """Test problems of its mixture, as many of each cell."""
    asked = experiment()
    return evaluation_problems(asked.data, asked.seed, count)


@contextmanager
def trainer(asked: Experiment, device: str) -> Iterator[SupervisedTrainer]:
    """A training of it that writes nothing that stays."""
    with tempfile.TemporaryDirectory() as folder, join_processes(device) as processes:
        run = create_run(asked, Path(folder))
        with Journal(run.events, main=True) as journal:
            yield SupervisedTrainer(asked, run, processes, journal)


def first_step(trainer: SupervisedTrainer, batch: TrainingBatch, now: Callable[[], float]) -> dict[str, Any]:
    """The first step, which compiles: its seconds. What cannot be compiled runs eagerly from now on."""
    began = now()
    try:
        trainer.train_on(batch)
    except Exception as error:
        config = trainer.experiment.train.model_copy(update={"compile": "off"})
        trainer.objective = make_objective(trainer.model, config, trainer.processes.device)
        trainer.train_on(batch)
        return {"seconds": now() - began, "error": shorten(error)}
    return {"seconds": now() - began}


def batches(asked: Experiment, count: int) -> Sequence[TrainingBatch]:
    """Some batches of its data, of near-equal length each."""
    return StreamSource(asked, chunk_batches=count).chunk(0)
