"""FLOPs of a step against torch's own counter, and the utilisation that comes of them."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from polyctl.config import ModelConfig
from polyctl.data.batch import Batch
from polyctl.model.gpt import GPT
from polyctl.training import flops, supervised
from polyctl.training.feed import split
from polyctl.training.objective import TargetLoss
from polyctl.training.supervised import train
from tests.training.helpers import Recorder, tiny

WIDE = ModelConfig(form="modern", layers=2, heads=2, width=64, block=64)


@pytest.mark.parametrize("places", [1, 5])
def test_the_count_is_torchs_where_nothing_is_padded(places):
    # One column more than is read: the last token is only a target.
    batch = Batch.of([([5] * 9, [6] * 4)] * 3)
    config = WIDE.model_copy(update={"places": places})
    model = GPT(config, 20)
    with FlopCounterMode(display=False) as counter:
        (part,) = split(batch, 0, 1, 1)
        TargetLoss(model)(*part.to(torch.device("cpu"))).backward()
    read = Batch.of([([5] * 9, [6] * 3)] * 3)
    linear = flops.step_flops(config, 20, read) - 6 * 2 * 64 * 3 * 12 * 13  # without attention
    linear += 6 * (places - 1) * 64 * 64 * 3 * 3  # the target's empty places, which are computed all the same
    head = 6 * 64 * 20 * 3  # the end token's
    by_kind = counter.get_flop_counts()["Global"]
    products = sum(n for kind, n in by_kind.items() if "mm" in str(kind) and "bmm" not in str(kind))
    assert linear + head == pytest.approx(products, rel=0.02)


def test_padding_costs_nothing():
    alone = flops.step_flops(WIDE, 20, Batch.of([([5], [6])]))
    with_long = flops.step_flops(WIDE, 20, Batch.of([([5], [6]), ([5] * 40, [6])]))
    only_long = flops.step_flops(WIDE, 20, Batch.of([([5] * 40, [6])]))
    assert with_long == pytest.approx(alone + only_long)


@pytest.mark.parametrize(
    ("name", "peak"),
    [
        ("NVIDIA H200", 989e12),
        ("NVIDIA H100 80GB HBM3", 989e12),
        ("NVIDIA H100 PCIe", 756e12),
        ("Other", None),
    ],
)
def test_the_peak_is_found_by_the_devices_name(name, peak, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _device: name)
    assert flops.peak_flops(torch.device("cuda")) == peak
    assert flops.peak_flops(torch.device("cpu")) is None


@pytest.mark.parametrize("peak", [None, 1e12])
def test_steps_tell_the_utilisation_where_the_peak_is_known(peak, tmp_path, monkeypatch):
    from polyctl.runs import create_run

    monkeypatch.setattr(supervised, "peak_flops", lambda _device: peak)
    recorder = Recorder()
    train(tiny(steps=2), create_run(tiny(steps=2), tmp_path), device="cpu", on_event=recorder)
    steps = recorder.of("step")
    assert steps
    assert all(("mfu" in step) == (peak is not None) for step in steps)
    assert all(0 < step["mfu"] < 1 for step in steps if peak)
