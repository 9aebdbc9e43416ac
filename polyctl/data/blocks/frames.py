"""Frames of many problems: which variable stands in which place, with which sign (see tokenizers.frame)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from polyctl.data.blocks.table import Table
from polyctl.data.blocks.terms import Terms
from polyctl.data.blocks.words import Bools, Ints
from polyctl.data.tokenizers.frame import MOST_ORDERED

_WORD = 64  # candidates for signs in a word


@dataclass
class Frames:
    """`columns_UD` says where each column goes, for each different order; `order_R` which one a problem has.

    `flips_R` has a bit for each place whose variable is negated.
    """

    columns_UD: Ints
    order_R: Ints
    flips_R: Ints


def used_first(used_RV: Bools) -> Ints:
    """The order of variables in which those that f uses come first, RV."""
    return np.argsort(~used_RV, axis=1, kind="stable")


def canonical_order(terms: Terms, used_RV: Bools, monomials: Table) -> Ints:
    """Variables by total exponent, then by exponents weighted with coefficients; RV."""
    exponents = monomials.exponents_DV[terms.column_E]
    totals = np.add.reduceat(exponents, terms.starts_R, axis=0)
    weighted = np.add.reduceat(exponents * np.abs(terms.value_E)[:, None], terms.starts_R, axis=0)
    order = np.argsort(-weighted, axis=1, kind="stable")
    order = np.take_along_axis(
        order, np.argsort(-np.take_along_axis(totals, order, axis=1), axis=1, kind="stable"), axis=1
    )
    few = used_RV.sum(axis=1) <= MOST_ORDERED
    return np.where(few[:, None], order, used_first(used_RV))


def place(terms: Terms, order_RV: Ints, monomials: Table) -> tuple[Terms, Frames]:
    """The terms with their variables in these places, the highest first again."""
    weights = monomials.variables ** np.arange(monomials.variables)
    _, first, which = np.unique(order_RV @ weights, return_index=True, return_inverse=True)
    moves = np.stack([monomials.moved(tuple(order_RV[i].tolist())) for i in first.tolist()])
    column = moves[which[terms.row_E], terms.column_E]
    sort = np.argsort(terms.row_E * len(monomials) + column)
    moved = Terms(terms.row_E, column[sort], terms.value_E[sort], terms.counts_R)
    return moved, Frames(moves, which, np.zeros(len(order_RV), dtype=np.int64))


def apply_signs(terms: Terms, frames: Frames, used_RV: Bools, monomials: Table) -> None:
    """Choose canonical signs for f's variables and for f, and give the terms these signs.

    Problems of more than MOST_ORDERED variables keep their signs.
    """
    count = min(MOST_ORDERED, monomials.variables)
    asked = np.flatnonzero(used_RV.sum(axis=1) <= MOST_ORDERED)
    parities = monomials.parities_D[terms.column_E]
    starts, counts = terms.starts_R[asked], terms.counts_R[asked]
    fitting, vectors = _sign_table(count)
    alive = np.tile(fitting[0, 0] | fitting[0, 1], (len(asked), 1))
    # A term halves the candidates, or leaves all or none of them: then it depends on those before.
    for t in range(int(counts.max(initial=0))):
        now = np.flatnonzero(counts > t)
        at = starts[now] + t
        left = alive[now] & fitting[parities[at], (terms.value_E[at] < 0).astype(np.int64)]
        some = left.any(axis=1)
        alive[now[some]] = left[some]
    chosen = vectors[_lowest(alive)]
    flips = np.zeros(len(terms.counts_R), dtype=np.int64)
    whole = np.zeros_like(flips)
    flips[asked] = chosen & ((1 << count) - 1)
    whole[asked] = chosen >> count
    odd = np.bitwise_count(parities & flips[terms.row_E]) + whole[terms.row_E] & 1
    terms.value_E = np.where(odd == 1, -terms.value_E, terms.value_E)
    frames.flips_R = flips


@lru_cache
def _sign_table(count: int) -> tuple[NDArray[np.uint64], Ints]:
    """For each form of terms and each value the candidates that give it, as bits; and the candidates.

    A candidate has a bit for each of `count` variables and, above them, one for f. They come in the order of
    their lowest bits, so that the first one left leaves as many signs as can be as they are.
    """
    size = 1 << count + 1
    vectors = np.array([int(f"{i:0{count + 1}b}"[::-1], 2) for i in range(size)], dtype=np.int64)
    forms = np.arange(1 << count)[:, None] | 1 << count
    odd = np.bitwise_count(forms & vectors) & 1
    words = max(1, size // _WORD)
    bits = np.uint64(1) << np.arange(min(size, _WORD), dtype=np.uint64)
    found = np.stack([odd == value for value in (0, 1)], axis=1).reshape(len(forms), 2, words, len(bits))
    return (found * bits).sum(axis=-1, dtype=np.uint64), vectors


def _lowest(alive: NDArray[np.uint64]) -> Ints:
    """The number of the lowest bit of each row of words."""
    word = (alive != 0).argmax(axis=1)
    value = alive[np.arange(len(alive)), word]
    low = value & (~value + np.uint64(1))
    number: Ints = word * _WORD + np.bitwise_count(low - np.uint64(1)).astype(np.int64)
    return number
