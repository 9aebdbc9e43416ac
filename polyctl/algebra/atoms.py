"""Atoms: what is no polynomial, read as a variable that is named by its text.

    sin(x)  \\sin x  Sin[x]      a function; its argument is a polynomial, which may have atoms itself
    sqrt(2)  \\sqrt{2}  x^(1/2)  a root
    1/x  x^-1  \\frac{1}{x}      an inverse; 1/x^2 is its square
    2^x  e^{2x}                  any other power

The argument is written in normal form, so that sin(x + y) and sin(y + x) are one atom. Atoms are independent:
exp(2*x) is not the square of exp(x), x*(1/x) is not 1, and sqrt(2)^2 is not 2. An identity between
polynomials holds for whatever their variables stand for, so what is proved of atoms is true of the functions.
"""

from __future__ import annotations

from collections.abc import Sequence

from flint import fmpq

from polyctl.algebra.lexer import Lexer, canonical_name
from polyctl.algebra.names import is_single, natural_key
from polyctl.algebra.parser import CLOSING, STARTS, Parser
from polyctl.algebra.polynomial import (
    Polynomial,
    constant_term,
    degree,
    names,
    polynomial,
    primitive_part,
    ring,
    terms,
)
from polyctl.algebra.polynomial import variables_used as used_places
from polyctl.algebra.printing import plain
from polyctl.algebra.tokens import Limits, Token
from polyctl.errors import ParseError, UsageError

_LONGEST = 500  # characters of an atom, and terms of its argument
_LARGEST = 50  # degree and terms of a divisor whose multiple factors are looked for


def parse_atoms(text: str, given: Sequence[str] | None, limits: Limits) -> Polynomial:
    """The polynomial in the ring of `given` and of all atoms, or of what occurs in it."""
    own, inside = _split_names(given or (), limits)
    lexed = None if given is None else list(dict.fromkeys([*(n for n in own if is_plain(n)), *inside]))
    tokens = Lexer(text, lexed, limits, atoms=True).tokens()
    occurring = sorted({token.text for token in tokens if token.kind == "name"}, key=natural_key)
    letters = occurring if lexed is None else lexed
    functions = sum(token.kind in {"function", "call"} for token in tokens)
    # 1/(x*y) is (1/x)*(1/y), and (x*y)^(1/2) is a product of roots
    divisions = sum(token.kind in {"frac", "over", "/", "^"} for token in tokens)
    slots = functions + divisions * max(1, len(letters))
    if len(letters) > limits.variables:
        raise ParseError(f"more than {limits.variables} variables", text, 0)
    parser = AtomParser(text, tokens, letters, min(slots, limits.variables), limits)
    return parser.named(parser.polynomial(), own if given is not None else None)


def is_plain(name: str) -> bool:
    """Whether a name is that of a variable and not of an atom."""
    return name.isidentifier() and name.isascii()


def _split_names(given: Sequence[str], limits: Limits) -> tuple[list[str], list[str]]:
    """Names of variables and atoms as rings spell them, and the variables inside atoms."""
    own: list[str] = []
    inside: list[str] = []
    for name in given:
        try:
            own.append(canonical_name(name))
        except UsageError as error:
            try:
                atom = parse_atoms(name, None, limits)
            except ParseError:
                raise error from None
            if len(names(atom)) != 1 or atom != atom.context().gens()[0]:
                raise
            own.append(names(atom)[0])
            tokens = Lexer(name, None, limits, atoms=True).tokens()
            inside += [token.text for token in tokens if token.kind == "name"]
    if len(set(own)) < len(own):
        raise UsageError(f"a variable is listed twice: {', '.join(own)}")
    return own, inside


