"""FLOPs of a step against torch's own counter, and the utilisation that comes of them."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from polyctl.config.schema import ModelConfig
from polyctl.data.batch import TrainingBatch
from polyctl.data.tokenizers.base import TokenLayout
from polyctl.model.gpt import GPT
from polyctl.runtime.processes import ALONE
from polyctl.training import flops, supervised
from polyctl.training.loader import split
from polyctl.training.loss import TargetLoss
from polyctl.training.supervised import train
from tests.training.helpers import Recorder, tiny

WIDE = ModelConfig(architecture="modern", layers=2, heads=2, width=64, context_length=64)


SINGLE, FIVE = TokenLayout(20), TokenLayout(20, 5)
NUMBERS = {"residues": 7, "ratios": True}


@pytest.mark.parametrize(("tokens", "settings"), [(SINGLE, {}), (FIVE, {}), (FIVE, NUMBERS)])
def test_the_count_is_torchs_where_nothing_is_padded(tokens, settings):
    prompt, target, rows = 9, 4, 3
    batch = TrainingBatch.of([([5] * prompt, [6] * target)] * rows)
    config = WIDE.model_copy(update=settings)
    model = GPT(config, tokens)
    with FlopCounterMode(display=False) as counter:
        (part,) = split(batch, 0, 1, 1)
        TargetLoss(model)(*part.to(torch.device("cpu"))).backward()
    read = prompt + target - 1  # the last token is only a target
    counted = flops.step_flops(config, tokens, batch) - 6 * config.layers * 64 * rows * read * (
        read + 1
    )  # attention
    # what the target's positions do not need is computed all the same
    places = sum(m.weight.numel() for name, m in model.named_modules() if name.startswith("places."))
    numbers = sum(m.weight.numel() for name, m in model.named_modules() if name.endswith("s.matrix"))
    counted += (6 * places + 4 * numbers) * rows * (target - 1)
    by_kind = counter.get_flop_counts()["Global"]
    products = sum(n for kind, n in by_kind.items() if "mm" in str(kind) and "bmm" not in str(kind))
    assert counted == pytest.approx(products, rel=0.002)


def test_padding_costs_nothing():
    alone = flops.step_flops(WIDE, SINGLE, TrainingBatch.of([([5], [6])]))
    with_long = flops.step_flops(WIDE, SINGLE, TrainingBatch.of([([5], [6]), ([5] * 40, [6])]))
    only_long = flops.step_flops(WIDE, SINGLE, TrainingBatch.of([([5] * 40, [6])]))
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
    from polyctl.store.runs import create_run

    monkeypatch.setattr(supervised, "peak_flops", lambda _device: peak)
    recorder = Recorder()
    train(tiny(steps=2), create_run(tiny(steps=2), tmp_path), ALONE, on_event=recorder)
    steps = recorder.of("step")
    assert steps
    assert all(("mfu" in step) == (peak is not None) for step in steps)
    assert all(0 < step["mfu"] < 1 for step in steps if peak)
