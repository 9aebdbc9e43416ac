"""f = c·h^k + lower digits: h the approximate k-th root of f in one variable (completing the power).

Theorem (Abhyankar and Moh, Newton–Puiseux expansion and generalized Tschirnhausen transformation, 1973): for
an f that is monic of degree d·k in x up to a constant there is exactly one h, monic of degree d in x, with
deg_x(f − h^k) < deg_x f − d. The digits of f in base h have degree below d in x, and x and the
other variables stand beside h as inner polynomials. It always exists, so it says something only where the
digits are simple; whether they are is for `complexity` to judge.
"""

from __future__ import annotations

from collections.abc import Iterator

from polyctl.algebra.budget import UNLIMITED, Budget
from polyctl.algebra.decomposition import Decomposition, outer_ring, used_inners
from polyctl.algebra.polynomial import Polynomial, coefficients_of, variables_used
from polyctl.solvers.exact.univariate import divisors
from polyctl.solvers.outcome import Outcome, gather


def by_approximate_roots(f: Polynomial, budget: Budget = UNLIMITED) -> Outcome:
    """f in base h, for each variable and each degree of an approximate root h; never a proof."""
    return Outcome(gather(_expansions(f, budget))[0])


def _expansions(f: Polynomial, budget: Budget) -> Iterator[Decomposition]:
    for x in variables_used(f):
        n = int(f.degrees()[x])
        lead = coefficients_of(f, x)[n]
        if n < 2 or not lead.is_constant():
            continue
        monic = f / lead.leading_coefficient()
        for k in divisors(n)[1:]:
            h = _root(monic, x, k, budget)
            if len(h) > 1:
                yield _expanded(f, x, h, k, budget)


def _root(monic: Polynomial, x: int, k: int, budget: Budget) -> Polynomial:
    """The approximate k-th root of a polynomial that is monic in x; k divides its degree."""
    n = int(monic.degrees()[x])
    variable = monic.context().gens()[x]
    h = variable ** (n // k)
    for j in range(1, n // k + 1):
        budget.check()
        missing = coefficients_of(monic - h**k, x).get(n - j)
        if missing is not None:
            h = h + missing / k * variable ** (n // k - j)
    return h


def _expanded(f: Polynomial, x: int, h: Polynomial, k: int, budget: Budget) -> Decomposition:
    """f in base h: the outer polynomial in f's own variables and one more, which stands for h."""
    context = f.context()
    variable, d = context.gens()[x], int(h.degrees()[x])
    ring = outer_ring(context.nvars() + 1)
    own, b = ring.gens()[:-1], ring.gens()[-1]
    outer, rest = ring.constant(0), f
    for e in range(k, -1, -1):
        digit, power = context.constant(0), h**e
        while not rest.is_zero() and rest.degrees()[x] >= e * d:
            budget.check()
            top = int(rest.degrees()[x])
            part = coefficients_of(rest, x)[top] * variable ** (top - e * d)
            digit += part
            rest = rest - part * power
        if not digit.is_zero():
            outer += digit.compose(*own, ctx=ring) * b**e
    return used_inners(Decomposition(outer, (*context.gens(), h)))
