"""f = g(y; h(x, y)): one variable x is decomposed, the others are parameters.

Theorem (Kozen and Landau 1989, over the field Q(y)): let f have degree d·k in x. The d leading coefficients
of f in x determine the only monic h of degree d in x with h(0) = 0 that can be a right component, and no
larger field gives more. With a the leading coefficient, the coefficients of h are N_j / a^j with polynomials
N_j, so h is found without fractions; divided by its content it is primitive over Q[y], and then the digits
of f in base h, where they are constants of x at all, lie in Q[y] (Gauss's lemma: a prime of Q[y] that
divides a denominator would divide h). Degrees without a right component are nearly always refused by the
same recurrence at random values of y modulo a prime. An empty answer is a proof for each x that was tried.

h is known up to h ↦ p·h + s with p and s free of x. Of these the simplest g is looked for: shifts that make
a root of g, or of one of its derivatives, zero (the last one is Tschirnhaus's), and the largest p that the
coefficients of g allow. Components of degree 1 in x, h = x + s, are shifts alone (`shears`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import prod
from random import Random

from polyctl.algebra.budget import UNLIMITED, Budget
from polyctl.algebra.complexity import complexity
from polyctl.algebra.decomposition import Decomposition, outer_ring, used_inners
from polyctl.algebra.modular import PRIME
from polyctl.algebra.polynomial import Polynomial, coefficients_of, primitive_part, terms, variables_used
from polyctl.solvers.exact.modular_components import modular_component
from polyctl.solvers.exact.univariate import divisors
from polyctl.solvers.outcome import Outcome, gather

_FACTOR_SECONDS = 2e-5  # for each term
_FACTORED = 50_000  # most monomials up to the degrees of what is factored, which may take very long beyond


def parametric(f: Polynomial, budget: Budget = UNLIMITED, main: Sequence[int] | None = None) -> Outcome:
    """g(y; h(x, y)) = f for each main variable x, with 2 ≤ deg_x h < deg_x f; the simplest h of each degree.

    The inner polynomials are h and the parameters y that g depends on. `main` are indices of variables, all
    of f's if None. Proof means that none exists for any of them over any extension of Q(y).
    """
    used = variables_used(f)
    if len(used) < 2:
        return Outcome()
    tried = used if main is None else tuple(main)
    found, finished = gather(_components(f, tried, budget))
    if found or not finished:
        return Outcome(found)
    names = ", ".join(f.context().names()[x] for x in tried)
    return Outcome((), f"no g(y; h(x, y)) for x = {names} over any extension of Q(y) (Kozen and Landau)")


def shears(f: Polynomial, budget: Budget = UNLIMITED, main: Sequence[int] | None = None) -> Outcome:
    """g(y; x + s(y)) = f for each main variable x, where −s is a root in x of f or of one of its derivatives.

    Never a proof.
    """
    used = variables_used(f)
    if len(used) < 2:
        return Outcome()
    return Outcome(gather(_sheared(f, used if main is None else main, budget))[0])


def _components(f: Polynomial, main: Sequence[int], budget: Budget) -> Iterator[Decomposition]:
    for x in main:
        for d in _possible_degrees(f, x):
            budget.check()
            h = _inner(f, x, d, budget)
            digits = _digits(f, x, h, budget)
            if digits is not None:
                yield _simplest(f, x, h, digits, budget)


def _sheared(f: Polynomial, main: Sequence[int], budget: Budget) -> Iterator[Decomposition]:
    for x in main:
        if f.degrees()[x] < 2:
            continue
        for shift in _shifts(f, x, budget)[1:]:
            budget.check()
            yield _decomposition(x, f.context().gens()[x] + shift, _substitute(f, x, shift))


def _coefficient(f: Polynomial, x: int, power: int) -> Polynomial:
    """The coefficient of a power of one variable."""
    group = {(*m[:x], 0, *m[x + 1 :]): c for m, c in terms(f) if m[x] == power}
    return f.context().from_dict(group)


def _possible_degrees(f: Polynomial, x: int) -> list[int]:
    """Degrees of right components in x that survive at random values of the parameters modulo a prime."""
    n = int(f.degrees()[x])
    proper = divisors(n)[1:-1] if n > 1 else []
    if not proper:
        return []
    point = list(_drawn(n, f.context().nvars()))
    point[x] = 1
    coefficients = [0] * (n + 1)
    for m, c in terms(primitive_part(f)[0]):
        value = int(c.p)
        for i, (a, e) in enumerate(zip(point, m, strict=True)):
            if e and i != x:
                value = value * pow(a, e, PRIME) % PRIME
        coefficients[n - m[x]] = (coefficients[n - m[x]] + value) % PRIME
    if not coefficients[0]:
        return proper  # the point is unlucky, so nothing is known
    lead = pow(coefficients[0], -1, PRIME)
    monic = [c * lead % PRIME for c in coefficients]
    return [d for d in proper if modular_component(monic, d) is not None]


@lru_cache(maxsize=64)
def _drawn(seed: int, size: int) -> tuple[int, ...]:
    rng = Random(seed)
    return tuple(rng.randrange(1, PRIME) for _ in range(size))


def _inner(f: Polynomial, x: int, d: int, budget: Budget) -> Polynomial:
    """The primitive h of degree d in x, without terms free of x, that alone can be a right component."""
    context = f.context()
    n = int(f.degrees()[x])
    k, c = n // d, coefficients_of(f, x)
    lead = c[n]
    numerators, powers = [context.constant(1)], [context.constant(1)]
    for j in range(1, d):
        budget.check()
        total = context.constant(0)
        for i in range(1, j + 1):
            weight = i - k * (j - i)
            if weight and n - i in c:
                total += c[n - i] * powers[i - 1] * numerators[j - i] * weight
        numerators.append(total / (k * j))
        powers.append(powers[-1] * lead)
    parts = [numerator * powers[d - 1 - j] for j, numerator in enumerate(numerators)]
    content = parts[0]
    for part in parts[1:]:
        content = content.gcd(part)
    variable = context.gens()[x]
    h = context.constant(0)
    for j, part in enumerate(parts):
        h += (part / content) * variable ** (d - j)
    return primitive_part(h)[0]


def _digits(f: Polynomial, x: int, h: Polynomial, budget: Budget) -> dict[int, Polynomial] | None:
    """The coefficients of the g with g(h) = f, or None if a digit of f in base h depends on x."""
    d = int(h.degrees()[x])
    lead = _coefficient(h, x, d)
    rest, digits = f, {}
    powers = [f.context().constant(1)]
    for _ in range(int(f.degrees()[x]) // d):
        powers.append(powers[-1] * h)
    while not rest.is_zero():
        budget.check()
        top = int(rest.degrees()[x])
        k, remainder = divmod(top, d)
        if remainder:
            return None
        digit, left = divmod(_coefficient(rest, x, top), lead**k)
        if not left.is_zero():
            return None
        digits[k] = digit
        rest = rest - digit * powers[k]
    return digits


def _simplest(
    f: Polynomial, x: int, h: Polynomial, digits: dict[int, Polynomial], budget: Budget
) -> Decomposition:
    """The simplest of the decompositions g(p·h + s) that differ by the shift s and the scale p."""
    variable = f.context().gens()[x]
    g = f.context().constant(0)
    for k, digit in digits.items():
        g += digit * variable**k
    found = []
    for shift in _shifts(g, x, budget):
        moved = _substitute(g, x, shift)
        found.append(_decomposition(x, h + shift, moved))
        coefficients = coefficients_of(moved, x)
        scale = _scale(coefficients)
        if scale is not None:
            scaled = f.context().constant(0)
            for k, c in coefficients.items():
                scaled += (c / scale**k) * variable**k
            found.append(_decomposition(x, (h + shift) * scale, scaled))
    return min(found, key=complexity) if len(found) > 1 else found[0]


def _shifts(g: Polynomial, x: int, budget: Budget) -> list[Polynomial]:
    """0 and the s free of x for which −s is a root in x of g or a derivative; of a very large g 0 alone."""
    zero = g.context().constant(0)
    found, derivative = [zero], g
    while (left := derivative.degrees()[x]) >= 1:
        budget.check(_FACTOR_SECONDS * len(derivative))
        if prod(e + 1 for e in derivative.degrees()) > _FACTORED:
            break
        # what is linear in x gives a root only if its leading coefficient divides the rest
        factors = [(derivative, 1)] if left == 1 else derivative.factor()[1]
        for factor, _ in factors:
            if factor.degrees()[x] == 1:
                c = coefficients_of(factor, x)
                shift, rest = divmod(c.get(0, zero), c[1])
                if rest.is_zero() and shift not in found:
                    found.append(shift)
        derivative = derivative.derivative(x)
    return found


def _scale(coefficients: dict[int, Polynomial]) -> Polynomial | None:
    """The largest p free of x with p^k dividing the coefficient of x^k for all k > 0; None if constant."""
    c = {k: part for k, part in coefficients.items() if k > 0}
    top = c[max(c)]
    scale = top.context().constant(1)
    for prime, _ in top.factor()[1] if not top.is_constant() else []:
        scale *= prime ** min(_multiplicity(part, prime) // k for k, part in c.items())
    return None if scale.is_constant() else scale


def _multiplicity(f: Polynomial, prime: Polynomial) -> int:
    count = 0
    while True:
        f, rest = divmod(f, prime)
        if not rest.is_zero():
            return count
        count += 1


def _substitute(g: Polynomial, x: int, shift: Polynomial) -> Polynomial:
    """g with x − shift in place of x, so that g(x) = result(x + shift)."""
    arguments = list(g.context().gens())
    arguments[x] = arguments[x] - shift
    return g.compose(*arguments, ctx=g.context())


def _decomposition(x: int, h: Polynomial, g: Polynomial) -> Decomposition:
    """g, where x stands for h, as an outer polynomial of h and the parameters that it depends on."""
    inners = list(h.context().gens())
    inners[x] = h
    outer = outer_ring(len(inners)).from_dict(dict(terms(g)))
    return used_inners(Decomposition(outer, tuple(inners)))
