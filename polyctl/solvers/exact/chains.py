"""Complete chains f = g1∘g2∘…∘gk, their simplest form, and iterates f = φ∘φ∘…∘φ.

Theorem (Ritt, Prime and composite polynomials, 1922): the degrees of right components of f are closed under
greatest common divisor and least common multiple, a right component is known by its degree up to affine
change, and all complete chains have the same length. So each maximal chain of divisors among these degrees
is a complete decomposition, and there are no others.

Between neighbours g∘h stands an affine map that can be moved from one to the other: g∘ℓ⁻¹∘ℓ∘h. The one that
leaves the smallest coefficients is chosen among shifts that remove a second coefficient or a constant, and
scales by small primes. An iterate φ of degree d with φ∘…∘φ = f (k times) has the leading coefficient a with
a^((d^k − 1)/(d − 1)) = lc(f), and its right component h is f's; its shift follows from one coefficient more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import log2

from flint import fmpq, fmpq_poly, fmpz, fmpz_poly, nmod

from polyctl.algebra.budget import UNLIMITED, Budget
from polyctl.algebra.decomposition import Decomposition, outer_ring
from polyctl.algebra.modular import PRIME
from polyctl.algebra.polynomial import Polynomial, variables_used
from polyctl.algebra.rational_roots import rational_roots
from polyctl.solvers.exact.modular_components import modular_component, monic_residues, reduce_modulo
from polyctl.solvers.exact.univariate import component, divisors, from_dense, right_components, to_dense

MAX_CHAINS = 64
_PRIMES_BELOW = 1000
_PRIMORIAL = fmpz.primorial_ui(fmpz(_PRIMES_BELOW))
_PASSES = 4  # over the chain, since what is moved on may be simplified by the next neighbour


def chain(f: Polynomial, budget: Budget = UNLIMITED) -> tuple[Polynomial, ...]:
    """Indecomposable (g1, …, gk) with f = g1∘…∘gk in one variable, outermost first, in their simplest form.

    The last is in f's ring, the others in b; if f is an iterate φ∘…∘φ of an indecomposable φ, φ k times.
    (f,) if f is indecomposable or constant. Raises ValueError for an f in several variables and OutOfTime
    if the budget does not last.
    """
    used = variables_used(f)
    if len(used) > 1:
        raise ValueError("a chain of components needs a polynomial in one variable")
    if not used:
        return (f,)
    dense = to_dense(f, used[0])
    parts = _iterated(dense, budget) or _simplest(_complete_chain(dense, budget), budget)
    innermost = from_dense(parts[-1], f.context(), used[0])
    return (*(from_dense(p, outer_ring(1)) for p in parts[:-1]), innermost)


def chain_of(decomposition: Decomposition, budget: Budget = UNLIMITED) -> tuple[Polynomial, ...]:
    """The chain of a decomposition with one inner polynomial: g's, and h's if it has one variable."""
    outer, (inner,) = decomposition.outer, decomposition.inners
    assert outer is not None
    if len(variables_used(inner)) == 1:
        return chain(decomposition.expanded, budget)
    return (*chain(outer, budget), inner)


def iterate(f: Polynomial, budget: Budget = UNLIMITED) -> tuple[Polynomial, int] | None:
    """(φ, k) with φ∘…∘φ = f, k ≥ 2 times, k as large as can be; None if f is not an iterate over Q."""
    used = variables_used(f)
    if len(used) != 1:
        return None
    found = _iterate(to_dense(f, used[0]), budget)
    return None if found is None else (from_dense(found[0], f.context(), used[0]), found[1])


def chain_degrees(f: Polynomial, budget: Budget = UNLIMITED) -> list[tuple[int, ...]]:
    """The degrees of all complete chains of f in one variable, outermost first; MAX_CHAINS at most."""
    (variable,) = variables_used(f)
    dense = to_dense(f, variable)
    degrees = sorted({1, dense.degree(), *(h.degree() for _, h in right_components(dense, budget))})
    found: list[tuple[int, ...]] = []

    def climb(path: list[int]) -> None:
        if len(found) >= MAX_CHAINS:
            return
        here = path[-1]
        if here == dense.degree():
            found.append(tuple(b // a for a, b in reversed(list(pairwise(path)))))
            return
        above = [d for d in degrees if d > here and d % here == 0]
        for d in above:
            if not any(d != m and d % m == 0 for m in above):
                climb([*path, d])

    climb([1])
    return found


def _complete_chain(f: fmpq_poly, budget: Budget) -> list[fmpq_poly]:
    """A chain with the smallest degrees innermost, outermost first."""
    parts: list[fmpq_poly] = []
    while (split := next(right_components(f, budget), None)) is not None:
        f, inner = split
        parts.append(inner)
    return [f, *reversed(parts)]


def _iterated(f: fmpq_poly, budget: Budget) -> list[fmpq_poly] | None:
    """φ k times if f is an iterate of an indecomposable φ."""
    found = _iterate(f, budget)
    if found is None or next(right_components(found[0], budget), None) is not None:
        return None
    return [found[0]] * found[1]


def _iterate(f: fmpq_poly, budget: Budget) -> tuple[fmpq_poly, int] | None:
    """(φ, k) for the smallest degree that a φ with φ∘…∘φ = f can have."""
    n = f.degree()
    for d in divisors(n)[1:-1] if n > 1 else []:
        k = next((k for k in range(2, n.bit_length() + 1) if d**k == n), None)
        if k is None:
            continue
        for phi in _roots_of_iteration(f, d, budget):
            if _iterates_to(phi, k, f, budget):
                return phi, k
    return None


def _roots_of_iteration(f: fmpq_poly, d: int, budget: Budget) -> Iterator[fmpq_poly]:
    """The φ of degree d that alone can have φ∘…∘φ = f.

    φ = a·(h + s), where h is f's right component of this degree. If f = g(h), the leading d coefficients of
    f give h, and the next one gives the second coefficient of g, hence that of g's own right component of
    degree d, which is g itself, made monic, if k = 2. It is h's second coefficient over a plus d·s.
    """
    n, lead = f.degree(), f.leading_coefficient()
    scales = rational_roots(lead, (n - 1) // (d - 1))
    residues = monic_residues(f)
    if not scales or (residues is not None and modular_component(residues, d) is None):
        return
    coefficients = [f[n - i] / lead for i in range(n + 1)]
    h = component(coefficients, d, budget)
    power = fmpq_poly([h[d - i] for i in range(d + 1)]).pow_trunc(n // d, d + 1)
    second = (coefficients[d] - power[d]) * fmpq(d * d, n)
    for a in scales:
        shift = (second - h[d - 1] / a) / d
        yield (h + shift) * a


def _iterates_to(phi: fmpq_poly, k: int, f: fmpq_poly, budget: Budget) -> bool:
    """Whether φ∘…∘φ = f, k times; compared at one point modulo a prime first."""
    modular, whole = reduce_modulo(phi), reduce_modulo(f)
    if modular is not None and whole is not None:
        value = nmod(2, PRIME)
        for _ in range(k):
            value = modular(value)
        if value != whole(nmod(2, PRIME)):
            return False
    power = phi
    for _ in range(k - 1):
        budget.check()
        power = phi(power)
    return bool(power == f)


def _simplest(parts: Sequence[fmpq_poly], budget: Budget) -> list[fmpq_poly]:
    """The chain with the affine map between each two neighbours that leaves the smallest coefficients."""
    chosen = list(parts)
    for _ in range(_PASSES):
        before = list(chosen)
        for i in range(len(chosen) - 1, 0, -1):
            budget.check()
            choices = [_scaled(*shifted) for shifted in _shifted(chosen[i - 1], chosen[i])]
            _, chosen[i - 1], chosen[i] = min(choices, key=lambda choice: choice[0])
        if chosen == before:
            break
    return chosen


def _shifted(g: fmpq_poly, h: fmpq_poly) -> Iterator[tuple[fmpq_poly, fmpq_poly]]:
    """g(b − s) and h + s for s = 0, Tschirnhaus's, and those that make a rational root of g zero."""
    k = g.degree()
    shifts = [fmpq(0), g[k - 1] / (g[k] * k)]
    for factor, _ in fmpz_poly([int(c) for c in (g * g.denom()).coeffs()]).factor()[1]:
        if factor.degree() == 1:
            shifts.append(fmpq(int(factor[0]), int(factor[1])))
    for shift in {str(s): s for s in shifts}.values():
        yield g(fmpq_poly([-shift, 1])), h + shift


