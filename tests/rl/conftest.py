"""A small trained model to start from, made once, and a function that reinforces it."""

import copy

import pytest
import torch

from polyctl.data.families import draw_problems
from polyctl.data.tokenizers import make_tokenizer
from polyctl.model.gpt import GPT
from polyctl.model.serialization import save_model
from polyctl.rl.trainer import reinforce, with_algorithm_name
from polyctl.runtime.processes import ALONE
from polyctl.store.runs import create_run
from tests.rl.helpers import tiny
from tests.training.helpers import Recorder


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def start(tmp_path_factory):
    """A model file whose model has learnt a little: some of its beams hold right answers, few are full."""
    torch.set_num_threads(1)
    experiment = tiny()
    tokenizer = make_tokenizer(experiment.data)
    torch.manual_seed(0)
    model = GPT.of(experiment, len(tokenizer.vocabulary))
    path = tmp_path_factory.mktemp("start") / "model.safetensors"
    _teach(model, tokenizer, experiment)
    save_model(path, model, experiment, tokenizer.vocabulary, 0, {})
    return path


def _teach(model, tokenizer, experiment):
    from polyctl.data.batch import TrainingBatch
    from polyctl.training.loader import split
    from polyctl.training.loss import TargetLoss

    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    stream = draw_problems(experiment.data, 1, "train")
    objective = TargetLoss(model)
    for _ in range(60):
        drawn = [next(stream) for _ in range(32)]
        batch = TrainingBatch.of([(tokenizer.encode_prompt(p), tokenizer.encode_target(p)) for p in drawn])
        (part,) = split(batch, 0, 1, 1)
        optimizer.zero_grad()
        (objective(part.ids_BT, part.positions_N, part.targets_N) / len(part.targets_N)).backward()
        optimizer.step()


@pytest.fixture
def run_rl(tmp_path, start):
    """run_rl(experiment, run=None, **options) -> (run, result, recorder); with a run, it is resumed."""

    def run_rl(experiment, run=None, recorder=None, **options):
        experiment = with_algorithm_name(copy.deepcopy(experiment))
        recorder = recorder or Recorder()
        made = run or create_run(experiment, tmp_path / "runs")
        result = reinforce(
            experiment, made, ALONE, start=None if run else start, on_event=recorder, **options
        )
        return made, result, recorder

    return run_rl
