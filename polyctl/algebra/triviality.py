"""When a decomposition that holds says nothing about f."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import comb

from flint import fmpz_mat, nmod_mat

from polyctl.algebra.complexity import complexity, complexity_of
from polyctl.algebra.decomposition import Decomposition, normal_form, used_inners
from polyctl.algebra.linear_algebra import coefficient_rows
from polyctl.algebra.modular import PRIME, at_point
from polyctl.algebra.polynomial import (
    Polynomial,
    constant_term,
    degree,
    is_homogeneous,
    part_of_degree,
    primitive_part,
    variables_used,
)

MUCH_LESS = 0.7  # of f's distinct subexpressions
TIMES = 2  # products are looked at up to so many times the largest degree
PRODUCTS = 300  # and no more of them than this


def triviality(f: Polynomial, decomposition: Decomposition) -> str | None:
    """Why a decomposition that holds says nothing about f, or None if it says something.

    The outer must be smaller than f (in degree or in number of variables) and so must every inner; a
    linear outer must at least split f into parts in different variables; and inners that generate
    every polynomial, or every form of their degree, explain nothing. An outer or inner of f's size says
    something if the decomposition in normal form is less complex than f and the inners, as many as the
    variables, generate a proper subalgebra, as symmetric polynomials do; or if they are fewer and it is much
    less complex: e1^3 - 27·e3 is, and h^2 + (f - h^2) is not.
    """
    decomposition = used_inners(decomposition)
    outer, inners = decomposition.outer, decomposition.inners
    assert outer is not None
    variables, total, degrees = variables_used(f), degree(f), [degree(h) for h in inners]
    n = len(variables)
    if total < 1 or degree(outer) < 1:
        return "f is constant"
    if min(degrees) < 1:
        return "an inner polynomial is constant"
    large = None
    if degree(outer) >= total and len(inners) >= n:
        large = "the outer polynomial is as large as f"
    elif any(d >= total and len(variables_used(h)) >= n for d, h in zip(degrees, inners, strict=True)):
        large = "an inner polynomial is as large as f"
    if large is not None and not _rewrites(f, decomposition):
        return large
    if degree(outer) == 1:
        used = [variables_used(h) for h in inners]
        disjoint = len({v for u in used for v in u}) == sum(len(u) for u in used)
        if len(inners) < 2 or not disjoint or all(len(h - constant_term(h)) == 1 for h in inners):
            return "the outer polynomial is linear"
    if generates_everything(inners, variables):
        return "the inner polynomials generate every polynomial"
    for d in set(degrees) if n > 1 else ():
        every = comb(n + d - 1, d)
        if degrees.count(d) < every:
            continue
        forms = [form for h in inners if degree(h) == d and is_homogeneous(form := h - constant_term(h))]
        if len(forms) >= every and fmpz_mat(coefficient_rows(forms)[1]).rank() >= every:
            return f"the inner polynomials span all forms of degree {d}"
    return None


def _rewrites(f: Polynomial, decomposition: Decomposition) -> bool:
    """Whether f is written, more simply, in polynomials that generate a proper subalgebra."""
    inners, variables = decomposition.inners, variables_used(f)
    as_many = len(inners) == len(variables)
    if not 1 < len(inners) <= len(variables) or (as_many and not generates_fewer(inners, variables)):
        return False
    size, own = complexity(normal_form(decomposition)), complexity_of(f)
    return size < own if as_many else size.distinct <= MUCH_LESS * own.distinct


def generates_fewer(inners: Sequence[Polynomial], variables: Sequence[int]) -> bool:
    """Whether as many polynomials as variables are proved not to generate all polynomials.

    The Jacobian determinant of generators is a constant (by the chain rule); theirs is not. It is compared at
    fixed points modulo a prime.
    """
    n = len(variables)
    primitive = [primitive_part(h)[0] for h in inners]
    slopes = [h.derivative(v) for h in primitive for v in variables]
    values = set()
    for start in (3, 5, 7):
        point = [pow(start, 5 * i + 2, PRIME) for i in range(inners[0].context().nvars())]
        values.add(int(nmod_mat(n, n, [at_point(p, point) for p in slopes], PRIME).det()))
    return len(values) > 1


def generates_everything(inners: Sequence[Polynomial], variables: Sequence[int]) -> bool:
    """Whether each of these variables (their places in the ring) is a combination of products of the inners.

    One inner alone never counts. Products have at most TIMES the largest inner's degree, so True is proved
    and False is not.
    """
    if len(inners) < max(2, len(variables)):
        return False
    ring = inners[0].context()
    # at the origin, too, the gradients of what generates the variables span all directions
    linear = [h for h in inners if _has_linear_terms(h)]
    if len(linear) < len(variables) or _rank([part_of_degree(h, 1) for h in linear]) < len(variables):
        return False
    if len(inners) == len(variables) and generates_fewer(inners, variables):
        return False
    products = [ring.constant(1), *_products(inners, TIMES * max(map(degree, inners)))]
    return _rank([*products, *(ring.gen(v) for v in variables)]) == _rank(products)


def _has_linear_terms(f: Polynomial) -> bool:
    monomials = f.monoms()
    return any(sum(m) == 1 for m in monomials[-2:])  # only a constant term comes behind them


def _products(inners: Sequence[Polynomial], most: int) -> Iterator[Polynomial]:
    """Products of the inners of degree at most `most`, with the fewest factors first, PRODUCTS at most."""
    count, level = 0, [(h, at) for at, h in enumerate(inners)]
    while level:
        for product, _ in level:
            if count == PRODUCTS:
                return
            count += 1
            yield product
        level = [
            (product * inners[at], at)
            for product, last in level
            for at in range(last, len(inners))
            if degree(product) + degree(inners[at]) <= most
        ][:PRODUCTS]


def _rank(polynomials: Sequence[Polynomial]) -> int:
    _, rows = coefficient_rows([f for f in polynomials if f])
    return fmpz_mat(rows).rank() if rows and rows[0] else 0
