"""The published text format: prefix notation, one problem a line (docs/format.md)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from flint import fmpq

from polyctl.algebra.decomposition import Decomposition, outer_ring
from polyctl.algebra.monomials import Monomial
from polyctl.algebra.names import natural_key
from polyctl.algebra.polynomial import Polynomial, Ring, names, polynomial, ring
from polyctl.data.problem import Problem, SparseProblem, WrittenTerms

SEPARATOR = "⁇"
MULTI_SEPARATOR = "?"
MAX_DEPTH = 200
MAX_DEGREE = 1000
MAX_TERMS = 100_000
_VARIABLE = re.compile(r"[a-z][0-9]{0,3}$")
_OUTER = re.compile(r"b[0-9]{0,3}$")
_EXPLICIT_ONE = (("a",), ("b",))  # the single-variable files write `* P 1 a`, all others `a`


class FormatError(ValueError):
    """Text that is not an expression or problem in prefix notation; says which token and why."""


# ---- writing -------------------------------------------------------------------------------------


@lru_cache(maxsize=100_000)
def _monomial_text(variables: tuple[str, ...], monomial: Monomial) -> str:
    factors = [
        name if e == 1 else f"^ {name} P {' '.join(str(e))}"
        for name, e in zip(variables, monomial, strict=True)
        if e
    ]
    return " ".join([*(f"* {factor}" for factor in factors[:-1]), *factors[-1:]])


def _term_text(variables: tuple[str, ...], monomial: Monomial, coefficient: int) -> str:
    text = _monomial_text(variables, monomial)
    if coefficient == 1 and text and variables not in _EXPLICIT_ONE:
        return text
    digits = " ".join(str(abs(coefficient)))
    number = f"P {digits}" if coefficient > 0 else f"N {digits}"
    return f"* {number} {text}" if text else number


def write_terms(variables: tuple[str, ...], terms: Sequence[tuple[Monomial, int]]) -> str:
    """A sum in the given order of terms; the empty sum is zero."""
    if not terms:
        return "N 0"
    written = [_term_text(variables, m, c) for m, c in terms]
    return " ".join([*(f"+ {term}" for term in written[:-1]), written[-1]])


def canonical_terms(f: Polynomial) -> list[tuple[Monomial, int]]:
    """The terms of an integer f by ascending (e_last, ..., e_first): constant first.

    Raises ValueError if a coefficient is not an integer: the format has no fractions.
    """
    coefficients = f.coeffs()
    if any(c.q != 1 for c in coefficients):
        raise ValueError("the prefix format has no fractions; multiply the polynomial by its denominator")
    monomials = f.monoms()
    if monomials and len(monomials[0]) == 1:
        return [(m, int(c.p)) for m, c in zip(reversed(monomials), reversed(coefficients), strict=True)]
    return sorted(
        ((m, int(c.p)) for m, c in zip(monomials, coefficients, strict=True)), key=lambda t: t[0][::-1]
    )


def write_polynomial(f: Polynomial) -> str:
    """f in prefix notation, terms in canonical order."""
    return write_terms(names(f), canonical_terms(f))


def write_dot_products(h: Polynomial) -> str:
    """A sum of scaled dot products of two-component vectors, each written as c * (x·y), else the plain sum.

    Vector k is (a(2k-1), a(2k)), so names must be a1, a2, ...; products with coefficient ±1 are multiplied
    out. Terms ascend by their last vector, multiplied-out ones first.
    """
    variables = names(h)
    rest = dict(canonical_terms(h))
    pieces: list[tuple[int, bool, Monomial, str]] = []
    for monomial in list(rest):
        coefficient = rest.pop(monomial, None)
        if coefficient is None:
            continue
        partner = _second_component(monomial)
        if partner is None or rest.pop(partner, None) != coefficient:
            return write_polynomial(h)
        vector = max(i for i, e in enumerate(monomial) if e)
        if abs(coefficient) == 1:
            pieces += [
                (vector, False, m[::-1], _term_text(variables, m, coefficient)) for m in (monomial, partner)
            ]
        else:
            first, second = (_monomial_text(variables, m) for m in (monomial, partner))
            sign = "P" if coefficient > 0 else "N"
            text = f"* {sign} {' '.join(str(abs(coefficient)))} + {first} {second}"
            pieces.append((vector, True, monomial[::-1], text))
    texts = [text for *_, text in sorted(pieces)]
    return " ".join([*(f"+ {text}" for text in texts[:-1]), *texts[-1:]]) if texts else "N 0"


def _second_component(monomial: Monomial) -> Monomial | None:
    """The monomial of the second components, if this one is a product of first components."""
    if any(monomial[1::2]) or len(monomial) % 2:
        return None
    return tuple(e for first in monomial[::2] for e in (0, first))


def write_decomposition(decomposition: Decomposition) -> str:
    """A target: inners, or outer and inners, joined by &."""
    outer = [] if decomposition.outer is None else [decomposition.outer]
    return " & ".join(write_polynomial(p) for p in (*outer, *decomposition.inners))


def write_input(problem: Problem) -> str:
    """f in prefix notation, in the order written if the problem has one."""
    if problem.written is not None:
        return write_terms(names(problem.f), problem.written)
    return write_polynomial(problem.f)


def write_line(problem: Problem, target: str) -> str:
    """The line of a problem with this target text."""
    return f"{write_input(problem)} {separator(names(problem.f))} {target}"


def separator(variables: Sequence[str]) -> str:
    """What stands between input and target: `⁇` in the one variable a, else `?`."""
    return SEPARATOR if tuple(variables) == ("a",) else MULTI_SEPARATOR


# ---- reading -------------------------------------------------------------------------------------


class _Reader:
    """Reads one expression from a token list into terms; iterative in the length of a sum or product."""

    def __init__(self, tokens: Sequence[str], variables: dict[str, int]) -> None:
        self.tokens, self.variables, self.at = tokens, variables, 0
        self.zero = (0,) * len(variables)

    def fail(self, why: str) -> FormatError:
        token = repr(self.tokens[self.at]) if self.at < len(self.tokens) else "the end"
        return FormatError(f"token {self.at + 1} ({token}): {why}")

    def next(self) -> str:
        if self.at >= len(self.tokens):
            raise self.fail("the expression is incomplete")
        self.at += 1
        return self.tokens[self.at - 1]

    def number(self, sign: str) -> int:
        start = self.at
        while (
            self.at < len(self.tokens) and self.tokens[self.at].isascii() and self.tokens[self.at].isdigit()
        ):
            self.at += 1
        if self.at == start:
            raise self.fail(f"digits must follow {sign}")
        if self.at - start > 4000:
            raise FormatError(f"token {start + 1}: a number of more than 4000 digits")
        value = int("".join(self.tokens[start : self.at]))
        return value if sign == "P" else -value

    def terms(self, depth: int = 0) -> list[tuple[Monomial, int]]:
        """One expression as a list of terms in the order written."""
        if depth > MAX_DEPTH:
            raise self.fail(f"nested more than {MAX_DEPTH} deep")
        result: list[tuple[Monomial, int]] = []
        while self.at < len(self.tokens) and self.tokens[self.at] == "+":
            self.at += 1
            result += self.operand(depth)
        result += self.operand(depth)
        if len(result) > MAX_TERMS:
            raise self.fail(f"more than {MAX_TERMS} terms")
        return result

    def operand(self, depth: int) -> list[tuple[Monomial, int]]:
        """An expression that does not continue the sum to the right."""
        factors: list[list[tuple[Monomial, int]]] = []
        while self.at < len(self.tokens) and self.tokens[self.at] == "*":
            self.at += 1
            factors.append(self.factor(depth))
        last = self.factor(depth)
        if not factors:
            return last
        product = factors[0]
        for right in (*factors[1:], last):
            if len(product) * len(right) > MAX_TERMS:
                raise self.fail(f"a product of more than {MAX_TERMS} terms")
            product = [(tuple(map(sum, zip(m, n, strict=True))), c * d) for m, c in product for n, d in right]
        return product

    def factor(self, depth: int) -> list[tuple[Monomial, int]]:
        token = self.next()
        if token in ("P", "N"):
            return [(self.zero, self.number(token))]
        if token in self.variables:
            return [(self.power(token, 1), 1)]
        if token == "^":
            name = self.next()
            if name not in self.variables or self.next() != "P":
                self.at -= 1
                raise self.fail("a power is `^ VARIABLE P DIGITS`")
            exponent = self.number("P")
            if exponent > MAX_DEGREE:
                raise self.fail(f"exponent {exponent} is above {MAX_DEGREE}")
            return [(self.power(name, exponent), 1)]
        self.at -= 1
        if token in ("+", "*"):
            return self.terms(depth + 1)
        raise self.fail("an operator, number or variable must stand here")

    def power(self, name: str, exponent: int) -> Monomial:
        i = self.variables[name]
        return (*self.zero[:i], exponent, *self.zero[i + 1 :])


def read_terms(tokens: Sequence[str], variables: Sequence[str]) -> list[tuple[Monomial, int]]:
    """The terms of an expression in the order written, products multiplied out. Raises FormatError."""
    reader = _Reader(tokens, {name: i for i, name in enumerate(variables)})
    terms = reader.terms()
    if reader.at != len(tokens):
        raise reader.fail("the expression ended before this token")
    return terms


def read_unfinished(
    tokens: Sequence[str], variables: Sequence[str]
) -> tuple[list[tuple[Monomial, int]], list[str]]:
    """The complete terms at the begin of an expression that may go on, and the tokens of one that is not.

    Raises FormatError if no continuation is an expression.

    >>> read_unfinished("+ P 5 + * P 3 a * P 2 ^ a".split(), ["a"])
    ([((0,), 5), ((1,), 3)], ['*', 'P', '2', '^', 'a'])
    """
    reader = _Reader(tokens, {name: i for i, name in enumerate(variables)})
    found: list[tuple[Monomial, int]] = []
    more = True
    while more and reader.at < len(tokens):
        more = tokens[reader.at] == "+"
        reader.at += more
        start = reader.at
        try:
            found += reader.operand(0)
        except FormatError:
            if reader.at < len(tokens):
                raise
            return found, list(tokens[start:])
    if reader.at < len(tokens):
        raise reader.fail("the expression ended before this token")
    return found, []


def write_open_term(tokens: Sequence[str], spelled: Mapping[str, str]) -> str:
    """A term in prefix notation as people write it, `□` in place of what is missing.

    >>> write_open_term("* P 2 ^ a".split(), {"a": "x"})
    '2*x^□'
    """
    items: list[str] = []
    rest = list(tokens)
    while rest:
        token = rest.pop(0)
        if token in ("P", "N"):
            items.append(("-" if token == "N" else "") + _pop_digits(rest))
        elif token == "^":
            name = spelled[rest.pop(0)] if rest else "□"
            rest = rest[1:]  # P
            items.append(f"{name}^{_pop_digits(rest)}")
        else:
            items.append(spelled.get(token, token))
    operators = sum(item in ("+", "*") for item in items)
    items += ["□"] * (1 + 2 * operators - len(items))
    stack: list[str] = []
    for item in reversed(items):
        if item == "+":
            stack.append(f"{stack.pop()} + {stack.pop()}")
        elif item == "*":
            factors = [f"({part})" if " + " in part else part for part in (stack.pop(), stack.pop())]
            stack.append("*".join(factors))
        else:
            stack.append(item)
    return stack[-1]


def _pop_digits(tokens: list[str]) -> str:
    """The digits at the begin of the tokens, which are taken away; `□` if there are none."""
    digits = ""
    while tokens and tokens[0].isdigit():
        digits += tokens.pop(0)
    return digits or "□"


def collect(context: Ring, terms: Iterable[tuple[Monomial, int]]) -> Polynomial:
    """The sum of terms, equal monomials merged."""
    sums: dict[Monomial, int] = {}
    for monomial, coefficient in terms:
        sums[monomial] = sums.get(monomial, 0) + coefficient
    return polynomial(context, {m: fmpq(c) for m, c in sums.items() if c})


def read_polynomial(tokens: Sequence[str], context: Ring) -> Polynomial:
    """The polynomial an expression stands for. Raises FormatError."""
    return collect(context, read_terms(tokens, context.names()))


def read_decomposition(text: str, context: Ring) -> Decomposition:
    """A target: `inner`, or `outer & inner ...`, in the variables of f's ring. Raises FormatError."""
    parts = [part.split() for part in text.split("&")]
    if any(not part for part in parts):
        raise FormatError("an empty expression beside &")
    if len(parts) == 1:
        return Decomposition(None, (read_polynomial(parts[0], context),))
    outer = read_polynomial(parts[0], outer_ring(len(parts) - 1))
    return Decomposition(outer, tuple(read_polynomial(part, context) for part in parts[1:]))


