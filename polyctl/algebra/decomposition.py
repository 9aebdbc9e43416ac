"""A decomposition f = g(h1, ..., hm): its value, its normal form, and when two are the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from flint import fmpq, fmpq_mat

from polyctl.algebra.linear_algebra import coefficient_rows, echelon_rows, sparse_basis
from polyctl.algebra.monomials import Monomial
from polyctl.algebra.polynomial import (
    Polynomial,
    Ring,
    compose,
    constant_term,
    key,
    names,
    polynomial,
    primitive_part,
    ring,
    terms,
    variables_used,
)

Terms = Mapping[Monomial, int | fmpq]


@dataclass(frozen=True)
class Decomposition:
    """An outer polynomial, or None if only inner polynomials are claimed, and these."""

    outer: Polynomial | None
    inners: tuple[Polynomial, ...]

    def __hash__(self) -> int:
        return hash((None if self.outer is None else key(self.outer), tuple(map(key, self.inners))))

    @property
    def expanded(self) -> Polynomial:
        """g(h1, ..., hm), expanded; the outer must be there."""
        if self.outer is None:
            raise ValueError("a decomposition without an outer polynomial cannot be expanded")
        return compose(self.outer, self.inners)


@dataclass(frozen=True)
class DecompositionTerms:
    """A decomposition by its terms, none of them zero; polynomials are made when they are asked for."""

    names: tuple[str, ...]
    outer: Terms | None
    inners: tuple[Terms, ...]

    @classmethod
    def of(cls, decomposition: Decomposition) -> DecompositionTerms:
        """The terms of a decomposition, which must have an inner polynomial."""
        outer, inners = decomposition.outer, decomposition.inners
        return cls(
            names(inners[0]), None if outer is None else _plain_terms(outer), tuple(map(_plain_terms, inners))
        )

    @cached_property
    def decomposition(self) -> Decomposition:
        """The same as polynomials."""
        context, outer = ring(self.names), self.outer
        return Decomposition(
            None if outer is None else polynomial(outer_ring(len(self.inners)), outer),
            tuple(polynomial(context, inner) for inner in self.inners),
        )


def _plain_terms(f: Polynomial) -> Terms:
    return {tuple(map(int, m)): int(c.p) if c.q == 1 else c for m, c in terms(f)}


@lru_cache
def outer_ring(inners: int, letter: str = "b") -> Ring:
    """The ring of outers: b for one inner, b0, b1, ... for several."""
    return ring([letter] if inners == 1 else [f"{letter}{i}" for i in range(inners)])


def used_inners(decomposition: Decomposition) -> Decomposition:
    """The decomposition without the inners that its outer does not use."""
    outer, inners = decomposition.outer, decomposition.inners
    if outer is None or len(inners) == 1:
        return decomposition
    used = variables_used(outer)
    if len(used) == len(inners) or not used:
        return decomposition
    reduced = {tuple(m[i] for i in used): c for m, c in zip(outer.monoms(), outer.coeffs(), strict=True)}
    return Decomposition(polynomial(outer_ring(len(used)), reduced), tuple(inners[i] for i in used))


def normal_form(decomposition: Decomposition) -> Decomposition:
    """The same decomposition with its inners in normal form, the outer changed to fit.

    Inners are primitive over Z, have no constant term and a positive leading coefficient, and are the
    sparsest basis of their span (docs/solvers.md); unused and dependent inners are dropped. Raises
    ValueError if an inner is constant.

    >>> from polyctl.algebra.parse import parse
    >>> normal_form(Decomposition(parse("b^2", ["b"]), (parse("2x^2 + 4x + 6"),)))
    Decomposition(outer=4*b^2 + 24*b + 36, inners=(x^2 + 2*x,))
    """
    decomposition = used_inners(decomposition)
    outer, inners = decomposition.outer, decomposition.inners
    constants = [constant_term(h) for h in inners]
    shifted = [h - c if c else h for h, c in zip(inners, constants, strict=True)]
    if any(h.is_zero() for h in shifted):
        raise ValueError("an inner polynomial is constant")
    if len(inners) == 1:
        inner, factor = primitive_part(shifted[0])
        return Decomposition(None if outer is None else _substitute(outer, [[factor]], constants), (inner,))
    monomials, rows = coefficient_rows(shifted)
    basis = sparse_basis(rows)
    context = inners[0].context()
    new_inners = tuple(
        polynomial(context, {m: c for m, c in zip(monomials, row, strict=True) if c}) for row in basis
    )
    if outer is None:
        return Decomposition(None, new_inners)
    coordinates = _coordinates(shifted, new_inners)
    return used_inners(Decomposition(_substitute(outer, coordinates, constants), new_inners))


def equivalence_key(decomposition: Decomposition) -> tuple[tuple[str, ...], tuple[object, ...]]:
    """A hashable value equal for decompositions of one f that differ by affine changes of the inners.

    It is the span of the inners modulo constants; unused inners do not count.
    """
    decomposition = used_inners(decomposition)
    shifted = [h - constant_term(h) for h in decomposition.inners]
    monomials, rows = coefficient_rows([h for h in shifted if not h.is_zero()])
    echelon = echelon_rows(rows) if rows else []
    return (
        names(decomposition.inners[0]),
        tuple(tuple((m, c) for m, c in zip(monomials, row, strict=True) if c) for row in echelon),
    )


def _coordinates(old: Sequence[Polynomial], basis: Sequence[Polynomial]) -> list[list[fmpq]]:
    """The matrix A with old[i] = sum_j A[i][j] * basis[j]."""
    monomials = sorted({m for h in basis for m in h.monoms()})
    columns = fmpq_mat([[h[m] for m in monomials] for h in basis]).transpose()
    targets = fmpq_mat([[h[m] for m in monomials] for h in old]).transpose()
    gram = columns.transpose() * columns
    return gram.solve(columns.transpose() * targets).transpose().tolist()


def _substitute(
    outer: Polynomial, coordinates: Sequence[Sequence[fmpq]], constants: Sequence[fmpq]
) -> Polynomial:
    """outer(A b + c): the outer for new inners b if the old inner i was A[i] b + c[i]."""
    context = outer_ring(len(coordinates[0]))
    generators = context.gens()
    arguments = []
    for row, constant in zip(coordinates, constants, strict=True):
        argument = context.constant(constant)
        for weight, generator in zip(row, generators, strict=True):
            if weight:
                argument = argument + generator * weight
        arguments.append(argument)
    return compose(outer, arguments)
