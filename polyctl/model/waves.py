"""Number embeddings that start as waves, so that near numbers start with near vectors."""

from __future__ import annotations

import math

import torch
from torch import nn

NOISE = 0.3  # of the size of a row, so that the waves are not all there is


@torch.no_grad()
def start_as_waves(embedding: nn.Embedding, first: int, count: int) -> None:
    """Let rows first, first + 1, … stand for 0, 1, … count - 1: waves of periods from 2 to 2·count.

    Rows keep their size. The idea is that of Fourier number embeddings, arXiv 2502.09741.
    """
    rows = embedding.weight[first : first + count]
    size = rows.square().mean().sqrt()
    waves = embedding.embedding_dim // 2
    periods = 2 * torch.tensor(float(count)).pow(torch.arange(waves) / max(1, waves - 1))
    angles = 2 * math.pi * torch.arange(count)[:, None] / periods
    features = torch.zeros_like(rows)
    features[:, : 2 * waves] = torch.cat((angles.cos(), angles.sin()), dim=1) * math.sqrt(2)
    rows.mul_(NOISE).add_(features, alpha=float(size) * math.sqrt(1 - NOISE**2))
