"""Which monomials the inners and the outer can have, from the monomials of f alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod

from polyctl.algebra.budget import UNLIMITED, Budget
from polyctl.algebra.monomials import Monomial, monomials_of_degree

BITS = 8
MASK = (1 << BITS) - 1
MAX_WORK = 800_000
PRODUCTS = 8  # of monomials, for a unit of work


@dataclass(frozen=True)
class Shape:
    """Allowed monomials: of each inner (indices; the first is its pivot) and of the outer (exponents)."""

    inners: tuple[tuple[int, ...], ...]
    outer: tuple[Monomial, ...]

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

    def __init__(
        self,
        monomials: Sequence[Monomial],
        inner_monomials: Sequence[Monomial],
        budget: Budget = UNLIMITED,
    ) -> None:
        self.target = frozenset(map(code, monomials))
        self.codes = [code(m) for m in inner_monomials]
        self._bit = {v: 1 << i for i, v in enumerate(sorted(self.target))}
        self._allowed: dict[int, int] = {}
        self._covered: dict[tuple[int, ...], int] = {}
        self.budget = budget
        self.work = 0

    def exhausted(self) -> bool:
        """Whether the bound on work is reached or time is up; then there are no more shapes."""
        return self.work > MAX_WORK or self.budget.expired

    def allowed(self, rest: int) -> int:
        """The inner monomials (as bits) whose product with the monomial `rest` is in f."""
        known = self._allowed.get(rest)
        if known is None:
            known = sum(1 << i for i, u in enumerate(self.codes) if u + rest in self.target)
            self._allowed[rest] = known
        return known

    def shapes(self, inners: int, outer_degree: int, terms: int, fixed: int | None = None) -> Iterator[Shape]:
        """All maximal shapes with at most `terms` outer monomials, each once.

        `fixed` is an inner monomial that is one more inner, the last, and in no other one.
        """
        return (s for s in self.search(inners, outer_degree, terms, fixed) if s is not None)

    def search(
        self, inners: int, outer_degree: int, terms: int, fixed: int | None = None
    ) -> Iterator[Shape | None]:
        """The same, with None in between, so that the search can be interrupted there."""
        count = inners + (fixed is not None)
        outers = [
            (e, [i for i, k in enumerate(e) for _ in range(k)])
            for e in monomials_of_degree(count, outer_degree)
        ]
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
                    self.work += 1
                    if self.exhausted():
                        return
                    masks = self._masks(pivots, chosen, fixed)
                    if masks is None:
                        continue
                    for closed in self._closed(pivots, masks, chosen):
                        yield self._shape(pivots, closed, chosen, seen)
                    yield None
                    if self.exhausted():
                        return
            yield None

    def _divides(self, u: int) -> bool:
        shifts = range(0, max(self.target).bit_length(), BITS)
        return any(all((v >> s & MASK) >= (u >> s & MASK) for s in shifts) for v in self.target)

    def _shape(
        self, pivots: Sequence[int], masks: tuple[int, ...], chosen: Sequence[_Term], seen: set[object]
    ) -> Shape | None:
        """The shape of these masks, or None if it was seen in another order or with other pivots."""
        order = sorted(range(len(pivots)), key=lambda i: (masks[i], pivots[i]))
        key = (
            tuple(masks[i] for i in order),
            tuple(sorted(tuple(term.exponent[i] for i in order) for term in chosen)),
        )
        if key in seen:
            return None
        seen.add(key)
        rows = tuple((p, *_bits(m & ~(1 << p))) for p, m in zip(pivots, masks, strict=True))
        return Shape(rows, tuple(term.exponent for term in chosen))

    def _masks(
        self, pivots: Sequence[int], chosen: Sequence[_Term], fixed: int | None
    ) -> tuple[int, ...] | None:
        """What each pivot may be exchanged for in all chosen terms, or None if an inner is not used."""
        masks = [-1] * len(pivots)
        for term in chosen:
            for i, allowed in term.used:
                masks[i] &= allowed
        if fixed is not None:
            masks = [m & ~(1 << fixed) for m in masks[:-1]] + [1 << fixed]
        return None if any(m < 0 for m in masks) else tuple(masks)

    def _closed(
        self, pivots: Sequence[int], masks: tuple[int, ...], chosen: Sequence[_Term]
    ) -> Iterator[tuple[int, ...]]:
        """The largest masks within these whose products are all in f and make up all of f."""
        sizes = [m.bit_count() for m in masks]
        if sum(prod(sizes[i] for i in term.factors) for term in chosen) < len(self.target):
            return
        covered = 0
        for term in chosen:
            covered |= self._cover(tuple(sorted(masks[i] for i in term.factors)))
        if covered.bit_count() < len(self.target):
            return
        items: dict[tuple[int, int], int] = {}
        supports = []
        for i, (mask, pivot) in enumerate(zip(masks, pivots, strict=True)):
            row = [(self.codes[pivot], 0)]
            for k in _bits(mask & ~(1 << pivot)):
                items[i, k] = 1 << len(items)
                row.append((self.codes[k], items[i, k]))
            supports.append(row)
        fits, conflicts = self._products(supports, chosen)
        alive = (1 << len(items)) - 1
        for kept in self._independent(alive, fits, conflicts):
            yield tuple(
                sum(1 << k for (j, k), bit in items.items() if j == i and bit & kept) | 1 << pivot
                for i, pivot in enumerate(pivots)
            )

    def _cover(self, masks: tuple[int, ...]) -> int:
        """The monomials of f (as bits) that products of one inner monomial from each of these masks make."""
        known = self._covered.get(masks)
        if known is None:
            sums = {0}
            for mask in masks:
                sums = {s + self.codes[k] for s in sums for k in _bits(mask)}
                self.work += len(sums) // PRODUCTS
            known = sum(self._bit[s] for s in sums if s in self._bit)
            self._covered[masks] = known
        return known

    def _products(
        self, supports: Sequence[Sequence[tuple[int, int]]], chosen: Sequence[_Term]
    ) -> tuple[dict[int, set[int]], set[int]]:
        """By monomial of f the item sets that make it, and the item sets whose product is not in f."""
        fits: dict[int, set[int]] = {}
        conflicts: set[int] = set()
        for term in chosen:
            sums = {(0, 0)}
            for i in term.factors:
                sums = {(s + u, b | item) for s, b in sums for u, item in supports[i]}
                self.work += len(sums) // PRODUCTS
            for value, used in sums:
                if value in self.target:
                    fits.setdefault(value, set()).add(used)
                else:
                    conflicts.add(used)
        return fits, conflicts

    def _independent(self, alive: int, fits: dict[int, set[int]], conflicts: set[int]) -> list[int]:
        """The maximal item sets without a conflict that still make every monomial of f."""
        if len(fits) < len(self.target):
            return []
        found: list[int] = []
        seen: set[int] = set()
        stack = [alive]
        while stack:
            alive = stack.pop()
            for used in conflicts:
                if used & (used - 1) == 0:
                    alive &= ~used
            if alive in seen or any(alive & ~other == 0 for other in found):
                continue
            seen.add(alive)
            self.work += 10 + (len(conflicts) + len(fits)) // PRODUCTS
            if self.exhausted():
                break
            if not all(any(used & ~alive == 0 for used in ways) for ways in fits.values()):
                continue
            open_ = [used for used in conflicts if used & ~alive == 0]
            if not open_:
                found.append(alive)
                continue
            smallest = min(open_, key=int.bit_count)
            stack += [alive & ~(1 << k) for k in _bits(smallest)]
        return [f for f in found if not any(f != g and f & ~g == 0 for g in found)]


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
