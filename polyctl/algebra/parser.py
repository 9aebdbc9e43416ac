"""The parser of polynomials, hand-written, which bounds the work before it does it.

    sum      = sign* product ((+ | -) sign* product)*
    product  = factor ((* | /) sign* factor | factor)*      the last factor is not a number: `x 2` is an error
    factor   = atom (^ exponent)?                           `-x^2` is -(x^2); `2^3^2` is an error
    atom     = number | name | ( sum ) | \\frac{sum}{sum}

Products and quotients go from left to right, so that `1/2 x` is x/2; division is by numbers only, and
exponents are whole numbers. How names are read is described in lexer.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import comb, lcm, prod

from flint import fmpq

from polyctl.algebra.polynomial import Polynomial, Ring, degree
from polyctl.algebra.tokens import ATOM_HINT, POWER_HINT, Limits, Token
from polyctl.errors import ParseError

CLOSING = {"(": ")", "[": "]", "{": "}"}
_OPERATORS = frozenset("+-*/^")
STARTS = frozenset({"name", "frac", "number", "function", *CLOSING})
_EXPONENT_HINT = (
    "polynomials have exponents 0, 1, 2, ..., written as numbers: x^2, x^{10}; "
    "with --atoms (atoms=True in Python) other powers are variables"
)
# Looking at a coefficient from Python takes about as long as this many term products in flint.
_LOOK = 20
_BITS_A_DIGIT = 3.3219280948873626


class Parser:
    """Evaluates tokens by recursive descent; `work` is what is left of the bound on term operations."""

    def __init__(self, text: str, tokens: list[Token], ring: Ring, limits: Limits) -> None:
        self.text = text
        self.tokens = tokens
        self.ring = ring
        self.generators = dict(zip(ring.names(), ring.gens(), strict=True))
        self.limits = limits
        self.work = limits.work
        self.depth = 0
        self.at = 0

    def polynomial(self) -> Polynomial:
        if self.token.kind == "end":
            raise self.error(
                "the polynomial is empty", self.token, "type a polynomial such as x^4 + 2x^2 - 3"
            )
        value = self.sum()
        if self.token.kind in {")", "]", "}"}:
            opening = next(a for a, b in CLOSING.items() if b == self.token.kind)
            raise self.error(
                f"unmatched {self.token.kind!r}",
                self.token,
                f"leave it out, or write {opening!r} where the part that it closes begins",
            )
        if self.token.kind != "end":
            raise self.unexpected()
        return value

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def error(self, message: str, token: Token, hint: str | None = None) -> ParseError:
        return ParseError(message, self.text, token.position, hint)

    def unexpected(self) -> ParseError:
        if self.token.kind == "end":
            message = "the text ends where a number or a variable is expected"
        else:
            shown = self.token.text or self.token.kind
            message = f"expected a number, a variable or a bracket, not {shown!r}"
        return self.error(message, self.token, self.missing())

    def missing(self) -> str | None:
        """A hint that says where something is missing, before an operator, a closing bracket or the end."""
        before = self.tokens[self.at - 1].kind if self.at else ""
        kind = self.token.kind
        if kind == "end":
            if before not in _OPERATORS:
                return None
            return f"nothing follows the last {before!r}: write what is missing, or leave it out"
        if kind == CLOSING.get(before):
            return "nothing stands in these brackets: write what is missing, or leave them out"
        if kind not in _OPERATORS and kind not in CLOSING.values():
            return None
        return f"write what is missing {f'between {before!r} and' if before else 'before'} {kind!r}"

    def sum(self) -> Polynomial:
        summands = []
        start = self.token
        while True:
            negative = self.signs()
            value = self.product()
            summands.append(-value if negative else value)
            if self.token.kind not in {"+", "-"}:
                return self.add(summands, start)

    def signs(self) -> bool:
        negative = False
        while self.token.kind in {"+", "-"}:
            negative ^= self.token.kind == "-"
            self.at += 1
        return negative

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

    def product(self) -> Polynomial:
        value = self.factor()
        while True:
            operator = self.token
            if operator.kind in {"*", "/"}:
                self.at += 1
                negative = self.signs()
                start = self.token
                if operator.kind == "/" and not value.is_constant():
                    self.check_divisor(start)
                other = -self.factor() if negative else self.factor()
                value = (
                    self.divide(value, other, start)
                    if operator.kind == "/"
                    else self.times(value, other, operator)
                )
            elif operator.kind == "number":
                raise self.error(
                    "a number needs an operator before it",
                    operator,
                    POWER_HINT,
                )
            elif operator.kind in STARTS:
                value = self.times(value, self.factor(), operator)
            else:
                return value

    def check_divisor(self, number: Token) -> None:
        """p^2/2m may be meant as p^2/(2m), so it is asked about."""
        following = self.tokens[self.at + 1] if number.kind == "number" else number
        if following.kind == "name" and following.position == number.position + len(number.text):
            shown = f"{number.text}{following.text}"
            raise self.error(
                f"/{shown} can be read as /({shown}) or as /{number.text} * {following.text}",
                number,
                f"write what you mean; /({shown}) needs --atoms (atoms=True in Python)",
            )

    def factor(self) -> Polynomial:
        value = self.atom()
        if self.token.kind != "^":
            return value
        operator = self.token
        self.at += 1
        result = self.raised(value, operator)
        if self.token.kind == "^":
            raise self.error("a power of a power", self.token, "write (2^3)^2 or 2^9, whichever you mean")
        return result

    def raised(self, base: Polynomial, operator: Token) -> Polynomial:
        """The power with the exponent that follows."""
        return self.power(base, self.exponent(), operator)

    def exponent(self) -> int:
        """A whole number, in brackets or not."""
        closing = CLOSING.get(self.token.kind)
        opening = self.token
        if closing:
            self.at += 1
        negative = self.signs()
        token = self.token
        if token.kind != "number":
            hint = _EXPONENT_HINT if token.kind != "end" else "write the exponent after ^, for example x^2"
            raise self.error("an exponent that is not a whole number", token, hint)
        digits = token.text.lstrip("0") or "0"
        if not digits.isdigit() or (closing and self.tokens[self.at + 1].kind in {"/", "*", "+", "-", "^"}):
            raise self.error("an exponent that is not a whole number", token, _EXPONENT_HINT)
        if negative and digits != "0":
            raise self.error("a negative exponent", token, _EXPONENT_HINT)
        if len(digits) > 18 or int(digits) > self.limits.exponent:
            raise self.error(
                f"an exponent above the limit of {self.limits.exponent:,}", token, "use a smaller exponent"
            )
        self.at += 1
        if closing:
            self.close(opening, closing)
        return int(digits)

    def atom(self) -> Polynomial:
        token = self.token
        if token.kind not in STARTS:
            raise self.unexpected()
        if token.kind in CLOSING:
            return self.bracket()
        self.at += 1
        if token.value is not None:
            return self.ring.constant(token.value)
        if token.kind == "name":
            return self.generators[token.text]
        return self.function(token) if token.kind == "function" else self.fraction()

    def function(self, token: Token) -> Polynomial:
        """A function applied to what follows; the lexer gives one only if atoms are read."""
        raise self.error(f"{token.text} is not allowed in a polynomial", token, ATOM_HINT)

    def bracket(self) -> Polynomial:
        opening = self.token
        self.depth += 1
        if self.depth > self.limits.depth:
            raise self.error(f"brackets nested deeper than {self.limits.depth}", opening)
        self.at += 1
        value = self.sum()
        self.close(opening, CLOSING[opening.kind])
        self.depth -= 1
        return value

    def close(self, opening: Token, closing: str) -> None:
        if self.token.kind == "end":
            kinds = [token.kind for token in self.tokens]
            raise self.error(
                f"{opening.kind!r} is never closed",
                opening,
                f"write {closing!r} where it ends: there are {kinds.count(opening.kind)} {opening.kind!r} "
                f"and {kinds.count(closing)} {closing!r}",
            )
        if self.token.kind != closing:
            if self.token.kind in CLOSING.values():
                raise self.error(
                    f"expected {closing!r}, not {self.token.kind!r}",
                    self.token,
                    f"{closing!r} must close the {opening.kind!r} that is character {opening.position + 1}",
                )
            raise self.unexpected()
        self.at += 1

    def fraction(self) -> Polynomial:
        """The two arguments of \\frac; as in LaTeX an argument without braces is one digit or one letter."""
        start = self.token
        if start.kind == "number" and re.fullmatch(r"[0-9]{2}", start.text):
            self.at += 1
            numerator, denominator = (self.ring.constant(int(digit)) for digit in start.text)
            return self.divide(numerator, denominator, start)
        arguments = []
        for _ in range(2):
            start = self.token
            if start.kind not in {"{", "name"} and not re.fullmatch(r"[0-9]", start.text):
                raise self.error("\\frac needs two arguments in braces", start, "write \\frac{1}{2}")
            arguments.append(self.atom())
        return self.divide(arguments[0], arguments[1], start)

    def divide(self, value: Polynomial, divisor: Polynomial, token: Token) -> Polynomial:
        if not divisor.is_constant():
            raise self.error(
                "division by something that is not a number",
                token,
                "a polynomial may only be divided by a number; "
                "with --atoms (atoms=True in Python) 1/x is a variable",
            )
        if divisor.is_zero():
            raise self.error("division by zero", token)
        return self.times(value, self.ring.constant(fmpq(1) / divisor.coeffs()[0]), token)

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
