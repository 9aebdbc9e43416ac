"""What is known of a training before it begins."""

import pytest
import torch

from polyctl.training import foresight
from polyctl.training.cost import estimate
from polyctl.training.foresight import available_memory, foresee
from tests.training.helpers import tiny

CPU = torch.device("cpu")


def test_the_figures_are_near_those_of_the_real_model():
    experiment = tiny(steps=50, workers=0)
    found, bill = foresee(experiment, CPU), estimate(experiment, CPU)
    assert found.parameters == bill.parameters
    assert found.weights_bytes == 20 * bill.parameters
    assert found.memory_bytes == pytest.approx(bill.memory_bytes, rel=0.3)
    assert found.flops == pytest.approx(bill.flops, rel=0.2)


def test_no_memory_is_taken_and_what_drives_the_cost_does(monkeypatch):
    monkeypatch.setattr(foresight, "_speed", lambda _: 1e9)
    small = foresee(tiny(steps=50), CPU)
    assert small.seconds == small.flops / 1e9
    assert foresee(tiny(steps=500), CPU).flops == pytest.approx(10 * small.flops)
    assert foresee(tiny(steps=50), CPU, world=2).seconds == small.seconds / 2
    assert foresee(tiny(steps=50, accumulate=8), CPU).memory_bytes < small.memory_bytes
    assert foresee(tiny(steps=50, ema=0.9), CPU).memory_bytes == small.memory_bytes + 4 * small.parameters
    assert available_memory(CPU) == foresight.memory_bytes()
