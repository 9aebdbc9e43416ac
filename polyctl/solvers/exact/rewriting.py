"""f written in given polynomials h1, …, hm, with the remainder that is left.

Theorem (Shannon and Sweedler, Using Gröbner bases to determine algebra membership, J. Symbolic Computation
6, 1988): let I be the ideal of the t_i − h_i in Q[x, t], and take an order that eliminates x. The normal form
of f modulo I is free of x exactly if f is a polynomial in the h_i, and then it is such a polynomial. No
bound on degrees is needed. Where x remains, the normal form is f = r(x, h) with as little of x as the order
allows: a remainder. The same holds modulo relations between the x, whose ideal is added to I. Normal forms
do not depend on how they are computed, so the same f and h give the same answer.

Bases can be large, so the work is bounded; within the bound an answer without a remainder is exact, and one
with a remainder proves that f is not in Q[h].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flint import Ordering, fmpq, fmpq_mpoly_ctx, fmpz_mpoly_ctx, fmpz_mpoly_vec

from polyctl.algebra.budget import UNLIMITED, Budget, OutOfTime
from polyctl.algebra.completion import TooLarge
from polyctl.algebra.decomposition import Decomposition, outer_ring, used_inners
from polyctl.algebra.monomials import Monomial
from polyctl.algebra.names import outer_letter
from polyctl.algebra.polynomial import Polynomial, Ring, names, primitive_part, ring, terms
from polyctl.algebra.printing import latex, plain

LIMITS = (60, 400, 2000)  # polynomials in the basis, terms in each, bits of a coefficient
MAX_TERMS = 100_000  # of what is divided
BLOCK = 32  # higher powers of a variable are divided block by block, with a look at the time between


@dataclass(frozen=True)
class Rewriting:
    """f = outer(h1, …, hm, x1, …, xn): b0 … b(m−1) stand for the h_i, the others for f's own variables.

    If f has variables called b or b0, another letter stands for the h_i (`outer_letter`). `normal_form` is
    that outer; `decomposition` is f = g(h1, …, hm), or None if a variable of f is left.
    """

    f: Polynomial
    inners: tuple[Polynomial, ...]
    normal_form: Polynomial
    decomposition: Decomposition | None

    @property
    def outer(self) -> Polynomial | None:
        """g with f = g(h1, …, hm), all of them, used or not; None if a variable of f is left."""
        if self.decomposition is None:
            return None
        count = len(self.inners)
        return outer_ring(count).from_dict({e[:count]: c for e, c in terms(self.normal_form)})

    @property
    def notes(self) -> list[str]:
        """What a reader may not expect: letters other than b, and that nothing could be rewritten."""
        m = len(self.inners)
        tags = self.normal_form.context().names()[:m]
        said = []
        if not any(any(e[:m]) for e in self.normal_form.monoms()):
            said.append("nothing could be rewritten")
        elif tags[0] != "b0":
            said.append(
                f"{tags[0]} stands for the first of the given polynomials, as f has variables like b0"
            )
        return said

    @property
    def complete(self) -> bool:
        """Whether nothing is left, so that f is a polynomial in the h_i."""
        return self.decomposition is not None

    def __str__(self) -> str:
        return plain(self.normal_form)

    def _repr_latex_(self) -> str:
        return f"${latex(self.normal_form)}$"


def rewrite(
    f: Polynomial,
    inners: Sequence[Polynomial],
    budget: Budget = UNLIMITED,
    relations: Sequence[Polynomial] = (),
) -> Rewriting | None:
    """f in given polynomials of its ring; None if the bound on work or the budget is reached.

    `relations` are polynomials that count as zero: f is then written in the others modulo these.
    """
    basis = _basis(f.context(), inners, relations)
    if basis is None:
        return None
    n, m = f.context().nvars(), len(inners)
    lifted = _tagged_ring(n, m).from_dict({(*e, *(0,) * m): c for e, c in terms(f)})
    try:
        reduced = _normal_form(lifted, basis, n, budget)
    except (OutOfTime, TooLarge):
        return None
    found = {(*e[n:], *e[:n]): c for e, c in terms(reduced)}
    return in_tags(f, inners, found)


def in_tags(f: Polynomial, inners: Sequence[Polynomial], found: Mapping[Monomial, fmpq]) -> Rewriting:
    """The rewriting with these coefficients, the exponents of the inner polynomials before those of x."""
    own, m = names(f), len(inners)
    letter = outer_letter(own)
    normal_form = ring([*(f"{letter}{i}" for i in range(m)), *own]).from_dict(dict(found))
    decomposition = None
    if not any(any(e[m:]) for e in found):
        outer = outer_ring(m).from_dict({e[:m]: c for e, c in found.items()})
        decomposition = used_inners(Decomposition(outer, tuple(inners)))
    return Rewriting(f, tuple(inners), normal_form, decomposition)


def _tagged_ring(variables: int, tags: int) -> fmpq_mpoly_ctx:
    """Polynomials in x0, x1, … and tags t0, t1, …, each x larger than all tags."""
    found: fmpq_mpoly_ctx = fmpq_mpoly_ctx.get(_tagged_names(variables, tags), Ordering.lex)
    return found


def _tagged_names(variables: int, tags: int) -> list[str]:
    return [*(f"x{i}" for i in range(variables)), *(f"t{i}" for i in range(tags))]


def _basis(
    context: Ring, inners: Sequence[Polynomial], relations: Sequence[Polynomial]
) -> list[Polynomial] | None:
    """A reduced Gröbner basis of the t_i − h_i and the relations, x before t; None above the limits."""
    n, m = context.nvars(), len(inners)
    integers = fmpz_mpoly_ctx.get(_tagged_names(n, m), Ordering.lex)
    generators = []
    for i, h in enumerate((*inners, *relations)):
        tag = integers.gens()[n + i] if i < m else integers.constant(0)
        if h.is_zero():
            generators.append(tag)
            continue
        primitive, factor = primitive_part(h)
        lifted = integers.from_dict({(*e, *(0,) * m): int(c.p) for e, c in terms(primitive)})
        generators.append(tag * int(factor.q) - lifted * int(factor.p))
    found: Any = fmpz_mpoly_vec(generators, integers).buchberger_naive(limits=LIMITS)
    basis, done = found
    if not done or any(basis[i].is_constant() for i in range(len(basis))):
        return None  # too large, or relations that contradict each other
    reduced, target = basis.autoreduction(), _tagged_ring(n, m)
    return [
        target.from_dict({tuple(e): fmpq(int(c)) for e, c in zip(g.monoms(), g.coeffs(), strict=True)})
        for g in (reduced[i] for i in range(len(reduced)))
    ]


def _normal_form(
    f: Polynomial, basis: Sequence[Polynomial], variables: int, budget: Budget, x: int = 0
) -> Polynomial:
    """f modulo the basis, by Horner's rule over blocks of powers of each variable in turn."""
    while x < variables and f.degrees()[x] < BLOCK:
        x += 1
    if x == variables:
        return _divided(f, basis, budget)
    blocks: dict[int, dict[Monomial, fmpq]] = {}
    for e, c in terms(f):
        blocks.setdefault(e[x] // BLOCK, {})[(*e[:x], e[x] % BLOCK, *e[x + 1 :])] = c
    context = f.context()
    power = _divided(context.gens()[x] ** BLOCK, basis, budget)
    result = context.constant(0)
    for k in range(max(blocks), -1, -1):
        if result:
            result = _divided(result * power, basis, budget)
        if k in blocks:
            result += _normal_form(context.from_dict(blocks[k]), basis, variables, budget, x + 1)
    return result


def _divided(f: Polynomial, basis: Sequence[Polynomial], budget: Budget) -> Polynomial:
    """The remainder of f by division by all of the basis; TooLarge above MAX_TERMS, or OutOfTime."""
    while True:
        before = f
        for divisor in basis:
            budget.check()
            if len(f) > MAX_TERMS:
                raise TooLarge(f"the remainder has more than {MAX_TERMS} terms")
            _, f = divmod(f, divisor)
        if f == before:
            return f
