"""The bill before training: counts are exact; times come from a clock, scaled and summed."""

import pytest
import torch

from polyctl.data.stream import open_source
from polyctl.model.gpt import GPT
from polyctl.training import cost
from polyctl.training.cost import estimate
from tests.clock import Clock
from tests.training.helpers import tiny

CPU = torch.device("cpu")
UNTIMED = (100.0, 50.0)  # the first passes and update, which pay for start-up


def test_counts_are_those_of_the_model_and_the_data():
    bill = estimate(tiny(steps=50, workers=0), CPU)
    assert bill.parameters == sum(p.numel() for p in tiny_model().parameters())
    assert bill.weights_bytes == bill.gradients_bytes == 4 * bill.parameters
    assert bill.moments_bytes == 8 * bill.parameters
    assert bill.memory_bytes == 16 * bill.parameters + bill.activations_bytes
    assert (bill.problems_per_step, bill.problems) == (8, 400)
    assert bill.tokens == 50 * bill.tokens_per_step
    assert 8 * 10 < bill.tokens_per_step < 8 * 128
    assert bill.seconds == pytest.approx(50 * (bill.seconds_per_step + bill.data_seconds_per_step))
    assert bill.to_dict()["memory_bytes"] == bill.memory_bytes


@pytest.mark.parametrize(("workers", "seconds_per_step"), [(0, 2.5 + 6.0), (2, 6.0 / 2), (4, 2.5)])
def test_a_step_takes_the_median_of_three_and_data_are_made_beside_it(monkeypatch, workers, seconds_per_step):
    experiment = tiny(steps=50, workers=workers)
    making = 6.0 * len(open_source(experiment).chunk(0))
    probe = (0.3, 0.1, 0.2, 0.05)  # three passes and an update: a step takes 0.15 seconds, so three are timed
    whole = (1.0, 0.5, 2.0, 0.5, 9.0, 0.5)  # passes and updates of three steps
    clock = Clock.intervals(making, *UNTIMED, *probe, *UNTIMED, *whole)
    monkeypatch.setattr(cost, "time", clock)
    bill = estimate(experiment, CPU)
    assert bill.timing == "the median of three steps"
    assert bill.seconds_per_step == pytest.approx(2.5)
    assert bill.data_seconds_per_step == pytest.approx(6.0)
    assert bill.seconds == pytest.approx(50 * seconds_per_step)
    assert not clock.passed


def test_problems_that_are_used_twice_are_made_once(monkeypatch):
    experiment = tiny(steps=50, workers=0, echo_factor=2)
    making = 6.0 * len(open_source(experiment).chunk(0))
    clock = Clock.intervals(making, *UNTIMED, 3.0, 1.0, 2.0, 0.5)
    monkeypatch.setattr(cost, "time", clock)
    assert estimate(experiment, CPU).data_seconds_per_step == pytest.approx(3.0)


def test_a_slow_step_is_timed_on_a_few_problems_and_says_so(monkeypatch):
    experiment = tiny(steps=50, batch=32, workers=0)
    making = 1.0 * len(open_source(experiment).chunk(0))
    clock = Clock.intervals(making, *UNTIMED, 3.0, 1.0, 2.0, 0.5)
    monkeypatch.setattr(cost, "time", clock)
    bill = estimate(experiment, CPU)
    assert bill.timing == "from 8 of a step's 32 problems, scaled up"
    assert bill.seconds_per_step == pytest.approx(1.0 * 32 / 8 + 0.5)
    assert bill.seconds == pytest.approx(50 * (4.5 + 1.0))
    assert not clock.passed


def tiny_model():
    from polyctl.data.tokenizers import make_tokenizer

    return GPT(tiny().model, len(make_tokenizer(tiny().data).vocabulary))
