"""Do polynomials generate every polynomial? Looked for by linear algebra, exact over Q, up to a degree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flint import fmpz_mat

from polyctl.algebra.linear import coefficient_rows
from polyctl.algebra.polynomial import Polynomial, degree, part_of_degree

TIMES = 2  # products are looked at up to so many times the largest degree
PRODUCTS = 300  # and no more of them than this


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
