"""Inners read off the factors of f.

If g(b1, …, bm) is divisible by b1, after a linear change of the inners, h1 divides f; and the other inners
come from `by_differential_forms` with it, which decides cases that f alone leaves open. If the inners of a g
that is homogeneous of degree k have a common factor c, c^k divides f and f / c^k = g(h1 / c, …, hm / c) is a
smaller problem. If g is a cubic form in p and r and p divides f, the derivative of f / p in the direction
of r is linear in p and r and divides the Jacobian minors of p and f / p: it is taken for r. Factorisation is
over Q, by python-flint. Candidates are checked; if none is found, nothing is proved.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, combinations, islice

from polyctl.algebra.budget import UNLIMITED, Budget
from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.polynomial import (
    Polynomial,
    degree,
    is_homogeneous,
    primitive_part,
    variables_used,
)
from polyctl.solvers.exact.differential_forms import by_differential_forms, complete
from polyctl.solvers.exact.multi_univariate import multi_univariate
from polyctl.solvers.exact.uni_multivariate import uni_multivariate
from polyctl.solvers.outcome import Outcome, Solver, gather

Factors = list[tuple[Polynomial, int]]
_DIVISORS = 16
_PAIRS = 60
_KNOWN = 3
_FACTOR_SECONDS = 2e-5  # for each term of f


def by_divisors(f: Polynomial, budget: Budget = UNLIMITED) -> Outcome:
    """g(h1, …, hm) = f if some hi divides f, or all of them have a common factor whose power does.

    Fewest inners first; each holds and is not trivial. Products of factors alone are left to
    `by_factorisation`.
    """
    if len(variables_used(f)) < 2:
        return Outcome()
    found, _ = gather(_from_divisors(f, budget))
    return Outcome(tuple(sorted(found, key=lambda d: len(d.inners))))


def _from_divisors(f: Polynomial, budget: Budget) -> Iterator[Decomposition]:
    split = factorisation(f, budget)
    if sum(e for _, e in split) < 2:
        return
    two = False
    for found in chain(_pairs(f, split, budget), _with_common_factor(f, split, budget)):
        two = two or len(found.inners) == 2
        yield found
    if not two:
        yield from _with_known_inner(f, split, budget)


def by_factorisation(f: Polynomial, budget: Budget = UNLIMITED) -> Outcome:
    """f as a product: the inners are its irreducible factors, or one of them and the rest of f.

    g is a monomial; there are none if f is one. That is a decomposition in the sense of `verify`, but it
    says no more than the factorisation of f.
    """
    if len(variables_used(f)) < 2 or len(f) < 2:
        return Outcome()
    return Outcome(gather(_products(f, budget))[0])


def _products(f: Polynomial, budget: Budget) -> Iterator[Decomposition]:
    split = factorisation(f, budget)
    if sum(e for _, e in split) < 2:
        return
    candidates = [[p for p, _ in split]]
    if len(split) > 2:
        first, e = split[0]
        candidates.insert(0, [first, f / first**e])
    for inners in candidates:
        found = complete(f, inners, budget)
        if found is not None:
            yield found


def factorisation(f: Polynomial, budget: Budget = UNLIMITED) -> Factors:
    """The irreducible factors of f over Q with their exponents, largest degrees first."""
    budget.check(len(f) * _FACTOR_SECONDS)
    split = [(primitive_part(p)[0], int(e)) for p, e in f.factor()[1]]
    return sorted(split, key=lambda pair: (-degree(pair[0]), str(pair[0])))


def divisors_of_degree(split: Factors, d: int) -> Iterator[Polynomial]:
    """The divisors of degree d of a polynomial with this factorisation."""
    if not split:
        return
    one = split[0][0].context().constant(1)

    def choose(place: int, left: int) -> Iterator[Polynomial]:
        if left == 0:
            yield one
        elif place < len(split):
            factor, highest = split[place]
            for e in range(min(highest, left // degree(factor)), -1, -1):
                for rest in choose(place + 1, left - e * degree(factor)):
                    yield factor**e * rest

    yield from choose(0, d)


def _inner_degrees(f: Polynomial) -> list[int]:
    """Degrees that inners may have: proper divisors of deg f, largest first."""
    total = degree(f)
    return [d for d in range(total // 2, 0, -1) if total % d == 0]


def _pairs(f: Polynomial, split: Factors, budget: Budget) -> Iterator[Decomposition]:
    """Two inners of one degree: both divide f, or one does and the other its Jacobian with the cofactor."""
    if not is_homogeneous(f):
        return
    for d in _inner_degrees(f):
        some = list(islice(divisors_of_degree(split, d), _DIVISORS))
        tried = [*islice(combinations(some, 2), _PAIRS)]
        if degree(f) == 3 * d:
            tried += [(p, r) for p in some for r in islice(_partners(f, p, d, budget), _DIVISORS)]
        for p, r in tried:
            found = complete(f, (p, r), budget)
            if found is not None:
                yield found
                return


def _partners(f: Polynomial, p: Polynomial, d: int, budget: Budget) -> Iterator[Polynomial]:
    """Divisors of degree d of all 2 × 2 minors of the Jacobian of p and f / p."""
    cofactor, used = f / p, variables_used(f)
    common = f.context().constant(0)
    for i, j in combinations(used, 2):
        budget.check()
        minor = p.derivative(i) * cofactor.derivative(j) - p.derivative(j) * cofactor.derivative(i)
        common = common.gcd(minor) if not common.is_zero() else minor
    if degree(common) >= d:
        yield from divisors_of_degree(factorisation(common, budget), d)


def _with_known_inner(f: Polynomial, split: Factors, budget: Budget) -> Iterator[Decomposition]:
    """Inners that differential forms give with a divisor of f."""
    degrees = _inner_degrees(f) if is_homogeneous(f) else sorted({degree(p) for p, _ in split})
    for d in degrees:
        if d == 1 and is_homogeneous(f):
            continue
        for p in islice(divisors_of_degree(split, d), _KNOWN):
            budget.check()
            found = tuple(by_differential_forms(f, budget, (p,)).decompositions)
            yield from found
            if found:
                return


def _with_common_factor(f: Polynomial, split: Factors, budget: Budget) -> Iterator[Decomposition]:
    """Inners c·h if c^k divides f and f / c^k is a form of degree k in the h."""
    if not is_homogeneous(f):
        return
    for d in _inner_degrees(f):
        k = degree(f) // d
        roots = [(p, e // k) for p, e in split if e >= k]
        for smaller in range(d - 1, 0, -1):
            for c in islice(divisors_of_degree(roots, smaller), _DIVISORS):
                rest = f / c**k
                for inners in _inners_of_degree(rest, d - smaller, budget):
                    found = complete(f, [c * h for h in inners], budget)
                    if found is not None:
                        yield found
                        return


def _inners_of_degree(f: Polynomial, d: int, budget: Budget) -> Iterator[Sequence[Polynomial]]:
    """Inners of a form that all have degree d, by the other methods."""
    used = variables_used(f)
    if d == 1:
        linear = [
            dec.inners
            for dec in by_differential_forms(f, budget).decompositions
            if all(degree(h) == 1 for h in dec.inners)
        ]
        yield from linear
        yield [f.context().gens()[i] for i in used]
        return
    methods: tuple[Solver, ...] = (uni_multivariate, by_differential_forms, multi_univariate)
    for method in methods:
        budget.check()
        for decomposition in method(f, budget).decompositions:
            if {degree(h) for h in decomposition.inners} == {d}:
                yield decomposition.inners
    for decomposition in _pairs(f, factorisation(f, budget), budget):
        if {degree(h) for h in decomposition.inners} == {d}:
            yield decomposition.inners
