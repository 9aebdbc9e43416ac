"""The trainer's state survives a round trip exactly, and damage is a FileError."""

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from polyctl.config.schema import TrainConfig
from polyctl.errors import FileError
from polyctl.training import checkpoint
from polyctl.training.optim import make_optimizer


class Tied(nn.Module):
    """A linear layer, a norm, and a head that shares the embedding's matrix."""

    def __init__(self, width=4):
        super().__init__()
        self.embedding = nn.Embedding(7, width)
        self.inside = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 7, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, ids):
        return self.head(self.norm(self.inside(self.embedding(ids))))


def trained(seed, steps=3, optimizer="adamw"):
    torch.manual_seed(seed)
    model = Tied()
    optimizer = make_optimizer(model, TrainConfig(lr=0.01, optimizer=optimizer))
    for _ in range(steps):
        one_step(model, optimizer)
    return model, optimizer


def one_step(model, optimizer):
    optimizer.zero_grad()
    model(torch.arange(7)).square().mean().backward()
    optimizer.step()


@pytest.mark.parametrize("kind", ["adamw", "muon"])
def test_round_trip_continues_exactly(tmp_path, kind):
    model, optimizer = trained(seed=1, optimizer=kind)
    path = tmp_path / "trainer.safetensors"
    checkpoint.save_trainer(path, model, optimizer, {"step": 3, "best": {"greedy_verified": 0.5}})
    other, other_optimizer = trained(seed=2, steps=0, optimizer=kind)
    facts = checkpoint.load_trainer(path, other, other_optimizer)
    assert (facts["step"], facts["best"]) == (3, {"greedy_verified": 0.5})
    assert checkpoint.read_facts(path) == facts
    for _ in range(2):
        one_step(model, optimizer)
        one_step(other, other_optimizer)
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, dict(other.named_parameters())[name]), name


def test_before_the_first_step_there_are_no_moments_to_save(tmp_path):
    model, optimizer = trained(seed=1, steps=0)
    checkpoint.save_trainer(tmp_path / "t.safetensors", model, optimizer, {"step": 0})
    other, other_optimizer = trained(seed=2, steps=0)
    checkpoint.load_trainer(tmp_path / "t.safetensors", other, other_optimizer)
    assert torch.equal(model.inside.weight, other.inside.weight)


def test_missing_damaged_and_foreign_files_are_file_errors(tmp_path):
    model, optimizer = trained(seed=1)
    with pytest.raises(FileError, match="no trainer state"):
        checkpoint.load_trainer(tmp_path / "none.safetensors", model, optimizer)
    path = tmp_path / "trainer.safetensors"
    checkpoint.save_trainer(path, model, optimizer, {"step": 3})
    wide = Tied(width=8)
    with pytest.raises(FileError, match="holds another model"):
        checkpoint.load_trainer(path, wide, make_optimizer(wide, TrainConfig()))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(FileError, match="not a trainer state"):
        checkpoint.load_trainer(path, model, optimizer)


@pytest.mark.parametrize("kinds", [("muon", "adamw"), ("adamw", "muon")])
def test_another_optimizer_takes_the_moments_that_it_knows(tmp_path, kinds):
    """A run may change train.optimizer when it is resumed."""
    old, new = kinds
    path = tmp_path / "trainer.safetensors"
    checkpoint.save_trainer(path, *trained(seed=1, optimizer=old), {"step": 3})
    model, optimizer = trained(seed=2, steps=0, optimizer=new)
    checkpoint.load_trainer(path, model, optimizer)
    one_step(model, optimizer)
    checkpoint.save_trainer(path, model, optimizer, {"step": 4})
    found = load_file(path)
    assert found["step/embedding.weight"] == 4
    assert found.get("step/inside.weight") == (1 if new == "adamw" else None)
    assert ("momentum_buffer/inside.weight" in found) == (new == "muon")
