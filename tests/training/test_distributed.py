"""Devices and the world of one; the world of two is in test_two_processes.py."""

import pytest
import torch

from polyctl.errors import UsageError
from polyctl.training import distributed


def test_without_torchrun_the_world_is_one(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with distributed.join("cpu") as processes:
        assert (processes.rank, processes.world, processes.main) == (0, 1, True)
        assert processes.sum([1.5, 2.0]) == [1.5, 2.0]
        assert processes.from_main(lambda: "here") == "here"
        module = torch.nn.Linear(1, 1)
        assert processes.wrap(module) is module


def test_unknown_and_absent_devices_are_usage_errors(monkeypatch):
    with pytest.raises(UsageError, match="unknown device 'tpu'"):
        distributed.choose_device("tpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="no CUDA device"):
        distributed.choose_device("cuda")
    assert distributed.choose_device("auto") == torch.device("cpu")
