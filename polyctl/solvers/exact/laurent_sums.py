"""Laurent polynomials Σ a_e·x^e as polynomials in x^d + c/x^d, with coefficients a_e free of x.

Theorem: such a polynomial exists if and only if all e are multiples of d and a_(−di) = c^i·a_(di) for all i:
the Laurent polynomial is then fixed by x^d ↦ c/x^d, and the (x^d + c/x^d)^k are a basis of those.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import gcd

from flint import fmpq

from polyctl.algebra.polynomial import Polynomial, Ring, embed
from polyctl.algebra.rational_roots import rational_roots

LARGEST = 200  # exponents


def find_sums(parts: Mapping[int, Polynomial]) -> Iterator[tuple[int, fmpq]]:
    """The d and rational c for which Σ a_e·x^e is a polynomial of degree 2 or more in x^d + c/x^d.

    `parts` are the a_e that are not zero, by e.
    """
    high, common = max(parts, default=0), gcd(*parts)
    if not 1 < high <= LARGEST or min(parts) != -high:
        return
    ratio = parts[-high].coeffs()[0] / parts[high].coeffs()[0]
    if parts[-high] != parts[high] * ratio:
        return
    for d in range(common, 0, -1):
        n = high // d
        if common % d or n < 2:
            continue
        for c in rational_roots(ratio, n):
            if all(parts.get(-d * i, 0) == parts.get(d * i, 0) * c**i for i in range(1, n)):
                yield d, c


def in_sums(
    parts: Mapping[int, Polynomial], d: int, c: fmpq, target: Ring, places: Sequence[int]
) -> Polynomial:
    """The polynomial in b = x^d + c/x^d, the last variable of `target`; `places` are those of the others.

    By Chebyshev's recurrence for x^(di) + (c/x^d)^i.
    """
    b = target.gens()[-1]
    before, now, result = target.constant(2), b, target.constant(0)
    for i in range(max(parts) // d + 1):
        if d * i in parts:
            result += embed(parts[d * i], target, places) * (now if i else target.constant(1))
        if i:
            before, now = now, b * now - before * c
    return result
