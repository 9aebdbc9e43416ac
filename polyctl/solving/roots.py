"""The roots of f in one variable, through its chain of components: g1(y) = 0, then g2(z) = y, and so on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polyctl.algebra.budget import UNLIMITED, Budget
from polyctl.algebra.polynomial import Polynomial, names, terms, variables_used
from polyctl.errors import UsageError
from polyctl.solvers.exact.chains import chain

if TYPE_CHECKING:
    import sympy

RADICALS = 4  # components of at most this degree are solved by radicals, others by numbers


def find_roots(f: Polynomial, budget: Budget = UNLIMITED) -> list[tuple[sympy.Expr, int]]:
    """The complex roots with their multiplicities: exact where the components allow it, else numbers.

    Raises UsageError if f is constant or has several variables, OutOfTime if the budget does not last.
    """
    import sympy

    if len(variables_used(f)) != 1:
        raise UsageError("roots are those of a polynomial in one variable", f"f has {len(variables_used(f))}")
    variable = sympy.Symbol(names(f)[variables_used(f)[0]])
    values: dict[sympy.Expr, int] = {sympy.Integer(0): 1}
    for component in chain(f, budget):
        budget.check()
        dense = _in_sympy(component, variable)
        found: dict[sympy.Expr, int] = {}
        for value, count in values.items():
            for root, multiplicity in _solve(dense - value, variable).items():
                found[root] = found.get(root, 0) + count * multiplicity
        values = found
    return sorted(values.items(), key=lambda item: _order(item[0]))


def _solve(expression: sympy.Expr, variable: sympy.Symbol) -> dict[sympy.Expr, int]:
    import sympy

    polynomial = sympy.Poly(expression, variable)
    found: dict[sympy.Expr, int] = {}
    if polynomial.degree() <= RADICALS or polynomial.get_domain().is_QQ or polynomial.get_domain().is_ZZ:
        found = sympy.roots(polynomial, cubics=False, quartics=False)
    if sum(found.values()) == polynomial.degree():
        return {sympy.simplify(root): count for root, count in found.items()}
    numbers: dict[sympy.Expr, int] = {}
    for root in polynomial.nroots(n=15, maxsteps=200):
        numbers[root] = numbers.get(root, 0) + 1
    return numbers


def _in_sympy(f: Polynomial, variable: sympy.Symbol) -> sympy.Expr:
    import sympy

    place = variables_used(f)[0]
    return sympy.Add(*(sympy.Rational(int(c.p), int(c.q)) * variable ** m[place] for m, c in terms(f)))


def _order(root: sympy.Expr) -> tuple[bool, float, float]:
    """Real roots first, by size."""
    value = complex(root.evalf())
    return abs(value.imag) > 1e-12, round(value.real, 9), value.imag
