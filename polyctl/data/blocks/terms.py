"""Terms of many polynomials: composed, in normal form, and the digests that name them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from polyctl.data.blocks.draws import Drawn
from polyctl.data.blocks.table import Table
from polyctl.data.blocks.words import Bools, Ints


@dataclass
class Terms:
    """Terms of R polynomials, one polynomial's after another's: whose, which column, which coefficient.

    Those of a polynomial rise in column, which is the order in which they are written.
    """

    row_E: Ints
    column_E: Ints
    value_E: Ints
    counts_R: Ints

    @classmethod
    def of(cls, dense_RD: Ints) -> Terms:
        """The terms of polynomials given by their coefficients for each column."""
        row, column = np.nonzero(dense_RD)
        return cls(row, column, dense_RD[row, column], np.bincount(row, minlength=len(dense_RD)))

    @classmethod
    def joined(cls, pieces: Sequence[tuple[Ints, Terms]], count: int) -> Terms:
        """The terms of `count` polynomials from pieces that come with the numbers of theirs."""
        row = np.concatenate([rows[terms.row_E] for rows, terms in pieces])
        order = np.argsort(row, kind="stable")
        column, value = (
            np.concatenate([getattr(terms, name) for _, terms in pieces])[order]
            for name in ("column_E", "value_E")
        )
        return cls(row[order], column, value, np.bincount(row, minlength=count))

    @property
    def starts_R(self) -> Ints:
        """Where the terms of each polynomial begin."""
        starts: Ints = np.cumsum(self.counts_R) - self.counts_R
        return starts

    def select(self, kept_R: Bools) -> Terms:
        """The terms of some of the polynomials."""
        inside = kept_R[self.row_E]
        numbers = np.cumsum(kept_R) - 1
        return Terms(
            numbers[self.row_E[inside]], self.column_E[inside], self.value_E[inside], self.counts_R[kept_R]
        )

    def variables_used(self, monomials: Table) -> Bools:
        """Which variables occur in each polynomial, RV."""
        used = np.zeros((len(self.counts_R), monomials.variables), dtype=np.bool_)
        some = self.counts_R > 0
        if some.any():
            occurs = monomials.occurs_DV[self.column_E]
            used[some] = np.logical_or.reduceat(occurs, self.starts_R[some], axis=0)
        return used

    def normal_forms(self, monomials: Table) -> Terms:
        """The normal forms of polynomials, none of which may be constant."""
        inside = monomials.degrees_D[self.column_E] > 0
        row, column, value = self.row_E[inside], self.column_E[inside], self.value_E[inside]
        terms = Terms(row, column, value, np.bincount(row, minlength=len(self.counts_R)))
        starts = terms.starts_R
        content = np.gcd.reduceat(np.abs(value), starts) * np.sign(value[starts])
        terms.value_E = value // np.repeat(content, terms.counts_R)
        return terms


def compose(drawn: Drawn, monomials: Table) -> Terms:
    """The terms of g(h1, …, hm); exact if sums stay below 2^53."""
    rows, _, terms = drawn.columns_RMT.shape
    unit = np.zeros((rows, 1, terms), dtype=np.int64)  # 1 as an inner polynomial, behind all others
    keys = np.concatenate([monomials.keys_D[drawn.columns_RMT], unit], axis=1)
    unit[:, :, 0] = 1
    values = np.concatenate([drawn.inner_RMT, unit], axis=1)
    row, term = np.nonzero(drawn.outer_RO)
    product, key = drawn.outer_RO[row, term], np.zeros(len(row), dtype=np.int64)
    factors = drawn.factors_ROF[row, term]
    for j in range(factors.shape[1]):  # one factor more at a time, without terms that are zero
        factor = values[row, factors[:, j]]
        which, place = np.nonzero(factor)
        product = product[which] * factor[which, place]
        row = row[which]
        key = key[which] + keys[row, factors[which, j], place]
        factors = factors[which]
    cells = row * len(monomials) + monomials.columns(key)
    sums = np.bincount(cells, weights=product, minlength=rows * len(monomials))
    there = np.flatnonzero(sums)
    row, column = np.divmod(there, len(monomials))
    return Terms(row, column, sums[there].astype(np.int64), np.bincount(row, minlength=rows))


def compose_dense(outer: Ints, inner: Ints, powers: int) -> Ints:
    """The coefficients of g(h) in one variable, all by rising power, up to so many powers."""
    value = np.zeros((len(outer), powers), dtype=np.int64)
    for k in range(outer.shape[1] - 1, -1, -1):
        multiplied = np.zeros_like(value)
        for j in range(inner.shape[1]):
            multiplied[:, j:] += inner[:, j, None] * value[:, : powers - j]
        value = multiplied
        value[:, 0] += outer[:, k]
    return value


def digests(terms: Terms, used_RV: Bools, monomials: Table) -> list[bytes]:
    """The digest of each normal form, as `digest_of` gives it."""
    columns, values = terms.column_E.tolist(), terms.value_E.tolist()
    bits = np.int64(1) << np.arange(used_RV.shape[1])
    _, first, which = np.unique(used_RV @ bits, return_index=True, return_inverse=True)
    texts = [monomials.texts(tuple(used_RV[i].tolist())) for i in first.tolist()]
    found, start = [], 0
    for used, count in zip(which.tolist(), terms.counts_R.tolist(), strict=True):
        end, named = start + count, texts[used]
        written = ", ".join([named[column] for column in columns[start:end]])
        found.append(blake2b(f"[{written}]{values[start:end]}".encode(), digest_size=16).digest())
        start = end
    return found


def inner_rows(drawn: Drawn, columns: slice) -> Ints:
    """The coefficients of the inner polynomials that are used, RMC, for these columns of the table."""
    rows, inners, _ = drawn.columns_RMT.shape
    width = columns.stop - columns.start
    places = drawn.columns_RMT - columns.start
    there = (places >= 0) & (places < width) & (drawn.inner_RMT != 0) & drawn.used_inners[:, :, None]
    polynomial = np.arange(rows * inners).reshape(rows, inners, 1)
    cells = (polynomial * width + places)[there]
    sums = np.bincount(cells, weights=drawn.inner_RMT[there], minlength=rows * inners * width)
    return sums.astype(np.int64).reshape(rows, inners, width)
