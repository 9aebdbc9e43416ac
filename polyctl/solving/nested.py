"""An answer with its own polynomials taken apart: g(u(v), …), where that is simpler than writing them out."""

from __future__ import annotations

from dataclasses import dataclass

from polyctl.algebra.budget import UNLIMITED, Budget
from polyctl.algebra.complexity import complexity, complexity_of
from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.polynomial import Polynomial, compose
from polyctl.algebra.printing import compose_text, plain
from polyctl.solvers.exact.recursive import by_recursion
from polyctl.solving.rank import is_sum, is_weak

DEEPEST = 4
MOST_TERMS = 40  # of a polynomial that is taken apart


@dataclass(frozen=True)
class Nested:
    """A polynomial as outer(parts), each of them nested in turn; without parts it is the outer itself."""

    outer: Polynomial
    parts: tuple[Nested, ...] = ()

    @property
    def depth(self) -> int:
        """How many compositions stand in one another; 0 for a polynomial that is written out."""
        return 1 + max(part.depth for part in self.parts) if self.parts else 0

    def to_text(self) -> str:
        """The expression as text, unexpanded."""
        return (
            compose_text(self.outer, [part.to_text() for part in self.parts])
            if self.parts
            else plain(self.outer)
        )


def nest(decomposition: Decomposition, budget: Budget = UNLIMITED) -> Nested | None:
    """The decomposition with its outer and inner polynomials decomposed in turn, or None if none can be.

    A polynomial is taken apart only into a form that is simpler by `complexity`, and each step is checked by
    expanding it.

    >>> from polyctl.algebra.parse import parse
    >>> g, h = parse("b0^3 + b1", ["b0", "b1"]), parse("x^4 + 2x^2 y + y^2 + z", ["x", "y", "z", "w"])
    >>> nest(Decomposition(g, (h, parse("w", ["x", "y", "z", "w"])))).to_text()
    '((x^2 + y)^2 + z)^3 + w'
    """
    if decomposition.outer is None:
        return None
    parts = tuple(_taken_apart(h, budget, 1) for h in decomposition.inners)
    result = _composed(_taken_apart(decomposition.outer, budget, 1), parts)
    return result if result.depth > 1 else None


def _taken_apart(p: Polynomial, budget: Budget, depth: int) -> Nested:
    if depth > DEEPEST or not 1 < len(p) <= MOST_TERMS or budget.expired:
        return Nested(p)
    for found in by_recursion(p, budget).decompositions:
        if _says_more(p, found):
            assert found.outer is not None
            parts = tuple(_taken_apart(h, budget, depth + 1) for h in found.inners)
            return _composed(_taken_apart(found.outer, budget, depth + 1), parts)
    return Nested(p)


def _says_more(p: Polynomial, found: Decomposition) -> bool:
    """Whether it is simpler than p, no mere product or sum, and equal to p."""
    if found.outer is None or is_weak(p, found) or is_sum(found):
        return False
    return complexity(found) < complexity_of(p) and compose(found.outer, found.inners) == p


def _composed(outer: Nested, parts: tuple[Nested, ...]) -> Nested:
    """The outer with the parts in place of its variables."""
    if outer.parts:
        return Nested(outer.outer, tuple(_composed(part, parts) for part in outer.parts))
    return Nested(outer.outer, parts)
