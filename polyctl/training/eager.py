"""Optimizers that do not import torch's compiler.

torch marks methods of its optimizers as none of the compiler's business, and imports the whole compiler to
do so when they are first called. That takes half as long as importing torch, in every training process. No
optimizer is compiled here, so these classes have the same methods without the marks.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch

_adamw_step: Callable[..., Any] = inspect.unwrap(torch.optim.AdamW.step)


class Optimizer(torch.optim.Optimizer):
    """The base of an optimizer."""

    add_param_group = inspect.unwrap(torch.optim.Optimizer.add_param_group)
    zero_grad = inspect.unwrap(torch.optim.Optimizer.zero_grad)
    state_dict = inspect.unwrap(torch.optim.Optimizer.state_dict)
    load_state_dict = inspect.unwrap(torch.optim.Optimizer.load_state_dict)


class AdamW(Optimizer, torch.optim.AdamW):
    """torch's AdamW."""

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Change the weights that have gradients."""
        _adamw_step(self, closure)
