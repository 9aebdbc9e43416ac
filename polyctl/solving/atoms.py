"""What the identities of atoms do for a decomposition: fewer variables, and g(u + c/u)."""

from __future__ import annotations

from itertools import combinations
from math import gcd

from polyctl.algebra.atoms import is_plain
from polyctl.algebra.budget import UNLIMITED, Budget
from polyctl.algebra.complexity import complexity, complexity_of
from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.identities import find_identities
from polyctl.algebra.polynomial import (
    Polynomial,
    constant_term,
    degree,
    embed,
    names,
    polynomial,
    ring,
    terms,
    variables_used,
)
from polyctl.solvers.exact.palindromic import reciprocal
from polyctl.solving.verification import rewrite

MOST = 6  # variables of which all subsets are tried
SECONDS = 0.2  # for each


def with_fewer_atoms(f: Polynomial, budget: Budget = UNLIMITED) -> tuple[Polynomial, tuple[str, ...]]:
    """f in as few of its variables as identities of its atoms allow, and these identities in words.

    Of several ways the simplest is taken whose degree is 2 or more. The result equals f as a function: x is
    sqrt(x)^2, 4^x is (2^x)^2, cos(2*x) is 2*cos(x)^2 - 1.

    >>> from polyctl.algebra.parse import parse
    >>> with_fewer_atoms(parse("x - 5 sqrt(x) + 6", atoms=True))
    (sqrt(x)^2 - 5*sqrt(x) + 6, ('sqrt(x)^2 = x',))
    """
    used = variables_used(f)
    identities = find_identities([names(f)[i] for i in used]) if len(used) <= MOST else None
    if identities is None:
        return f, ()
    for size in range(1, len(used)):
        ways = []
        for chosen in combinations(used, size):
            if budget.expired:
                break
            found = rewrite(f, [f.context().gen(i) for i in chosen], budget.at_most(SECONDS))
            if found is not None and found.outer is not None and degree(found.outer) > 1:
                target = ring([names(f)[i] for i in chosen])
                ways.append(polynomial(target, dict(terms(found.outer))))
        if ways:
            best = min(ways, key=lambda way: (in_sums_with_inverses(way) is None, complexity_of(way)))
            return best, identities.sentences
    return f, ()


def in_sums_with_inverses(f: Polynomial) -> Decomposition | None:
    """g(u^d + c·(1/u)^d) = f for f in a variable u and its inverse alone, with g of degree 2 or more.

    It holds with u·(1/u) = 1 and is to be verified with that.

    >>> from polyctl.algebra.parse import parse
    >>> in_sums_with_inverses(parse("x^2 + 1/x^2", atoms=True))
    Decomposition(outer=b^2 - 2, inners=(x + 1/x,))
    """
    used = variables_used(f)
    if len(used) != 2:
        return None
    own = [names(f)[i] for i in used]
    pair = ring(own)
    places = [used.index(i) if i in used else 0 for i in range(f.context().nvars())]
    inside = embed(f, pair, places)
    identities = find_identities(own)
    if identities is None or sum(map(is_plain, own)) > 1:
        return None
    u, v = pair.gens()
    product = rewrite(u * v, (), UNLIMITED)
    if product is None or product.normal_form != product.normal_form.context().constant(1):
        return None
    powers = [(a - b, c) for (a, b), c in terms(inside)]  # of u
    low, common = -min(e for e, _ in powers), gcd(*(e for e, _ in powers))
    single, found = ring(own[:1]), list[Decomposition]()
    for d in range(common, 0, -1) if low > 0 else ():
        if common % d:
            continue
        shifted = sum((polynomial(single, {((e + low) // d,): c}) for e, c in powers), single.constant(0))
        known = reciprocal(shifted)
        if known is not None and not degree(known.cofactor) and known.power * d == low:
            h = f.context().gen(used[0]) ** d + f.context().gen(used[1]) ** d * known.constant
            found.append(Decomposition(known.outer * constant_term(known.cofactor), (h,)))
    return min(found, key=complexity, default=None)
