"""The update: its precision."""

import copy

import pytest
import torch

from polyctl.data.tokenizers import make_tokenizer
from polyctl.model.serialization import load_model
from polyctl.rl.curriculum import ProblemMix
from polyctl.rl.expert_iteration import expert_answers, imitate
from polyctl.rl.rollouts import make_groups
from polyctl.rl.update import update
from polyctl.runtime.processes import ALONE
from polyctl.training.optim import make_optimizer
from tests.rl.helpers import tiny


@pytest.mark.parametrize("algorithm", ["bgrpo", "boost"])
def test_updates_are_in_single_precision_whatever_training_used(start, algorithm):
    """Noise of bfloat16 in a ratio would be many times what one update changes."""
    weights = []
    for precision in ("float32", "bfloat16"):
        experiment = tiny(algorithm=algorithm, solver="off")
        train = experiment.train.model_copy(update={"precision": precision})
        experiment = experiment.model_copy(update={"train": train})
        tokenizer, model = make_tokenizer(experiment.data), load_model(start, "cpu").model
        mix = ProblemMix(experiment, tokenizer)
        groups = make_groups(model, tokenizer, [mix.problem(n) for n in range(8)], experiment, 5)
        optimizer, reference = make_optimizer(model, train), copy.deepcopy(model)
        if algorithm == "boost":
            answers = expert_answers(groups, tokenizer, experiment, 0)
            done = imitate(model, optimizer, answers, experiment, ALONE)
        else:
            done = update(model, reference, optimizer, groups, tokenizer.end, experiment, ALONE)
        assert done.groups
        weights.append(model.state_dict())
    one, other = weights
    assert all(torch.equal(one[name], other[name]) for name in one)
