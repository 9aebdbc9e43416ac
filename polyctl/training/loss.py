"""What a step minimizes: cross-entropy on the target's tokens and the end token, nowhere else."""

from __future__ import annotations

from contextlib import AbstractContextManager

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from polyctl.config.schema import TrainConfig
from polyctl.model.attention import mark_constants
from polyctl.model.gpt import GPT


class TargetLoss(nn.Module):
    """Summed cross-entropy at given positions; a module, so that DDP and torch.compile can wrap it."""

    def __init__(self, model: GPT) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, ids_BT: torch.Tensor, positions_N: torch.Tensor, targets_N: torch.Tensor
    ) -> torch.Tensor:
        """Sum over N of -log p(targets_N) given the tokens up to positions_N (in the flattened B·T)."""
        hidden_BTD = self.model.hidden(ids_BT)
        # The head is applied at the target's positions only: most positions belong to the prompt.
        hidden_ND = hidden_BTD.flatten(0, 1).index_select(0, positions_N)
        logits_NV = self.model.logits(hidden_ND)
        return F.cross_entropy(logits_NV.float(), targets_N, reduction="sum")


def make_objective(model: GPT, config: TrainConfig, device: torch.device) -> TargetLoss:
    """The loss of `model`, compiled if the configuration or (auto) a GPU asks for it."""
    objective = TargetLoss(model)
    if config.compile == "on" or (config.compile == "auto" and device.type == "cuda"):
        torch.compiler.reset()  # graphs of another model's training in this process would count as this one's
        mark_constants()
        objective.compile(dynamic=True)  # batches differ in length; one graph must serve them all
    return objective


def autocast(device: torch.device, precision: str) -> AbstractContextManager[None]:
    """bfloat16 forward passes if asked for, or (auto) on a GPU that has it; otherwise float32."""
    wanted = precision == "bfloat16" or (
        precision == "auto"
        and device.type == "cuda"
        and torch.cuda.is_bf16_supported(including_emulation=False)
    )
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=wanted)


def derived_seed(seed: int, step: int, stream: int) -> int:
    """The seed of a step's random numbers: a function of these three, never of what ran before.

    Streams that must differ within a step, such as the dropout of each process, have different numbers.
    """
    return int(np.random.SeedSequence([seed, step, stream]).generate_state(1, np.uint64)[0])
