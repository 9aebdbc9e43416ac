"""What the identities of atoms do for a decomposition: fewer variables."""

from __future__ import annotations

from itertools import combinations

from polyctl.algebra.budget import UNLIMITED, Budget
from polyctl.algebra.complexity import complexity_of
from polyctl.algebra.identities import find_identities
from polyctl.algebra.polynomial import (
    Polynomial,
    constant_term,
    degree,
    names,
    polynomial,
    ring,
    terms,
    variables_used,
)
from polyctl.solving.inverse_sums import in_sums_with_inverses
from polyctl.solving.verification import rewrite

MOST = 6  # variables of which all subsets are tried
SECONDS = 0.2  # for each


def with_fewer_atoms(f: Polynomial, budget: Budget = UNLIMITED) -> tuple[Polynomial, tuple[str, ...]]:
    """f in as few of its variables as identities of its atoms allow, and these identities in words.

    Of several ways the simplest is taken whose degree is 2 or more. The result equals f as a function: x is
    sqrt(x)^2, 4^x is (2^x)^2, cos(2*x) is 2*cos(x)^2 - 1. It may be a constant.

    >>> from polyctl.algebra.parse import parse
    >>> with_fewer_atoms(parse("x - 5 sqrt(x) + 6", atoms=True))
    (sqrt(x)^2 - 5*sqrt(x) + 6, ('sqrt(x)^2 = x',))
    """
    used = variables_used(f)
    identities = find_identities([names(f)[i] for i in used]) if len(used) <= MOST else None
    if identities is None:
        return f, ()
    whole = rewrite(f, (), budget.at_most(SECONDS))
    if whole is not None and whole.normal_form.is_constant():
        return f.context().constant(constant_term(whole.normal_form)), identities.sentences
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
