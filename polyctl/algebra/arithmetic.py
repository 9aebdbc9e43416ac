"""Sums, products and powers of polynomials whose size is bounded before the work is done."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb, lcm, prod

from polyctl.algebra.polynomial import Polynomial, Ring, degree
from polyctl.algebra.tokens import Limits, Token
from polyctl.errors import ParseError

# Looking at a coefficient from Python takes about as long as this many term products in flint.
_LOOK = 20
_BITS_A_DIGIT = 3.3219280948873626


class Arithmetic:
    """Operations on the polynomials of one text; `work` is what is left of the bound on term operations.

    Each takes the token that is to blame if a limit is met.
    """

    def __init__(self, text: str, ring: Ring, limits: Limits) -> None:
        self.text = text
        self.ring = ring
        self.limits = limits
        self.work = limits.work

    def error(self, message: str, token: Token, hint: str | None = None) -> ParseError:
        return ParseError(message, self.text, token.position, hint)

    def add(self, summands: list[Polynomial], token: Token) -> Polynomial:
        """The sum, by halves, so that a long sum costs little more than its length."""
        while len(summands) > 1:
            pairs = zip(summands[::2], summands[1::2], strict=False)
            halves = [self.check(f + g, token) for f, g in pairs]
            summands = halves + summands[len(summands) - len(summands) % 2 :]
        return summands[0]

    def check(self, value: Polynomial, token: Token) -> Polynomial:
        """A sum of two, which is at most twice as large as they are, refused if it is above a limit."""
        if len(value) > self.limits.terms:
            raise self.over("terms", token)
        self.spend(_LOOK * len(value), 0, token)
        self.bound_digits(_height(value), token)
        return value

    def times(self, f: Polynomial, g: Polynomial, token: Token) -> Polynomial:
        """The product, refused beforehand if it could be above a limit."""
        small, large = sorted((len(f), len(g)))
        if small == 0:
            return f * g
        degrees = [a + b for a, b in zip(f.degrees(), g.degrees(), strict=True)]
        self.bound_terms(small * large, degrees, degree(f) + degree(g), token)
        size = _height if small == 1 else self.common_height
        bits = size(f) + size(g) + small.bit_length() - 1
        self.bound_digits(bits, token)
        self.spend(small * large + _LOOK * (small + large), bits, token)
        return f * g

    def power(self, f: Polynomial, exponent: int, token: Token) -> Polynomial:
        """The power, refused beforehand if it could be above a limit."""
        terms = len(f)
        if terms == 0 or exponent < 2:
            return f**exponent
        degrees = [d * exponent for d in f.degrees()]
        most = self.bound_terms(comb(terms + exponent - 1, exponent), degrees, degree(f) * exponent, token)
        height = _height(f) if terms == 1 else self.common_height(f) + terms.bit_length()
        bits = height * exponent
        self.bound_digits(bits, token)
        self.spend(min(most, terms * exponent) * terms + _LOOK * (terms + most), bits, token)
        return f**exponent

    def bound_terms(self, most: int, degrees: Sequence[int], total: int, token: Token) -> int:
        """How many terms a result of these degrees can have, `most` being another bound."""
        if total > self.limits.degree:
            raise self.error(
                f"a degree of {total:,}, above the limit of {self.limits.degree:,}",
                token,
                "use smaller exponents",
            )
        variables = sum(d > 0 for d in degrees)
        most = min(most, prod(int(d) + 1 for d in degrees), comb(total + variables, variables))
        if most > self.limits.terms:
            raise self.over("terms", token)
        return most

    def bound_digits(self, bits: int, token: Token) -> None:
        if bits > self.limits.digits * _BITS_A_DIGIT + 64:
            raise self.over("digits in a coefficient", token)

    def common_height(self, f: Polynomial) -> int:
        """Bits of the largest numerator over the common denominator, and of that denominator."""
        coefficients = f.coeffs()
        denominator = 1
        for c in coefficients:
            denominator = lcm(denominator, int(c.q))
            if denominator.bit_length() > self.limits.digits * 4:
                break
        bits = denominator.bit_length() if denominator > 1 else 0
        return max(int(c.p).bit_length() for c in coefficients) + 2 * bits

    def spend(self, steps: int, bits: int, token: Token) -> None:
        self.work -= steps * (1 + bits // 512)
        if self.work < 0:
            raise self.error(
                "expanding this takes too much work",
                token,
                "expand it elsewhere, or use a smaller polynomial",
            )

    def over(self, what: str, token: Token) -> ParseError:
        limit = self.limits.terms if what == "terms" else self.limits.digits
        return self.error(
            f"expanded, this could have more than {limit:,} {what}",
            token,
            "use a smaller exponent or product",
        )


def _height(f: Polynomial) -> int:
    """A bound on the bits of numerator and denominator together; 0 where all coefficients are 1 or -1."""
    return max((_bits(int(c.p)) + _bits(int(c.q)) for c in f.coeffs()), default=0)


def _bits(number: int) -> int:
    return 0 if number in (1, -1) else number.bit_length()
