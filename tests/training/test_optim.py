"""Decay groups cover every parameter once; schedules hit their corner values."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from polyctl.config.schema import ModelConfig, TrainConfig
from polyctl.data.tokenizers.base import TokenLayout
from polyctl.model.gpt import GPT
from polyctl.training.eager import AdamW
from polyctl.training.muon import Muon
from polyctl.training.optim import Schedule, decay_groups, make_optimizer


def schedule(config: TrainConfig, total: int) -> Schedule:
    return Schedule(
        config.lr, config.warmup, total, config.final_lr_ratio, config.schedule, config.decay_fraction
    )


TINY = {"layers": 1, "heads": 2, "width": 16, "context_length": 32}


@pytest.mark.parametrize("kind", ["adamw", "muon"])
@pytest.mark.parametrize("architecture", ["modern", "gpt2"])
def test_every_parameter_is_in_exactly_one_group(architecture, kind):
    model = GPT(ModelConfig(architecture=architecture, **TINY), 11)
    decayed, kept = decay_groups(model)
    assert not decayed.keys() & kept.keys()
    assert {id(p) for p in model.parameters()} == {id(p) for p in [*decayed.values(), *kept.values()]}
    assert len(decayed) + len(kept) == len(list(model.parameters()))
    optimizer = make_optimizer(model, TrainConfig(optimizer=kind))
    grouped = [id(p) for group in optimizer.param_groups for p in group["params"]]
    assert len(grouped) == len(set(grouped)) == len(list(model.parameters()))


@pytest.mark.parametrize("architecture", ["modern", "gpt2"])
def test_only_matrices_of_linear_layers_decay(architecture):
    decayed, _ = decay_groups(GPT(ModelConfig(architecture=architecture, **TINY), 11))
    assert decayed
    assert all(name.endswith("weight") and parameter.ndim == 2 for name, parameter in decayed.items())
    assert not any("norm" in name or "embedding" in name for name in decayed), sorted(decayed)


def test_a_matrix_tied_to_an_embedding_does_not_decay():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(4, 7, bias=False)
            self.embedding = nn.Embedding(7, 4)
            self.head.weight = self.embedding.weight
            self.norm = nn.LayerNorm(4)
            self.inside = nn.Linear(4, 4)

    decayed, kept = decay_groups(Tied())
    assert set(decayed) == {"inside.weight"}
    assert set(kept) == {"head.weight", "norm.weight", "norm.bias", "inside.bias"}


def test_muon_has_the_matrices_and_adamw_the_rest():
    model = GPT(ModelConfig(**TINY), 11)
    muon, adamw = make_optimizer(model, TrainConfig(optimizer="muon")).parts
    assert (type(muon), type(adamw)) == (Muon, AdamW)
    decayed, kept = decay_groups(model)
    qkv, others = muon.param_groups
    assert (qkv["param_names"], qkv["blocks"]) == (["blocks.0.qkv.weight"], 3)
    assert others["param_names"] == [name for name in decayed if "qkv" not in name]
    assert others["blocks"] == 1
    assert adamw.param_groups[0]["param_names"] == list(kept)


def test_what_shows_numbers_is_muons():
    model = GPT(ModelConfig(residues=11, ratios=True, **TINY), TokenLayout(30, 3, 10))
    muon, _ = make_optimizer(model, TrainConfig(optimizer="muon")).parts
    shown = {"numbers.matrix.weight", "ratios.matrix.weight", "places.0.weight", "places.1.weight"}
    assert shown < set(muon.param_groups[1]["param_names"])


def test_weight_decay_shrinks_only_the_decayed_group():
    model = nn.Sequential(nn.Linear(3, 3), nn.LayerNorm(3))
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    make_optimizer(model, TrainConfig(lr=0.1, weight_decay=0.5)).step()
    after = dict(model.named_parameters())
    torch.testing.assert_close(after["0.weight"], before["0.weight"] * (1 - 0.1 * 0.5))
    for name in ("0.bias", "1.weight", "1.bias"):
        assert torch.equal(after[name], before[name])


def test_cosine_warms_up_peaks_and_ends_at_final_lr():
    config = TrainConfig(lr=1.0, warmup=10, final_lr_ratio=0.1)
    rates = [schedule(config, 110).lr_at(step) for step in range(110)]
    assert rates[:10] == pytest.approx([(i + 1) / 10 for i in range(10)])
    assert rates[10] == pytest.approx(1.0)
    assert rates[-1] == pytest.approx(0.1)
    assert all(a >= b for a, b in pairwise(rates[9:]))
    assert schedule(config, 110).lr_at(10 + 99 // 2) == pytest.approx(0.55, abs=0.02)


def test_constant_then_decay_holds_then_falls_linearly():
    config = TrainConfig(lr=2.0, warmup=5, final_lr_ratio=0.0, schedule="wsd", decay_fraction=0.25)
    rates = [schedule(config, 100).lr_at(step) for step in range(100)]
    assert rates[4:76] == pytest.approx([2.0] * 72)
    falls = [a - b for a, b in pairwise(rates[75:])]
    assert falls == pytest.approx([2.0 / 24] * 24)
    assert rates[-1] == 0.0


@pytest.mark.parametrize("kind", ["cosine", "wsd"])
@pytest.mark.parametrize(("total", "warmup"), [(1, 0), (2, 1), (5, 100), (3, 3)])
def test_short_trainings_have_a_positive_finite_rate(kind, total, warmup):
    config = TrainConfig(lr=1.0, warmup=warmup, schedule=kind)
    rates = [schedule(config, total).lr_at(step) for step in range(total)]
    assert all(0 < rate <= 1 for rate in rates)


@pytest.mark.parametrize("kind", ["cosine", "wsd", "linear"])
def test_whichever_of_steps_and_clock_is_further_along_decides(kind):
    rates = Schedule(1.0, 10, 101, 0.1, kind, 0.5)
    for share in (0.1, 0.4, 0.75, 0.99, 1.0):
        assert rates.lr_at(10, share) == pytest.approx(rates.lr_at(round(100 * share)))
        assert rates.lr_at(90, share) == rates.lr_at(max(90, round(100 * share)))
    assert rates.lr_at(11, 1.0) == pytest.approx(0.1)
    assert [rates.lr_at(step, 0.9) for step in range(10)] == [rates.lr_at(step) for step in range(10)]


def test_linear_rises_and_falls_linearly():
    found = [Schedule(1.0, 2, 11, 0.2, "linear").lr_at(step) for step in range(11)]
    assert found[:3] == [0.5, 1.0, 1.0]
    assert found[10] == pytest.approx(0.2)
    assert found[6] == pytest.approx(0.6)
