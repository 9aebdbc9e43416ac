"""What a model sees of a number beside its digits: how large it is, and its residues modulo small primes."""

from __future__ import annotations

import math

import torch
from torch import nn

SIZES = 32  # waves of the logarithm
LONGEST, SHORTEST = 64.0, 1 / 64  # their periods in octaves
START = 0.0025  # deviation of a fresh matrix, so that all features together are as large as an embedding
NOISE = 0.3  # of the size of a row that starts as waves


class NumberFeatures(nn.Module):
    """Vectors of positive whole numbers: waves of their logarithm, and of their residues.

    A residue modulo m is shown by cosines and sines of all its frequencies, of which any function of it is a
    linear map. The moduli are the greatest powers of all primes that are not above `largest`.
    """

    def __init__(self, largest: int, width: int) -> None:
        super().__init__()
        frequencies = _frequencies(largest)
        # plain lists: buffers would have no values in a model that is loaded without being initialized
        self._periods = [LONGEST * (SHORTEST / LONGEST) ** (i / (SIZES - 1)) for i in range(SIZES)]
        self._moduli = [modulus for modulus, _ in frequencies]
        self._factors = [factor for _, factor in frequencies]
        self.matrix = nn.Linear(2 * (SIZES + len(frequencies)), width, bias=False)

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        """Vectors (..., D) of whole numbers (...) below 2**53; zero where a number is not positive."""
        device = value.device
        periods = torch.tensor(self._periods, device=device, dtype=torch.float64)
        moduli = torch.tensor(self._moduli, device=device)
        factors = torch.tensor(self._factors, device=device)
        sizes = value.clamp(min=1).double().log2()[..., None] / periods
        residues = (value[..., None] % moduli * factors % moduli) / moduli
        angles = 2 * math.pi * torch.cat((sizes.float(), residues), dim=-1)
        features = torch.cat((angles.cos(), angles.sin()), dim=-1) * (value > 0)[..., None]
        vectors: torch.Tensor = self.matrix(features.to(self.matrix.weight.dtype))
        return vectors


def _frequencies(largest: int) -> list[tuple[int, int]]:
    """(modulus, factor) of all waves of all residues."""
    primes = [p for p in range(2, largest + 1) if all(p % q for q in range(2, math.isqrt(p) + 1))]
    moduli = [p ** int(math.log(largest, p) + 1e-9) for p in primes]
    return [(m, k) for m in moduli for k in range(1, m // 2 + 1)]


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
