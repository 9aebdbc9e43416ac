"""Linear layers without gradients on a CPU: oneDNN's matrix product, with the activation in the same pass.

PyTorch gives float32 products to MKL. oneDNN's took 2 to 19 % less processor time on the shapes of a search,
and its GELU costs next to nothing (docs/log.md). Everything else goes to the module itself.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn
from torch.nn import functional as F

ONEDNN = bool(torch._C._has_mkldnn) and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def linear(module: nn.Linear, x: torch.Tensor) -> torch.Tensor:
    """module(x)."""
    out: torch.Tensor = _product(module, x, "none", "") if _fits(x) else module(x)
    return out


def linear_gelu(module: nn.Linear, x: torch.Tensor, form: Literal["erf", "tanh"]) -> torch.Tensor:
    """GELU of module(x), exact or in its tanh form."""
    approximate = "tanh" if form == "tanh" else "none"
    if _fits(x):
        return _product(module, x, "gelu", approximate)
    return F.gelu(module(x), approximate=approximate)


def _fits(x: torch.Tensor) -> bool:
    return (
        ONEDNN
        and not torch.is_grad_enabled()
        and x.device.type == "cpu"
        and x.dtype == torch.float32
        and not torch.is_autocast_enabled("cpu")
    )


def _product(module: nn.Linear, x: torch.Tensor, activation: str, form: str) -> torch.Tensor:
    out: torch.Tensor = torch.ops.mkldnn._linear_pointwise(
        x, module.weight, module.bias, activation, [], form
    )
    return out
