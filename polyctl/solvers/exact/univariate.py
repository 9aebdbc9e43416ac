"""f = g(h) in one variable: right components for every divisor of the degree, complete over Q.

Theorem (Kozen and Landau, Polynomial decomposition algorithms, J. Symbolic Computation 7, 1989): let f have
degree d·k over a field of characteristic 0. The d leading coefficients of f are those of lc(f)·h^k, so they
determine the only monic h of degree d with h(0) = 0 that can be a right component. It is one exactly if
all digits of f in base h are constants; the digits are then the coefficients of g. No larger field gives
more: h is rational whenever f is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flint import fmpq, fmpq_poly

from polyctl.algebra.budget import UNLIMITED, Budget
from polyctl.algebra.decomposition import Decomposition, outer_ring
from polyctl.algebra.monomials import Monomial
from polyctl.algebra.polynomial import Polynomial, Ring, polynomial, variables_used
from polyctl.solvers.exact.modular_components import modular_component, monic_residues, small_rationals
from polyctl.solvers.outcome import Outcome, gather


def divisors(n: int) -> list[int]:
    """The divisors of n > 0, smallest first."""
    return [d for d in range(1, n + 1) if n % d == 0]


def univariate(f: Polynomial, budget: Budget = UNLIMITED) -> Outcome:
    """All g(h) = f for an f that has one variable, h up to affine change, smallest h first.

    Empty without proof for other f. Proof means that f is indecomposable: no g and h of degree ≥ 2.
    """
    used = variables_used(f)
    if len(used) != 1:
        return Outcome()
    dense = to_dense(f, used[0])
    found, finished = gather(
        Decomposition(from_dense(g, outer_ring(1)), (from_dense(h, f.context(), used[0]),))
        for g, h in right_components(dense, budget)
    )
    if found or not finished:
        return Outcome(found)
    return Outcome((), f"no g(h) over any extension of Q: {_why(dense.degree())}")


def right_components(f: fmpq_poly, budget: Budget = UNLIMITED) -> Iterator[tuple[fmpq_poly, fmpq_poly]]:
    """All (g, h) with g(h) = f, both of degree ≥ 2, h monic with h(0) = 0, smallest h first."""
    degree = f.degree()
    for d in divisors(degree)[1:-1] if degree > 1 else []:
        found = right_component(f, d, budget)
        if found is not None:
            yield found


def right_component(f: fmpq_poly, d: int, budget: Budget = UNLIMITED) -> tuple[fmpq_poly, fmpq_poly] | None:
    """(g, h) with g(h) = f, where h is monic of degree d with h(0) = 0; None if there is none.

    d divides the degree of f. Residues modulo a prime refuse most degrees and give an h with small
    coefficients; the recurrence over Q decides the rest.
    """
    budget.check()
    residues = monic_residues(f)
    if residues is not None:
        modular = modular_component(residues, d)
        if modular is None:
            return None
        small = small_rationals(modular)
        outer = None if small is None else expand(f, small, budget)
        if small is not None and outer is not None:
            return outer, small
    lead = f.leading_coefficient()
    inner = component([c / lead for c in reversed(f.coeffs())], d, budget)
    outer = expand(f, inner, budget)
    return None if outer is None else (outer, inner)


def component(coefficients: Sequence[fmpq], d: int, budget: Budget = UNLIMITED) -> fmpq_poly:
    """The only monic h of degree d with h(0) = 0 that can be a right component.

    `coefficients` are those of f, highest first, divided by the leading one. They are read as a power series
    F(t) = H(t)^k modulo t^d, and F'H = kFH' gives one coefficient of H after the other (Miller's recurrence).
    """
    k = (len(coefficients) - 1) // d
    series = [fmpq(1)]
    for j in range(1, d):
        budget.check()
        total = fmpq(0)
        for i in range(1, j + 1):
            if coefficients[i]:
                total += (i - k * (j - i)) * coefficients[i] * series[j - i]
        series.append(total / (k * j))
    return fmpq_poly([fmpq(0), *reversed(series)])


def expand(f: fmpq_poly, h: fmpq_poly, budget: Budget = UNLIMITED) -> fmpq_poly | None:
    """g with g(h) = f, or None if a digit of f in base h is not constant."""
    powers = [h]
    while 2 * powers[-1].degree() <= f.degree():
        budget.check()
        powers.append(powers[-1] * powers[-1])
    digits = _digits(f, powers, budget)
    return None if digits is None else fmpq_poly(digits)


def _digits(f: fmpq_poly, powers: Sequence[fmpq_poly], budget: Budget) -> list[fmpq] | None:
    """The 2^len(powers) digits of f in base h, lowest first, if all are constant; powers are h, h², h⁴, …"""
    if not powers:
        return [f[0]] if f.degree() <= 0 else None
    budget.check()
    if f.degree() < powers[0].degree():
        return [f[0]] + [fmpq(0)] * ((1 << len(powers)) - 1) if f.degree() <= 0 else None
    high, low = divmod(f, powers[-1])
    upper = _digits(high, powers[:-1], budget)
    lower = None if upper is None else _digits(low, powers[:-1], budget)
    return None if upper is None or lower is None else lower + upper


def to_dense(f: Polynomial, variable: int) -> fmpq_poly:
    """f, which has no other variable, as a dense polynomial."""
    coefficients = [fmpq(0)] * (int(f.degrees()[variable]) + 1)
    for monomial, c in zip(f.monoms(), f.coeffs(), strict=True):
        coefficients[monomial[variable]] = c
    return fmpq_poly(coefficients)


def from_dense(p: fmpq_poly, context: Ring, variable: int = 0) -> Polynomial:
    """A dense polynomial in one variable of a ring."""
    n = context.nvars()
    before, after = (0,) * variable, (0,) * (n - variable - 1)
    terms: dict[Monomial, fmpq] = {(*before, i, *after): c for i, c in enumerate(p.coeffs()) if c}
    return polynomial(context, terms)


def _why(degree: int) -> str:
    tried = divisors(degree)[1:-1] if degree > 1 else []
    if not tried:
        return f"the degree {degree} has no proper divisor"
    return f"the one possible h of degree {', '.join(map(str, tried))} fails (Kozen and Landau)"
