"""Polynomials over Q in any number of variables, on python-flint's `fmpq_mpoly`."""

from __future__ import annotations

import copyreg
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from math import gcd, lcm

from flint import fmpq, fmpq_mpoly, fmpq_mpoly_ctx, fmpq_poly, fmpz

from polyctl.algebra.monomials import Monomial

Polynomial = fmpq_mpoly
Ring = fmpq_mpoly_ctx
_DENSE = 300  # terms of an outer polynomial in one variable above which composition is dense


@lru_cache(maxsize=4096)
def _ring(names: tuple[str, ...]) -> Ring:
    return fmpq_mpoly_ctx.get(names, "deglex")


def ring(names: Iterable[str]) -> Ring:
    """The ring Q[names]; terms are kept in degree-lexicographic order, highest first."""
    return _ring(tuple(names))


def polynomial(ring: Ring, terms: Mapping[Monomial, int | fmpz | fmpq]) -> Polynomial:
    """The polynomial with these coefficients by exponent vector."""
    return ring.from_dict(terms)


def _restored(names: tuple[str, ...], terms: dict[Monomial, tuple[int, int]]) -> Polynomial:
    return ring(names).from_dict({m: fmpq(*c) for m, c in terms.items()})


def _reduced(f: Polynomial) -> tuple[Callable[..., Polynomial], tuple[object, ...]]:
    return _restored, (names(f), {m: (int(c.p), int(c.q)) for m, c in terms(f)})


# python-flint's values cannot be pickled or deep-copied: what holds them could not go to another process
copyreg.pickle(fmpq_mpoly, _reduced)
copyreg.pickle(fmpq, lambda c: (fmpq, (int(c.p), int(c.q))))


def terms(f: Polynomial) -> list[tuple[Monomial, fmpq]]:
    """Exponent vectors with coefficients, highest degree first."""
    return list(zip(f.monoms(), f.coeffs(), strict=True))


def names(f: Polynomial) -> tuple[str, ...]:
    """The names of the ring's variables."""
    return tuple(f.context().names())


def embed(f: Polynomial, target: Ring, places: Sequence[int]) -> Polynomial:
    """f in another ring, its variables at these places of it."""
    result: dict[Monomial, fmpq] = {}
    for monomial, coefficient in terms(f):
        exponents = [0] * target.nvars()
        for place, exponent in zip(places, monomial, strict=True):
            if exponent:
                exponents[place] += exponent
        result[tuple(exponents)] = fmpq(coefficient)
    return polynomial(target, result)


def degree(f: Polynomial) -> int:
    """Total degree; 0 for constants, -1 for zero."""
    return -1 if f.is_zero() else int(f.total_degree())


def variables_used(f: Polynomial) -> tuple[int, ...]:
    """Indices of the variables that occur in f."""
    return tuple(i for i, exponent in enumerate(f.degrees()) if exponent > 0)


def names_used(polynomials: Sequence[Polynomial]) -> list[str]:
    """The names of the variables that occur in polynomials of one ring, in its order."""
    places = sorted({place for f in polynomials for place in variables_used(f)})
    return [names(polynomials[0])[place] for place in places]


def is_homogeneous(f: Polynomial) -> bool:
    """Whether all terms have the same degree."""
    monomials = f.monoms()
    return not monomials or sum(monomials[0]) == sum(monomials[-1])


def part_of_degree(f: Polynomial, d: int) -> Polynomial:
    """The terms of f of total degree d."""
    return f.context().from_dict({m: c for m, c in terms(f) if sum(m) == d})


def constant_term(f: Polynomial) -> fmpq:
    """The coefficient of 1."""
    monomials = f.monoms()
    if monomials and not any(monomials[-1]):
        return f.coeffs()[-1]
    return fmpq(0)


def coefficients_of(f: Polynomial, x: int) -> dict[int, Polynomial]:
    """f as a polynomial in one variable: the coefficients of its powers, free of it."""
    groups: dict[int, dict[Monomial, fmpq]] = {}
    for m, c in terms(f):
        groups.setdefault(m[x], {})[(*m[:x], 0, *m[x + 1 :])] = c
    return {power: f.context().from_dict(group) for power, group in groups.items()}


