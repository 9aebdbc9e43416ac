"""Many lists of inner polynomials for one f, tried together modulo a prime.

f is a combination of products of the inner polynomials with unknown coefficients. At as many points as there
are unknowns and one more, values modulo the prime make a square matrix with a row for each point and a column
for each product, and for f. If its determinant is not 0 modulo the prime, then it is not 0 over Q either. So
the columns are independent functions over Q, and f is no combination of the products. (Clearing denominators
that the prime does not divide multiplies the determinant by a unit.)

If some products depend on others modulo the prime, and f does not, then f is no combination over Q if the
same products depend on the others over Q: these others, which are independent, and f are independent
over Q, as a minor shows. So `relations` are to be checked over Q.

If f depends on the products nothing is proved, but what its coefficients are modulo the prime is known.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isqrt

import numpy as np
from flint import fmpq, nmod_mat
from numpy.typing import NDArray

from polyctl.algebra.decomposition import Terms
from polyctl.algebra.modular import rational
from polyctl.algebra.monomials import Monomial
from polyctl.algebra.polynomial import Polynomial
from polyctl.algebra.residues import (
    MOST_TERMS,
    P,
    Residues,
    back_substitute,
    eliminate,
    matrix_product,
    monomials_at,
    reduce,
    times,
)

MOST_UNKNOWNS = 150
MOST_DEGREE = 200
_CHUNK = 5000  # entries of the matrices that are eliminated together: what a processor's cache holds
_SPAN_POINTS = 3
_BOUND = isqrt(P // 2)

OuterTerms = dict[Monomial, int | fmpq]


class Unusable(ValueError):
    """The prime cannot be used: it divides a denominator, or there would be too much to do."""


@dataclass(frozen=True)
class Screened:
    """What the prime says of a list of inner polynomials.

    `refuted`: f is no combination of their products if all `relations` vanish on them. Else `outer` is a
    combination that may be f, None if none is known.
    """

    refuted: bool = False
    relations: tuple[OuterTerms, ...] = ()
    outer: OuterTerms | None = None


REFUTED = Screened(refuted=True)


class Screen:
    """An f and lists of inner polynomials, by their values modulo the prime at points drawn once and for all.

    Raises Unusable.
    """

    def __init__(self, f: Polynomial, candidates: Sequence[Sequence[Terms]], unknowns: int) -> None:
        """`unknowns`: the largest number of products that f may be a combination of. No inner is constant."""
        variables, terms_of_f = f.context().nvars(), len(f)
        inners = [h for candidate in candidates for h in candidate]
        monomials = {m: at for at, m in enumerate(dict.fromkeys(m for h in inners for m in h))}
        exponents_TN = np.array([*f.monoms(), *monomials], np.int64)
        top = int(exponents_TN.max())
        if unknowns > MOST_UNKNOWNS or len(exponents_TN) > MOST_TERMS or top > MOST_DEGREE:
            raise Unusable
        weights_RT = _coefficients(inners, monomials)
        f_T = reduce(np.array([_residue(c) for c in f.coeffs()], float))
        count = max(unknowns + 1, max(map(len, candidates)) + _SPAN_POINTS)
        values_TK = monomials_at(exponents_TN, _powers(variables, count, 8 * -(-top // 8)))
        self._f_K = matrix_product(f_T[None], values_TK[:terms_of_f])[0]
        self._inner_RK = matrix_product(weights_RT, values_TK[terms_of_f:])
        constant = monomials.get((0,) * variables)
        self._constants_R = None if constant is None else weights_RT[:, constant]
        ends = np.cumsum([len(candidate) for candidate in candidates])
        self._starts = [int(end) - len(candidate) for end, candidate in zip(ends, candidates, strict=True)]

    def _rows(self, candidates: Sequence[int], inners: int) -> NDArray[np.intp]:
        return np.array([self._starts[at] for at in candidates])[:, None] + np.arange(inners)

    def solve(
        self, candidates: Sequence[int], inners: int, exponents: tuple[Monomial, ...]
    ) -> list[Screened]:
        """Whether f is a combination of the products of inner polynomials, for each of these candidates.

        All have as many inner polynomials; `exponents` names the products.
        """
        count = len(exponents) + 1
        inner_KMB = self._inner_RK[self._rows(candidates, inners), :count].transpose(2, 1, 0)
        found: list[Screened] = []
        together = max(1, _CHUNK // count**2)
        for start in range(0, len(candidates), together):
            found += _solve(inner_KMB[:, :, start : start + together], self._f_K[:count], exponents)
        return found

    def spans(self, candidates: Sequence[int], inners: int) -> list[Hashable | None]:
        """A value for each candidate that is the same for every basis of the same span modulo constants.

        Let V be the values of a basis at as many points as it has members, and W those at further points.
        With another basis they are G V and G W, so the matrix inverse(V) W is the same; if V and G V are
        invertible modulo the prime, so is G. The last row of it is taken. None if V is not invertible.
        """
        rows_BM = self._rows(candidates, inners)
        matrix_MCB = self._inner_RK[rows_BM, : inners + _SPAN_POINTS].transpose(1, 2, 0)
        if self._constants_R is not None:
            matrix_MCB = reduce(matrix_MCB - self._constants_R[rows_BM].T[:, None])
        triangular = eliminate(matrix_MCB)
        independent_B: list[bool] = np.all([row[0] for row in triangular], axis=0).tolist()
        return [
            (inners, *(x * pow(pivot, -1, P) % P for x in others)) if independent else None
            for independent, (pivot, *others) in zip(
                independent_B, triangular[-1].T.astype(np.int64).tolist(), strict=True
            )
        ]


def _coefficients(several: Sequence[Terms], monomials: Mapping[Monomial, int]) -> Residues:
    """Coefficients of polynomials as rows of residues. Raises Unusable for a denominator."""
    width = len(monomials)
    places: list[int] = []
    numbers: list[int | fmpq] = []
    for row, terms in enumerate(several):
        start = row * width
        places += [start + monomials[m] for m in terms]
        numbers += terms.values()
    rows = np.zeros(len(several) * width)
    if set(map(type, numbers)) != {int}:
        numbers = list(map(_residue, numbers))  # of fractions NumPy would take the whole part
    try:
        values = np.array(numbers, np.int64) % P
    except OverflowError:
        values = np.array(list(map(_residue, numbers)), np.int64)
    rows[places] = values
    return reduce(rows).reshape(len(several), width)


def _residue(c: int | fmpq) -> int:
    if isinstance(c, int):
        return c % P
    numerator, denominator = int(c.p), int(c.q)
    if denominator == 1:
        return numerator % P
    if denominator % P == 0:
        raise Unusable
    return numerator * pow(denominator, -1, P) % P


@lru_cache(maxsize=64)
def _powers(variables: int, count: int, top: int) -> Residues:
    """The powers 0, …, top of the coordinates of points, (E, N, K); the first points are always the same."""
    drawn_KN = np.random.default_rng(variables).integers(-(P // 2), P // 2, (count, variables))
    powers = [np.ones((variables, count))]
    for _ in range(top):
        powers.append(times(powers[-1], drawn_KN.T.astype(float)))
    return np.stack(powers)


def _solve(inner_KMB: Residues, f_K: Residues, exponents: tuple[Monomial, ...]) -> list[Screened]:
    count, _, chunk = inner_KMB.shape
    matrices = np.empty((count, count, chunk))
    matrices[:, -1] = f_K[:, None]
    matrices[:, :-1] = _products(inner_KMB, exponents)
    rows = eliminate(matrices)
    pivots_KB = np.array([row[0] for row in rows])
    independent_B = pivots_KB[:-1].all(axis=0)
    result = [REFUTED] * chunk
    for at in np.flatnonzero(~independent_B):
        result[at] = _solve_dependent(matrices[:, :, at], exponents)
    solved = np.flatnonzero(independent_B & (pivots_KB[-1] == 0))
    if len(solved):
        solutions = back_substitute([row[:, solved] for row in rows]).T.tolist()
        for at, solution in zip(solved, solutions, strict=True):
            result[at] = Screened(outer=_recognized(exponents, solution))
    return result


def _solve_dependent(matrix_KC: Residues, exponents: tuple[Monomial, ...]) -> Screened:
    """The same for one candidate with dependent products, of which later ones are left out."""
    height, width = matrix_KC.shape
    reduced, rank = nmod_mat(height, width, (matrix_KC.astype(np.int64) % P).ravel().tolist(), P).rref()
    pivots: list[int] = []
    for row in range(rank):
        first = pivots[-1] + 1 if pivots else 0
        pivots.append(next(c for c in range(first, width) if int(reduced[row, c])))
    kept = [exponents[c] for c in pivots if c < width - 1]

    def column(c: int) -> OuterTerms | None:
        return _recognized(kept, [int(reduced[row, c]) for row in range(len(kept))])

    if pivots[-1] < width - 1:
        return Screened(outer=column(width - 1))
    relations = []
    for c in set(range(width - 1)) - set(pivots):
        known = column(c)
        if known is None:
            return Screened()
        relations.append(known | {exponents[c]: -1})
    return Screened(refuted=True, relations=tuple(relations))


def _products(inner_KMB: Residues, exponents: tuple[Monomial, ...]) -> Residues:
    """The products with these exponents, (K, U, B)."""
    steps, wanted = _product_steps(exponents)
    values_KSB = np.empty((inner_KMB.shape[0], 1 + sum(len(s[0]) for s in steps), inner_KMB.shape[2]))
    values_KSB[:, 0] = 1.0
    done = 1
    for smaller, factors in steps:
        values_KSB[:, done : done + len(smaller)] = times(values_KSB[:, smaller], inner_KMB[:, factors])
        done += len(smaller)
    return values_KSB[:, wanted]


Places = NDArray[np.intp]


@lru_cache(maxsize=256)
def _product_steps(exponents: tuple[Monomial, ...]) -> tuple[list[tuple[Places, Places]], Places]:
    """How products come from smaller ones, by rising degree: the places of these, and the last factors.

    Also the places of the products asked for. Place 0 holds 1.
    """
    needed = set(exponents) | {(0,) * len(exponents[0])}
    waiting = [e for e in exponents if any(e)]
    while waiting:
        smaller, _ = _smaller(waiting.pop())
        if smaller not in needed:
            needed.add(smaller)
            waiting.append(smaller)
    ordered = sorted(needed, key=lambda e: (sum(e), e))
    place = {e: at for at, e in enumerate(ordered)}
    levels: dict[int, list[tuple[int, int]]] = {}
    for e in ordered[1:]:
        smaller, factor = _smaller(e)
        levels.setdefault(sum(e), []).append((place[smaller], factor))
    steps = [tuple(np.array(level, np.intp).T) for _, level in sorted(levels.items())]
    return [(smaller, factors) for smaller, factors in steps], np.array([place[e] for e in exponents])


def _smaller(exponent: Monomial) -> tuple[Monomial, int]:
    """The product with one factor less, and that factor."""
    i = next(i for i, e in enumerate(exponent) if e)
    return (*exponent[:i], exponent[i] - 1, *exponent[i + 1 :]), i


def _recognized(exponents: Sequence[Monomial], residues: Sequence[int]) -> OuterTerms | None:
    """The polynomial with these coefficients modulo P, None if one is too large to be recognized."""
    outer: OuterTerms = {}
    for exponent, residue in zip(exponents, residues, strict=True):
        if residue:
            value = residue if abs(residue) <= _BOUND else rational(residue, _BOUND, P)
            if value is None:
                return None
            outer[exponent] = value
    return outer
