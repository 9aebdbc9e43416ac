"""The exponential average of the weights."""

import torch

from polyctl.model.gpt import GPT
from polyctl.training.average import WeightAverage
from tests.training.helpers import tiny


def test_it_moves_by_the_decay_and_faster_at_first():
    model = GPT.of(tiny(), 20)
    average = WeightAverage(model, 0.5)
    first = next(average.model.parameters()).clone()
    with torch.no_grad():
        for p in model.parameters():
            p.add_(1.0)
    average.update(model, 1)
    torch.testing.assert_close(next(average.model.parameters()), first + 9 / 11)
    average.update(model, 1000)
    torch.testing.assert_close(next(average.model.parameters()), first + 1 - (2 / 11) / 2)
    assert not average.model.training
