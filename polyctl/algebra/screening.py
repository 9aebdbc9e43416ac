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

One inner polynomial h needs no system. Along a line f = g(h) is an identity of polynomials in one variable,
and there the leading coefficients of f determine h of each degree up to a h + b (Kozen and Landau), with
divisions by numbers alone that the prime does not divide. So differences of its values at three points are
in a ratio that is known modulo the prime.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random

import numpy as np
from flint import fmpq
from numpy.typing import NDArray

from polyctl.algebra.decomposition import Terms
from polyctl.algebra.monomials import Monomial
from polyctl.algebra.polynomial import Polynomial, compose, degree, ring, terms
from polyctl.algebra.residues import (
    MOST_TERMS,
    Echelon,
    P,
    Residues,
    echelon,
    eliminate,
    matrix_product,
    monomials_at,
    reduce,
    times,
)

MOST_PRODUCTS = 150
MOST_DEGREE = 200
_CHUNK = 14000  # entries of the matrices that are eliminated together: what a processor's cache holds
_SPAN_POINTS = 3
LINE_POINTS = 3
_PLACES_ON_LINE = (1234567, 7654321, 13579246)
_SMALL = 4096  # an integer that is not looked at as a fraction

OuterTerms = dict[Monomial, int | fmpq]
Candidates = NDArray[np.intp]
Span = tuple[int, ...]  # its dimension first


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


REFUTED, UNKNOWN = Screened(refuted=True), Screened()


