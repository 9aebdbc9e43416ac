"""Which variable of the tokenizer stands for which of f's, and with which sign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress

from polyctl.algebra.monomials import Monomial
from polyctl.algebra.polynomial import Polynomial, names, normal_terms, variables_used
from polyctl.data.tokenizers.errors import UnwritableProblem

MOST_ORDERED = 6  # variables of an f that is brought into canonical order


@dataclass(frozen=True)
class Frame:
    """The place of each variable of f in another ring, and whether -x stands there instead of x."""

    where: tuple[int, ...]
    negated: tuple[bool, ...] = ()

    @property
    def identical(self) -> bool:
        """Whether every variable keeps its place and its sign."""
        return not any(self.negated) and self.where == tuple(range(len(self.where)))

    def sign(self, monomial: Monomial) -> int:
        """The factor -1 or 1 that a monomial of f takes."""
        return -1 if sum(compress(monomial, self.negated)) % 2 else 1


def plain_frame(f: Polynomial, others: Sequence[str]) -> Frame:
    """The frame that keeps signs: variables by name if the other ring has all of them, else in order.

    In order the variables that f uses come first, so f looks the same whatever else its ring has. Raises
    UnwritableProblem if the other ring has too few variables.
    """
    own = names(f)
    if all(name in others for name in own):
        return Frame(tuple(list(others).index(name) for name in own))
    used = variables_used(f)
    if len(used) > len(others):
        raise UnwritableProblem(f"f has {len(used)} variables, but this model knows {len(others)}")
    return _frame(len(own), used)


def canonical_frame(f: Polynomial, others: Sequence[str]) -> Frame:
    """The frame in which f looks the same after any renaming of its variables and change of their signs.

    Variables come in the order of their total exponent, then of exponents weighted by coefficients; those
    that are alike in both keep their order. Signs make the leading terms positive, as far as the signs of
    the variables and of f allow. More than MOST_ORDERED variables stay as they are.

    >>> from polyctl.algebra.parse import parse
    >>> canonical_frame(parse("x*y^3 - x^3*y^3 + y"), ["a", "b"])
    Frame(where=(1, 0), negated=(True, False))
    """
    return canonical_terms(f, others)[0]


def canonical_terms(f: Polynomial, others: Sequence[str]) -> tuple[Frame, list[Monomial], list[int]]:
    """The canonical frame with the terms of f's normal form in it, the highest first.

    Exponents are those of the first variables of the other ring, as many as f uses. Raises
    UnwritableProblem if the other ring has too few variables.
    """
    used, variables = variables_used(f), f.context().nvars()
    if len(used) > len(others):
        raise UnwritableProblem(f"f has {len(used)} variables, but this model knows {len(others)}")
    monomials, numbers = normal_terms(f)
    if not 0 < len(used) <= MOST_ORDERED:
        return _frame(variables, used), [tuple([m[i] for i in used]) for m in monomials], numbers
    plain = [tuple([int(m[i]) for i in used]) for m in monomials]  # exponents come as flint's integers
    weights = {
        i: (sum(exponents), sum([e * abs(c) for e, c in zip(exponents, numbers, strict=True)]))
        for i, exponents in enumerate(zip(*plain, strict=True))
    }
    ranked = sorted(weights, key=weights.__getitem__, reverse=True)
    order = [used[i] for i in ranked]
    moved = [(sum(m), tuple([m[i] for i in ranked]), c) for m, c in zip(plain, numbers, strict=True)]
    moved.sort(reverse=True)
    *flips, all_of_f = _signs(moved, len(order))
    frame = _frame(variables, tuple(order), tuple(flips))
    shown = [m for _, m, _ in moved]
    if not any(flips) and not all_of_f:
        return frame, shown, [c for _, _, c in moved]
    odd = [i for i, flip in enumerate(flips) if flip]
    signs = [-1 if (sum([m[i] for i in odd]) + all_of_f) % 2 else 1 for m in shown]
    return frame, shown, [c * sign for (_, _, c), sign in zip(moved, signs, strict=True)]


@lru_cache(maxsize=10_000)
def _frame(variables: int, order: tuple[int, ...], flips: tuple[bool, ...] = ()) -> Frame:
    """Variables of f in this order, those that it does not use behind; the flips are in the order, too."""
    whole = [*order, *(i for i in range(variables) if i not in order)]
    flipped = set(compress(order, flips))
    return Frame(_places(whole), tuple(i in flipped for i in range(variables)) if flips else ())


def _places(order: Sequence[int]) -> tuple[int, ...]:
    places = [0] * len(order)
    for place, variable in enumerate(order):
        places[variable] = place
    return tuple(places)


def _signs(moved: Sequence[tuple[int, Monomial, int]], variables: int) -> list[bool]:
    """Which variables to negate, and whether f, so that as many leading terms as possible are positive.

    A term's sign is a linear form over the field of two elements in the signs of the variables and of f.
    Terms are taken from the leading one on, and each that is independent of those before is made positive.
    """
    rows: list[tuple[int, int]] = []  # bits of a form and its value; no two have the same highest bit
    for _, monomial, coefficient in moved:
        bits, value = 1 << variables, int(coefficient < 0)
        for i, exponent in enumerate(monomial):
            bits |= (exponent & 1) << i
        for row, known in rows:
            if bits ^ row < bits:
                bits, value = bits ^ row, value ^ known
        if bits:
            rows.append((bits, value))
            rows.sort(reverse=True)
            if len(rows) > variables:
                break
    solution = 0  # signs that nothing determines stay
    for row, value in reversed(rows):
        if (row & solution).bit_count() % 2 != value:
            solution |= 1 << row.bit_length() - 1
    return [bool(solution >> i & 1) for i in range(variables + 1)]
