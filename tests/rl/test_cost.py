"""The bill of reinforcement learning: times of a few problems, scaled to a step and to all steps."""

import pytest
import torch

from polyctl.rl import cost
from polyctl.rl.cost import PROBLEMS, estimate
from tests.clock import Clock
from tests.rl.helpers import tiny


def test_times_are_scaled_from_the_problems_that_were_searched(monkeypatch):
    rl = {"groups_per_step": 2 * PROBLEMS, "group_size": 2, "updates_per_step": 3, "pool_refresh_every": 4}
    experiment = tiny(steps=10, pool_candidates=16, **rl)
    clock = Clock(0.0, 5.0, 3.0)
    monkeypatch.setattr(cost, "time", clock)
    bill = estimate(experiment, torch.device("cpu"))
    assert not clock.passed
    assert (bill.steps, bill.problems, bill.hypotheses, bill.probed) == (10, 80, 160, 48)
    assert bill.search_seconds_per_step == pytest.approx(10)
    assert bill.update_seconds_per_step == pytest.approx(3 * (6 + 6 / 3))  # each with the reference model
    assert bill.seconds == pytest.approx(10 * (10 + 24) + 48 * 10 / 8)
    assert bill.memory_bytes == 20 * bill.parameters
    assert bill.disk_bytes == 24 * bill.parameters
