"""f symmetric in some variables, written in elementary symmetric polynomials or power sums.

Theorem (Gauss; Newton's identities): a polynomial that every permutation of x1, …, xk fixes is a polynomial
in e1, …, ek, found by subtracting leading terms, and the e_d can be exchanged for the power sums p_d one by
one. "The transposition of xi and xj fixes f" is an equivalence relation, so the variables fall into blocks
that f is symmetric in; the same holds of xi ↔ −xj, where f is symmetric after the signs of some variables
are changed. Blocks are rewritten one after another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, product
from math import prod

from flint import fmpq

from polyctl.algebra.budget import UNLIMITED, Budget
from polyctl.algebra.complexity import complexity
from polyctl.algebra.decomposition import Decomposition, outer_ring, used_inners
from polyctl.algebra.monomials import Monomial
from polyctl.algebra.polynomial import Polynomial, Ring, terms, variables_used
from polyctl.solvers.outcome import Outcome, gather

SignedBlock = tuple[tuple[int, int], ...]  # indices of variables with the sign that each takes
MANY = 5  # blocks of more variables are written in elementary polynomials or power sums alone, no mixture
CHOICES = 64


def by_symmetry(f: Polynomial, budget: Budget = UNLIMITED) -> Outcome:
    """g(e1, …, ek, other variables) = f for the blocks of variables that f is symmetric in; never a proof.

    Of each way to write a block, in e_d or p_d for each d, the one of least complexity is returned.
    """
    found, _ = gather(_written(f, budget))
    return Outcome((min(found, key=complexity),) if found else ())


def _written(f: Polynomial, budget: Budget) -> Iterator[Decomposition]:
    blocks = symmetric_blocks(f)
    if not blocks:
        return
    reduced = f
    for block in blocks:
        reduced = _in_elementary(reduced, block, budget)
    for kinds in _choices(blocks):
        budget.check()
        yield _exchanged(reduced, blocks, kinds)


def symmetric_blocks(f: Polynomial) -> list[SignedBlock]:
    """The blocks of two or more variables, with signs, that every transposition in keeps f the same."""
    left, blocks = list(variables_used(f)), []
    coefficients = dict(terms(f))
    while left:
        first = left.pop(0)
        block = [(first, 1)]
        for other in list(left):
            sign = next((s for s in (1, -1) if _swap_keeps(coefficients, first, other, s)), None)
            if sign is not None:
                block.append((other, sign))
                left.remove(other)
        if len(block) > 1:
            blocks.append(tuple(block))
    return blocks


def _swap_keeps(coefficients: dict[Monomial, fmpq], i: int, j: int, sign: int) -> bool:
    """Whether f stays the same under x_i → sign·x_j, x_j → sign·x_i."""
    for m, c in coefficients.items():
        swapped = list(m)
        swapped[i], swapped[j] = m[j], m[i]
        odd = sign < 0 and (m[i] + m[j]) % 2
        if coefficients.get(tuple(swapped), 0) != (-c if odd else c):
            return False
    return True


def _in_elementary(f: Polynomial, block: SignedBlock, budget: Budget) -> Polynomial:
    """f, symmetric in a block, with e1, e2, … of the block in place of its variables, in their order."""
    context, indices = f.context(), [i for i, _ in block]
    elementary = [_elementary(context, block, d) for d in range(1, len(block) + 1)]
    result: dict[Monomial, fmpq] = {}
    rest = f
    while not rest.is_zero():
        budget.check()
        lead = max(tuple(m[i] for i in indices) for m in rest.monoms())
        sign = prod(s**e for (_, s), e in zip(block, lead, strict=True))
        exponents = [e - next_e for e, next_e in zip(lead, (*lead[1:], 0), strict=True)]
        leading: dict[Monomial, fmpq] = {}
        for m, c in terms(rest):
            if tuple(m[i] for i in indices) == lead:
                outside = list(m)
                for i in indices:
                    outside[i] = 0
                leading[tuple(outside)] = c * sign
                for i, e in zip(indices, exponents, strict=True):
                    outside[i] = e
                result[tuple(outside)] = c * sign
        subtracted = context.from_dict(leading)
        for part, power in zip(elementary, exponents, strict=True):
            subtracted *= part**power
        rest = rest - subtracted
    return context.from_dict(result)


def _elementary(context: Ring, block: SignedBlock, d: int) -> Polynomial:
    """The elementary symmetric polynomial of degree d of a block's signed variables."""
    monomials = {}
    for chosen in combinations(block, d):
        exponents = [0] * context.nvars()
        for i, _ in chosen:
            exponents[i] = 1
        monomials[tuple(exponents)] = prod(sign for _, sign in chosen)
    return context.from_dict(monomials)


def _power_sum(context: Ring, block: SignedBlock, d: int) -> Polynomial:
    return sum((context.gens()[i] ** d * sign**d for i, sign in block), context.constant(0))


def _choices(blocks: Sequence[SignedBlock]) -> Iterator[tuple[str, ...]]:
    """For each block a word with e or p for each degree; e1 and p1 are the same."""
    words = []
    for block in blocks:
        rest = len(block) - 1
        few = ["e" * rest, "p" * rest] if len(block) > MANY else map("".join, product("ep", repeat=rest))
        words.append(["e" + word for word in few])
    for number, chosen in enumerate(product(*words)):
        if number == CHOICES:
            return
        yield chosen


def _exchanged(reduced: Polynomial, blocks: Sequence[SignedBlock], kinds: Sequence[str]) -> Decomposition:
    """The decomposition whose inner polynomials are, for each block, e_d or p_d as its word says."""
    context = reduced.context()
    variables = context.gens()
    arguments, inners = list(variables), list(variables)
    for block, word in zip(blocks, kinds, strict=True):
        e, p = [context.constant(1)], [context.constant(0)]
        for d, kind in enumerate(word, start=1):
            place, _ = block[d - 1]
            lower = sum(
                (e[i] * p[d - i] * (-1) ** (i - 1) for i in range(1, d)), context.constant(0)
            )  # Newton: p_d = lower + (−1)^(d−1)·d·e_d
            if kind == "e":
                e.append(variables[place])
                p.append(lower + variables[place] * d * (-1) ** (d - 1))
                inners[place] = _elementary(context, block, d)
            else:
                p.append(variables[place])
                e.append((variables[place] - lower) * (-1) ** (d - 1) / d)
                inners[place] = _power_sum(context, block, d)
            arguments[place] = e[d]
    outer = reduced.compose(*arguments, ctx=context)
    outer = outer_ring(context.nvars()).from_dict(dict(terms(outer)))
    return used_inners(Decomposition(outer, tuple(inners)))
