"""f = g(h0(x0), h1(x1), …): one inner for each variable, or for each block of variables.

Theorem: for a block B of variables, f is a polynomial in h(B) and the variables outside of B exactly if
every coefficient of f, taken as a polynomial in the variables outside, is a polynomial in h; and if this
holds for several disjoint blocks it holds for all of them at once, as expansions in base h are unique. So
each block has an answer of its own: the common right components of its coefficients. A right component of
one of them is known up to affine change by its degree (Kozen and Landau 1989; `univariate`),
and each is tried on the others. For single variables this is complete; blocks are tried if they are few.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, islice, product
from math import gcd

from flint import fmpq, fmpq_poly, nmod_mat

from polyctl.algebra.budget import UNLIMITED, Budget
from polyctl.algebra.completion import complete_outer
from polyctl.algebra.decomposition import Decomposition, outer_ring
from polyctl.algebra.modular import PRIME
from polyctl.algebra.monomials import Monomial
from polyctl.algebra.polynomial import (
    Polynomial,
    degree,
    normal_form,
    polynomial,
    primitive_part,
    terms,
    variables_used,
)
from polyctl.solvers.exact.uni_multivariate import uni_multivariate
from polyctl.solvers.exact.univariate import component, divisors, expand, from_dense, to_dense
from polyctl.solvers.outcome import Outcome, gather

Block = tuple[int, ...]
_VARIANTS = 8
_SUBSETS = 64


def multi_univariate(f: Polynomial, budget: Budget = UNLIMITED) -> Outcome:
    """g(h0, h1, …) = f with inners in disjoint sets of variables, the largest inners first.

    Proof means that for no variable x there is an h(x) of degree ≥ 2 with f a polynomial in h(x) and the
    other variables; if all blocks of variables were tried, it says so of them too.
    """
    used = variables_used(f)
    if len(used) < 2:
        return Outcome()
    found, finished = gather(_separable(f, used, budget))
    if found or not finished:
        return Outcome(found)
    scope = "any block of variables" if _subsets(used) or len(used) < 3 else "any one variable"
    return Outcome((), f"no separable g(h0, h1, …): f is no polynomial in an h of {scope} and the others")


def _separable(f: Polynomial, used: Block, budget: Budget) -> Iterator[Decomposition]:
    """First inners in one variable each, then in disjoint blocks of them."""
    generators = f.context().gens()
    singles = {i: [*common_components(f, i, budget), generators[i]] for i in used}
    if any(len(choices) > 1 for choices in singles.values()):
        for chosen in islice(product(*singles.values()), _VARIANTS):
            if any(h != generators[i] for i, h in zip(used, chosen, strict=True)):
                yield separated(f, {(i,): h for i, h in zip(used, chosen, strict=True)}, budget)
    blocks = {b: h for b in _subsets(used) if (h := block_inner(f, b, budget)) is not None}
    for family in islice(_disjoint(list(blocks)), _VARIANTS):
        covered = {i for block in family for i in block}
        inners = {block: blocks[block] for block in family}
        inners |= {(i,): singles[i][0] for i in used if i not in covered}
        yield separated(f, inners, budget)


def _subsets(used: Block) -> list[Block]:
    """The blocks of 2 to n − 1 variables, none if they are too many to try."""
    subsets = [b for size in range(2, len(used)) for b in combinations(used, size)]
    return subsets if len(subsets) <= _SUBSETS else []


def common_components(f: Polynomial, variable: int, budget: Budget = UNLIMITED) -> list[Polynomial]:
    """All h(x) of degree ≥ 2, up to affine change, with f a polynomial in h(x) and the other variables.

    Primitive, without constant term, of falling degree.
    """
    coefficients = [to_dense(c, variable) for c in coefficients_in(f, (variable,)).values()]
    varying = sorted((c for c in coefficients if c.degree() > 0), key=fmpq_poly.degree)
    if not varying:
        return []
    smallest = varying[0]
    monic = [c / smallest.leading_coefficient() for c in reversed(smallest.coeffs())]
    found = []
    for d in reversed(divisors(gcd(*(c.degree() for c in varying)))[1:]):
        h = component(monic, d, budget)
        if all(expand(c, h, budget) is not None for c in varying):
            found.append(primitive_part(from_dense(h, f.context(), variable))[0])
    return found


def block_inner(f: Polynomial, block: Block, budget: Budget = UNLIMITED) -> Polynomial | None:
    """The h of largest degree in two or more variables with f a polynomial in h and the other variables."""
    budget.check()
    varying = {str(c): c for c in map(normal_form, coefficients_in(f, block).values()) if not c.is_zero()}
    if not varying or any(set(variables_used(c)) != set(block) for c in varying.values()):
        return None
    coefficients = sorted(varying.values(), key=degree)
    if not _parallel(coefficients, block):
        return None
    smallest = coefficients[0]
    smaller = []
    if len(coefficients) > 1:
        smaller = [d.inners[0] for d in uni_multivariate(smallest, budget).decompositions]
    for h in (smallest, *reversed(smaller)):
        if all(complete_outer(c, (h,), budget=budget) is not None for c in coefficients[1:]):
            return h
    return None


def coefficients_in(f: Polynomial, block: Block) -> dict[Monomial, Polynomial]:
    """f as a polynomial in the variables outside of a block: its coefficients, by exponents outside."""
    groups: dict[Monomial, dict[Monomial, fmpq]] = {}
    for m, c in terms(f):
        inside, outside = [0] * len(m), list(m)
        for i in block:
            inside[i], outside[i] = m[i], 0
        groups.setdefault(tuple(outside), {})[tuple(inside)] = c
    context = f.context()
    return {outside: context.from_dict(group) for outside, group in groups.items()}


def separated(f: Polynomial, inners: dict[Block, Polynomial], budget: Budget) -> Decomposition:
    """The decomposition with these inners, one for each block; f must be a polynomial in them."""
    context, rest = f.context(), f
    for block, h in inners.items():
        place, replaced = block[0], {}
        for outside, c in coefficients_in(rest, block).items():
            if len(block) == 1:
                outer = expand(to_dense(c, place), to_dense(h, place), budget)
                assert outer is not None
                digits = list(enumerate(outer.coeffs()))
            else:
                completed = complete_outer(c, (h,), budget=budget)
                assert completed is not None
                digits = [(m[0], value) for m, value in terms(completed)]
            for k, value in digits:
                if value:
                    replaced[(*outside[:place], k, *outside[place + 1 :])] = value
        rest = polynomial(context, replaced)
    places = [block[0] for block in inners]
    outer_terms = {tuple(m[i] for i in places): c for m, c in terms(rest)}
    return Decomposition(polynomial(outer_ring(len(places)), outer_terms), tuple(inners.values()))


def _disjoint(blocks: Sequence[Block]) -> Iterator[list[Block]]:
    """Maximal families of disjoint blocks, made greedily from each block, large blocks first."""
    seen = set()
    by_size = sorted(blocks, key=len, reverse=True)
    for first in by_size:
        family, covered = [first], set(first)
        for block in by_size:
            if covered.isdisjoint(block):
                family.append(block)
                covered |= set(block)
        family.sort()
        if tuple(family) not in seen:
            seen.add(tuple(family))
            yield family


def _parallel(polynomials: Sequence[Polynomial], block: Block) -> bool:
    """Whether gradients are parallel at a point modulo a prime; they are if all have a common h."""
    if len(polynomials) == 1:
        return True
    point = [101 + 37 * i for i in range(polynomials[0].context().nvars())]
    gradients = [p.derivative(i) for p in polynomials for i in block]
    values = [int(g(*point).p) % PRIME for g in gradients]
    return int(nmod_mat(len(polynomials), len(block), values, PRIME).rank()) < 2
