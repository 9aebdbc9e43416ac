"""Outer and inner polynomials of many problems of a family, drawn as `polyctl.data.families` draws them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache

import numpy as np

from polyctl.algebra.monomials import monomials_of_degree, monomials_up_to
from polyctl.config.schema import DataConfig
from polyctl.data.blocks.table import Table
from polyctl.data.blocks.words import Bools, Ints, Words
from polyctl.data.families import SINGLET_VECTORS

SINGLET_PRODUCTS = 3


@dataclass
class Drawn:
    """Decompositions as arrays; a coefficient of 0 means that there is no such term.

    A term of an outer polynomial is a product of the inner ones that `factors_ROF` numbers; the number of
    inner polynomials itself stands for 1. `accepted_R` is whether the family takes what was drawn.
    """

    outer_RO: Ints
    factors_ROF: Ints
    columns_RMT: Ints
    inner_RMT: Ints
    accepted_R: Bools

    def select(self, kept_R: Bools) -> Drawn:
        """Some of the decompositions."""
        return Drawn(*(getattr(self, field.name)[kept_R] for field in fields(self)))

    @cached_property
    def used_inners(self) -> Bools:
        """Which inner polynomials the outer one uses, RM."""
        inners = self.columns_RMT.shape[1]
        there = self.outer_RO != 0
        used = np.zeros((len(there), inners + 1), dtype=np.bool_)
        row, term = np.nonzero(there)
        used[row[:, None], self.factors_ROF[row, term]] = True
        return used[:, :inners]


def draw(data: DataConfig, words: Words, rows: Ints, monomials: Table) -> Drawn:
    """The next decomposition of each of the rows."""
    return _FAMILIES[data.family](data, words, rows, monomials)


@dataclass(frozen=True)
class _Lists:
    """The lists of monomials that problems of several degrees choose from, one for each degree of a tuple.

    `entries` are the factors of a monomial, or its column; `sizes` are the lengths of the lists, `tops` how
    many of the largest degree each has, at its end.
    """

    entries: Ints
    sizes: Ints
    tops: Ints


@lru_cache(maxsize=256)
def _outer_lists(inners: int, degrees: tuple[int, ...], lowest: int | None) -> _Lists:
    """Monomials in inner polynomials as numbers of factors; of a degree, or from a lowest degree up to it."""
    width = max(degrees)
    lists = [
        monomials_of_degree(inners, d) if lowest is None else monomials_up_to(inners, d, lowest)
        for d in degrees
    ]
    entries = np.full((len(lists), max(map(len, lists)), width), inners)
    for number, monomials in enumerate(lists):
        for place, monomial in enumerate(monomials):
            factors = [i for i, e in enumerate(monomial) for _ in range(e)]
            entries[number, place, : len(factors)] = factors
    tops = [len(monomials_of_degree(inners, d)) for d in degrees]
    return _Lists(entries, np.array([len(monomials) for monomials in lists]), np.array(tops))


@lru_cache(maxsize=256)
def _inner_lists(monomials: Table, degrees: tuple[int, ...], lowest: int | None) -> _Lists:
    """The same for columns of a table."""
    lists = [
        np.concatenate(
            [monomials.columns_of_degree(k) for k in range(d if lowest is None else lowest, d + 1)]
        )
        for d in degrees
    ]
    entries = np.zeros((len(lists), max(map(len, lists))), dtype=np.int64)
    for number, columns in enumerate(lists):
        entries[number, : len(columns)] = columns
    tops = [len(monomials.columns_of_degree(d)) for d in degrees]
    return _Lists(entries, np.array([len(columns) for columns in lists]), np.array(tops))


def _empty(rows: int, inners: int, outer_terms: int, terms: int, factors: int) -> Drawn:
    return Drawn(
        np.zeros((rows, outer_terms), dtype=np.int64),
        np.full((rows, outer_terms, factors), inners, dtype=np.int64),
        np.zeros((rows, inners, terms), dtype=np.int64),
        np.zeros((rows, inners, terms), dtype=np.int64),
        np.ones(rows, dtype=np.bool_),
    )


def _same(count: int, rows: Ints) -> Ints:
    return np.full(len(rows), count)


def _dense(words: Words, rows: Ints, degrees: Ints, bound: int, monic: bool = False) -> Ints:
    """Coefficients by rising power, the leading one not zero, or one."""
    found = words.between(rows, bound, degrees + 1, int(degrees.max()) + 1)
    every = np.arange(len(rows))
    if monic:
        found[every, degrees] = 1
    while len(zero := np.flatnonzero(found[every, degrees] == 0)):
        found[zero, degrees[zero]] = words.between(rows[zero], bound, _same(1, zero), 1)[:, 0]
    return found


def dense_pair(data: DataConfig, words: Words, rows: Ints) -> tuple[Ints, Ints]:
    """Outer and inner of a dense family in one variable: coefficients by rising power."""
    degrees = np.array(data.outer_degrees)[words.below(rows, len(data.outer_degrees))]
    outer = _dense(words, rows, degrees, data.outer_bound)
    degrees = np.array(data.inner_degrees)[words.below(rows, len(data.inner_degrees))]
    return outer, _dense(words, rows, degrees, data.inner_bound, monic=data.family == "monic")


def _homogeneous(data: DataConfig, words: Words, rows: Ints, monomials: Table) -> Drawn:
    outer, inner = words.below(rows, len(data.outer_degrees)), words.below(rows, len(data.inner_degrees))
    drawn = _empty(len(rows), data.inners, 3, 3, max(data.outer_degrees))
    lists = _outer_lists(data.inners, data.outer_degrees, None)
    counts = np.minimum(3, lists.sizes[outer])
    chosen = words.sample(rows, lists.sizes[outer], counts, 3)
    drawn.factors_ROF[:] = _entries(lists, outer, chosen)
    drawn.outer_RO = words.between(rows, data.outer_bound, counts, 3)
    lists = _inner_lists(monomials, data.inner_degrees, None)
    sizes = lists.sizes[inner]
    for i in range(data.inners):
        counts = np.minimum(1 + words.below(rows, 3), sizes)
        drawn.columns_RMT[:, i] = _entries(lists, inner, words.sample(rows, sizes, counts, 3))
        drawn.inner_RMT[:, i] = words.between(rows, data.inner_bound, counts, 3)
    drawn.accepted_R &= (drawn.outer_RO != 0).any(axis=1)
    drawn.accepted_R &= (drawn.inner_RMT != 0).any(axis=2).all(axis=1)
    return drawn


def _entries(lists: _Lists, which: Ints, places: Ints) -> Ints:
    """What stands in these places of the lists; something wherever a list has no such place."""
    entries: Ints = lists.entries[which[:, None], np.minimum(places, lists.entries.shape[1] - 1)]
    return entries


def _top(words: Words, rows: Ints, lists: _Lists, which: Ints) -> Ints:
    """The place of a monomial of the top degree in each list."""
    return lists.sizes[which] - lists.tops[which] + words.below(rows, lists.tops[which])


def _others(
    words: Words, rows: Ints, lists: _Lists, which: Ints, top: Ints, counts: Ints, width: int
) -> Ints:
    """Places of that monomial and as many others as are counted; any places beyond those."""
    others = words.sample(rows, lists.sizes[which] - 1, counts, width)
    return np.concatenate([top[:, None], others + (others >= top[:, None])], axis=1)


def _sparse(data: DataConfig, words: Words, rows: Ints, monomials: Table) -> Drawn:
    outer, inner = words.below(rows, len(data.outer_degrees)), words.below(rows, len(data.inner_degrees))
    drawn = _empty(len(rows), data.inners, 4, 3, max(data.outer_degrees))
    lists = _outer_lists(data.inners, data.outer_degrees, 1)
    more = np.minimum(1 + words.below(rows, 3), lists.sizes[outer] - 1)
    top = _top(words, rows, lists, outer)
    places = _others(words, rows, lists, outer, top, more, 3)
    drawn.factors_ROF[:] = _entries(lists, outer, places)
    drawn.outer_RO = words.between(rows, data.outer_bound, 1 + more, 4)
    accepted = _reaches_top(lists, outer, places, drawn.outer_RO)
    lists = _inner_lists(monomials, data.inner_degrees, 1)
    for i in range(data.inners):
        more = np.minimum(words.below(rows, 3), lists.sizes[inner] - 1)
        top = _top(words, rows, lists, inner)
        places = _others(words, rows, lists, inner, top, more, 2)
        drawn.columns_RMT[:, i] = _entries(lists, inner, places)
        drawn.inner_RMT[:, i] = words.between(rows, data.inner_bound, 1 + more, 3)
        accepted &= _reaches_top(lists, inner, places, drawn.inner_RMT[:, i])
    drawn.accepted_R = accepted & drawn.used_inners.all(axis=1)
    return drawn


def _reaches_top(lists: _Lists, which: Ints, places: Ints, coefficients: Ints) -> Bools:
    """Whether each polynomial has a term of the top degree."""
    at_top = places >= (lists.sizes - lists.tops)[which][:, None]
    reaches: Bools = (at_top & (coefficients != 0)).any(axis=1)
    return reaches


def _separable(data: DataConfig, words: Words, rows: Ints, monomials: Table) -> Drawn:
    inners, largest = data.inner_variables, max(data.inner_degrees)
    drawn = _empty(len(rows), inners, 11, largest + 1, max(data.outer_degrees))
    powers = np.arange(largest + 1)
    for i in range(inners):
        degrees = np.array(data.inner_degrees)[words.below(rows, len(data.inner_degrees))]
        dense = _dense(words, rows, degrees, data.inner_bound)
        drawn.inner_RMT[:, i, : dense.shape[1]] = dense
        exponents = np.zeros((largest + 1, inners), dtype=np.int64)
        exponents[:, i] = powers
        drawn.columns_RMT[:, i] = monomials.columns_of(exponents)
    outer = words.below(rows, len(data.outer_degrees))
    lists = _outer_lists(inners, data.outer_degrees, 0)
    top = _top(words, rows, lists, outer)
    more = np.minimum(1 + words.below(rows, 10), lists.sizes[outer] - 1)
    places = _others(words, rows, lists, outer, top, more, 10)
    drawn.factors_ROF[:] = _entries(lists, outer, places)
    drawn.outer_RO = words.between(rows, data.outer_bound, 1 + more, 11)
    drawn.accepted_R = drawn.outer_RO[:, 0] != 0
    return drawn


def _on_singlet(data: DataConfig, words: Words, rows: Ints, monomials: Table) -> Drawn:
    """Vectors are numbered anew, those that occur first: only so many variables are in the table."""
    degree = max(data.outer_degrees)
    drawn = _empty(len(rows), 1, degree + 1, 2 * SINGLET_PRODUCTS, degree)
    drawn.outer_RO = _dense(words, rows, _same(degree, rows), data.outer_bound)
    drawn.factors_ROF[:] = np.arange(degree + 1)[:, None] <= np.arange(degree)  # the power k: k factors
    vectors = np.zeros((len(rows), SINGLET_PRODUCTS, 2), dtype=np.int64)
    scales = np.zeros((len(rows), SINGLET_PRODUCTS), dtype=np.int64)
    for t in range(SINGLET_PRODUCTS):
        vectors[:, t, 0] = words.below(rows, SINGLET_VECTORS)
        vectors[:, t, 1] = words.below(rows, SINGLET_VECTORS)
        scales[:, t] = words.between(rows, data.inner_bound, _same(1, rows), 1)[:, 0]
    named = vectors.min(axis=2) * SINGLET_VECTORS + vectors.max(axis=2)
    alike = named[:, :, None] == named[:, None, :]
    total = (alike * scales[:, None, :]).sum(axis=2)
    scales = np.where(alike.argmax(axis=2) == np.arange(SINGLET_PRODUCTS), total, 0)  # the first of its like
    occurs = np.zeros((len(rows), SINGLET_VECTORS), dtype=np.bool_)
    at, product = np.nonzero(scales)
    occurs[at[:, None], vectors[at, product]] = True
    numbers = np.cumsum(occurs, axis=1) - 1
    first, second = (
        np.where(scales != 0, np.take_along_axis(numbers, vectors[:, :, side], axis=1), 0) for side in (0, 1)
    )
    one = np.eye(monomials.variables, dtype=np.int64)
    for component in range(2):
        exponents = one[2 * first + component] + one[2 * second + component]
        drawn.columns_RMT[:, 0, component::2] = monomials.columns_of(exponents)
        drawn.inner_RMT[:, 0, component::2] = scales
    drawn.accepted_R = (scales != 0).any(axis=1)
    return drawn


_FAMILIES: dict[str, Callable[[DataConfig, Words, Ints, Table], Drawn]] = {
    "homogeneous": _homogeneous,
    "sparse": _sparse,
    "separable": _separable,
    "on_singlet": _on_singlet,
}
