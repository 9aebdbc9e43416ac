"""Monomials as vectors of exponents, and all of a degree in the order of the rings."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations_with_replacement

Monomial = tuple[int, ...]


@lru_cache(maxsize=256)
def monomials_of_degree(variables: int, degree: int) -> tuple[Monomial, ...]:
    """Exponents of all monomials of a degree, highest first.

    >>> monomials_of_degree(2, 2)
    ((2, 0), (1, 1), (0, 2))
    """
    return tuple(
        tuple(chosen.count(i) for i in range(variables))
        for chosen in combinations_with_replacement(range(variables), degree)
    )


def monomials_up_to(variables: int, degree: int, lowest: int = 0) -> list[Monomial]:
    """Exponents of all monomials of degrees `lowest` to `degree`, by degree, highest first within one."""
    return [m for d in range(lowest, degree + 1) for m in monomials_of_degree(variables, d)]
