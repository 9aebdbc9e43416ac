"""The parser of polynomials, hand-written, which bounds the work before it does it.

    sum      = sign* product ((+ | -) sign* product)*
    product  = factor ((* | /) sign* factor | factor)*      the last factor is not a number: `x 2` is an error
    factor   = atom (^ sign* atom)?                         `-x^2` is -(x^2); `2^3^2` is an error
    atom     = number | name | ( sum ) | \\frac{sum}{sum} | call ( sum (, sum)* )

Products and quotients go from left to right, so that `1/2 x` is x/2; division is by numbers only, and
exponents are whole numbers, such as 2, (2*3) and {2^3}. How names are read is described in lexer.py.
"""

from __future__ import annotations

import re
from math import comb, factorial

from flint import fmpq

from polyctl.algebra.arithmetic import Arithmetic
from polyctl.algebra.polynomial import Polynomial, Ring
from polyctl.algebra.tokens import ARGUMENTS, ATOM_HINT, POWER_HINT, Limits, Token
from polyctl.errors import ParseError

CLOSING = {"(": ")", "[": "]", "{": "}"}
_OPERATORS = frozenset("+-*/^")
STARTS = frozenset({"name", "frac", "number", "function", "call", *CLOSING})
_EXPONENT_HINT = (
    "polynomials have exponents 0, 1, 2, ..., and no letters in them: x^2, x^{10}, x^(2*3); "
    "with --atoms (atoms=True in Python) other powers are variables"
)


