"""AdamW with its decay groups, and the learning rate of every step."""

from __future__ import annotations

import math

import torch
from torch import nn

from polyctl.config import TrainConfig


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


def make_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.AdamW:
    """AdamW over both decay groups, with the parameters' names kept in `param_names` of each group."""
    decayed, kept = decay_groups(model)
    groups = [
        {"params": list(decayed.items()), "weight_decay": config.weight_decay},
        {"params": list(kept.items()), "weight_decay": 0.0},
    ]
    device = next(model.parameters()).device.type
    return torch.optim.AdamW(
        [group for group in groups if group["params"]],
        lr=config.lr,
        betas=(config.beta1, config.beta2),
        fused=device in ("cpu", "cuda"),
    )


def lr_at(step: int, config: TrainConfig, total_steps: int) -> float:
    """Learning rate of the optimizer step that follows `step` finished ones (0 <= step < total_steps).

    Linear warm-up over `warmup` steps; then a cosine down to final_lr * lr at the last step, or lr held
    constant with a linear fall to final_lr * lr over the last decay_fraction of all steps.
    """
    if step < config.warmup:
        return config.lr * (step + 1) / config.warmup
    start = config.warmup
    if config.schedule == "constant_then_decay":
        start = max(start, total_steps - round(config.decay_fraction * total_steps))
    progress = (step - start) / max(1, total_steps - 1 - start)
    progress = min(1.0, max(0.0, progress))
    share = (1 + math.cos(math.pi * progress)) / 2 if config.schedule == "cosine" else 1 - progress
    return config.lr * (config.final_lr + (1 - config.final_lr) * share)