def _scaled(g: fmpq_poly, h: fmpq_poly) -> tuple[int, fmpq_poly, fmpq_poly]:
    """(size, g(b / λ), λ·h) for the λ of small primes and signs that leaves the smallest coefficients."""
    best = (_height(g) + _height(h), g, h)
    primes = _shrinking_primes(g, h)
    improved = True
    while improved:
        improved = False
        for factor in [r for p in primes for r in (fmpq(p), fmpq(1, p))]:
            scaled, rest = best[2] * factor, best[1](fmpq_poly([0, 1 / factor]))
            if (size := _height(rest) + _height(scaled)) < best[0]:
                best, improved = (size, rest, scaled), True
    if best[2].leading_coefficient() < 0:
        return best[0], best[1](fmpq_poly([0, -1])), -best[2]
    return best


def _shrinking_primes(g: fmpq_poly, h: fmpq_poly) -> list[int]:
    """The primes p below _PRIMES_BELOW for which g(b / λ) and λ·h may have fewer bits, λ = p or 1/p.

    λ = p multiplies each coefficient by a power p^e. That takes away at most |e|·log2(p) + 1 bits if p
    divides its denominator, or for e < 0 its numerator, and otherwise adds at least |e|·log2(p) − 1.
    Divisibility by p does not change with other factors of λ, so the primes that are left out stay out.
    """
    moved = [(c, -i) for i, c in enumerate(g.coeffs()) if c and i] + [(c, 1) for c in h.coeffs() if c]
    total = sum(abs(e) for _, e in moved)
    lighter: dict[int, list[int]] = {}  # |e| of what gets smaller, for λ = p and λ = 1/p
    for c, e in moved:
        for number, inverse in ((int(c.q), e < 0), (int(c.p), e > 0)):
            for p in _small_primes(number):
                lighter.setdefault(p, [0, 0])[inverse] += abs(e)
    return sorted(p for p, most in lighter.items() if log2(p) * (total - 2 * max(most)) < len(moved))


def _small_primes(n: int) -> list[int]:
    """The primes below _PRIMES_BELOW that divide n, which is not 0."""
    return [int(p) for p, _ in _PRIMORIAL.gcd(n).factor()] if abs(n) > 1 else []


def _height(f: fmpq_poly) -> int:
    """The bits of all numerators and denominators."""
    bits = 0
    for c in f.coeffs():
        if c:
            bits += int(c.p).bit_length() + int(c.q).bit_length()
    return bits
