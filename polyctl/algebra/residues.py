"""Arrays of residues modulo the prime 2^26 - 5, and elimination in many matrices together.

Residues are whole float64 numbers of size at most P/2 + 2. Two products of them and their difference stay
below 2^53, so all that is done here is exact.
"""

from __future__ import annotations

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


def back_substitute(rows: list[Residues]) -> NDArray[np.int64]:
    """The solutions x, (C - 1, B), that triangular forms give whose last column is the right-hand side.

    All pivots but the last must not be 0.
    """
    unknowns = len(rows) - 1
    pivots_UB = np.array([row[0] for row in rows[:unknowns]]).astype(np.int64)
    inverses_UB = np.array([[pow(int(p), -1, P) for p in pivots_B] for pivots_B in pivots_UB], float)
    solution_UB = np.zeros((unknowns, rows[0].shape[1]))
    for k in range(unknowns - 1, -1, -1):
        known_B = times(rows[k][1:-1], solution_UB[k + 1 :]).sum(axis=0)
        solution_UB[k] = times(reduce(rows[k][-1] - known_B), reduce(inverses_UB[k]))
    return solution_UB.astype(np.int64)
