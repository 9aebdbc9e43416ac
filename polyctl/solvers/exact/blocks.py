"""f = g(h0(B0), h1(B1), …) for blocks of variables, found by the Hessian at one random point.

Theorem (weak separability: Leontief 1947, Sono 1961): f depends on the variables of a block B only through
one function of them exactly if f_ik·f_j = f_i·f_jk for all i, j in B and k outside of B. So each pair
that violates this for a k pulls k into its block: closing every pair gives all minimal blocks, in polynomial
time, from one gradient and one Hessian modulo a prime. Two blocks that overlap have their union as a block
(Gorman 1968), so overlapping ones of a size are merged, and there is a tree of blocks and not 2^n of them.
For each block the inner polynomial is the common component of f's coefficients (see `multi_univariate`),
which is exact; the point only says where to look, so what is found needs no luck to be right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from polyctl.algebra.budget import UNLIMITED, Budget
from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.modular import PRIME
from polyctl.algebra.polynomial import Polynomial, primitive_part, terms, variables_used
from polyctl.solvers.exact.multi_univariate import Block, block_inner, common_components, separated
from polyctl.solvers.outcome import Outcome, gather


def by_blocks(f: Polynomial, budget: Budget = UNLIMITED) -> Outcome:
    """g(h0(B0), h1(B1), …) = f with the minimal blocks, then with the maximal ones; never a proof.

    Variables outside of all blocks stay inner polynomials, or what `multi_univariate` finds of them.
    """
    used = variables_used(f)
    if len(used) < 3:
        return Outcome()
    return Outcome(gather(_families(f, used, budget))[0])


def _families(f: Polynomial, used: Block, budget: Budget) -> Iterator[Decomposition]:
    minimal, seen = minimal_blocks(f, budget), set()
    for largest_first in (False, True):
        family = _family(minimal, largest_first)
        inners: dict[Block, Polynomial] = {}
        for block in family:
            if (h := block_inner(f, block, budget)) is not None:
                inners[block] = h
        if not inners or tuple(inners) in seen:
            continue
        seen.add(tuple(inners))
        covered = {i for block in inners for i in block}
        for i in used:
            if i not in covered:
                components = common_components(f, i, budget)
                inners[(i,)] = components[0] if components else f.context().gens()[i]
        yield separated(f, inners, budget)


def minimal_blocks(f: Polynomial, budget: Budget = UNLIMITED) -> list[Block]:
    """For each pair of variables the smallest block that holds both, if it is not all variables.

    Smallest first. A block is shown by a random point modulo a prime and so may be wrong, with a chance
    below 2^-40; no block is missed.
    """
    used = variables_used(f)
    n = len(used)
    gradient, hessian = _derivatives(f, used, budget)
    violated = {
        (i, j): {
            k
            for k in range(n)
            if k not in (i, j) and (hessian[i][k] * gradient[j] - gradient[i] * hessian[j][k]) % PRIME
        }
        for i in range(n)
        for j in range(i + 1, n)
    }
    blocks = {_closed(pair, violated, n) for pair in violated}
    proper = [tuple(used[i] for i in sorted(block)) for block in blocks if len(block) < n]
    return sorted(proper, key=lambda block: (len(block), block))


def _closed(pair: tuple[int, int], violated: dict[tuple[int, int], set[int]], n: int) -> frozenset[int]:
    """The smallest set with this pair that no pair in it violates for a variable outside."""
    block, pairs = set(pair), [pair]
    while pairs and len(block) < n:
        for k in violated[pairs.pop()] - block:
            pairs += [(min(k, other), max(k, other)) for other in block]
            block.add(k)
    return frozenset(block)


def _derivatives(f: Polynomial, used: Sequence[int], budget: Budget) -> tuple[list[int], list[list[int]]]:
    """Gradient and Hessian of f, up to a constant, at a fixed random point modulo the prime."""
    rng = Random("blocks")
    n = len(used)
    point = [rng.randrange(2, PRIME) for _ in used]
    inverse = [pow(x, -1, PRIME) for x in point]
    gradient, hessian = [0] * n, [[0] * n for _ in range(n)]
    for m, c in terms(primitive_part(f)[0]):
        budget.check()
        exponents = [m[i] for i in used]
        value = int(c.p)
        for x, e in zip(point, exponents, strict=True):
            if e:
                value = value * pow(x, e, PRIME) % PRIME
        occurring = [i for i in range(n) if exponents[i]]
        for i in occurring:
            slope = value * exponents[i] * inverse[i] % PRIME
            gradient[i] += slope
            for j in occurring:
                hessian[i][j] += slope * (exponents[j] - (i == j)) * inverse[j] % PRIME
    return [g % PRIME for g in gradient], [[h % PRIME for h in row] for row in hessian]


def _family(blocks: Sequence[Block], largest_first: bool) -> list[Block]:
    """Disjoint blocks, the smallest or the largest first; overlapping ones of a size are merged."""
    merged: list[tuple[int, set[int]]] = []
    for block in sorted(blocks, key=len, reverse=largest_first):
        union = set(block)
        for size, other in list(merged):
            if size == len(block) and other & union:
                union |= other
                merged.remove((size, other))
        merged.append((len(block), union))
    whole = set().union(*blocks) if blocks else set()
    chosen: list[Block] = []
    covered: set[int] = set()
    for _, union in merged:
        if covered.isdisjoint(union) and (len(union) < len(whole) or len(merged) == 1):
            chosen.append(tuple(sorted(union)))
            covered |= union
    return chosen
