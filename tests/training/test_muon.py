"""Stacked matrices get the steps that torch's Muon gives them one by one."""

import pytest
import torch
from torch import nn

from polyctl.training.muon import Muon, orthogonalize

SHAPES = [(12, 12), (48, 12), (12, 48), (12, 12), (36, 12), (48, 12), (12, 20)]


def matrices(seed, shapes=SHAPES):
    generator = torch.Generator().manual_seed(seed)
    return [nn.Parameter(torch.randn(shape, generator=generator)) for shape in shapes]


def give_gradients(parameters, seed):
    shapes = [p.shape for p in parameters]
    for parameter, gradient in zip(parameters, matrices(seed, shapes), strict=True):
        parameter.grad = gradient.detach()


def trained(parameters, optimizer, steps=5):
    for step in range(steps):
        give_gradients(parameters, 1 + step)
        optimizer.step()
    return [p.detach() for p in parameters]


def assert_same_steps(found, expected, shapes=SHAPES):
    """Equal up to rounding in bfloat16, as a share of how far the matrices went."""
    for one, other, start in zip(found, expected, matrices(0, shapes), strict=True):
        assert (one - other).norm() < 0.02 * (other - start.detach()).norm()


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="this torch has no Muon")
def test_the_steps_are_those_of_torch():
    mine, theirs = matrices(0), matrices(0)
    settings = {"lr": 0.02, "weight_decay": 0.3}
    found = trained(mine, Muon([{"params": mine}], **settings))
    peer = torch.optim.Muon(theirs, adjust_lr_fn="match_rms_adamw", **settings)
    assert_same_steps(found, trained(theirs, peer))


def test_each_group_has_its_own_settings():
    mine, first, second = matrices(0), matrices(0), matrices(0)
    groups = [{"params": mine[::2], "lr": 0.01, "weight_decay": 0.0}, {"params": mine[1::2]}]
    found = trained(mine, Muon(groups, lr=0.03))
    slow = trained(first, Muon([{"params": first}], lr=0.01, weight_decay=0.0))
    fast = trained(second, Muon([{"params": second}], lr=0.03))
    assert_same_steps(found[::2], slow[::2], SHAPES[::2])
    assert_same_steps(found[1::2], fast[1::2], SHAPES[1::2])


@pytest.mark.parametrize("shape", [(12, 12), (24, 8), (4, 9)])
def test_blocks_are_orthogonalized_apart(shape):
    joined = [nn.Parameter(torch.cat([p.detach() for p in matrices(0, [shape] * 3)]))]
    apart = matrices(0, [shape] * 3)
    one, other = Muon([{"params": joined, "blocks": 3}], lr=0.02), Muon([{"params": apart}], lr=0.02)
    for seed in range(4):
        give_gradients(apart, seed)
        joined[0].grad = torch.cat([p.grad for p in apart])
        one.step(), other.step()
    found = [block.detach() for block in joined[0].chunk(3)]
    assert_same_steps(found, [p.detach() for p in apart], [shape] * 3)


def test_it_is_deterministic():
    one, other = matrices(0), matrices(0)
    runs = [trained(p, Muon([{"params": p}], lr=0.02)) for p in (one, other)]
    assert all(torch.equal(a, b) for a, b in zip(*runs, strict=True))


def test_matrices_without_a_gradient_stay():
    parameters = matrices(0)
    optimizer = Muon([{"params": parameters}], lr=0.02)
    optimizer.step()
    give_gradients(parameters[:2], 1)
    optimizer.step()
    changed = [not torch.equal(p, q) for p, q in zip(parameters, matrices(0), strict=True)]
    assert changed == [True, True] + [False] * 5


def test_singular_values_come_close_to_one():
    stack = (
        torch.stack([p.detach() for p in matrices(3, [(16, 40)] * 5)])
        * torch.logspace(-3, 3, 5)[:, None, None]
    )
    values = torch.linalg.svdvals(orthogonalize(stack.bfloat16()).float())
    assert 0.5 < values.min() < values.max() < 1.5
