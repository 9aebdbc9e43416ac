"""Evaluation and linear algebra modulo a word-size prime."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import isqrt
from random import Random

from flint import fmpq, nmod_mat, nmod_mpoly, nmod_mpoly_ctx

from polyctl.algebra.monomials import Monomial, monomials_up_to
from polyctl.algebra.polynomial import Polynomial, primitive_part, terms

PRIME = (1 << 61) - 1
Vector = list[int]
_BOUND = isqrt(PRIME // 2)


def at_point(f: Polynomial, point: Sequence[int]) -> int:
    """f at a point modulo PRIME; ValueError if a denominator is divisible by it."""
    total = 0
    for m, c in terms(f):
        value = int(c.p) * pow(int(c.q), -1, PRIME)
        for x, e in zip(point, m, strict=True):
            if e:
                value = value * pow(x, e, PRIME) % PRIME
        total += value
    return total % PRIME


def reduce(f: Polynomial, variables: Sequence[int]) -> nmod_mpoly:
    """f modulo PRIME up to a constant, in the ring of these variables, the only ones it may have."""
    whole, _ = primitive_part(f)
    context = nmod_mpoly_ctx.get([f"x{i}" for i in variables], modulus=PRIME, ordering="deglex")
    return context.from_dict({tuple(m[i] for i in variables): int(c.p) % PRIME for m, c in terms(whole)})


def powers(point: Sequence[int], degree: int) -> list[Vector]:
    """point[i]^e modulo PRIME for e = 0, …, degree."""
    table = []
    for x in point:
        row = [1]
        for _ in range(degree):
            row.append(row[-1] * x % PRIME)
        table.append(row)
    return table


def values(monomials: Sequence[Monomial], table: Sequence[Vector]) -> Vector:
    """Monomials at the point of a table of powers."""
    result = []
    for m in monomials:
        value = 1
        for row, e in zip(table, m, strict=True):
            if e:
                value = value * row[e] % PRIME
        result.append(value)
    return result


@lru_cache(maxsize=64)
def sample(variables: int, degree: int, lowest: int, count: int) -> list[tuple[Vector, Vector]]:
    """Points drawn once and for all, with the monomials of degrees `lowest` to `degree` there."""
    rng = Random(f"{variables} {degree} {lowest}")
    monomials = monomials_up_to(variables, degree, lowest)
    points = [[rng.randrange(1, PRIME) for _ in range(variables)] for _ in range(count)]
    return [(point, values(monomials, powers(point, degree))) for point in points]


def gradients(monomials: Sequence[Monomial], table: Sequence[Vector]) -> list[Vector]:
    """For each variable, the derivatives of monomials at the point of a table of powers."""
    result = []
    for i in range(len(table)):
        row = []
        for m in monomials:
            value = m[i]
            if value:
                for k, e in enumerate(m):
                    e -= k == i
                    if e:
                        value = value * table[k][e] % PRIME
            row.append(value)
        result.append(row)
    return result


def nullspace(rows: Sequence[Vector], width: int) -> list[Vector]:
    """The reduced echelon basis of the vectors x with row·x = 0 for all rows."""
    if not rows:
        return [[int(i == j) for j in range(width)] for i in range(width)]
    # Columns reversed: each basis vector then has a 1 at its own first place, where the others have 0.
    flat = [c for row in rows for c in reversed(row)]
    echelon, rank = nmod_mat(len(rows), width, flat, PRIME).rref()
    pivots: list[int] = []
    free = []
    for c in range(width):
        if len(pivots) < rank and int(echelon[len(pivots), c]):
            pivots.append(c)
        else:
            free.append(c)
    basis = []
    for c in reversed(free):
        vector = [0] * width
        vector[c] = 1
        for r, pivot in enumerate(pivots):
            vector[pivot] = -int(echelon[r, c]) % PRIME
        basis.append(vector[::-1])
    return basis


def rank(rows: Sequence[Vector]) -> int:
    """The rank modulo PRIME."""
    if not rows:
        return 0
    return int(nmod_mat(len(rows), len(rows[0]), [c % PRIME for row in rows for c in row], PRIME).rank())


def rational(value: int, bound: int = _BOUND) -> fmpq | None:
    """The only p/q with |p|, q at most `bound` ≤ sqrt(PRIME / 2) congruent to a residue, or None."""
    r0, r1, s0, s1 = PRIME, value % PRIME, 0, 1
    while r1 > bound:
        quotient = r0 // r1
        r0, r1, s0, s1 = r1, r0 - quotient * r1, s1, s0 - quotient * s1
    return fmpq(r1, s1) if s1 and abs(s1) <= bound else None
