"""Devices and the world of one; the world of two is in test_two_processes.py."""

import torch

from polyctl.runtime.processes import join_processes


def test_without_torchrun_the_world_is_one(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with join_processes("cpu") as processes:
        assert (processes.rank, processes.world, processes.main) == (0, 1, True)
        assert processes.sum([1.5, 2.0]) == [1.5, 2.0]
        assert processes.from_main(lambda: "here") == "here"
        module = torch.nn.Linear(1, 1)
        assert processes.wrap(module) is module
