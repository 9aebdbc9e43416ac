"""What a model sees of a number beside its digits: how large it is, and its residues modulo small primes."""

from __future__ import annotations

import math
from collections.abc import Sequence

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
        self.waves = _Waves(largest)
        self.matrix = nn.Linear(feature_count(largest), width, bias=False)

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        """Vectors (..., D) of whole numbers (...) below 2**53; zero if a number is not positive."""
        residues_M = value[..., None] % self.waves.moduli_M
        shown = value > 0
        shown_M = shown[..., None].expand(residues_M.shape)
        return _project(self.matrix, self.waves(_octaves(value), residues_M, shown, shown_M))


class RatioFeatures(nn.Module):
    """Vectors of the ratios of whole numbers to a leading one, as if that were 1: waves as in NumberFeatures.

    A ratio has no residue modulo m if the leading number shares a factor with m; nothing is shown then.
    """

    inverses_MR: torch.Tensor
    rows_M: torch.Tensor

    def __init__(self, largest: int, width: int) -> None:
        super().__init__()
        self.waves = _Waves(largest)
        inverses = [
            [pow(r, -1, m) if r < m and math.gcd(r, m) == 1 else 0 for r in range(largest)]
            for m in self.waves.moduli_M.tolist()
        ]
        _table(self, "inverses_MR", inverses)
        _table(self, "rows_M", range(len(inverses)))
        self.matrix = nn.Linear(feature_count(largest), width, bias=False)

    def forward(self, value: torch.Tensor, negative: torch.Tensor, leading: torch.Tensor) -> torch.Tensor:
        """Vectors (..., D) of (-1)**negative * value / leading (...); zero if a value is not positive."""
        shown, moduli_M = value > 0, self.waves.moduli_M
        inverse_M = self.inverses_MR[self.rows_M, leading[..., None] % moduli_M]
        signed = torch.where(negative, -value, value)
        residues_M = signed[..., None] % moduli_M * inverse_M % moduli_M
        octaves = _octaves(value) - _octaves(leading)
        shown_M = shown[..., None] & (inverse_M > 0)
        return _project(self.matrix, self.waves(octaves, residues_M, shown, shown_M))


class _Waves(nn.Module):
    """Cosines and sines of a logarithm and of residues: of F frequencies (modulus, factor) of M moduli."""

    moduli_M: torch.Tensor
    periods: torch.Tensor
    columns_F: torch.Tensor
    modulus_F: torch.Tensor
    factor_F: torch.Tensor

    def __init__(self, largest: int) -> None:
        super().__init__()
        frequencies = _frequencies(largest)
        moduli = sorted({modulus for modulus, _ in frequencies})
        _table(self, "moduli_M", moduli)
        _table(self, "periods", [LONGEST * (SHORTEST / LONGEST) ** (i / (SIZES - 1)) for i in range(SIZES)])
        _table(self, "columns_F", [moduli.index(modulus) for modulus, _ in frequencies])
        _table(self, "modulus_F", [modulus for modulus, _ in frequencies])
        _table(self, "factor_F", [factor for _, factor in frequencies])

    def forward(
        self, octaves: torch.Tensor, residues_M: torch.Tensor, shown: torch.Tensor, shown_M: torch.Tensor
    ) -> torch.Tensor:
        """Features (..., F) of octaves (...) and residues (..., M); zero if not shown."""
        residues = residues_M[..., self.columns_F] * self.factor_F % self.modulus_F / self.modulus_F
        angles = 2 * math.pi * torch.cat(((octaves[..., None] / self.periods).float(), residues), dim=-1)
        kept = torch.cat((shown[..., None].expand(*shown.shape, SIZES), shown_M[..., self.columns_F]), dim=-1)
        return torch.cat((angles.cos() * kept, angles.sin() * kept), dim=-1)


def feature_count(largest: int) -> int:
    """How many features a number has whose residues are shown modulo numbers up to `largest`."""
    return 2 * (SIZES + len(_frequencies(largest)))


def _table(module: nn.Module, name: str, numbers: Sequence[object]) -> None:
    """Constants that move with the module and are not saved; they have values on the meta device, too."""
    dtype = torch.float64 if isinstance(numbers[0], float) else torch.int64
    module.register_buffer(name, torch.tensor(numbers, dtype=dtype, device="cpu"), persistent=False)


def _project(matrix: nn.Linear, features: torch.Tensor) -> torch.Tensor:
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
