"""The monomials of a part of a block as columns, in the order in which terms are written."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from polyctl.algebra.monomials import monomials_of_degree
from polyctl.data.blocks.words import Ints

_LOOKED_UP = 16  # bits of a key up to which columns stand in an array


class Table:
    """Monomials of some degrees in some variables, highest first: column 0 is the highest.

    A key holds the exponents of a monomial in fields of equal size, so keys of factors add up to the key of
    their product.
    """

    def __init__(self, variables: int, degrees: Iterable[int]) -> None:
        falling = sorted(set(degrees), reverse=True)
        self.variables = variables
        self.exponents_DV = np.array(
            [m for d in falling for m in monomials_of_degree(variables, d)], dtype=np.int64
        )
        self.degrees_D: Ints = self.exponents_DV.sum(axis=1)
        self._bits = falling[0].bit_length()
        self._shifts = np.int64(1) << (self._bits * np.arange(variables))
        self.keys_D: Ints = self.exponents_DV @ self._shifts
        self._order = np.argsort(self.keys_D)
        self._sorted = self.keys_D[self._order]
        self._columns = None
        if self._bits * variables <= _LOOKED_UP:
            self._columns = np.zeros(1 << self._bits * variables, dtype=np.int64)
            self._columns[self.keys_D] = np.arange(len(self))
        self.occurs_DV = self.exponents_DV > 0
        self.parities_D: Ints = (self.exponents_DV & 1) @ (np.int64(1) << np.arange(variables))
        self._texts: dict[tuple[bool, ...], list[str]] = {}
        self._moves: dict[tuple[int, ...], Ints] = {}

    def __len__(self) -> int:
        return len(self.exponents_DV)

    @staticmethod
    def fits(variables: int, top: int) -> bool:
        """Whether keys of products of this degree fit a word."""
        return top.bit_length() * variables <= 62

    def columns(self, keys: Ints) -> Ints:
        """The columns of the monomials that have these keys."""
        if self._columns is not None:
            return self._columns[keys]
        return self._order[np.searchsorted(self._sorted, keys)]

    def columns_of(self, exponents: Ints) -> Ints:
        """The columns of the monomials with these exponents, which the last axis has."""
        return self.columns(exponents @ self._shifts)

    def columns_of_degree(self, degree: int) -> Ints:
        """The columns of a degree, highest monomial first."""
        return np.flatnonzero(self.degrees_D == degree)

    def moved(self, order: tuple[int, ...]) -> Ints:
        """For each column that of the monomial with variable order[p] in place p."""
        if order not in self._moves:
            self._moves[order] = self.columns_of(self.exponents_DV[:, order])
        return self._moves[order]

    def texts(self, used: tuple[bool, ...]) -> list[str]:
        """Each column's exponents of the variables that are used, as Python writes a tuple."""
        if used not in self._texts:
            self._texts[used] = [str(tuple(m)) for m in self.exponents_DV[:, used].tolist()]
        return self._texts[used]


@lru_cache(maxsize=64)
def table(variables: int, degrees: tuple[int, ...]) -> Table:
    """The table of these monomials, remembered."""
    return Table(variables, degrees)
