"""Which monomials the inners and the outer can have, from the monomials of f alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod

from polyctl.numeric.system import Monomial, forms

BITS = 8
MASK = (1 << BITS) - 1


@dataclass(frozen=True)
class Shape:
    """Allowed monomials: of each inner (indices; the first is its pivot) and of the outer (exponents).

    `excess` counts the monomials of g(h) that f does not have.
    """

    inners: tuple[tuple[int, ...], ...]
    outer: tuple[Monomial, ...]
    excess: int

    @property
    def unknowns(self) -> int:
        return sum(map(len, self.inners)) - len(self.inners) + len(self.outer)


@dataclass(frozen=True)
class _Term:
    """An outer monomial that fits the pivots: its factors, and what each may be exchanged for (bits)."""

    exponent: Monomial
    factors: list[int]
    used: list[tuple[int, int]]


def code(monomial: Monomial) -> int:
    """A number for a monomial, such that products of monomials are sums of numbers."""
    return sum(e << (BITS * i) for i, e in enumerate(monomial))


class Supports:
    """The shapes a decomposition of f can have if no monomial of g(h) cancels.

    Take one monomial u_i of every inner, all different (they exist: the inners are independent). Then
    every outer monomial e has e(u) in f; and exchanging in it one u_i for another monomial of h_i gives a
    monomial of f again. So the pivots u and a choice of outer monomials leave few monomials for each inner.
    """

    def __init__(self, monomials: Sequence[Monomial], inner_monomials: Sequence[Monomial]) -> None:
        self.target = frozenset(map(code, monomials))
        self.codes = [code(m) for m in inner_monomials]
        self._allowed: dict[int, int] = {}

    def allowed(self, rest: int) -> int:
        """The inner monomials (as bits) whose product with the monomial `rest` is in f."""
        known = self._allowed.get(rest)
        if known is None:
            known = sum(1 << i for i, u in enumerate(self.codes) if u + rest in self.target)
            self._allowed[rest] = known
        return known

    def shapes(
        self, inners: int, outer_degree: int, terms: int, fixed: int | None = None
    ) -> Iterator[Shape]:
        """All shapes with at most `terms` outer monomials, each once.

        `fixed` is an inner monomial that is one more inner, the last, and in no other one.
        """
        count = inners + (fixed is not None)
        outers = [(e, [i for i, k in enumerate(e) for _ in range(k)]) for e in forms(count, outer_degree)]
        seen: set[object] = set()
        possible = [i for i in range(len(self.codes)) if i != fixed and self._divides(self.codes[i])]
        for free in combinations(possible, inners):
            pivots = free if fixed is None else (*free, fixed)
            codes = [self.codes[i] for i in pivots]
            fitting = []
            for e, factors in outers:
                value = sum(codes[i] for i in factors)
                if value in self.target:
                    used = [(i, self.allowed(value - codes[i])) for i in set(factors)]
                    fitting.append(_Term(e, factors, used))
            for size in range(1, terms + 1):
                for chosen in combinations(fitting, size):
                    shape = self._shape(pivots, chosen, fixed, seen)
                    if shape is not None:
                        yield shape

    def _divides(self, u: int) -> bool:
        shifts = range(0, max(self.target).bit_length(), BITS)
        return any(all((v >> s & MASK) >= (u >> s & MASK) for s in shifts) for v in self.target)

    def _shape(
        self, pivots: Sequence[int], chosen: Sequence[_Term], fixed: int | None, seen: set[object]
    ) -> Shape | None:
        masks = [-1] * len(pivots)
        for term in chosen:
            for i, allowed in term.used:
                masks[i] &= allowed
        if fixed is not None:
            masks = [m & ~(1 << fixed) for m in masks[:-1]] + [1 << fixed]
        if any(m < 0 for m in masks):
            return None
        sizes = [m.bit_count() for m in masks]
        if sum(prod(sizes[i] for i in term.factors) for term in chosen) < len(self.target):
            return None
        free = len(pivots) - (fixed is not None)
        order = [*sorted(range(free), key=lambda i: (masks[i], pivots[i])), *range(free, len(pivots))]
        outer = tuple(sorted(tuple(term.exponent[i] for i in order) for term in chosen))
        key = (tuple(masks[i] for i in order), outer)
        if key in seen:
            return None
        seen.add(key)
        supports = [[u for k, u in enumerate(self.codes) if m >> k & 1] for m in masks]
        covered: set[int] = set()
        for term in chosen:
            sums = {0}
            for i in term.factors:
                sums = {s + u for s in sums for u in supports[i]}
            covered |= sums
        if not covered >= self.target:
            return None
        return Shape(
            tuple(
                (pivots[i], *(k for k in range(len(self.codes)) if masks[i] >> k & 1 and k != pivots[i]))
                for i in order
            ),
            outer,
            len(covered) - len(self.target),
        )
