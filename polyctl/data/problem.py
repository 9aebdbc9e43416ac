"""A problem: an expanded polynomial and, if it is known, the decomposition it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.monomials import Monomial
from polyctl.algebra.polynomial import Polynomial, degree, digest

WrittenTerms = tuple[tuple[Monomial, int], ...]


class Problem(Protocol):
    """An f to decompose; `decomposition` is a true one, `index` its number in its seed or file.

    `written` lists the terms of f as they are to be written, if that is not the canonical order
    (the split family writes a term twice with parts of its coefficient); `target_text` is the target as
    a file has it.
    """

    @property
    def f(self) -> Polynomial: ...
    @property
    def decomposition(self) -> Decomposition | None: ...
    @property
    def family(self) -> str: ...
    @property
    def index(self) -> int: ...
    @property
    def written(self) -> WrittenTerms | None: ...
    @property
    def target_text(self) -> str | None: ...

    @property
    def digest(self) -> bytes:
        """16 bytes that name the problem up to scaling and constant of f."""
        ...

    @property
    def cell(self) -> str:
        """Outer degree and inner degree as `2∘3`, or `?` if the outer degree is not known."""
        ...


@dataclass(frozen=True)
class SparseProblem:
    """A problem by its polynomials: typed, read from a file, or drawn from any family."""

    f: Polynomial
    decomposition: Decomposition | None
    family: str
    index: int
    written: WrittenTerms | None = None
    target_text: str | None = None

    @property
    def digest(self) -> bytes:
        """See Problem."""
        return digest(self.f)

    @property
    def cell(self) -> str:
        """See Problem. Without an outer the degrees of f and of the only inner give its degree."""
        if self.decomposition is None:
            return "?"
        outer, inners = self.decomposition.outer, self.decomposition.inners
        inner_degree = max(degree(h) for h in inners)
        if outer is not None:
            return f"{degree(outer)}∘{inner_degree}"
        if len(inners) == 1 and inner_degree > 0 and degree(self.f) % inner_degree == 0:
            return f"{degree(self.f) // inner_degree}∘{inner_degree}"
        return "?"
