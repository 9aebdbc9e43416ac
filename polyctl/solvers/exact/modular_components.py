"""Right components of a univariate f modulo a prime: which degrees are worth trying over Q.

The only monic h of degree d with h(0) = 0 that can be a right component of f is a root of a power series
(Kozen and Landau 1989; `univariate`). If f = g(h), then f' = g'(h)·h', so h' divides f'. Modulo a prime that
divides no denominator and no leading coefficient both still hold, so an h whose derivative does not divide
f' there refuses the degree, over Q and over every extension.
"""

from __future__ import annotations

from collections.abc import Sequence

from flint import fmpq, fmpq_poly, nmod_poly

from polyctl.algebra.modular import PRIME, rational

_SMALL = 1 << 20  # a random residue is p/q with p and q below it about once in a million times


def monic_residues(f: fmpq_poly) -> list[int] | None:
    """The coefficients of f, highest first, over the leading one modulo PRIME; None if PRIME divides that."""
    numerators = [int(c) % PRIME for c in reversed(f.numer().coeffs())]
    if not numerators or not numerators[0]:
        return None
    inverse = pow(numerators[0], -1, PRIME)
    return [c * inverse % PRIME for c in numerators]


def reduce_modulo(f: fmpq_poly) -> nmod_poly | None:
    """f modulo PRIME, or None if PRIME divides a denominator."""
    denominator = int(f.denom()) % PRIME
    if not denominator:
        return None
    return nmod_poly([int(c) % PRIME for c in f.numer().coeffs()], PRIME) * pow(denominator, -1, PRIME)


def modular_component(monic: Sequence[int], d: int) -> nmod_poly | None:
    """The h of degree d modulo PRIME, or None if f has no right component of this degree.

    `monic` are the coefficients of f, highest first, from 1 on; d divides the degree of f.
    """
    root = series_root(monic[:d], (len(monic) - 1) // d, d)
    h = nmod_poly([0, *reversed(root)], PRIME)
    derivative = nmod_poly(list(reversed(monic)), PRIME).derivative()
    return h if (derivative % h.derivative()).is_zero() else None


def series_root(series: Sequence[int], k: int, precision: int) -> list[int]:
    """The k-th root, from 1 on, of a power series from 1 on modulo PRIME, as `precision` coefficients.

    Newton's method for the inverse root r of s: r ← r + r·(1 − s·r^k)/k doubles the precision.
    """
    s, r, known = nmod_poly(list(series), PRIME), nmod_poly([1], PRIME), 1
    inverse = pow(k, -1, PRIME)
    while known < precision:
        known = min(2 * known, precision)
        error = 1 - s.mul_low(r.pow_trunc(k, known), known)
        r = r + r.mul_low(error, known) * inverse
    root = [int(c) for c in s.mul_low(r.pow_trunc(k - 1, precision), precision).coeffs()]
    return root + [0] * (precision - len(root))


def small_rationals(h: nmod_poly) -> fmpq_poly | None:
    """The polynomial over Q with small coefficients that has these residues; None if there is none."""
    coefficients: list[fmpq] = []
    for residue in h.coeffs():
        found = rational(int(residue), _SMALL)
        if found is None:
            return None
        coefficients.append(found)
    return fmpq_poly(coefficients)
