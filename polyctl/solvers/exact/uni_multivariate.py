"""f = g(h) with one inner in several variables, complete over Q.

Theorem: let f have degree d·k, top form F, and let f = g(h) with deg h = d ≥ 1, k ≥ 2. Then F = c·H^k for the
top form H of h, so H is known up to scaling from the factors of F; and the forms of f of degree above
d·k − d are those of c·h^k, which give the forms of h one after the other by exact division. So for each k
there is at most one h without constant term up to scaling, rational if f is, and elimination of leading
terms finds g or refuses: the method of Kozen and Landau (1989) with forms in place of coefficients. See von
zur Gathen, Functional decomposition of polynomials, J. Symbolic Computation 9 (1990), section 5.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import gcd

from flint import fmpq
from flint.utils.flint_exceptions import DomainError

from polyctl.algebra.budget import UNLIMITED, Budget
from polyctl.algebra.completion import complete_outer
from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.polynomial import Polynomial, degree, primitive_part, terms, variables_used
from polyctl.solvers.exact.univariate import divisors
from polyctl.solvers.outcome import Outcome, gather


def uni_multivariate(f: Polynomial, budget: Budget = UNLIMITED) -> Outcome:
    """All g(h) = f with deg g ≥ 2 for f in two or more variables, h primitive, smallest h first.

    Empty without proof for other f. Proof means: no g(h) with one inner over any extension of Q.
    """
    if len(variables_used(f)) < 2:
        return Outcome()
    forms = forms_of(f)
    total = degree(f)
    _, factors = forms[total].factor_squarefree()
    power = gcd(*(int(e) for _, e in factors))
    powers = [k for k in divisors(power) if k > 1]
    found, finished = gather(_components(f, forms, factors, powers, budget))
    if found or not finished:
        return Outcome(found)
    why = (
        "its top form is no power of a form"
        if not powers
        else f"its top form is a power, but the one possible h of degree "
        f"{', '.join(str(total // k) for k in reversed(powers))} fails"
    )
    return Outcome((), f"no g(h) with one inner over any extension of Q: {why}")


def _components(
    f: Polynomial,
    forms: dict[int, Polynomial],
    factors: Sequence[tuple[Polynomial, int]],
    powers: Sequence[int],
    budget: Budget,
) -> Iterator[Decomposition]:
    """The decompositions whose outers have these degrees; `factors` are those of the top form."""
    for k in reversed(powers):
        budget.check()
        root = f.context().constant(1)
        for factor, e in factors:
            root = root * factor ** (int(e) // k)
        inner = inner_with_top(forms, root, k, budget)
        outer = None if inner is None else complete_outer(f, (inner,), budget=budget)
        if outer is not None:
            assert inner is not None
            yield Decomposition(outer, (inner,))


def forms_of(f: Polynomial) -> dict[int, Polynomial]:
    """The homogeneous parts of f by degree; those that are zero are not there."""
    parts: dict[int, dict[tuple[int, ...], fmpq]] = {}
    for m, c in terms(f):
        parts.setdefault(sum(m), {})[m] = c
    context = f.context()
    return {d: context.from_dict(part) for d, part in parts.items()}


def inner_with_top(
    forms: dict[int, Polynomial], top: Polynomial, power: int, budget: Budget = UNLIMITED
) -> Polynomial | None:
    """The h with this top form whose power agrees with c·f as far as h determines it, or None.

    With A_i the part of f (`forms`) of degree deg f − i and H_i that of h of degree deg h − i, the power
    F = cH^k has F'H = kFH', so k·j·A_0·H_j = Σ_{i≥1} (i − k(j − i))·A_i·H_{j−i}. h is primitive and has no
    constant term.
    """
    d = degree(top)
    total = d * power
    parts = [top]
    for j in range(1, d):
        right = top.context().constant(0)
        for i in range(1, j + 1):
            budget.check()
            form = forms.get(total - i)
            weight = i - power * (j - i)
            if form is not None and weight and not parts[j - i].is_zero():
                right = right + form * parts[j - i] * weight
        try:
            parts.append(right / (forms[total] * (power * j)))
        except DomainError:
            return None
    h = parts[0]
    for part in parts[1:]:
        h = h + part
    return primitive_part(h)[0]
