"""How complex an answer is: leaves and distinct subexpressions of g(h1, ..., hm) as it stands.

The expression is the tree that Mathematica keeps without being asked to simplify, as in the published
counts: sums in sums and products in products are flattened, like terms and equal factors merge, a power
of a product is the product of the powers, and constants merge. So an inner polynomial that is a single
term dissolves into the outer's terms, and one that is a sum stays a sum. A variable `a0` or `x_1` is its
head a or x applied to its index; `x` is a symbol. The heads Plus, Times and Power count like any other
vertex, and equal subexpressions count once: an exponent 2, a coefficient 2 and an index 2 are one.
Numbers, fractions too, are atoms, and so are variables that stand for functions, such as `sin(x)`. A number
times a single sum is left as a product; the test data do not show whether it should be.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Sized
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.polynomial import Polynomial, names

Number = int | Fraction
Factors = tuple[tuple[int, int], ...]
Sum = dict[Factors, Number]
Read = dict[int, tuple[Polynomial, Sum]]  # by identity
CACHED = 1 << 14  # fractions that are kept

_INDEXED = re.compile(r"([A-Za-z0-9_]*?[A-Za-z])((?:_?[0-9]+)(?:_[0-9]+)*)")


@dataclass(frozen=True, order=True)
class Complexity:
    """Distinct subexpressions, then leaves (atoms and heads, counted as often as they occur)."""

    distinct: int
    leaves: int


def complexity(decomposition: Decomposition, read: Read | None = None) -> Complexity:
    """The complexity of g(h1, ..., hm); of the inners alone, side by side, if there is no outer.

    `read` keeps inners that were read, for decompositions that share them; it is filled.

    >>> from polyctl.algebra.parse import parse
    >>> complexity(Decomposition(parse("b^2 + 1", ["b"]), (parse("x^2 + x"),)))
    Complexity(distinct=9, leaves=9)
    """
    inners = decomposition.inners
    expanded = [_terms(h) if read is None else _read(h, read) for h in inners]
    return _Expression(names(inners[0])).measure(decomposition.outer, expanded)


def complexity_of(f: Polynomial) -> Complexity:
    """The complexity of the expanded form.

    >>> from polyctl.algebra.parse import parse
    >>> complexity_of(parse("2x^2"))  # 2*x^2, Times, 2, x^2, Power, x
    Complexity(distinct=6, leaves=5)
    """
    return _Expression(names(f)).measure(None, [_terms(f)])


class _Expression:
    """Counts over a sum of terms coefficient * product of base^exponent.

    Bases are numbered: first the variables, then the distinct sums that occur as factors.
    """

    def __init__(self, variables: Sequence[str]) -> None:
        self.variables = variables
        self.sums: list[Sum] = []
        self.base_of_sum: dict[frozenset[tuple[Factors, Number]], int] = {}
        self.leaves_of_base: dict[int, int] = {}
        self.numbers: set[Number] = set()
        self.symbols: set[str] = set()
        self.powers: set[tuple[int, int]] = set()
        self.products: set[tuple[Factors, Number]] = set()
        self.plus: set[frozenset[tuple[Factors, Number]]] = set()

    def measure(self, outer: Polynomial | None, inners: Sequence[Sum]) -> Complexity:
        roots = inners if outer is None else [self.compose(_terms(outer), inners)]
        total = sum(self.visit_sum(root) for root in roots)
        variables = sum(base < len(self.variables) and self.is_indexed(base) for base in self.leaves_of_base)
        heads = bool(self.plus) + bool(self.products) + bool(self.powers)
        counted: tuple[Sized, ...] = (self.numbers, self.symbols, self.powers, self.products, self.plus)
        return Complexity(sum(len(vertices) for vertices in counted) + variables + heads, total)

    def compose(self, outer: Sum, inners: Sequence[Sum]) -> Sum:
        """The outer's terms with the inners in place of its variables."""
        result: Sum = {}
        bases = [self.base(inner) if len(inner) > 1 else None for inner in inners]
        for monomial, coefficient in outer.items():
            exponents: dict[int, int] = {}
            for i, exponent in monomial:
                known, inner = bases[i], inners[i]
                if known is not None:
                    exponents[known] = exponents.get(known, 0) + exponent
                elif inner:
                    ((factors, constant),) = inner.items()
                    coefficient = coefficient * constant**exponent
                    for base, power in factors:
                        exponents[base] = exponents.get(base, 0) + power * exponent
                else:
                    coefficient = 0
            if coefficient:
                self.add(result, tuple(sorted(exponents.items())), coefficient)
        return result

    def add(self, result: Sum, factors: Factors, coefficient: Number) -> None:
        """Add a term; a bare sum is flattened into the result."""
        if (
            coefficient == 1
            and len(factors) == 1
            and factors[0][1] == 1
            and factors[0][0] >= len(self.variables)
        ):
            for inner, constant in self.sums[factors[0][0] - len(self.variables)].items():
                self.add(result, inner, constant)
            return
        before = result.get(factors)
        if merged := coefficient if before is None else before + coefficient:
            result[factors] = merged
        else:
            del result[factors]

    def base(self, inner: Sum) -> int:
        known = frozenset(inner.items())
        base = self.base_of_sum.setdefault(known, len(self.variables) + len(self.sums))
        if base == len(self.variables) + len(self.sums):
            self.sums.append(inner)
        return base

    def is_indexed(self, base: int) -> bool:
        return _INDEXED.fullmatch(self.variables[base]) is not None

    def visit_sum(self, terms: Sum) -> int:
        """Mark all vertices of a sum and count its leaves."""
        if not terms:
            self.numbers.add(0)
            return 1
        total = sum(self.visit_term(factors, coefficient) for factors, coefficient in terms.items())
        if len(terms) == 1:
            return total
        self.plus.add(frozenset(terms.items()))
        return total + 1

    def visit_term(self, factors: Factors, coefficient: Number) -> int:
        total = 0
        for factor in factors:
            base, exponent = factor
            if base not in self.leaves_of_base:
                self.leaves_of_base[base] = self.visit_base(base)
            total += self.leaves_of_base[base]
            if exponent > 1:
                self.powers.add(factor)
                self.numbers.add(exponent)
                total += 2
        if coefficient != 1 or not factors:
            self.numbers.add(coefficient)
            total += 1
            product = len(factors) > 0
        else:
            product = len(factors) > 1
        if product:
            self.products.add((factors, coefficient))
            total += 1
        return total

    def visit_base(self, base: int) -> int:
        if base >= len(self.variables):
            return self.visit_sum(self.sums[base - len(self.variables)])
        match = _INDEXED.fullmatch(self.variables[base])
        if match is None:
            self.symbols.add(self.variables[base])
            return 1
        self.symbols.add(match.group(1))
        indices = [int(index) for index in match.group(2).split("_") if index]
        self.numbers.update(indices)
        return 1 + len(indices)


def _read(h: Polynomial, read: Read) -> Sum:
    if id(h) not in read:
        read[id(h)] = h, _terms(h)
    return read[id(h)][1]


def _terms(f: Polynomial) -> Sum:
    return {
        tuple([(i, int(e)) for i, e in enumerate(m) if e]): int(c.p)
        if c.q == 1
        else _fraction(int(c.p), int(c.q))
        for m, c in zip(f.monoms(), f.coeffs(), strict=True)
    }


class _Ratio(Fraction):
    """A fraction that computes its hash once."""

    __slots__ = ("_hash",)
    _hash: int

    def __hash__(self) -> int:  # type: ignore[override]  # typeshed: Complex has none
        try:
            return self._hash
        except AttributeError:
            self._hash = super().__hash__()
            return self._hash


_fraction = lru_cache(CACHED)(_Ratio)
