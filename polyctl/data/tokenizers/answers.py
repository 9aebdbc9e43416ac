"""Reading the terms of a polynomial from compact tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import add

from flint import fmpq

from polyctl.algebra.decomposition import Terms
from polyctl.algebra.monomials import Monomial
from polyctl.data.tokenizers.base import FRACTION, MINUS, PLUS
from polyctl.data.tokenizers.errors import MalformedTarget


def read_terms(ids: Sequence[int], table: Mapping[int, Monomial], limbs: int, base: int) -> Terms:
    """The terms that tokens stand for: monomials of a table, signs, and numbers in a base.

    `limbs` is the token of 0. Raises MalformedTarget, also if there is no term.
    """
    result: dict[Monomial, int | fmpq] = {}
    cancelled, at, end = False, 0, len(ids)
    while at < end:
        monomial = table.get(ids[at])
        if monomial is not None:
            at += 1
            while at < end and (factor := table.get(ids[at])) is not None:
                monomial = tuple(map(add, monomial, factor))
                at += 1
        if monomial is None or at == end or (sign := ids[at]) not in (PLUS, MINUS):
            raise MalformedTarget(f"token {at + 1}: a term is a monomial, a sign and a number")
        value: int | fmpq
        value, at = _read_number(ids, at + 1, limbs, base)
        if sign == MINUS:
            value = -value
        if at < end and ids[at] == FRACTION:
            denominator, at = _read_number(ids, at + 1, limbs, base)
            if not denominator:
                raise MalformedTarget(f"token {at}: the denominator is zero")
            value = fmpq(value, denominator)
        known = result.get(monomial)
        result[monomial] = value = value if known is None else known + value
        cancelled |= not value
    if not result:
        raise MalformedTarget("an empty polynomial")
    return {m: c for m, c in result.items() if c} if cancelled else result


def _read_number(ids: Sequence[int], at: int, limbs: int, base: int) -> tuple[int, int]:
    value, start, end = 0, at, len(ids)
    while at < end and 0 <= (digit := ids[at] - limbs) < base:
        value = value * base + digit
        at += 1
    if at == start:
        raise MalformedTarget(f"token {at + 1}: digits are missing")
    return value, at