def split_line(line: str) -> tuple[str, str]:
    """Input and target text of a line. Raises FormatError if the separator is missing."""
    for mark in (SEPARATOR, MULTI_SEPARATOR):
        left, found, right = line.partition(f" {mark}")
        if found:
            return left.strip(), right.strip().removesuffix(SEPARATOR).strip()
    raise FormatError(f"no separator ({SEPARATOR} or {MULTI_SEPARATOR}) between input and target")


def variables_of(text: str) -> tuple[str, ...]:
    """Names of the inner variables in a text, in natural order."""
    found = {token for token in text.split() if _VARIABLE.match(token) and not _OUTER.match(token)}
    return tuple(sorted(found, key=natural_key))


def read_line(
    line: str, index: int = 0, family: str = "file", variables: Sequence[str] | None = None
) -> Problem:
    """The problem of a line; the ring has the variables that occur unless `variables` says which.

    Raises FormatError.
    """
    left, right = split_line(line)
    context = ring(variables if variables is not None else variables_of(f"{left} {right}"))
    terms = read_terms(left.split(), context.names())
    f = collect(context, terms)
    decomposition = read_decomposition(right, context) if right else None
    written: WrittenTerms | None = tuple(terms)
    if list(terms) == canonical_terms(f):
        written = None
    return SparseProblem(f, decomposition, family, index, written, right or None)
