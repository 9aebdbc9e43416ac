"""Tokens of a polynomial as text, the limits on what a text may ask for, and names of functions."""

from __future__ import annotations

from dataclasses import dataclass

from flint import fmpq

_TRIGONOMETRIC = "sin cos tan cot sec csc"
_OTHERS = "exp log ln lg sqrt abs sign sgn min max gcd det mod floor ceil re im tr arg erf"
FUNCTIONS = frozenset(
    {
        *_OTHERS.split(" "),
        *(
            prefix + name + suffix
            for name in _TRIGONOMETRIC.split(" ")
            for prefix in ("", "arc", "a", "ar")
            for suffix in ("", "h")
        ),
    }
)
_CALLED = {
    "power": "pow power powf",
    "binomial": "binomial binom comb combin nchoosek choose ncr",
    "quotient": "rational fraction rat integer divide",
    "sum": "plus add",
    "product": "times mul",
}
# Operations that are written as functions in other systems, by their names in small letters.
CALLED = {name: operation for operation, names in _CALLED.items() for name in names.split(" ")}
# How many arguments they take, at least and at most.
ARGUMENTS = {
    "power": (2, 2),
    "binomial": (2, 2),
    "quotient": (1, 2),
    "sum": (1, 1000),
    "product": (1, 1000),
}
# Functions that are read only with brackets: `x mod 2` is no function of 2.
_BRACKETED = "sign sgn min max gcd det mod floor ceil re im tr arg erf"
BRACKETED = frozenset(_BRACKETED.split(" "))
POWER_HINT = "write ^ for a power, * for a product, _ for an index: x^2, x*2, x_2"
ATOM_HINT = "polynomials have none of these; with --atoms (atoms=True in Python) they are variables"


@dataclass(frozen=True)
class Limits:
    """What a text may ask for; each is checked before the work is done."""

    length: int = 100_000
    degree: int = 100_000
    exponent: int = 100_000
    terms: int = 20_000
    digits: int = 10_000
    variables: int = 100
    depth: int = 100
    work: int = 50_000_000


@dataclass(frozen=True)
class Token:
    """A token: kind is number, name, frac, over, call, function, end, or one of + - * / ^ , ( ) [ ] { }."""

    kind: str
    position: int
    text: str = ""
    value: fmpq | None = None
