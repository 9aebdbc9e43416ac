"""The sparsest bases of the spans of inner polynomials, for many problems: those of `sparse_basis`."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from polyctl.data.blocks.words import Bools, Ints

MOST_INNERS = 4
MOST_COLUMNS = 40
_MOST_TRIED = 29  # columns: of more than these `sparse_basis` does not try all choices of three
_LARGEST = 1 << 19  # of entries: determinants of three rows fit a word
_HEAVIEST = 1 << 30  # of weights: so do their products, and those with entries
_COUNT_AT = 57  # bits below the count of entries in a key
_NEVER = np.iinfo(np.int64).max


def primitive(rows_RMC: Ints) -> Ints:
    """Each row divided by its content, the first entry positive; zero rows stay."""
    content = np.gcd.reduce(np.abs(rows_RMC), axis=-1)
    first = np.take_along_axis(rows_RMC, (rows_RMC != 0).argmax(axis=-1)[..., None], axis=-1)[..., 0]
    return rows_RMC // np.where(content == 0, 1, content * np.sign(first))[..., None]


def _order_keys(rows: Ints) -> tuple[Ints, Bools]:
    """Numbers that order rows by their entries' count, sum and first columns; and in which problems they do.

    Vectors of minimal support are equal if their supports are, so that no more is needed.
    """
    there = rows != 0
    width = rows.shape[2]
    count, total = there.sum(axis=2), np.abs(rows).sum(axis=2)
    absent = (~there).astype(np.int64) @ (np.int64(1) << np.arange(width)[::-1])
    key = (count << _COUNT_AT) + (total << width) + absent
    return np.where(count == 0, _NEVER, key), (total < 1 << _COUNT_AT - width).all(axis=1)


def sparsest(rows_RMC: Ints) -> tuple[Ints, Bools]:
    """For primitive rows the sparsest basis of their span, in order; and whether it was found."""
    found = np.ones(len(rows_RMC), dtype=np.bool_)
    result = rows_RMC.copy()
    overlap = np.flatnonzero(_sharing(result).any(axis=1))
    if len(overlap):
        result[overlap] = _without_units(result[overlap])
        sharing = _sharing(result)
        counts = sharing.sum(axis=1)
        for count in np.unique(counts[counts > 0]).tolist():
            rows = np.flatnonzero(counts == count)
            at = rows[:, None], np.argsort(~sharing[rows], axis=1, kind="stable")[:, :count]
            result[at], found[rows] = _search(result[at])
    keys, ordered = _order_keys(result)
    order = np.argsort(keys, axis=1)
    return np.take_along_axis(result, order[:, :, None], axis=1), found & ordered


def _sharing(rows: Ints) -> Bools:
    """Which rows of each problem share a column with another one; the others stay in the basis, RM."""
    there = rows != 0
    shared = there.sum(axis=1) > 1
    sharing: Bools = (there & shared[:, None, :]).any(axis=2)
    return sharing


def _without_units(rows: Ints) -> Ints:
    """Rows of one entry cleared from the others, as often as that makes new ones."""
    rows = rows.copy()
    while True:
        there = rows != 0
        unit = there.sum(axis=2) == 1
        units = there & unit[:, :, None]
        first = units & (np.cumsum(units, axis=1) == 1)
        clear = there & units.any(axis=1)[:, None, :] & ~first
        if not clear.any():
            return primitive(rows)
        rows[clear] = 0


def _search(rows: Ints) -> tuple[Ints, Bools]:
    """The sparsest bases by trying all vectors of minimal support, and whether that worked.

    Such a vector is a combination of some of the rows that vanishes in all but one as many of the columns
    that they share: those are all listed, and taken greedily.
    """
    count, inners, _ = rows.shape
    local, columns = _used_columns(rows)
    if columns.shape[1] > _MOST_TRIED:
        return rows, np.zeros(count, dtype=np.bool_)
    weights = _weights(local)
    values = weights @ local
    content = np.gcd.reduce(np.abs(values), axis=2)
    fine = (np.abs(local).max(axis=(1, 2)) < _LARGEST) & (np.abs(weights).max(axis=(1, 2)) < _HEAVIEST)
    first = np.take_along_axis(values, (values != 0).argmax(axis=2)[..., None], axis=2)[..., 0]
    values //= np.where(content == 0, 1, content * np.sign(first))[..., None]
    keys, ordered = _order_keys(values)
    fine &= ordered
    # A combination that vanishes: the rows are dependent, and independent weights say nothing.
    fine &= ~(weights.any(axis=2) & (content == 0))[:, inners:].any(axis=1)
    order = np.argsort(keys, axis=1)
    weights = np.take_along_axis(weights, order[:, :, None], axis=1)
    live = np.take_along_axis(keys, order, axis=1) != _NEVER
    basis = np.zeros_like(rows)
    every = np.arange(count)
    for i in range(inners):
        there = live & weights.any(axis=2)
        some = there.any(axis=1)
        chosen = there.argmax(axis=1)
        picked = values[every, order[every, chosen]]
        target = np.zeros((count, rows.shape[2]), dtype=np.int64)
        np.put_along_axis(target, columns, picked, axis=1)
        basis[:, i] = np.where(some[:, None], target, 0)
        weight = np.where(some[:, None], weights[every, chosen], 0)
        pivot = (weight != 0).argmax(axis=1)
        scale = np.where(some, weight[every, pivot], 1)
        along = weights[every, :, pivot]
        weights = weights * scale[:, None, None] - along[:, :, None] * weight[:, None, :]
        weights = _coprime(weights)
        fine &= np.abs(weights).max(axis=(1, 2)) < _HEAVIEST
    return basis, fine


def _used_columns(rows: Ints) -> tuple[Ints, Ints]:
    """The rows without columns that none has, as far as all of them allow, and which columns are left."""
    used = rows.any(axis=1)
    width = int(used.sum(axis=1).max())
    columns = np.argsort(~used, axis=1, kind="stable")[:, :width]
    return np.take_along_axis(rows, columns[:, None, :], axis=2), columns


def _weights(rows: Ints) -> Ints:
    """Weights RKM of the rows themselves and of the combinations that vanish in columns they share."""
    count, inners, _ = rows.shape
    there = rows != 0
    shared = there.sum(axis=1) > 1
    most = int(shared.sum(axis=1).max())
    columns = np.argsort(~shared, axis=1, kind="stable")[:, :most]
    shown = np.take_along_axis(np.where(shared[:, None, :], rows, 0), columns[:, None, :], axis=2)
    every = [np.broadcast_to(np.eye(inners, dtype=np.int64), (count, inners, inners))]
    for size in range(2, inners + 1):
        for chosen in combinations(range(inners), size):
            some = shown[:, chosen]
            vanishing = [_kernel(some[:, :, at]) for at in combinations(range(most), size - 1)]
            if vanishing:
                weights = np.stack(vanishing, axis=1)
                weights[~weights.all(axis=2)] = 0
                full = np.zeros((count, len(vanishing), inners), dtype=np.int64)
                full[:, :, chosen] = weights
                every.append(full)
    return _coprime(_packed(np.concatenate(every, axis=1)))


def _coprime(weights: Ints) -> Ints:
    coprime: Ints = weights // np.maximum(np.gcd.reduce(np.abs(weights), axis=2), 1)[..., None]
    return coprime


def _packed(weights: Ints) -> Ints:
    """The same weights without most of those that are zero."""
    row, number = np.nonzero(weights.any(axis=2))
    counts = np.bincount(row, minlength=len(weights))
    place = np.arange(len(row)) - (np.cumsum(counts) - counts)[row]
    packed = np.zeros((len(weights), int(counts.max()), weights.shape[2]), dtype=np.int64)
    packed[row, place] = weights[row, number]
    return packed


def _kernel(columns: Ints) -> Ints:
    """The weights of some rows with which one column fewer vanish: the minors with their signs."""
    size = columns.shape[1]
    minors = [determinants(np.delete(columns, i, axis=1)) * (-1) ** i for i in range(size)]
    return np.stack(minors, axis=1)


def determinants(square: Ints) -> Ints:
    """The determinants of square matrices."""
    size = square.shape[1]
    if size == 1:
        return square[:, 0, 0]
    total = np.zeros(len(square), dtype=np.int64)
    for i in range(size):
        total += (-1) ** i * square[:, 0, i] * determinants(np.delete(square[:, 1:], i, axis=2))
    return total