class Parser(Arithmetic):
    """Evaluates tokens by recursive descent."""

    def __init__(self, text: str, tokens: list[Token], ring: Ring, limits: Limits) -> None:
        super().__init__(text, ring, limits)
        self.tokens = tokens
        self.generators = dict(zip(ring.names(), ring.gens(), strict=True))
        self.depth = 0
        self.at = 0

    def polynomial(self) -> Polynomial:
        if self.token.kind == "end":
            raise self.error(
                "the polynomial is empty", self.token, "type a polynomial such as x^4 + 2x^2 - 3"
            )
        value = self.group()
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
                return "write what is missing, and close the brackets"
            return f"nothing follows the last {before!r}: write what is missing, or leave it out"
        if kind == CLOSING.get(before):
            return "nothing stands in these brackets: write what is missing, or leave them out"
        if kind == "over":
            return "write \\frac{…}{…}"
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

    def group(self) -> Polynomial:
        """A sum, or what TeX writes as {a \\over b} and {n \\choose k}."""
        value = self.sum()
        token = self.token
        if token.kind != "over":
            return value
        self.at += 1
        start = self.token
        return (self.divide if token.text == "over" else self.binomial)(value, self.sum(), start)

    def signs(self) -> bool:
        negative = False
        while self.token.kind in {"+", "-"}:
            negative ^= self.token.kind == "-"
            self.at += 1
        return negative

    def product(self) -> Polynomial:
        value = self.factor()
        while True:
            operator = self.token
            if operator.kind in {"*", "/"}:
                self.at += 1
                negative = self.signs()
                start = self.token
                if operator.kind == "/" and (start.kind == "name" or not value.is_constant()):
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

    def check_divisor(self, first: Token) -> None:
        """p^2/2m may be meant as p^2/(2m), and 1/xy as 1/(xy), so they are asked about."""
        following = self.tokens[self.at + 1] if first.kind in {"number", "name"} else first
        if following.kind == "name" and following.position == first.position + len(first.text):
            shown = f"{first.text}{following.text}"
            raise self.error(
                f"/{shown} can be read as /({shown}) or as /{first.text} * {following.text}",
                first,
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
        return self.raise_to(base, *self.exponent(), operator)

    def raise_to(self, base: Polynomial, exponent: Polynomial, start: Token, operator: Token) -> Polynomial:
        """The power with a constant exponent, a whole number; that of a number may be negative."""
        number = self.whole(exponent, start)
        if number < 0:
            if not base.is_constant():
                raise self.error("a negative exponent", start, _EXPONENT_HINT)
            base, number = self.divide(self.ring.constant(1), base, operator), -number
        return self.power(base, number, operator)

    def exponent(self) -> tuple[Polynomial, Token]:
        """What is in the brackets that follow, or a single atom with its signs; and the first token of it."""
        opening = self.token
        if opening.kind in CLOSING:
            self.refuse_upper_index()
            start = next(t for t in self.tokens[self.at + 1 :] if t.kind not in {"+", "-"})
            return self.bracket(), start
        negative = self.signs()
        start = self.token
        sign = self.text[opening.position - 1 : opening.position + 2]
        if start is not opening and sign != sign.strip() and len(sign.strip()) == 1:
            raise self.error("the exponent is missing", opening, "write x^2, or x^-2 without blanks")
        if start.kind not in STARTS:
            hint = _EXPONENT_HINT if start.kind != "end" else "write the exponent after ^, for example x^2"
            raise self.error("an exponent that is not a whole number", start, hint)
        value = self.atom()
        return (-value if negative else value), start

    def refuse_upper_index(self) -> None:
        """x^{(2)} is asked about: it is hardly ever a power."""
        kinds = [token.kind for token in self.tokens[self.at : self.at + 5]]
        if kinds[:2] == ["{", "("] and kinds[3:] == [")", "}"]:
            inside = self.tokens[self.at + 2]
            raise self.error(
                f"^{{({inside.text})}} can be a power, an upper index or a derivative",
                inside,
                f"write ^{{{inside.text}}} for the power, or _{{{inside.text}}} for an index",
            )

    def whole(self, value: Polynomial, token: Token) -> int:
        """A constant as an exponent."""
        number = fmpq(0) if value.is_zero() else value.coeffs()[0]
        if not value.is_constant() or number.q != 1:
            raise self.error("an exponent that is not a whole number", token, _EXPONENT_HINT)
        if abs(number) > self.limits.exponent:
            raise self.error(
                f"an exponent above the limit of {self.limits.exponent:,}", token, "use a smaller exponent"
            )
        return int(number.p)

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
        if token.kind == "call":
            return self.call(token)
        return self.function(token) if token.kind == "function" else self.fraction(token)

    def function(self, token: Token) -> Polynomial:
        """A function applied to what follows; the lexer gives one only if atoms are read."""
        raise self.error(f"{token.text} is not allowed in a polynomial", token, ATOM_HINT)

    def bracket(self) -> Polynomial:
        opening = self.token
        self.nest(opening)
        value = self.group()
        self.close(opening, CLOSING[opening.kind])
        self.depth -= 1
        return value

    def nest(self, opening: Token) -> None:
        """Go into brackets, unless they are too deep."""
        self.depth += 1
        if self.depth > self.limits.depth:
            raise self.error(f"brackets nested deeper than {self.limits.depth}", opening)
        self.at += 1

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

    def call(self, token: Token) -> Polynomial:
        """An operation written as a function, such as pow(x, 4) or Plus[x, 1]."""
        opening = self.token
        self.nest(opening)
        arguments = [self.sum()]
        while self.token.kind == ",":
            self.at += 1
            arguments.append(self.sum())
        self.close(opening, CLOSING[opening.kind])
        self.depth -= 1
        least, most = ARGUMENTS[token.text]
        if not least <= len(arguments) <= most:
            count = str(least) if least == most else f"{least} or more" if most > 2 else f"{least} or {most}"
            raise self.error(
                f"this takes {count} arguments, not {len(arguments)}",
                token,
                "separate them by commas: pow(x, 2)",
            )
        return self.operate(token, arguments)

    def operate(self, token: Token, arguments: list[Polynomial]) -> Polynomial:
        """The value of a call."""
        first, last = arguments[0], arguments[-1]
        if token.text == "power":
            return self.raise_to(first, last, token, token)
        if token.text == "binomial":
            return self.binomial(first, last, token)
        if token.text == "quotient":
            return self.divide(first, last, token) if len(arguments) == 2 else first
        if token.text == "sum":
            return self.add(arguments, token)
        result = first
        for value in arguments[1:]:
            result = self.times(result, value, token)
        return result

    def binomial(self, n: Polynomial, k: Polynomial, token: Token) -> Polynomial:
        """n(n - 1)…(n - k + 1)/k!"""
        count = self.whole(k, token)
        if count < 0:
            return self.ring.constant(0)
        if n.is_constant() and (n.is_zero() or n.coeffs()[0].q == 1) and (top := self.whole(n, token)) >= 0:
            self.bound_digits(max(min(count, top - count), 0) * top.bit_length(), token)
            return self.ring.constant(comb(top, count))
        result = self.ring.constant(1)
        for i in range(count):
            result = self.times(result, n - i, token)
        return self.divide(result, self.ring.constant(factorial(count)), token)

    def fraction(self, token: Token) -> Polynomial:
        """The two arguments of \\frac; as in LaTeX an argument without braces is one digit or one letter."""
        operate = self.binomial if token.text == "binom" else self.divide
        start = self.token
        arguments = []
        if start.kind == "number" and re.fullmatch(r"[0-9]{2}", start.text):
            self.at += 1
            first, second = (self.ring.constant(int(digit)) for digit in start.text)
            return operate(first, second, start)
        for _ in range(2):
            start = self.token
            if start.kind not in {"{", "name"} and not re.fullmatch(r"[0-9]", start.text):
                raise self.error(f"\\{token.text} needs two arguments in braces", start, "write \\frac{1}{2}")
            arguments.append(self.atom())
        return operate(arguments[0], arguments[1], start)

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