class Screen:
    """An f and inner polynomials by their values modulo the prime at points drawn once and for all.

    `most_products` and `most_inners` say what a candidate may be: how many products f may be a combination
    of, of how many inner polynomials. A candidate is a row of places among `inners`. Raises Unusable.
    """

    def __init__(self, f: Polynomial, inners: Sequence[Terms], most_products: int, most_inners: int) -> None:
        variables, terms_of_f = f.context().nvars(), len(f)
        monomials = {m: at for at, m in enumerate(dict.fromkeys(m for h in inners for m in h))}
        exponents_TN = np.array([*f.monoms(), *monomials], np.int64)
        top = int(exponents_TN.max())
        if most_products > MOST_PRODUCTS or len(exponents_TN) > MOST_TERMS or top > MOST_DEGREE:
            raise Unusable
        weights_RT = _coefficients(inners, monomials)
        f_T = reduce(np.array([_residue(c) for c in f.coeffs()], float))
        count = LINE_POINTS + max(most_products + 1, most_inners + _SPAN_POINTS)
        values_TK = monomials_at(exponents_TN, _powers(variables, count, 8 * -(-top // 8)))
        self._f, self._f_K = f, matrix_product(f_T[None], values_TK[:terms_of_f])[0, LINE_POINTS:]
        inner_RK = matrix_product(weights_RT, values_TK[terms_of_f:])
        self._line_RK, self._inner_RK = inner_RK[:, :LINE_POINTS], inner_RK[:, LINE_POINTS:]
        constant = monomials.get((0,) * variables)
        self._constants_R = None if constant is None else weights_RT[:, constant]

    def solve(self, candidates_BM: Candidates, exponents: tuple[Monomial, ...]) -> list[Screened]:
        """Whether f is a combination of the products with these exponents, for each candidate."""
        count = len(exponents) + 1
        inner_KMB = self._inner_RK[candidates_BM, :count].transpose(2, 1, 0)
        found: list[Screened] = []
        together = max(1, _CHUNK // count**2)
        for start in range(0, len(candidates_BM), together):
            found += _solve(inner_KMB[:, :, start : start + together], self._f_K[:count], exponents)
        return found

    def single(self, candidates_B1: Candidates, inner_degree: int) -> list[Screened]:
        """Whether f is no polynomial in the only inner polynomial of these candidates, of this degree."""
        expected = _component_on_line(self._f, inner_degree)
        if expected is None:
            return [REFUTED] * len(candidates_B1)
        values_BK = self._line_RK[candidates_B1[:, 0]]
        change_BK = reduce(values_BK[:, 1:] - values_BK[:, :1])
        differ_B = reduce(change_BK[:, 0] * expected[1] - change_BK[:, 1] * expected[0])
        return [REFUTED if differ else UNKNOWN for differ in differ_B.tolist()]

    def spans(self, candidates_BM: Candidates) -> list[Span | None]:
        """A value for each candidate that is the same for every basis of the same span modulo constants.

        Let V be the values of a basis at as many points as it has members, and W those at further points.
        With another basis they are G V and G W, so the matrix inverse(V) W is the same; if V and G V are
        invertible modulo the prime, so is G. The last row of it is taken. None if V is not invertible.
        """
        inners = candidates_BM.shape[1]
        matrix_MCB = self._inner_RK[candidates_BM, : inners + _SPAN_POINTS].transpose(1, 2, 0)
        if self._constants_R is not None:
            matrix_MCB = reduce(matrix_MCB - self._constants_R[candidates_BM].T[:, None])
        triangular = eliminate(matrix_MCB)
        independent_B: list[bool] = np.all([row[0] for row in triangular], axis=0).tolist()
        return [
            (inners, *[x * pow(pivot, -1, P) % P for x in others]) if independent else None
            for independent, (pivot, *others) in zip(
                independent_B, triangular[-1].T.astype(np.int64).tolist(), strict=True
            )
        ]


def _coefficients(several: Sequence[Terms], monomials: Mapping[Monomial, int]) -> Residues:
    """Coefficients of polynomials as rows of residues. Raises Unusable for a denominator."""
    width = len(monomials)
    places: list[int] = []
    numbers: list[int | fmpq] = []
    for row, inner in enumerate(several):
        start = row * width
        places += [start + monomials[m] for m in inner]
        numbers += inner.values()
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
def _line(variables: int) -> tuple[list[int], list[int]]:
    """A point and a direction; of one variable the whole line."""
    if variables == 1:
        return [0], [1]
    drawn = Random(variables)
    return [drawn.randint(1, 99) for _ in range(variables)], [drawn.randint(1, 99) for _ in range(variables)]


@lru_cache(maxsize=64)
def _powers(variables: int, count: int, top: int) -> Residues:
    """The powers 0, …, top of the coordinates of points, (E, N, K); the first points are always the same.

    LINE_POINTS of them come first, which are on the line.
    """
    drawn_KN = np.random.default_rng(variables).integers(-(P // 2), P // 2, (count, variables))
    for place, at in enumerate(_PLACES_ON_LINE):
        drawn_KN[place] = [(a + b * at) % P for a, b in zip(*_line(variables), strict=True)]
    points_NK = reduce(drawn_KN.T.astype(float))
    powers = [np.ones((variables, count))]
    for _ in range(top):
        powers.append(times(powers[-1], points_NK))
    return np.stack(powers)


def _component_on_line(f: Polynomial, inner_degree: int) -> tuple[int, int] | None:
    """How much the only possible right component of a degree changes along the line, up to a factor.

    None if there is none of that degree. Raises Unusable if the prime divides the leading coefficient there.
    """
    total = degree(f)
    outer_degree, remainder = divmod(total, inner_degree)
    if remainder:
        return None
    residues = _along_line(f)
    if not residues[0]:
        raise Unusable
    scale = pow(residues[0], -1, P)
    monic = [c * scale % P for c in residues]
    # the root of order k = outer_degree of a power series: j k a_j = sum of (i - k (j - i)) f_i a_(j - i)
    root = [1]
    for j in range(1, inner_degree):
        total_j = sum((i - outer_degree * (j - i)) * monic[i] * root[j - i] for i in range(1, j + 1))
        root.append(total_j * pow(j * outer_degree, -1, P) % P)

    def value(t: int) -> int:
        result = 0
        for c in root:
            result = (result * t + c) % P
        return result * t % P

    start, *others = (value(t) for t in _PLACES_ON_LINE)
    first, second = ((other - start) % P for other in others)
    return first, second


def _along_line(f: Polynomial) -> list[int]:
    """The coefficients of f along the line, those of its degree first."""
    total = degree(f)
    if f.context().nvars() > 1:
        (t,) = ring(["t"]).gens()
        f = compose(f, [a + b * t for a, b in zip(*_line(f.context().nvars()), strict=True)])
    coefficients = [0] * (total + 1)
    for (exponent,), c in terms(f):
        coefficients[total - int(exponent)] = _residue(c)
    return coefficients


def _solve(inner_KMB: Residues, f_K: Residues, exponents: tuple[Monomial, ...]) -> list[Screened]:
    count, _, chunk = inner_KMB.shape
    matrices = np.empty((count, count, chunk))
    matrices[:, -1] = f_K[:, None]
    matrices[:, :-1] = _products(inner_KMB, exponents)
    forms = echelon(matrices)
    return [_screened(forms, b, exponents) for b in range(chunk)]


def _screened(forms: Echelon, system: int, exponents: tuple[Monomial, ...]) -> Screened:
    """What a triangular form says of its candidate."""
    unknowns, rank, differs = len(exponents), int(forms.rank_B[system]), forms.residual_B[system] != 0
    if differs and rank == unknowns:
        return REFUTED
    ordered = [exponents[column] for column in forms.order_UB[:, system].tolist()]
    if not differs:
        return Screened(outer=_recognized(ordered[:rank], forms.weights(system, [unknowns])[0]))
    relations = []
    places = range(rank, unknowns)
    for place, weights in zip(places, forms.weights(system, places), strict=True):
        relations.append(_recognized(ordered[:rank], weights) | {ordered[place]: -1})
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


def _recognized(exponents: Sequence[Monomial], residues: Sequence[int]) -> OuterTerms:
    """The polynomial that most likely has these coefficients modulo P, which are nearest to 0."""
    return {
        exponent: residue if abs(residue) <= _SMALL else _simplest(residue)
        for exponent, residue in zip(exponents, residues, strict=True)
        if residue
    }


def _simplest(residue: int) -> int | fmpq:
    """The fraction with this residue whose numerator times denominator is smallest, by Euclid's algorithm."""
    r0, r1, s0, s1 = P, residue % P, 0, 1
    least, numerator, denominator = P, residue, 1
    while r1:
        if r1 * abs(s1) < least:
            least, numerator, denominator = r1 * abs(s1), r1, s1
        quotient = r0 // r1
        r0, r1, s0, s1 = r1, r0 - quotient * r1, s1, s0 - quotient * s1
    return numerator * denominator if abs(denominator) == 1 else fmpq(numerator, denominator)
