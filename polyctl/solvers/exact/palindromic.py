"""Reciprocal polynomials in one variable: f = p·x^n·g(x + c/x).

Theorem: for f of degree 2n with coefficients a_0, …, a_2n and c ≠ 0, f = x^n·g(x + c/x) with g of degree n
if and only if a_(n−i) = c^i·a_(n+i) for i = 1, …, n. (The polynomials (x + c/x)^k, k ≤ n, are a basis of the
Laurent polynomials that x ↦ c/x fixes.) With c = 1 f is palindromic.

If x^N·f(c/x) = λ·f(x) holds in another way, f of degree N is such a polynomial times x ± √c or x² − c, which
are split off first; so are powers of x. An empty answer proves that there is no such c: c^N is the square
of a_0/a_N then, and each rational c with that is tried. What is found is checked by expanding it.
"""

from __future__ import annotations

from dataclasses import dataclass

from flint import fmpq, fmpq_poly

from polyctl.algebra.decomposition import outer_ring
from polyctl.algebra.polynomial import Polynomial, coefficients_of, degree, names, ring, variables_used
from polyctl.algebra.printing import latex, plain
from polyctl.algebra.rational_roots import rational_roots
from polyctl.solvers.exact.laurent_sums import find_sums, in_sums
from polyctl.solvers.exact.univariate import from_dense, to_dense

LEAST_DEGREE = 4
LARGEST_DEGREE = 2000
MOST, MOST_TERMS = 8, 2000  # variables and terms, if f has several variables


@dataclass(frozen=True)
class Reciprocal:
    """f = cofactor·x^power·outer(x + constant/x): the outer is in b, the cofactor in f's ring.

    If f has other variables than x, the one of this index, the outer has them too; its last variable is the
    one for x + constant/x.
    """

    f: Polynomial
    cofactor: Polynomial
    power: int
    constant: fmpq
    outer: Polynomial
    variable: int

    @property
    def argument(self) -> str:
        """x + c/x as text."""
        x = plain(self.x)
        size = abs(self.constant)
        over = str(size) if size.q == 1 else f"({size})"
        return f"{x} {'+' if self.constant > 0 else '-'} {over}/{x}"

    @property
    def x(self) -> Polynomial:
        """The variable that f is reciprocal in."""
        found: Polynomial = self.f.context().gens()[self.variable]
        return found

    def to_text(self, as_latex: bool = False) -> str:
        """The identity and g, in a line."""
        write = latex if as_latex else plain
        factors = [] if degree(self.cofactor) == 0 else [f"({write(self.cofactor)})"]
        product = "*".join([*factors, write(self.x**self.power), f"g({self.argument})"])
        return f"f = {product}, g({names(self.outer)[-1]}) = {write(self.outer)}"

    def to_dict(self) -> dict[str, object]:
        """The parts as JSON (docs/scripting.md)."""
        return {
            "cofactor": plain(self.cofactor),
            "power": self.power,
            "constant": str(self.constant),
            "outer": plain(self.outer),
        }


def reciprocal(f: Polynomial) -> Reciprocal | None:
    """f as a polynomial in x + c/x times a power of x, up to simple factors; None if there is no rational c.

    Only for degrees from 4 to LARGEST_DEGREE, and a g of degree 2 or more. If f has other variables, its
    coefficients are polynomials in these, and nothing but a power of x is split off.

    >>> from polyctl.algebra.parse import parse
    >>> print(reciprocal(parse("x^4 + x^3 + x^2 + x + 1")).to_text())
    f = x^2*g(x + 1/x), g(b) = b^2 + b - 1
    """
    used = variables_used(f)
    if len(used) > 1:
        return next(filter(None, (_with_parameters(f, x) for x in used[:MOST])), None)
    if not used or not LEAST_DEGREE <= degree(f) <= LARGEST_DEGREE:
        return None
    variable = used[0]
    coefficients = to_dense(f, variable).coeffs()
    low = next(i for i, c in enumerate(coefficients) if c)
    rest = fmpq_poly(coefficients[low:])
    for c in _constants(rest):
        found = _symmetric(rest, c)
        if found is None:
            continue
        cofactor, middle = found
        outer = _in_sums(middle, c)
        n = outer.degree()
        if n < 2 or _expanded(cofactor, outer, c) != rest:
            continue
        shown = from_dense(cofactor, f.context(), variable), from_dense(outer, outer_ring(1))
        return Reciprocal(f, shown[0], low + n, c, shown[1], variable)
    return None


