"""f in the invariants of a finite rotation of two variables: a quadratic form q and a form of degree k.

The derivation L = q_y ∂x − q_x ∂y leaves q alone. Over an algebraic closure q = z·w with linear forms z and
w, and L² multiplies z^a·w^b by (a − b)²·disc(q). So each form in x and y is, over Q, the sum of its parts
of index j = |a − b|, which L² tells apart. The rotations z → ωz, w → w/ω of order k leave f alone exactly
if k divides every index; the parts of index k are then q^i·c with a form c of degree k, and of index 0 q^i.
If all parts have one c but for factors, f may be a polynomial in q and c (a dihedral symmetry), else it is
one in q, c and L(c) (Klein, Lectures on the icosahedron, 1884). For k ≥ 3 the quadratic part of f is a
multiple of q, and so is the Hessian of its cubic part, which is how q is found; otherwise a few common
forms are tried. The other variables of f are parameters. An empty answer proves nothing, since only such q
are tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import gcd, prod

from flint import fmpq

from polyctl.algebra.budget import UNLIMITED, Budget
from polyctl.algebra.decomposition import Decomposition, used_inners
from polyctl.algebra.monomials import Monomial
from polyctl.algebra.polynomial import Polynomial, degree, primitive_part, terms, variables_used
from polyctl.algebra.rational_roots import rational_roots
from polyctl.solvers.exact.differential_forms import complete
from polyctl.solvers.exact.rewriting import rewrite
from polyctl.solvers.outcome import Outcome, gather

MAX_VARIABLES = 6
MAX_DEGREE = 24
LEAST_ORDER = 3

Parts = dict[tuple[Monomial, int], Polynomial]  # by the parameters' exponents and the degree in x and y


def by_rotations(f: Polynomial, budget: Budget = UNLIMITED) -> Outcome:
    """g(q, c, …) = f for each pair of variables that f has a finite rotation in; never a proof."""
    if not 2 <= len(variables_used(f)) <= MAX_VARIABLES or not 3 <= degree(f) <= MAX_DEGREE:
        return Outcome()
    return Outcome(gather(_of_pairs(f, budget))[0])


def _of_pairs(f: Polynomial, budget: Budget) -> Iterator[Decomposition]:
    used = variables_used(f)
    for x, y in combinations(used, 2):
        budget.check()
        parts = _parts(f, x, y)
        if any(d == 1 for _, d in parts):
            continue
        others = [f.context().gen(i) for i in used if i not in (x, y)]
        for q in _quadratic_forms(parts, x, y):
            for forms in _invariants(list(parts.values()), _Rotation(q, x, y), budget):
                inners = [q, *forms, *others]
                rewritten = rewrite(f, inners, budget)
                found = complete(f, inners, budget) if rewritten is None else rewritten.decomposition
                if found is not None:
                    yield used_inners(found)


def _parts(f: Polynomial, x: int, y: int) -> Parts:
    """The forms in x and y that f consists of: the factors of the other variables' monomials."""
    listed: dict[tuple[Monomial, int], dict[Monomial, fmpq]] = {}
    for m, c in terms(f):
        outside, inside = list(m), [0] * len(m)
        outside[x] = outside[y] = 0
        inside[x], inside[y] = m[x], m[y]
        listed.setdefault((tuple(outside), m[x] + m[y]), {})[tuple(inside)] = c
    return {place: f.context().from_dict(form) for place, form in listed.items() if place[1]}


def _quadratic_forms(parts: Parts, x: int, y: int) -> list[Polynomial]:
    """The forms q to try: the quadratic part, else the Hessian of the cubic part, else some common ones."""
    given = [form for (_, d), form in parts.items() if d == 2]
    if not given:
        given = [_hessian(form, x, y) for (_, d), form in parts.items() if d == 3]
    if not given and parts:
        context = next(iter(parts.values())).context()
        a, b = context.gen(x), context.gen(y)
        return [a**2 + b**2, a**2 + a * b + b**2, a**2 - a * b + b**2, a * b]
    forms = {str(q): q for q in (primitive_part(form)[0] for form in given if not form.is_zero())}
    return [q for q in forms.values() if len(forms) == 1 and _discriminant(q, x, y) != 0]


def _hessian(form: Polynomial, x: int, y: int) -> Polynomial:
    xx, xy, yy = (form.derivative(i).derivative(j) for i, j in ((x, x), (x, y), (y, y)))
    return xx * yy - xy**2


def _discriminant(q: Polynomial, x: int, y: int) -> fmpq:
    second = _hessian(q, x, y)  # 4ac − b²
    return fmpq(0) if second.is_zero() else -second.leading_coefficient()


@dataclass(frozen=True)
class _Rotation:
    """The derivation L of a quadratic form q in the variables x and y."""

    q: Polynomial
    x: int
    y: int

    def of(self, form: Polynomial) -> Polynomial:
        """L(form)."""
        q, x, y = self.q, self.x, self.y
        return q.derivative(y) * form.derivative(x) - q.derivative(x) * form.derivative(y)

    def split(self, form: Polynomial, d: int, budget: Budget) -> Iterator[tuple[int, Polynomial]]:
        """The parts of a form of degree d that are not zero, with their indices, the largest first."""
        unit = _discriminant(self.q, self.x, self.y)
        for j in range(d, -1, -2):
            if form.is_zero():
                return
            part = form  # without the parts of all smaller indices
            for i in range(j - 2, -1, -2):
                budget.check()
                part = (self.of(self.of(part)) - part * unit * i**2) / (unit * (j**2 - i**2))
            if not part.is_zero():
                yield j, part
            form = form - part

    def without_q(self, part: Polynomial) -> Polynomial:
        """A part divided by q as often as that goes, primitive."""
        while (divided := divmod(part, self.q))[1].is_zero():
            part = divided[0]
        return primitive_part(part)[0]


def _invariants(
    parts: Sequence[Polynomial], rotation: _Rotation, budget: Budget
) -> Iterator[list[Polynomial]]:
    """What to write f in beside q, if a rotation of order LEAST_ORDER or more leaves all parts alone."""
    order, found = 0, list[tuple[int, Polynomial]]()
    for form in parts:
        for j, part in rotation.split(form, degree(form), budget):
            if j:
                order = gcd(order, j)
                found.append((j, part))
            if order and order < LEAST_ORDER:
                return
    forms = {str(c): c for c in (rotation.without_q(part) for j, part in found if j == order)}
    if not forms:
        return
    first = next(iter(forms.values()))
    if len(forms) == 1:
        yield [first]
        yield from ([root] for root in _roots(first, order, rotation, budget))
    yield [first, primitive_part(rotation.of(first))[0]]


def _roots(c: Polynomial, order: int, rotation: _Rotation, budget: Budget) -> Iterator[Polynomial]:
    """Forms of half the degree whose square is c but for a factor and a multiple of a power of q.

    c = α·z^k + β·w^k with even k is a square with ±2·√(αβ)·q^(k/2) added, and 2αβ·q^k is the part of c² of
    index 0.
    """
    if order % 2:
        return
    index, last = list(rotation.split(c * c, 2 * order, budget))[-1]
    if index:  # α or β is zero
        return
    squared = 2 * last / rotation.q**order
    for root in rational_roots(squared.leading_coefficient(), 2):
        _, factors = (c + root * rotation.q ** (order // 2)).factor_squarefree()
        if all(e % 2 == 0 for _, e in factors):
            half = [factor ** (e // 2) for factor, e in factors]
            yield prod(half[1:], start=half[0])
