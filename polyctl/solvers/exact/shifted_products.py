"""f = c + product of factors: constants c for which f − c is reducible.

Theorem (Stein, The total reducibility order of a polynomial in two variables, Israel J. Math. 68, 1989): if
f is not itself g(h) with deg g ≥ 2, f − c is reducible for fewer than deg f constants c of the algebraic
closure. So they can be looked for modulo small primes p, where every c can be tried: f is restricted to a
random plane, which keeps factors together with high probability (Bertini), and f − c is factored for all
residues c. What is reducible for each of three primes is combined by the Chinese remainder theorem, read
as a small fraction, and f − c is factored over Q. What is found is exact; an empty answer is evidence and
no proof.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import isqrt, prod
from random import Random

from flint import fmpq, nmod_mpoly, nmod_mpoly_ctx

from polyctl.algebra.budget import UNLIMITED, Budget
from polyctl.algebra.decomposition import Decomposition, outer_ring
from polyctl.algebra.polynomial import (
    Polynomial,
    degree,
    is_homogeneous,
    primitive_part,
    terms,
    variables_used,
)
from polyctl.solvers.outcome import Outcome, gather

PRIMES = (53, 59, 61)
MAX_DEGREE = 16
MAX_TERMS = 400
MAX_COMBINATIONS = 4096
MAX_DENOMINATOR = 12
_FACTOR_SECONDS = 2e-5  # for each term


def by_shifted_products(f: Polynomial, budget: Budget = UNLIMITED) -> Outcome:
    """c + a·h0^e0·h1^e1… = f with c ≠ 0, for the constants c that are small fractions; never a proof."""
    if len(variables_used(f)) < 2 or not 2 <= degree(f) <= MAX_DEGREE or len(f) > MAX_TERMS:
        return Outcome()
    if is_homogeneous(f):
        return Outcome()  # f − c = 0 is irreducible then, but for powers f
    return Outcome(gather(_shifted(f, budget))[0])


def _shifted(f: Polynomial, budget: Budget) -> Iterator[Decomposition]:
    primitive, factor = primitive_part(f)
    residues = []
    for prime in PRIMES:
        budget.check()
        found = _reducible_residues(primitive, prime, budget)
        if not found or len(found) >= prime - 1:
            return  # nothing to find, or f = g(h): every f − c may then be reducible
        residues.append(found)
    if prod(map(len, residues)) > MAX_COMBINATIONS:
        return
    candidates = sorted({*_fractions(residues)} - {fmpq(0)}, key=lambda c: (c.q, abs(c.p)))
    for c in candidates:
        budget.check(_FACTOR_SECONDS * len(f))
        if (decomposition := _factored(primitive, c)) is not None:
            outer, inners = decomposition
            yield Decomposition(outer * factor, inners)


def _reducible_residues(f: Polynomial, prime: int, budget: Budget) -> list[int]:
    section, found = _plane_section(f, prime), []
    if section.total_degree() < degree(f):
        return []
    for c in range(prime):
        budget.check()
        if sum(int(e) for _, e in (section - c).factor()[1]) > 1:
            found.append(c)
    return found


def _plane_section(f: Polynomial, prime: int) -> nmod_mpoly:
    """f, with integer coefficients, on a fixed random plane modulo a prime, in two variables."""
    rng = Random(prime)
    used = variables_used(f)
    plane = nmod_mpoly_ctx.get(["s", "t"], modulus=prime, ordering="deglex")
    s, t = plane.gens()
    if len(used) == 2:
        point = [s, t]
    else:
        point = [s * rng.randrange(prime) + t * rng.randrange(prime) + rng.randrange(prime) for _ in used]
    context = nmod_mpoly_ctx.get([f"x{i}" for i in used], modulus=prime, ordering="deglex")
    reduced = context.from_dict({tuple(m[i] for i in used): int(c.p) % prime for m, c in terms(f)})
    return reduced.compose(*point, ctx=plane)


def _fractions(residues: Sequence[Sequence[int]]) -> Iterator[fmpq]:
    """The small fractions with one of the residues for every prime."""
    modulus = prod(PRIMES)
    weights = [modulus // p * pow(modulus // p, -1, p) for p in PRIMES]
    bound = isqrt(modulus // 2)
    for chosen in product(*residues):
        value = sum(r * w for r, w in zip(chosen, weights, strict=True)) % modulus
        r0, r1, s0, s1 = modulus, value, 0, 1
        while r1 > bound:
            quotient = r0 // r1
            r0, r1, s0, s1 = r1, r0 - quotient * r1, s1, s0 - quotient * s1
        if s1 and abs(s1) <= MAX_DENOMINATOR:
            yield fmpq(r1, s1)


def _factored(f: Polynomial, c: fmpq) -> tuple[Polynomial, tuple[Polynomial, ...]] | None:
    """(outer, inner polynomials) of f = c + product of factors over Q, None if f − c is irreducible."""
    lead, factors = (f - c).factor()
    if sum(int(e) for _, e in factors) < 2:
        return None
    context = outer_ring(len(factors))
    outer = context.constant(lead)
    for b, (_, e) in zip(context.gens(), factors, strict=True):
        outer *= b ** int(e)
    return outer + c, tuple(h for h, _ in factors)