def _with_parameters(f: Polynomial, x: int) -> Reciprocal | None:
    """f in x alone as main variable."""
    if len(f) > MOST_TERMS or f.degrees()[x] < LEAST_DEGREE:
        return None
    parts = {int(e): part for e, part in coefficients_of(f, x).items()}
    low, span = min(parts), max(parts) - min(parts)
    if span < LEAST_DEGREE or span % 2:
        return None
    middle = {e - low - span // 2: part for e, part in parts.items()}
    c = next((c for d, c in find_sums(middle) if d == 1), None)
    if c is None:
        return None
    others = [i for i in variables_used(f) if i != x]
    own = [names(f)[i] for i in others]
    letter = next(name for name in ("b", "t", "u", "w", "b_0") if name not in names(f))
    places = [others.index(i) if i in others else 0 for i in range(len(names(f)))]
    outer = in_sums(middle, 1, c, ring([*own, letter]), places)
    return Reciprocal(f, f.context().constant(1), low + span // 2, c, outer, x)


def _constants(f: fmpq_poly) -> list[fmpq]:
    """The rational c with c^N = (a_0/a_N)², positive ones first."""
    top = f.degree()
    square = (f[0] / f[top]) ** 2
    root = fmpq(1) if square == 1 else fmpq(square.p.root(top), square.q.root(top))
    if root**top != square:
        return []
    return [root, -root] if top % 2 == 0 else [root]


def _symmetric(f: fmpq_poly, c: fmpq) -> tuple[fmpq_poly, fmpq_poly] | None:
    """(cofactor, h) with f = cofactor·h and x^N·h(c/x) = c^(N/2)·h(x), N even; None if there are none."""
    x, cofactor = fmpq_poly([0, 1]), fmpq_poly([1])
    factors = [x**2 - c]
    if c:
        factors = [*(x + root for root in rational_roots(c, 2)), *factors]
    for _ in range(len(factors) + 1):
        if _is_fixed(f, c):
            return cofactor, f
        for factor in factors:
            quotient, rest = divmod(f, factor)
            if not rest and f.degree() > factor.degree():
                f, cofactor = quotient, cofactor * factor
                break
        else:
            return None
    return (cofactor, f) if _is_fixed(f, c) else None


def _is_fixed(f: fmpq_poly, c: fmpq) -> bool:
    top = f.degree()
    if top % 2:
        return False
    n, power = top // 2, fmpq(1)
    for i in range(1, n + 1):
        power *= c
        if f[n - i] != power * f[n + i]:
            return False
    return True


def _in_sums(f: fmpq_poly, c: fmpq) -> fmpq_poly:
    """g with f = x^n·g(x + c/x), by the Chebyshev recurrence of s_i = x^i + (c/x)^i."""
    n = f.degree() // 2
    b = fmpq_poly([0, 1])
    before, now = fmpq_poly([2]), b
    result = fmpq_poly([f[n]])
    for i in range(1, n + 1):
        result += now * f[n + i]
        before, now = now, b * now - before * c
    return result


def _expanded(cofactor: fmpq_poly, outer: fmpq_poly, c: fmpq) -> fmpq_poly:
    """cofactor·x^n·outer(x + c/x)."""
    n, x = outer.degree(), fmpq_poly([0, 1])
    base, value = x**2 + c, fmpq_poly([0])
    for k in range(n, -1, -1):
        value = value * base + x ** (n - k) * outer[k]
    return value * cofactor
