"""Model FLOPs of a training step, and which share of the device's peak they are.

Counted is what the loss needs: real tokens, the causal half of attention, the head at the target's positions;
no padding, nothing computed twice. Two for each multiply-add, three times the forward pass for a step.
"""

from __future__ import annotations

import torch

from polyctl.config.schema import ModelConfig
from polyctl.data.batch import TrainingBatch
from polyctl.data.tokenizers.base import TokenLayout
from polyctl.model.number_features import feature_count

# Dense bfloat16 FLOPs a second from the makers' data sheets, by what a device's name begins with.
PEAKS = {
    "NVIDIA B200": 2250e12,
    "NVIDIA H200 NVL": 836e12,
    "NVIDIA H200": 989e12,
    "NVIDIA GH200": 989e12,
    "NVIDIA H100 PCIe": 756e12,
    "NVIDIA H100 NVL": 836e12,
    "NVIDIA H100": 989e12,
    "NVIDIA A100": 312e12,
    "NVIDIA L40S": 362e12,
    "NVIDIA L40": 181e12,
    "NVIDIA L4": 121e12,
    "NVIDIA A10G": 70e12,
    "NVIDIA A10": 125e12,
}


def peak_flops(device: torch.device) -> float | None:
    """The dense bfloat16 peak of a device, None if it is not known, as for a part of a GPU."""
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device)
    if "MIG" in name:
        return None
    return next((peak for start, peak in PEAKS.items() if name.startswith(start)), None)


def step_flops(config: ModelConfig, tokens: TokenLayout, batch: TrainingBatch) -> float:
    """FLOPs of forward and backward pass over the real tokens of a batch that are read: all but each last."""
    width, layers = config.width, config.layers
    lengths = batch.lengths_B.astype(float) - 1
    matrices = 12 * width * width * layers * lengths.sum()  # qkv 3, projection 1, perceptron 8
    # The target has one token a position, so its further places are empty, and it shows no numbers.
    prompts = float(batch.lengths_B.sum() - batch.loss_BT.sum())
    places = (tokens.tokens_per_position - 1) * width * width * prompts
    numbers = ((config.residues > 0) + config.ratios) * feature_count(config.residues) * width * prompts
    # Scores and their weighted sum: token t meets t others, each with a multiply-add per width, twice.
    attention = layers * width * (lengths * (lengths + 1)).sum()
    head = width * tokens.vocabulary * float(batch.loss_BT.sum())
    # what shows numbers needs no gradient, which saves a third of its matrices' products
    return float(6 * (matrices + places + attention + head) + 4 * numbers)
