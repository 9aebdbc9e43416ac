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


@pytest.fixture
def _settings_of_torch():
    """Puts back what a test sets for its whole process."""
    threads, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()
    cudnn = torch.backends.cuda.cudnn_sdp_enabled()
    yield
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision(precision)
    torch.backends.cuda.enable_cudnn_sdp(cudnn)


@pytest.mark.usefixtures("_settings_of_torch")
def test_each_process_needs_a_gpu_of_its_own_and_readies_it(monkeypatch):
    current = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", current.append)
    torch.set_float32_matmul_precision("highest")
    torch.backends.cuda.enable_cudnn_sdp(True)
    with pytest.raises(UsageError, match="it has 2"):
        choose_device("cuda", 2)
    assert torch.get_float32_matmul_precision() == "highest"
    assert choose_device("auto", 1) == torch.device("cuda", 1)
    assert current == [torch.device("cuda", 1)]
    assert torch.get_float32_matmul_precision() == "high"
    assert not torch.backends.cuda.cudnn_sdp_enabled()


@pytest.mark.usefixtures("_settings_of_torch")
def test_a_cpu_computes_as_before():
    torch.set_float32_matmul_precision("highest")
    assert choose_device("cpu") == torch.device("cpu")
    assert torch.get_float32_matmul_precision() == "highest"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.usefixtures("_settings_of_torch")
def test_a_real_gpu_becomes_the_current_device():
    last = torch.cuda.device_count() - 1
    assert choose_device("auto", last) == torch.device("cuda", last)
    assert torch.cuda.current_device() == last


@pytest.mark.parametrize(
    ("width", "asked", "variable", "expected"),
    [
        (128, None, None, 1),
        (512, None, None, 5),
        (128, None, "2", 5),
        (512, 3, None, 3),
        (128, 2, "4", 2),
    ],
)
@pytest.mark.usefixtures("_settings_of_torch")
def test_small_models_get_one_thread_unless_told_otherwise(monkeypatch, width, asked, variable, expected):
    torch.set_num_threads(5)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if variable:
        monkeypatch.setenv("OMP_NUM_THREADS", variable)
    limit_threads(ModelConfig(width=width, heads=8), asked)
    assert torch.get_num_threads() == expected
