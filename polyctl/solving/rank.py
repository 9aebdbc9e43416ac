"""Which of several decompositions of f says most: the order of answers, and those that say little."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

from flint import fmpz_mat

from polyctl.algebra.complexity import Complexity, complexity_of
from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.linear_algebra import coefficient_rows
from polyctl.algebra.polynomial import Polynomial, constant_term, degree, is_homogeneous, variables_used

WEAK = "weak: only a factorisation, or a substitution of powers of the variables"
SUM = "only a sum of parts in different variables"
POOR = 0.9  # of f's distinct subexpressions: hardly simpler than f
LONGEST_OUTER, LARGEST_OUTER = 60, 12  # terms and degree of an outer that is factored
GENERIC = "generic: nearly every polynomial of this degree has a decomposition of this shape"


def is_weak(f: Polynomial, decomposition: Decomposition) -> bool:
    """Whether a verified decomposition says so little that the search should continue beside it.

    That is a mere factorisation of f, open or in disguise, and one whose inner polynomials are powers of the
    variables (f is even in x), as many as there are variables.
    """
    outer, inners = decomposition.outer, decomposition.inners
    open_product = outer is not None and len(inners) > 1 and _is_product(outer, inners)
    factored = open_product or is_disguised_product(decomposition)
    powers = all(len(h) == 1 for h in inners) and any(degree(h) == 1 for h in inners)
    return factored or (powers and len(inners) >= len(variables_used(f)) > 1)


def is_disguised_product(decomposition: Decomposition) -> bool:
    """Whether the outer, of several terms, is a product of powers of independent linear polynomials.

    Then f is a mere product of these, taken of the inner polynomials: b0^2 - b1^2 says that h0 + h1 and
    h0 - h1 divide f.
    """
    outer = decomposition.outer
    if outer is None or not 1 < len(outer) <= LONGEST_OUTER or not 1 < degree(outer) <= LARGEST_OUTER:
        return False
    _, factors = outer.factor()
    if not 1 < len(factors) <= outer.context().nvars() or any(degree(form) > 1 for form, _ in factors):
        return False
    linear_parts = [form - constant_term(form) for form, _ in factors]
    return fmpz_mat(coefficient_rows(linear_parts)[1]).rank() == len(factors)


def is_sum(decomposition: Decomposition) -> bool:
    """Whether f is only split into parts in different variables: true, but the search continues beside it."""
    return decomposition.outer is not None and degree(decomposition.outer) == 1


def _takes_terms_off(decomposition: Decomposition) -> bool:
    """Whether all parts of a sum but one are single terms."""
    return is_sum(decomposition) and sum(len(h) > 1 for h in decomposition.inners) < 2


def _takes_terms_out(decomposition: Decomposition) -> bool:
    """Whether f is only single terms times one polynomial in their variables, not a power of it."""
    outer, inners = decomposition.outer, decomposition.inners
    sums = [i for i, h in enumerate(inners) if len(h) > 1]
    if outer is None or len(outer) > 1 or len(sums) != 1 or int(outer.degrees()[sums[0]]) > 1:
        return False
    own = set(variables_used(inners[sums[0]]))
    return any(own & set(variables_used(h)) for i, h in enumerate(inners) if i != sums[0])


def _is_product(outer: Polynomial, inners: Sequence[Polynomial]) -> bool:
    """Whether the inner polynomials of several terms only stand as factors of the whole."""
    sums = [i for i, h in enumerate(inners) if len(h) > 1]
    powers = {tuple(m[i] for i in sums) for m in outer.monoms()}
    return len(outer) == 1 or (bool(sums) and len(powers) == 1 and degree(outer) > 1)


def is_generic(f: Polynomial, decomposition: Decomposition) -> bool:
    """Whether nearly every polynomial of f's degree and variables has a decomposition of this shape.

    By counting: the outer's coefficients and the choice of a space of inner polynomials are as many as f's
    coefficients. Such an answer holds, but says little about this f.
    """
    outer, inners = decomposition.outer, decomposition.inners
    n, m = len(variables_used(f)), len(inners)
    degrees = {degree(h) for h in inners}
    if outer is None or len(degrees) > 1:
        return False
    d, k, total = degrees.pop(), degree(outer), degree(f)
    if n > 1 and is_homogeneous(f) and all(is_homogeneous(h) for h in inners):
        space, outers, needed = comb(n + d - 1, d), comb(m + k - 1, k), comb(n + total - 1, total)
    else:
        space, outers, needed = comb(n + d, d) - 1, comb(m + k, k), comb(n + total, total)
    return m * (space - m) + outers >= needed


def is_poor(f: Polynomial, decomposition: Decomposition, complexity: Complexity, share: float = POOR) -> bool:
    """Whether it has more than this share of f's complexity, in as many inner polynomials as f has variables.

    f in one variable has no poor decompositions.
    """
    many = len(decomposition.inners) >= len(variables_used(f)) > 1
    return many and complexity.distinct > share * complexity_of(f).distinct


def find_reservation(f: Polynomial, decomposition: Decomposition) -> str | None:
    """Why a verified decomposition says little about f, or None if it says something."""
    if is_weak(f, decomposition):
        return WEAK
    if is_sum(decomposition):
        return SUM
    return GENERIC if is_generic(f, decomposition) else None


def rank_key(f: Polynomial, decomposition: Decomposition, complexity: Complexity | None) -> tuple[int, ...]:
    """What answers are sorted by, the best first.

    Verified ones, which have a complexity, come from the simplest to the most complex, then fewer inner
    polynomials and a smaller outer first; behind them mere sums; then weak and poor ones, and those that are
    no simpler than an f in several variables; of these at the end what has as many inner polynomials as f
    has variables, and f less or over single terms; and the rest in the order in which they were found.
    """
    if complexity is None:
        return (1, 0, 0, 0, 0, 0)
    n, own, size = len(variables_used(f)), complexity_of(f).distinct, complexity.distinct
    no_simpler = n > 1 and size >= own
    last = no_simpler or is_weak(f, decomposition) or is_poor(f, decomposition, complexity)
    grade = 2 if last else int(is_sum(decomposition))
    if no_simpler and len(decomposition.inners) >= n:
        grade = 3
    if _takes_terms_off(decomposition) or _takes_terms_out(decomposition):
        grade = 4
    outer_degree = 0 if decomposition.outer is None else degree(decomposition.outer)
    return (0, grade, size, len(decomposition.inners), complexity.leaves, outer_degree)