class AtomParser(Parser):
    """Gives each atom one of the ring's spare variables when it is first met."""

    def __init__(
        self, text: str, tokens: list[Token], letters: Sequence[str], spare: int, limits: Limits
    ) -> None:
        super().__init__(text, tokens, ring([*letters, *(f" {i}" for i in range(spare))]), limits)
        self.names = list(letters)
        self.spare = spare

    def named(self, value: Polynomial, own: Sequence[str] | None = None) -> Polynomial:
        """The value in the ring of what occurs in it, after the variables `own`, if they are given."""
        used = {self.names[place] for place in used_places(value)}
        found = [*(own or ()), *sorted(used.difference(own or ()), key=natural_key)]
        places = {name: place for place, name in enumerate(self.names)}
        columns = [places.get(name) for name in found]
        listed = {tuple(0 if i is None else m[i] for i in columns): c for m, c in terms(value)}
        return polynomial(ring(found), listed)

    def variable(self, name: str, token: Token) -> Polynomial:
        """The variable of an atom."""
        if len(name) > _LONGEST:
            raise self.error(f"a function of something with more than {_LONGEST} characters", token)
        if name not in self.names:
            if len(self.names) == self.ring.nvars():
                raise self.error(f"more than {self.limits.variables} functions", token)
            self.names.append(name)
        return self.ring.gens()[self.names.index(name)]

    def written(self, value: Polynomial, token: Token) -> str:
        """The value as an argument of an atom."""
        if len(value) > _LONGEST:
            raise self.error(f"a function of something with more than {_LONGEST} terms", token)
        return plain(self.named(value))

    def function(self, token: Token) -> Polynomial:
        """A function and its argument; sin^2 x is the square of sin(x)."""
        exponent, start, root = self.ring.constant(1), token, fmpq(2)
        if self.token.kind == "^":
            self.at += 1
            if "-" in self.kinds(2):
                raise self.error(
                    f"{token.text}^-1 could be the inverse function or 1/{token.text}",
                    token,
                    f"write arc{token.text}(x), or 1/{token.text}(x)",
                )
            exponent, start = self.exponent()
        if token.text == "sqrt" and self.kinds(4) == ["[", "number", "]", "{"]:
            root = self.tokens[self.at + 1].value or root
            self.at += 3
        argument = self.bracket() if self.token.kind in CLOSING else self.open_argument(token)
        if token.text == "sqrt":
            value = self.root(argument, root, token)
        else:
            value = self.variable(f"{token.text}({self.written(argument, token)})", token)
        return self.raise_to(value, exponent, start, token)

    def kinds(self, count: int) -> list[str]:
        """The kinds of the next tokens."""
        return [token.kind for token in self.tokens[self.at : self.at + count]]

    def open_argument(self, function: Token) -> Polynomial:
        """The argument without brackets: a number, a factor, or both, which no other factor may follow."""
        self.depth += 1
        if self.depth > self.limits.depth:
            raise self.error(f"functions nested deeper than {self.limits.depth}", function)
        if self.token.kind not in STARTS:
            raise self.error(
                f"{function.text} needs an argument in brackets", function, f"write {function.text}(x)"
            )
        if function.text == "sqrt":
            value = self.atom()
        elif self.token.kind == "number" and self.tokens[self.at + 1].kind == "name":
            value = self.times(self.atom(), self.factor(), function)
        else:
            value = self.factor()
            if self.token.kind in STARTS - {"function"} | {"/"}:
                sign = "/" if self.token.kind == "/" else " "
                raise self.error(
                    f"where the argument of {function.text} ends is not clear",
                    self.token,
                    f"write it in brackets: {function.text}(x){sign}y or {function.text}(x{sign}y)",
                )
        self.depth -= 1
        return value

    def root(self, value: Polynomial, n: fmpq, token: Token) -> Polynomial:
        """The n-th root."""
        base = self.written(value, token)
        if n.q != 1 or n < 2:
            raise self.error("a root that is not the second, third or a higher one", token)
        if n == 2:
            return self.variable(f"sqrt({base})", token)
        return self.variable(f"{_bracketed(base)}^(1/{n})", token)

    def raise_to(self, base: Polynomial, exponent: Polynomial, start: Token, operator: Token) -> Polynomial:
        """Whole powers as usual; fractions are roots, negative exponents inverses, others atoms.

        2^(x + 1) is 2·2^x.
        """
        if not exponent.is_constant():
            factor, shift = self.ring.constant(1), constant_term(exponent)
            if base.is_constant() and not base.is_zero() and shift and shift.q == 1:
                factor = self.raise_to(base, self.ring.constant(shift), start, operator)
                exponent -= shift
            name = (
                f"{_bracketed(self.written(base, operator))}^{_bracketed(self.written(exponent, operator))}"
            )
            return self.times(factor, self.variable(name, operator), operator)
        value = fmpq(0) if exponent.is_zero() else exponent.coeffs()[0]
        p, q = abs(int(value.p)), int(value.q)
        if max(p, q) > self.limits.exponent:
            raise self.error(f"an exponent above the limit of {self.limits.exponent:,}", operator)
        if q > 1:
            base = self.root(base, fmpq(q), operator)
        if value < 0:
            base = self.divide(self.ring.constant(1), base, operator)
        return self.power(base, p, operator)

    def divide(self, value: Polynomial, divisor: Polynomial, token: Token) -> Polynomial:
        """Divisors that are no numbers are products of powers of atoms 1/h."""
        if divisor.is_constant():
            return super().divide(value, divisor, token)
        primitive, factor = primitive_part(divisor)
        result = super().divide(value, self.ring.constant(factor), token)
        for part, exponent in self.factors(primitive):
            name = f"1/{_bracketed(self.written(part, token))}"
            inverse = self.power(self.variable(name, token), exponent, token)
            result = self.times(result, inverse, token)
        return result

    def factors(self, f: Polynomial) -> list[tuple[Polynomial, int]]:
        """The factors of a primitive polynomial with their multiplicities, if they are found quickly."""
        if len(f) == 1:
            gens = self.ring.gens()
            return [(gens[i], int(e)) for i, e in enumerate(f.monoms()[0]) if e]
        if len(f) > _LARGEST or degree(f) > _LARGEST:
            return [(f, 1)]
        constant, parts = f.factor_squarefree()
        return [(part, int(e)) for part, e in parts] if constant == 1 else [(f, 1)]


def _bracketed(text: str) -> str:
    return text if is_single(text) else f"({text})"
