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
        self._waves = _Waves(largest)
        self.matrix = nn.Linear(2 * self._waves.count, width, bias=False)

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        """Vectors (..., D) of whole numbers (...) below 2**53; zero where a number is not positive."""
        residues_M = value[..., None] % self._waves.moduli(value.device)
        shown = value > 0
        shown_M = shown[..., None].expand(residues_M.shape)
        return _through(self.matrix, self._waves(_octaves(value), residues_M, shown, shown_M))


class RatioFeatures(nn.Module):
    """Vectors of the ratios of whole numbers to a leading one, as if that were 1: waves as in NumberFeatures.

    A ratio has no residue modulo m where the leading number shares a factor with m; nothing is shown then.
    """

    def __init__(self, largest: int, width: int) -> None:
        super().__init__()
        self._waves = _Waves(largest)
        self._inverses = [
            [pow(r, -1, m) if r < m and math.gcd(r, m) == 1 else 0 for r in range(largest)]
            for m in self._waves.all_moduli
        ]
        self.matrix = nn.Linear(2 * self._waves.count, width, bias=False)

    def forward(self, value: torch.Tensor, negative: torch.Tensor, leading: torch.Tensor) -> torch.Tensor:
        """Vectors (..., D) of (-1)**negative * value / leading (...); zero where a value is not positive."""
        device, shown = value.device, value > 0
        moduli_M = self._waves.moduli(device)
        rows_M = torch.arange(len(moduli_M), device=device)
        inverse_M = torch.tensor(self._inverses, device=device)[rows_M, leading[..., None] % moduli_M]
        signed = torch.where(negative, -value, value)
        residues_M = signed[..., None] % moduli_M * inverse_M % moduli_M
        octaves = _octaves(value) - _octaves(leading)
        shown_M = shown[..., None] & (inverse_M > 0)
        return _through(self.matrix, self._waves(octaves, residues_M, shown, shown_M))


class _Waves:
    """Cosines and sines of a logarithm and of residues; not a module, since buffers would have no values in a
    model that is loaded without being initialized."""

    def __init__(self, largest: int) -> None:
        frequencies = _frequencies(largest)
        self.all_moduli = sorted({modulus for modulus, _ in frequencies})
        self._periods = [LONGEST * (SHORTEST / LONGEST) ** (i / (SIZES - 1)) for i in range(SIZES)]
        self._columns = [self.all_moduli.index(modulus) for modulus, _ in frequencies]
        self._moduli = [modulus for modulus, _ in frequencies]
        self._factors = [factor for _, factor in frequencies]
        self.count = SIZES + len(frequencies)

    def moduli(self, device: torch.device) -> torch.Tensor:
        """The M moduli."""
        return torch.tensor(self.all_moduli, device=device)

    def __call__(
        self, octaves: torch.Tensor, residues_M: torch.Tensor, shown: torch.Tensor, shown_M: torch.Tensor
    ) -> torch.Tensor:
        """Features (..., 2 * count) of octaves (...) and residues (..., M), zero where they are not shown."""
        device = octaves.device
        periods = torch.tensor(self._periods, device=device, dtype=torch.float64)
        columns = torch.tensor(self._columns, device=device)
        moduli = torch.tensor(self._moduli, device=device)
        factors = torch.tensor(self._factors, device=device)
        residues = residues_M[..., columns] * factors % moduli / moduli
        angles = 2 * math.pi * torch.cat(((octaves[..., None] / periods).float(), residues), dim=-1)
        kept = torch.cat((shown[..., None].expand(*shown.shape, SIZES), shown_M[..., columns]), dim=-1)
        return torch.cat((angles.cos() * kept, angles.sin() * kept), dim=-1)


def _through(matrix: nn.Linear, features: torch.Tensor) -> torch.Tensor:
    vectors: torch.Tensor = matrix(features.to(matrix.weight.dtype))
    return vectors


def _octaves(value: torch.Tensor) -> torch.Tensor:
    return value.clamp(min=1).double().log2()


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
