"""g(y; u^d + c·(1/u)^d) = f for a variable u and its inverse, and other variables y.

Theorem: with a_e(y) the coefficient of u^e in f, where u·(1/u) = 1, there is such a g if and only if all
exponents e are multiples of d and a_(−di)(y) = c^i·a_(di)(y) for all i: f is then fixed by u^d ↦ c/u^d. What
is found holds with that identity, and is to be verified with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from math import gcd

from flint import fmpq

from polyctl.algebra.atoms import is_plain
from polyctl.algebra.budget import UNLIMITED
from polyctl.algebra.complexity import complexity
from polyctl.algebra.decomposition import Decomposition, outer_ring
from polyctl.algebra.identities import find_identities
from polyctl.algebra.polynomial import Polynomial, embed, names, polynomial, terms, variables_used
from polyctl.algebra.rational_roots import rational_roots
from polyctl.solving.verification import rewrite

MOST = 8  # variables of which all pairs are looked at
LARGEST = 200  # exponents of u


def in_sums_with_inverses(f: Polynomial) -> Decomposition | None:
    """The simplest g(y; u^d + c·(1/u)^d) = f for some u and d, of degree 2 or more in its last variable.

    >>> from polyctl.algebra.parse import parse
    >>> in_sums_with_inverses(parse("x^2 + 1/x^2", atoms=True))
    Decomposition(outer=b^2 - 2, inners=(x + 1/x,))
    >>> in_sums_with_inverses(parse("x^3 - 8/x^3", atoms=True))
    Decomposition(outer=b^3 + 6*b, inners=(x - 2*1/x,))
    """
    used = variables_used(f)
    if not 2 <= len(used) <= MOST:
        return None
    found = [d for u, v in combinations(used, 2) if _are_inverse(f, u, v) for d in _sums(f, u, v)]
    return min(found, key=complexity, default=None)


def _are_inverse(f: Polynomial, u: int, v: int) -> bool:
    """Whether the identities of atoms say that the product of these variables is 1."""
    own = [names(f)[u], names(f)[v]]
    if all(map(is_plain, own)) or find_identities(own) is None:
        return False
    product = rewrite(f.context().gen(u) * f.context().gen(v), (), UNLIMITED)
    return product is not None and product.normal_form == product.normal_form.context().constant(1)


def _sums(f: Polynomial, u: int, v: int) -> Iterator[Decomposition]:
    parts = _by_exponent(f, u, v)
    low, high, common = -min(parts), max(parts), gcd(*parts)
    if low != high or not 1 < high <= LARGEST:
        return
    others = [i for i in variables_used(f) if i not in (u, v)]
    ratio = _ratio(parts[-high], parts[high])
    if ratio is None:
        return
    for d in range(common, 0, -1):
        n = high // d
        if common % d or n < 2:
            continue
        for c in rational_roots(ratio, n):
            if all(parts.get(-d * i, 0) == parts.get(d * i, 0) * c**i for i in range(1, n)):
                outer = _outer(f, [parts.get(d * i) for i in range(n + 1)], c, others)
                gens = f.context().gens()
                h = gens[u] ** d + c * gens[v] ** d
                yield Decomposition(outer, (*(gens[i] for i in others), h))


def _by_exponent(f: Polynomial, u: int, v: int) -> dict[int, Polynomial]:
    """The coefficients of the powers of u, with v = 1/u."""
    found: dict[int, dict[tuple[int, ...], fmpq]] = {}
    for exponents, c in terms(f):
        rest = tuple(0 if i in (u, v) else int(e) for i, e in enumerate(exponents))
        part = found.setdefault(int(exponents[u]) - int(exponents[v]), {})
        part[rest] = part.get(rest, fmpq(0)) + c
    parts = {e: polynomial(f.context(), part) for e, part in found.items()}
    return {e: part for e, part in parts.items() if not part.is_zero()} or {0: f}


def _ratio(one: Polynomial, other: Polynomial) -> fmpq | None:
    """The number r with one = r·other, if there is one."""
    r = one.coeffs()[0] / other.coeffs()[0]
    return r if one == other * r else None


def _outer(f: Polynomial, parts: list[Polynomial | None], c: fmpq, others: list[int]) -> Polynomial:
    """Σ a_i·s_i, where s_i = u^i + (c/u)^i is a polynomial in b = u + c/u (Chebyshev's recurrence)."""
    target = outer_ring(len(others) + 1)
    b = target.gens()[-1]
    places = [others.index(i) if i in others else 0 for i in range(f.context().nvars())]
    before, now, result = target.constant(2), b, target.constant(0)
    for i, part in enumerate(parts):
        if part is not None:
            result += embed(part, target, places) * (now if i else target.constant(1))
        if i:
            before, now = now, b * now - before * c
    return result
