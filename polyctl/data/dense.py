"""Problems of one dense inner in one variable, by their integer coefficients.

Drawing, composing and writing them needs no polynomial, which is most of what a problem costs; those that are
asked for are made then. `SparseProblem` is the plain way, and gives the same (tests/data/test_dense.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from struct import Struct
from typing import ClassVar

from polyctl.algebra.decomposition import Decomposition, outer_ring
from polyctl.algebra.monomials import Monomial
from polyctl.algebra.polynomial import Polynomial, Ring, coprime, digest_of, polynomial

BITS = 64  # of a coefficient within one large number


@dataclass(frozen=True)
class DenseProblem:
    """f = g(h) with g and h in one variable; integer coefficients by rising power, the last one not zero.

    `outer` are the coefficients of g, `inner` those of h, `coefficients` those of f, `context` its ring.
    """

    outer: Sequence[int]
    inner: Sequence[int]
    coefficients: Sequence[int]
    context: Ring
    family: str
    index: int
    written: ClassVar[None] = None
    target_text: ClassVar[None] = None

    @classmethod
    def of(
        cls, outer: Sequence[int], inner: Sequence[int], context: Ring, family: str, index: int
    ) -> DenseProblem:
        """The problem of this outer and this inner."""
        return cls(outer, inner, compose_integers(outer, inner), context, family, index)

    @cached_property
    def f(self) -> Polynomial:
        """See Problem."""
        return dense_polynomial(self.context, self.coefficients)

    @cached_property
    def decomposition(self) -> Decomposition:
        """See Problem."""
        return dense_decomposition(self.outer, self.inner, self.context)

    @property
    def digest(self) -> bytes:
        """See Problem."""
        falling = self.coefficients[:0:-1]
        return digest_of(dense_monomials(falling, last=1), coprime([c for c in falling if c])[0])

    @property
    def cell(self) -> str:
        """See Problem."""
        return f"{len(self.outer) - 1}∘{len(self.inner) - 1}"


def dense_polynomial(context: Ring, coefficients: Sequence[int]) -> Polynomial:
    """The polynomial of a ring in one variable, from its coefficients by rising power."""
    return polynomial(context, {(power,): c for power, c in enumerate(coefficients) if c})


def dense_decomposition(outer: Sequence[int], inner: Sequence[int], context: Ring) -> Decomposition:
    """The decomposition of coefficients by rising power, the inner in `context`."""
    return Decomposition(dense_polynomial(outer_ring(1), outer), (dense_polynomial(context, inner),))


def dense_monomials(falling: Sequence[int], last: int = 0) -> tuple[Monomial, ...]:
    """The monomials of the coefficients that are not zero; they come by falling power, down to `last`."""
    return _monomials(len(falling), last, positions_of(falling, 0))


def positions_of(numbers: Sequence[int], value: int) -> tuple[int, ...]:
    """The indices at which `numbers` has that value."""
    return tuple([i for i, c in enumerate(numbers) if c == value]) if value in numbers else ()


@lru_cache(maxsize=10_000)
def _monomials(count: int, last: int, missing: tuple[int, ...]) -> tuple[Monomial, ...]:
    return tuple((last + count - 1 - i,) for i in range(count) if i not in missing)


def compose_integers(outer: Sequence[int], inner: Sequence[int]) -> Sequence[int]:
    """The coefficients of outer(inner), all by rising power.

    By Kronecker substitution: h at a power of two, so large that no coefficient of g(h) reaches the next one,
    is a number that has the coefficients for digits, and g is evaluated at that number.
    """
    size = sum(map(abs, inner))
    bound = 0
    for coefficient in reversed(outer):
        bound = bound * size + abs(coefficient)
    words = 1 + (bound.bit_length() + 1) // BITS
    bits = words * BITS
    point = 0
    for coefficient in reversed(inner):
        point = (point << bits) + coefficient
    value = 0
    for coefficient in reversed(outer):
        value = value * point + coefficient
    count = (len(outer) - 1) * (len(inner) - 1) + 1
    # Digits may be negative: half a digit's range is added to each, which makes them positive, and taken off
    # again by turning their highest bits, which leaves each as a signed number.
    half = _half_digits(count, bits)
    digits = (value + half ^ half).to_bytes(count * bits // 8, "little")
    if words == 1:
        return _signed_words(count).unpack(digits)
    step = bits // 8
    return [int.from_bytes(digits[i : i + step], "little", signed=True) for i in range(0, len(digits), step)]


@lru_cache
def _half_digits(count: int, bits: int) -> int:
    return sum(1 << (bits * (k + 1) - 1) for k in range(count))


@lru_cache
def _signed_words(count: int) -> Struct:
    return Struct(f"<{count}q")
