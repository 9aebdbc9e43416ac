"""AdamW with its decay groups, or Muon for the matrices, and the learning rate of every step."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from polyctl.config.schema import TrainConfig
from polyctl.errors import UsageError


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
    """One or two optimizers of torch that step together; `parts` are they themselves."""

    def __init__(self, *parts: torch.optim.Optimizer) -> None:
        self.parts = parts

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The groups of all parts."""
        return [group for part in self.parts for group in part.param_groups]

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

    Muon's steps are scaled to AdamW's size, so that one learning rate serves both. Parameters' names are
    kept in `param_names` of each group. Raises UsageError where torch has no Muon.
    """
    decayed, kept = decay_groups(model)
    matrices = {"params": list(decayed.items()), "weight_decay": config.weight_decay}
    others = {"params": list(kept.items()), "weight_decay": 0.0}
    fused = next(model.parameters()).device.type in ("cpu", "cuda")
    adamw: dict[str, Any] = {"lr": config.lr, "betas": (config.beta1, config.beta2), "fused": fused}
    if config.optimizer == "adamw":
        return Optimizers(torch.optim.AdamW([g for g in (matrices, others) if g["params"]], **adamw))
    if not hasattr(torch.optim, "Muon"):
        raise UsageError(
            f"torch {torch.__version__} has no Muon",
            "install torch 2.9 or newer, or --set train.optimizer=adamw",
        )
    muon = torch.optim.Muon([matrices], lr=config.lr, adjust_lr_fn="match_rms_adamw")
    return Optimizers(muon, torch.optim.AdamW([others], **adamw))


def lr_at(step: int, config: TrainConfig, total_steps: int) -> float:
    """Learning rate of the optimizer step that follows `step` finished ones (0 <= step < total_steps).

    Linear warm-up over `warmup` steps; then a cosine down to final_lr * lr at the last step, or lr held
    constant with a linear fall to final_lr * lr over the last decay_fraction of all steps.
    """
    if step < config.warmup:
        return config.lr * (step + 1) / config.warmup
    start = config.warmup
    if config.schedule == "wsd":
        start = max(start, total_steps - round(config.decay_fraction * total_steps))
    progress = (step - start) / max(1, total_steps - 1 - start)
    progress = min(1.0, max(0.0, progress))
    share = (1 + math.cos(math.pi * progress)) / 2 if config.schedule == "cosine" else 1 - progress
    return config.lr * (config.final_lr_ratio + (1 - config.final_lr_ratio) * share)