def compose(outer: Polynomial, inners: Sequence[Polynomial]) -> Polynomial:
    """outer(inners[0], inners[1], ...), expanded, in the inners' ring.

    >>> (b,), (x,) = ring(["b"]).gens(), ring(["x"]).gens()
    >>> compose(b**2 - 1, [x + 1])
    x^2 + 2*x
    """
    target = inners[0].context()
    if len(outer) > _DENSE and target.nvars() == len(inners) == 1 and 2 * len(outer) > degree(outer):
        value = _dense(outer)(_dense(inners[0]))
        return target.from_dict({(i,): c for i, c in enumerate(value.coeffs()) if c})
    return outer.compose(*inners, ctx=target)


def _dense(f: Polynomial) -> fmpq_poly:
    """f, in one variable, as a dense polynomial, which is composed ten times as fast."""
    coefficients = [fmpq(0)] * (degree(f) + 1)
    for (exponent,), c in terms(f):
        coefficients[exponent] = c
    return fmpq_poly(coefficients)


def integer_content(f: Polynomial) -> tuple[list[int], fmpq]:
    """Primitive integer coefficients (leading one positive) and the rational factor they were divided by.

    f = factor * sum(coefficients[i] * f.monoms()[i]); f must not be zero.
    """
    integers, content, denominator = _primitive(f.coeffs())
    return integers, fmpq(content, denominator)


def _primitive(coefficients: Sequence[fmpq]) -> tuple[list[int], int, int]:
    """Coprime integers, the first positive, with numerator and denominator of what they were divided by."""
    denominator = lcm(*[int(c.q) for c in coefficients])
    if denominator == 1:
        integers = [int(c.p) for c in coefficients]
    else:
        integers = [int(c.p) * (denominator // int(c.q)) for c in coefficients]
    return *coprime(integers), denominator


def coprime(integers: list[int]) -> tuple[list[int], int]:
    """Coprime integers, the first positive, and what they were divided by; the first must not be zero."""
    content = gcd(*integers)
    if integers[0] < 0:
        content = -content
    return (integers if content == 1 else [c // content for c in integers]), content


def primitive_part(f: Polynomial) -> tuple[Polynomial, fmpq]:
    """f / factor with coprime integer coefficients and a positive leading one, and the factor."""
    _, factor = integer_content(f)
    return (f if factor == 1 else f / factor), factor


def normal_form(f: Polynomial) -> Polynomial:
    """f up to scaling and constant: primitive over Z, leading coefficient positive, no constant term.

    f and c*f + d have the same inner polynomials, so this is what tells problems apart. Zero for constants.

    >>> (x,) = ring(["x"]).gens()
    >>> normal_form(-4 * x**2 / 3 + 2 * x + 5)
    2*x^2 - 3*x
    """
    f = f - constant_term(f)
    return f if f.is_zero() else primitive_part(f)[0]


def normal_terms(f: Polynomial) -> tuple[list[Monomial], list[int]]:
    """The monomials of f's normal form, highest first, and its coprime integer coefficients."""
    monomials, coefficients = f.monoms(), f.coeffs()
    if monomials and not any(monomials[-1]):
        monomials, coefficients = monomials[:-1], coefficients[:-1]
    return monomials, _primitive(coefficients)[0] if monomials else []


def digest(f: Polynomial) -> bytes:
    """16 bytes that name the normal form of f, the same in every process and in every ring that f is in.

    Variables are known by their order, those that do not occur left out.
    """
    monomials, integers = normal_terms(f)
    if len(used := variables_used(f)) < f.context().nvars():
        monomials = [tuple([m[i] for i in used]) for m in monomials]
    return digest_of(monomials, integers)


def digest_of(monomials: Sequence[Monomial], integers: list[int]) -> bytes:
    """The digest of a normal form: its monomials, highest first and none 1, and coprime coefficients."""
    try:
        text = f"{list(monomials)}{integers}"
    except ValueError:  # Python writes no number of more than some thousand digits in base 10
        text = f"{list(monomials)}{[hex(c) for c in integers]}"
    return blake2b(text.encode(), digest_size=16).digest()


def key(f: Polynomial) -> tuple[object, ...]:
    """A hashable value equal for equal polynomials of one ring."""
    return tuple(zip(f.monoms(), map(str, f.coeffs()), strict=True))
