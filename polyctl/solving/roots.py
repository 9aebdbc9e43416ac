"""The roots of f in one variable, factor by factor, through the chain of each: g1(y) = 0, then g2(z) = y, …

A reciprocal component x^n·g(x + c/x) is solved through g.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flint import acb, acb_poly, arb, ctx, fmpq, fmpq_poly

from polyctl.algebra.budget import UNLIMITED, Budget
from polyctl.algebra.polynomial import Polynomial, degree, names, terms, variables_used
from polyctl.errors import UsageError
from polyctl.solvers.exact.chains import chain
from polyctl.solvers.exact.palindromic import reciprocal

if TYPE_CHECKING:
    import sympy

RADICALS = 4  # components of at most this degree are solved by radicals, others by numbers
LARGEST = (
    400  # the largest degree of a component whose roots flint, which cannot be stopped, finds in a second
)
_BITS = 128


def find_roots(f: Polynomial, budget: Budget = UNLIMITED) -> list[tuple[sympy.Expr, int]]:
    """The complex roots with their multiplicities: exact where the components allow it, else numbers.

    Raises UsageError if f is constant, has several variables or a component above the limit on the degree,
    and OutOfTime if the budget does not last.
    """
    import sympy

    if len(variables_used(f)) != 1:
        raise UsageError("roots are those of a polynomial in one variable", f"f has {len(variables_used(f))}")
    variable = sympy.Symbol(names(f)[variables_used(f)[0]])
    found: dict[sympy.Expr, int] = {}
    factors = f.factor()[1] if degree(f) <= LARGEST else [(f, 1)]
    for factor, times in factors:
        for root, count in _roots_of_factor(factor, variable, budget).items():
            found[root] = found.get(root, 0) + count * times
    return sorted(found.items(), key=lambda item: _order(item[0]))


def _roots_of_factor(f: Polynomial, variable: sympy.Symbol, budget: Budget) -> dict[sympy.Expr, int]:
    import sympy

    values: dict[sympy.Expr, int] = {sympy.Integer(0): 1}
    for component in chain(f, budget):
        budget.check()
        if degree(component) > LARGEST:
            raise UsageError(
                f"there are too many roots: {degree(component):,} of one component",
                f"roots are found for components of degree {LARGEST} or less",
            )
        dense = _in_sympy(component, variable)
        found: dict[sympy.Expr, int] = {}
        if list(values) == [0]:
            found = _through_sums(component, variable, budget)
        for value, count in () if found else values.items():
            for root, multiplicity in _solve(dense - value, variable, budget).items():
                found[root] = found.get(root, 0) + count * multiplicity
        values = found
    return values


def _through_sums(f: Polynomial, variable: sympy.Symbol, budget: Budget) -> dict[sympy.Expr, int]:
    """The roots of a reciprocal f = p(x)·x^n·g(x + c/x), from those of g; none if these are not exact."""
    import sympy

    known = reciprocal(f)
    if known is None:
        return {}
    found: dict[sympy.Expr, int] = {}
    zeros = known.power - degree(known.outer)
    if zeros:
        found[sympy.Integer(0)] = zeros
    if degree(known.cofactor) > 0:
        found |= sympy.roots(_in_sympy(known.cofactor, variable))
    constant = sympy.Rational(int(known.constant.p), int(known.constant.q))
    for total, count in find_roots(known.outer, budget):
        if total.has(sympy.Float):
            return {}
        for root, multiplicity in _solve(variable**2 - total * variable + constant, variable, budget).items():
            found[root] = found.get(root, 0) + count * multiplicity
    return found


def _solve(expression: sympy.Expr, variable: sympy.Symbol, budget: Budget) -> dict[sympy.Expr, int]:
    import sympy

    budget.check()
    polynomial = sympy.Poly(expression, variable)
    rational = polynomial.get_domain().is_QQ or polynomial.get_domain().is_ZZ
    found: dict[sympy.Expr, int] = {}
    if polynomial.degree() <= RADICALS or rational:
        found = sympy.roots(polynomial, cubics=False, quartics=False)
    if sum(found.values()) < polynomial.degree():
        return _by_factors(polynomial, variable, budget) if rational else _numbers(polynomial, rational)
    exact: dict[sympy.Expr, int] = {}
    for root, count in found.items():
        budget.check()
        root = _tidy(sympy.simplify(root))
        exact[root] = exact.get(root, 0) + count
    return exact


def _tidy(root: sympy.Expr) -> sympy.Expr:
    """The same number with nested square roots taken apart, and what stands under a root expanded."""
    import sympy

    def expanded(power: sympy.Pow) -> sympy.Expr:
        base = sympy.expand(power.base)
        if base in (sympy.I, -sympy.I):
            return sympy.expand_complex(sympy.Pow(base, power.exp))
        if power.exp == sympy.Rational(1, 2) and base.is_negative:
            return sympy.I * sympy.sqrt(-base)
        return sympy.Pow(base, power.exp)

    return sympy.sqrtdenest(root.replace(lambda e: e.is_Pow and not e.exp.is_Integer, expanded))


def _by_factors(polynomial: sympy.Poly, variable: sympy.Symbol, budget: Budget) -> dict[sympy.Expr, int]:
    """The roots of each factor over Q, so that only those without radicals become numbers."""
    _, factors = polynomial.factor_list()
    if len(factors) == 1 and factors[0][1] == 1:
        return _numbers(polynomial, rational=True)
    found: dict[sympy.Expr, int] = {}
    for factor, times in factors:
        for root, count in _solve(factor.as_expr(), variable, budget).items():
            found[root] = found.get(root, 0) + count * times
    return found


def _numbers(polynomial: sympy.Poly, rational: bool) -> dict[sympy.Expr, int]:
    """The roots to 15 digits: flint takes milliseconds where SymPy's nroots takes minutes."""
    coefficients = polynomial.all_coeffs()[::-1]
    exact: Any  # flint's annotations leave the multiplicities out
    with ctx.workprec(_BITS):
        if rational:
            exact = fmpq_poly([fmpq(int(c.p), int(c.q)) for c in coefficients])
            listed = exact.complex_roots()
        else:
            listed = [
                (root, 1) for root in acb_poly([_ball(c) for c in coefficients]).roots(tol=arb(2) ** -60)
            ]
    numbers: dict[sympy.Expr, int] = {}
    for root, count in listed:
        number = _float(root)
        numbers[number] = numbers.get(number, 0) + count
    return numbers


def _ball(value: sympy.Expr) -> acb:
    real, imaginary = value.evalf(40).as_real_imag()
    return acb(arb(str(real)), arb(str(imaginary)))


def _float(root: acb) -> sympy.Expr:
    import sympy

    value = complex(root)
    return sympy.Float(value.real, 15) + (sympy.I * sympy.Float(value.imag, 15) if value.imag else 0)


def _in_sympy(f: Polynomial, variable: sympy.Symbol) -> sympy.Expr:
    import sympy

    place = variables_used(f)[0]
    return sympy.Add(*(sympy.Rational(int(c.p), int(c.q)) * variable ** m[place] for m, c in terms(f)))


def _order(root: sympy.Expr) -> tuple[bool, float, float]:
    """Real roots first, by size."""
    value = complex(root.evalf())
    return abs(value.imag) > 1e-12, round(value.real, 9), value.imag
