"""The bill before training: counts are exact, times are positive and labelled."""

import pytest
import torch

from polyctl.model.gpt import GPT
from polyctl.training import cost
from polyctl.training.cost import estimate
from tests.training.helpers import tiny


def test_counts_are_those_of_the_model_and_the_data():
    bill = estimate(tiny(steps=50, workers=0), torch.device("cpu"))
    assert bill.parameters == sum(p.numel() for p in tiny_model().parameters())
    assert bill.weights_bytes == bill.gradients_bytes == 4 * bill.parameters
    assert bill.moments_bytes == 8 * bill.parameters
    assert bill.memory_bytes == 16 * bill.parameters + bill.activations_bytes
    assert (bill.problems_per_step, bill.problems) == (8, 400)
    assert bill.tokens == 50 * bill.tokens_per_step
    assert 8 * 10 < bill.tokens_per_step < 8 * 128
    assert bill.seconds == pytest.approx(50 * (bill.seconds_per_step + bill.data_seconds_per_step))
    assert bill.timing == "the median of three steps"
    assert bill.to_dict()["memory_bytes"] == bill.memory_bytes


def test_a_slow_step_is_timed_on_a_few_problems_and_says_so(monkeypatch):
    monkeypatch.setattr(cost, "PROBE_SECONDS", 0.0)
    bill = estimate(tiny(batch=32), torch.device("cpu"))
    assert bill.timing == "from 8 of a step's 32 problems, scaled up"
    assert bill.seconds_per_step > 0


def tiny_model():
    from polyctl.data.tokenizers import make_tokenizer

    return GPT(tiny().model, len(make_tokenizer(tiny().data).vocabulary))
