"""g(y; u^d + c·(1/u)^d) = f for a variable u and its inverse, and other variables y.

f is then a Laurent polynomial in u (`laurent_sums`). What is found holds with u·(1/u) = 1, and is to be
verified with that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from flint import fmpq

from polyctl.algebra.atoms import is_plain
from polyctl.algebra.budget import UNLIMITED
from polyctl.algebra.complexity import complexity
from polyctl.algebra.decomposition import Decomposition, outer_ring
from polyctl.algebra.identities import find_identities
from polyctl.algebra.monomials import Monomial
from polyctl.algebra.polynomial import Polynomial, compose, names, polynomial, ring, terms, variables_used
from polyctl.solvers.exact.laurent_sums import find_sums, in_sums
from polyctl.solving.verification import rewrite

MOST = 8  # variables of which all pairs are looked at


def in_sums_with_inverses(f: Polynomial) -> Decomposition | None:
    """The simplest g(y; u^d + c·(1/u)^d) = f for some u and d, of degree 2 or more in its last variable.

    If there is a y with its inverse, g is in turn one of these in y where it can be.

    >>> from polyctl.algebra.parse import parse
    >>> in_sums_with_inverses(parse("x^2 + 1/x^2", atoms=True))
    Decomposition(outer=b^2 - 2, inners=(x + 1/x,))
    >>> in_sums_with_inverses(parse("x^3 - 8/x^3", atoms=True))
    Decomposition(outer=b^3 + 6*b, inners=(x - 2*1/x,))
    >>> in_sums_with_inverses(parse("x^2 + 1/x^2 + y^2 + 1/y^2 - 4", atoms=True))
    Decomposition(outer=b0^2 + b1^2 - 8, inners=(x + 1/x, y + 1/y))
    """
    used = variables_used(f)
    if not 2 <= len(used) <= MOST:
        return None
    pairs = [(u, v) for u, v in combinations(used, 2) if _are_inverse(f, u, v)]
    found = [d for pair in pairs for first in _sums(f, *pair) for d in _with_further(f, first, pairs)]
    return min(found, key=complexity, default=None)


def _with_further(
    f: Polynomial, d: Decomposition, pairs: Sequence[tuple[int, int]]
) -> Iterator[Decomposition]:
    """The same in sums of the next pair among its inner polynomials, and so on; itself without one."""
    gens, inners, last = f.context().gens(), list(d.inners), True
    for u, v in pairs:
        if gens[u] in inners and gens[v] in inners:
            assert d.outer is not None
            for step in _sums(d.outer, inners.index(gens[u]), inners.index(gens[v])):
                last = False
                composed = Decomposition(step.outer, tuple(compose(h, inners) for h in step.inners))
                yield from _with_further(f, composed, pairs)
            break
    if last:
        yield d


def _are_inverse(f: Polynomial, u: int, v: int) -> bool:
    """Whether the identities of atoms say that the product of these variables is 1."""
    own = [names(f)[u], names(f)[v]]
    if all(map(is_plain, own)) or find_identities(own) is None:
        return False
    product = rewrite(f.context().gen(u) * f.context().gen(v), (), UNLIMITED)
    return product is not None and product.normal_form == product.normal_form.context().constant(1)


def _sums(f: Polynomial, u: int, v: int) -> Iterator[Decomposition]:
    parts, gens = _by_exponent(f, u, v), f.context().gens()
    others = [i for i in variables_used(f) if i not in (u, v)]
    places = [others.index(i) if i in others else 0 for i in range(len(gens))]
    for d, c in find_sums(parts):
        outer = in_sums(parts, d, c, outer_ring(len(others) + 1), places)
        h = gens[u] ** d + c * gens[v] ** d
        yield Decomposition(outer, (*(gens[i] for i in others), h))


def without_inverse(f: Polynomial) -> Polynomial:
    """f·u^k as a polynomial in u that 0 is no root of, if f is in a variable u and 1/u alone; else f.

    >>> from polyctl.algebra.parse import parse
    >>> without_inverse(parse("2x + 3/x - 1", atoms=True))
    2*x^2 - x + 3
    """
    used = variables_used(f)
    if len(used) != 2 or not _are_inverse(f, *used):
        return f
    parts = _by_exponent(f, *used)
    low = min(parts)
    found: dict[Monomial, fmpq] = {(e - low,): part.leading_coefficient() for e, part in parts.items()}
    return polynomial(ring([names(f)[used[0]]]), found)


def _by_exponent(f: Polynomial, u: int, v: int) -> dict[int, Polynomial]:
    """The coefficients of the powers of u, with v = 1/u."""
    found: dict[int, dict[tuple[int, ...], fmpq]] = {}
    for exponents, c in terms(f):
        rest = tuple(0 if i in (u, v) else int(e) for i, e in enumerate(exponents))
        part = found.setdefault(int(exponents[u]) - int(exponents[v]), {})
        part[rest] = part.get(rest, fmpq(0)) + c
    parts = {e: polynomial(f.context(), part) for e, part in found.items()}
    return {e: part for e, part in parts.items() if not part.is_zero()}
