"""AdamW with its decay groups, or Muon for the matrices, and the learning rate of every step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn

from polyctl.config.schema import TrainConfig
from polyctl.model.gpt import Block
from polyctl.training.eager import AdamW
from polyctl.training.muon import Muon


def decay_groups(model: nn.Module) -> tuple[dict[str, nn.Parameter], dict[str, nn.Parameter]]:
    """Split the parameters into (decayed, kept): the matrices of linear layers, and all others.

    A matrix that an embedding shares with the head counts as the embedding's.
    """
    linear = {id(m.weight) for m in model.modules() if isinstance(m, nn.Linear)}
    linear -= {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}
    decayed: dict[str, nn.Parameter] = {}
    kept: dict[str, nn.Parameter] = {}
    for name, parameter in model.named_parameters():
        (decayed if id(parameter) in linear else kept)[name] = parameter
    return decayed, kept


class Optimizers:
    """One or two optimizers that step together; `parts` are these optimizers."""

    def __init__(self, *parts: torch.optim.Optimizer) -> None:
        self.parts = parts

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The groups of all parts."""
        return [group for part in self.parts for group in part.param_groups]

    def set_lr(self, lr: float) -> None:
        """Take the next steps with this learning rate."""
        for group in self.param_groups:
            group["lr"] = lr

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients."""
        for part in self.parts:
            part.zero_grad(set_to_none)

    def step(self) -> None:
        """Change the weights."""
        for part in self.parts:
            part.step()


def make_optimizer(model: nn.Module, config: TrainConfig) -> Optimizers:
    """AdamW over both decay groups, or Muon for the decayed matrices and AdamW for the rest.

    Muon's steps are scaled to AdamW's size, so that one learning rate serves both. Query, key and value are
    three matrices to it, although one parameter holds them, so that each gets a step of full rank and of the
    same size. The matrices through which the model sees numbers are Muon's as well: with AdamW it learns less
    (docs/log.md). Parameters' names are kept in `param_names` of each group.
    """
    decayed, kept = decay_groups(model)
    decay, fused = config.weight_decay, next(model.parameters()).device.type in ("cpu", "cuda")
    adamw: dict[str, Any] = {"lr": config.lr, "betas": (config.beta1, config.beta2), "fused": fused}
    if config.optimizer == "adamw":
        return Optimizers(AdamW(_groups((decayed, decay), (kept, 0.0)), **adamw))
    fused_qkv = {id(m.qkv.weight) for m in model.modules() if isinstance(m, Block)}
    qkv = {name: p for name, p in decayed.items() if id(p) in fused_qkv}
    single = {name: p for name, p in decayed.items() if name not in qkv}
    matrices = [*_groups((qkv, decay), blocks=3), *_groups((single, decay))]
    return Optimizers(Muon(matrices, lr=config.lr), AdamW(_groups((kept, 0.0)), **adamw))


def _groups(*parts: tuple[dict[str, nn.Parameter], float], **settings: int) -> list[dict[str, Any]]:
    """The groups of these parameters with their weight decay; none without parameters."""
    return [
        {"params": list(named.items()), "weight_decay": decay, **settings} for named, decay in parts if named
    ]


@dataclass(frozen=True)
class Schedule:
    """The learning rate of each step: a linear warm-up, then from `lr` down to final_lr_ratio * lr.

    `cosine` falls from the end of the warm-up on, `linear` too; `wsd` (warm-up, stable, decay) holds lr and
    falls linearly over the last decay_fraction of all steps. A clock may lead the way behind the warm-up:
    whichever of steps and time is further along decides.
    """

    lr: float
    warmup: int
    total_steps: int
    final_lr_ratio: float
    kind: Literal["cosine", "wsd", "linear"]
    decay_fraction: float = 1.0

    def lr_at(self, step: int, clock: float = 0.0) -> float:
        """The learning rate of the step that follows `step` finished ones (0 <= step < total_steps).

        `clock` is the share of the training's time that has passed.
        """
        if step < self.warmup:
            return self.lr * (step + 1) / self.warmup
        start, final = self.warmup, self.final_lr_ratio
        if self.kind == "wsd":
            start = max(start, self.total_steps - round(self.decay_fraction * self.total_steps))
        reached = max(step, clock * (self.total_steps - 1))
        progress = min(1.0, max(0.0, (reached - start) / max(1, self.total_steps - 1 - start)))
        if self.kind == "linear":
            return self.lr * (1 - (1 - final) * progress)
        share = (1 + math.cos(math.pi * progress)) / 2 if self.kind == "cosine" else 1 - progress
        return self.lr * (final + (1 - final) * share)
