"""Roots of rational numbers that are rational."""

from __future__ import annotations

from flint import fmpq, fmpz


def rational_roots(value: fmpq, exponent: int) -> list[fmpq]:
    """The rational a with a^exponent = value, the positive one first.

    >>> rational_roots(fmpq(4, 9), 2)
    [2/3, -2/3]
    """
    if not value:
        return [fmpq(0)]
    sign = -1 if value < 0 else 1
    if sign < 0 and exponent % 2 == 0:
        return []
    p, q = fmpz(abs(int(value.p))), fmpz(int(value.q))
    a, b = p.root(exponent), q.root(exponent)
    if a**exponent != p or b**exponent != q:
        return []
    root = fmpq(int(a), int(b)) * sign
    return [root] if exponent % 2 else [root, -root]
