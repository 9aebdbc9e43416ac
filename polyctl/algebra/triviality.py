"""When a decomposition that holds says nothing about f."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import comb

from flint import fmpz_mat

from polyctl.algebra.decomposition import Decomposition, used_inners
from polyctl.algebra.linear_algebra import coefficient_rows
from polyctl.algebra.polynomial import (
    Polynomial,
    constant_term,
    degree,
    is_homogeneous,
    part_of_degree,
    variables_used,
)

TIMES = 2  # products are looked at up to so many times the largest degree
PRODUCTS = 300  # and no more of them than this


def triviality(f: Polynomial, decomposition: Decomposition) -> str | None:
    """Why a decomposition that holds says nothing about f, or None if it says something.

    The outer must be smaller than f (in degree or in number of variables) and so must every inner; a
    linear outer must at least split f into parts in different variables; and inners that generate
    every polynomial, or every form of their degree, explain nothing.
    """
    decomposition = used_inners(decomposition)
    outer, inners = decomposition.outer, decomposition.inners
    assert outer is not None
    n, total = len(variables_used(f)), degree(f)
    if total < 1 or degree(outer) < 1:
        return "f is constant"
    if any(degree(h) < 1 for h in inners):
        return "an inner polynomial is constant"
    if degree(outer) >= total and len(inners) >= n:
        return "the outer polynomial is as large as f"
    used = [variables_used(h) for h in inners]
    if any(degree(h) >= total and len(u) >= n for h, u in zip(inners, used, strict=True)):
        return "an inner polynomial is as large as f"
    if degree(outer) == 1:
        disjoint = len({v for u in used for v in u}) == sum(len(u) for u in used)
        if len(inners) < 2 or not disjoint or all(len(h - constant_term(h)) == 1 for h in inners):
            return "the outer polynomial is linear"
    if generates_everything(inners, variables_used(f)):
        return "the inner polynomials generate every polynomial"
    for d in {degree(h) for h in inners} if n > 1 else ():
        forms = [form for h in inners if degree(h) == d and is_homogeneous(form := h - constant_term(h))]
        every = comb(n + d - 1, d)
        if len(forms) >= every and fmpz_mat(coefficient_rows(forms)[1]).rank() >= every:
            return f"the inner polynomials span all forms of degree {d}"
    return None


def generates_everything(inners: Sequence[Polynomial], variables: Sequence[int]) -> bool:
    """Whether each of these variables (their places in the ring) is a combination of products of the inners.

    One inner alone never counts. Products have at most TIMES the largest inner's degree, so True is proved
    and False is not.
    """
    ring = inners[0].context()
    # at the origin, too, the gradients of what generates the variables span all directions
    if len(inners) < max(2, len(variables)) or _rank([part_of_degree(h, 1) for h in inners]) < len(variables):
        return False
    products = [ring.constant(1), *_products(inners, TIMES * max(map(degree, inners)))]
    return _rank([*products, *(ring.gen(v) for v in variables)]) == _rank(products)


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
