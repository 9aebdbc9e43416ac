"""Muon, whose matrices of one shape go through its iteration together.

The step of torch.optim.Muon with adjust_lr_fn="match_rms_adamw" (Keller Jordan,
https://kellerjordan.github.io/posts/muon/; the step's size after arXiv 2502.16982). torch's takes a matrix
at a time, which on a GPU means about 20 small kernels for each.

Legend: N matrices, R rows, C columns.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch

from polyctl.training.eager import Optimizer

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5
EPS = 1e-7
MOMENTUM = 0.95  # Nesterov's
RMS = 0.2  # of an update's entries at learning rate 1, as of AdamW's


class Muon(Optimizer):
    """Muon over two-dimensional parameters.

    A group's `blocks` says that each of its parameters is so many matrices, one below the other, which are
    orthogonalized apart.
    """

    def __init__(
        self, params: Iterable[dict[str, Any]], lr: float, weight_decay: float = 0.1, blocks: int = 1
    ) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "blocks": blocks})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Change the weights that have gradients."""
        stacks = defaultdict(list)
        for group in self.param_groups:
            for alike in _by_shape(p for p in group["params"] if p.grad is not None):
                share = self._average(alike, group)
                stacks[share.wide_NRC.shape[1:], share.wide_NRC.device].append(share)
        for shares in stacks.values():
            found_NRC = orthogonalize(torch.cat([share.wide_NRC for share in shares]))
            sizes = [len(share.wide_NRC) for share in shares]
            for share, part_NRC in zip(shares, torch.split(found_NRC, sizes), strict=True):
                share.apply(part_NRC)

    def _average(self, alike: list[torch.Tensor], group: dict[str, Any]) -> _Share:
        """Average the gradients into the momentum; what is to be orthogonalized."""
        gradients = [p.grad for p in alike if p.grad is not None]
        for p in alike:
            if "momentum_buffer" not in self.state[p]:
                self.state[p]["momentum_buffer"] = torch.zeros_like(p)
        buffers = [self.state[p]["momentum_buffer"] for p in alike]
        torch._foreach_lerp_(buffers, gradients, 1 - MOMENTUM)
        ahead = torch.cat(torch._foreach_lerp(gradients, buffers, MOMENTUM)).bfloat16()
        blocks_NRC = ahead.view(len(alike) * group["blocks"], -1, ahead.shape[1])
        tall = blocks_NRC.shape[1] > blocks_NRC.shape[2]
        return _Share(alike, group, blocks_NRC.mT if tall else blocks_NRC, tall)


@dataclass(frozen=True)
class _Share:
    """A group's parameters of one shape in a stack; a matrix with more rows than columns lies on its side."""

    parameters: list[torch.Tensor]
    group: dict[str, Any]
    wide_NRC: torch.Tensor
    tall: bool

    def apply(self, found_NRC: torch.Tensor) -> None:
        """Let the weights decay and take the step."""
        lr, size = self.group["lr"], RMS * math.sqrt(found_NRC.shape[2])
        blocks_NRC = found_NRC.mT if self.tall else found_NRC
        kind = self.parameters[0].dtype
        updates = blocks_NRC.to(kind, memory_format=torch.contiguous_format).flatten(0, 1)
        torch._foreach_mul_(self.parameters, 1 - lr * self.group["weight_decay"])
        steps = torch.split(updates, self.parameters[0].shape[0])
        torch._foreach_add_(self.parameters, steps, alpha=-lr * size)


def orthogonalize(x_NRC: torch.Tensor) -> torch.Tensor:
    """Nearly semi-orthogonal matrices with the row and column spaces of bfloat16 ones; R is at most C.

    Five steps of Keller Jordan's Newton-Schulz iteration bring singular values to between about 0.5 and 1.5.
    """
    a, b, c = COEFFICIENTS
    x_NRC = x_NRC / torch.linalg.vector_norm(x_NRC, dim=(1, 2), keepdim=True).clamp(min=EPS)
    for _ in range(ITERATIONS):
        gram_NRR = torch.bmm(x_NRC, x_NRC.mT)
        change_NRR = torch.baddbmm(gram_NRR, gram_NRR, gram_NRR, beta=b, alpha=c)
        x_NRC = torch.baddbmm(x_NRC, change_NRR, x_NRC, beta=a)
    return x_NRC


def _by_shape(parameters: Iterable[torch.Tensor]) -> list[list[torch.Tensor]]:
    found = defaultdict(list)
    for parameter in parameters:
        found[parameter.shape, parameter.dtype, parameter.device].append(parameter)
    return list(found.values())
