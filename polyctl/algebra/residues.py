"""Arrays of residues modulo the prime 2^26 - 5, and elimination in many matrices together.

Residues are whole float64 numbers of size at most P/2 + 2. Two products of them and their difference stay
below 2^53, so all that is done here is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul

import numpy as np
from numpy.typing import NDArray

P = (1 << 26) - 5
_INVERSE = 1.0 / P
_HALF = 1 << 13
MOST_TERMS = 1 << 13  # of a sum of products
Residues = NDArray[np.float64]


def reduce(values: Residues) -> Residues:
    """Whole numbers below 2^53 brought to the residues nearest to 0, in place."""
    quotients = values * _INVERSE
    np.rint(quotients, out=quotients)
    quotients *= P
    values -= quotients
    return values


def times(a: Residues, b: Residues) -> Residues:
    """Products of residues, element by element."""
    return reduce(a * b)


def matrix_product(a_RT: Residues, b_TK: Residues) -> Residues:
    """The matrix product of residues, with at most MOST_TERMS terms a sum."""
    high_TK = np.rint(b_TK / _HALF)
    low_TK = b_TK - high_TK * _HALF  # |a · low| is below 2^38, |a · high| as well
    return reduce(reduce(a_RT @ high_TK) * _HALF + reduce(a_RT @ low_TK))


def monomials_at(exponents_TN: NDArray[np.int64], powers_ENK: Residues) -> Residues:
    """The monomials with these exponents, (T, K), at K points whose coordinates have these powers."""
    values_TK: Residues = powers_ENK[exponents_TN[:, 0], 0]
    for i in range(1, exponents_TN.shape[1]):
        if exponents_TN[:, i].any():
            values_TK = times(values_TK, powers_ENK[exponents_TN[:, i], i])
    return values_TK


def eliminate(matrices_RCB: Residues) -> list[Residues]:
    """Rows 0, 1, … of the triangular forms of B matrices, each from its pivot on, (C - k, B); R ≤ C.

    Rows are not exchanged. If the leading k by k minor of a matrix is 0 but no smaller one is, its k-th
    pivot (from 1) is 0, and so is all that follows.
    """
    rows, rest = [], matrices_RCB
    while True:
        rows.append(rest[0])
        if len(rest) == 1:
            return rows
        following = rest[1:, 1:] * rest[0, 0]
        following -= rest[1:, :1] * rest[0, 1:]
        rest = reduce(following)


@dataclass(frozen=True)
class Echelon:
    """B systems with U unknown weights of columns, in triangular form; what is below has no meaning.

    The last column of a form is the right-hand side. A column that depends on those before it is moved behind
    the others: column `order_UB[place, b]` stands at a place, and the first `rank_B` places have pivots.
    Where `residual_B` is not 0, there is no solution.
    """

    forms_CCB: Residues
    order_UB: NDArray[np.int64]
    rank_B: NDArray[np.int64]
    residual_B: Residues

    def weights(self, system: int, places: Sequence[int]) -> list[list[int]]:
        """For each of these columns of a system the weights of the first columns, up to the rank, in it.

        Place U is the right-hand side. Weights are residues nearest to 0.
        """
        rank = int(self.rank_B[system])
        rows: list[list[int]] = self.forms_CCB[:rank, :, system].astype(np.int64).tolist()
        inverses = [pow(row[k], -1, P) for k, row in enumerate(rows)]
        found = []
        for place in places:
            weights: list[int] = []  # the last one first
            for row, inverse in zip(reversed(rows), reversed(inverses), strict=True):
                known = sum(map(mul, reversed(row[:rank]), weights))
                weight = (row[place] - known) * inverse % P
                weights.append(weight if weight <= P // 2 else weight - P)
            found.append(weights[::-1])
        return found


def echelon(matrices_CCB: Residues) -> Echelon:
    """The triangular forms of B square matrices whose last column is the right-hand side; they are changed.

    Rows are not exchanged, so a column counts as dependent if the next minor with it is 0.
    """
    unknowns, count = len(matrices_CCB) - 1, matrices_CCB.shape[2]
    order_UB = np.tile(np.arange(unknowns)[:, None], count)
    rank_B, residual_B = np.full(count, unknowns), np.zeros(count)
    untested_B = np.full(count, unknowns)
    for k in range(unknowns):
        pivot_B = matrices_CCB[k, k]
        if not pivot_B.all():
            for b in np.flatnonzero(pivot_B == 0):
                while untested_B[b] and not pivot_B[b]:
                    end = k + untested_B[b]
                    matrices_CCB[:, k:end, b] = np.roll(matrices_CCB[:, k:end, b], -1, axis=1)
                    order_UB[k:end, b] = np.roll(order_UB[k:end, b], -1)
                    untested_B[b] -= 1
                if not untested_B[b] and rank_B[b] > k:
                    rank_B[b], residual_B[b] = k, matrices_CCB[k, -1, b]
        untested_B -= untested_B > 0
        following = matrices_CCB[k + 1 :, k + 1 :] * pivot_B
        following -= matrices_CCB[k + 1 :, k, None] * matrices_CCB[k, k + 1 :]
        matrices_CCB[k + 1 :, k + 1 :] = reduce(following)
    residual_B = np.where(rank_B == unknowns, matrices_CCB[-1, -1], residual_B)
    return Echelon(matrices_CCB, order_UB, rank_B, residual_B)
