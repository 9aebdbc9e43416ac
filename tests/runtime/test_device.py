from __future__ import annotations

import pytest
import torch

from polyctl.config.schema import ModelConfig
from polyctl.errors import UsageError
from polyctl.runtime.device import choose_device, limit_threads


def test_unknown_and_absent_devices_are_usage_errors(monkeypatch):
    with pytest.raises(UsageError, match="unknown device 'tpu'"):
        choose_device("tpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="no CUDA device"):
        choose_device("cuda")
    assert choose_device("auto") == torch.device("cpu")


def test_each_process_needs_a_gpu_of_its_own_and_readies_it(monkeypatch):
    asked = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", asked.append)
    monkeypatch.setattr(torch, "set_float32_matmul_precision", asked.append)
    monkeypatch.setattr(torch.backends.cuda, "enable_cudnn_sdp", asked.append)
    assert choose_device("auto", 1) == torch.device("cuda", 1)
    assert asked == [torch.device("cuda", 1), "high", False]
    with pytest.raises(UsageError, match="there are 2"):
        choose_device("cuda", 2)


@pytest.mark.parametrize(
    ("width", "asked", "variable", "expected"),
    [
        (128, None, None, [1]),
        (512, None, None, []),
        (128, None, "2", []),
        (512, 3, None, [3]),
        (128, 2, "4", [2]),
    ],
)
def test_small_models_get_one_thread_unless_told_otherwise(monkeypatch, width, asked, variable, expected):
    calls: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", calls.append)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if variable:
        monkeypatch.setenv("OMP_NUM_THREADS", variable)
    limit_threads(ModelConfig(width=width, heads=8), asked)
    assert calls == expected
