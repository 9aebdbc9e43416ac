"""What a search finds: candidates, judged solutions, and the answer that ranks them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from polyctl.algebra.budget import Budget, OutOfTime
from polyctl.algebra.complexity import Complexity, complexity_of
from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.polynomial import Polynomial, key, terms, variables_used
from polyctl.algebra.printing import latex, plain
from polyctl.algebra.verify import Status, Verdict
from polyctl.solving.attempt import Attempt
from polyctl.solving.describe import (
    name_inners,
    to_sympy,
    write_aligned,
    write_plain,
    write_proof,
    write_tried,
)
from polyctl.solving.rank import find_reservation, is_sum, is_weak, rank_key

if TYPE_CHECKING:
    import sympy

    from polyctl.solvers.exact.palindromic import Reciprocal


CHAIN_SECONDS = 1.0
NESTING_SECONDS = 1.0
CHAINS_SHOWN = 6


@dataclass(frozen=True)
class Candidate:
    """A decomposition that a source proposes; not believed until verified.

    `logprob` and `rank` (0 is the best) are those of a beam's hypothesis.
    """

    decomposition: Decomposition
    source: str
    logprob: float | None = None
    rank: int | None = None


@dataclass(frozen=True)
class Solution:
    """A judged candidate; if verified, in normal form, with its outer and its complexity.

    `seconds` is when it was found, counted from the beginning of the search.
    """

    f: Polynomial
    decomposition: Decomposition
    verdict: Verdict
    source: str
    logprob: float | None = None
    beam_rank: int | None = None
    complexity: Complexity | None = None
    seconds: float = field(default=0.0, compare=False)

    @property
    def outer(self) -> Polynomial | None:
        """The outer polynomial; never None if the solution is verified."""
        return self.decomposition.outer

    @property
    def inner(self) -> tuple[Polynomial, ...]:
        return self.decomposition.inners

    @property
    def status(self) -> Status:
        return self.verdict.status

    @property
    def verified(self) -> bool:
        return self.verdict.verified

    @cached_property
    def weak(self) -> bool:
        """Whether it is verified but only a factorisation, or a substitution of powers of the variables."""
        return self.verified and is_weak(self.f, self.decomposition)

    @property
    def ends_search(self) -> bool:
        """Whether it is verified and more than a weak answer or a mere sum."""
        return self.verified and not self.weak and not is_sum(self.decomposition)

    @property
    def reservation(self) -> str | None:
        """Why it says little about f (weak, a sum, generic), though verified; None if it says something."""
        return find_reservation(self.f, self.decomposition) if self.verified else None

    @cached_property
    def chain(self) -> tuple[Polynomial, ...]:
        """g1, …, gk with f = g1∘…∘gk, if it is verified and has one inner polynomial: a complete chain.

        Outermost first. Empty if there are fewer than two, or if finding them takes too long.
        """
        if not self.verified or len(self.inner) != 1:
            return ()
        from polyctl.solvers.exact.chains import chain_of

        try:
            found = chain_of(self.decomposition, Budget.of(CHAIN_SECONDS))
        except OutOfTime:
            return ()
        return found if len(found) > 1 else ()

    @cached_property
    def nested(self) -> str | None:
        """f as compositions in one another, if it is verified and g or an inner polynomial is one in turn."""
        if not self.verified or len(self.chain) > 2:
            return None
        from polyctl.solving.nested import nest

        try:
            found = nest(self.decomposition, Budget.of(NESTING_SECONDS))
        except OutOfTime:
            return None
        return None if found is None else found.to_text()

    @cached_property
    def rank_key(self) -> tuple[int, ...]:
        """What solutions of one f are sorted by, the best first."""
        return rank_key(self.f, self.decomposition, self.complexity)

    @property
    def proof(self) -> str:
        """What was compared with what, a line a step."""
        return write_proof(self.f, self.decomposition, self.verdict)

    def to_dict(self, forms: bool = True) -> dict[str, Any]:
        """The solution as JSON, without its rank (docs/scripting.md); `forms` as in `to_text`."""
        size = self.complexity
        return {
            "outer": None if self.outer is None else plain(self.outer),
            "inner": [plain(h) for h in self.inner],
            "status": self.status,
            "reason": self.verdict.reason,
            "source": self.source,
            "logprob": self.logprob,
            "chain": [plain(part) for part in self.chain] if forms else [],
            "nested": self.nested if forms else None,
            "complexity": None if size is None else size.distinct,
            "leaves": None if size is None else size.leaves,
            "latex": {
                "outer": None if self.outer is None else latex(self.outer),
                "inner": [latex(h) for h in self.inner],
            },
            "seconds": self.seconds,
        }

    def to_sympy(self) -> tuple[sympy.Expr | None, tuple[sympy.Expr, ...]]:
        """The outer polynomial, or None, and the inner ones as SymPy expressions."""
        return to_sympy(self.decomposition)

    def other_forms(self, as_latex: bool = False) -> list[str]:
        """f as a chain of more than g and h, or of one polynomial twice, and in nested form, a line each."""
        lines, write = [], latex if as_latex else plain
        if len(self.chain) > 2 or _is_iterate(self.chain):
            lines.append("f = " + " ∘ ".join(f"({write(part)})" for part in self.chain))
        if self.nested is not None:
            lines.append(f"f = {self.nested}")
        return lines

    def to_text(self, as_latex: bool = False, forms: bool = True) -> str:
        """What people read: the equations, how they were verified and found, what they are worth.

        Its other `forms`, the chain and the nested one, may take a second to find.
        """
        lines = [
            f"f = g({', '.join(name_inners(len(self.inner)))})",
            write_plain(self.decomposition, latex if as_latex else plain),
            f"{self.status}: {self.verdict.reason}, by {self.verdict.method}",
            f"found by {self.source}",
        ]
        lines += self.other_forms(as_latex) if forms else []
        if self.reservation is not None:
            lines.append(self.reservation)
        if self.complexity is not None:
            expanded = complexity_of(self.f).distinct
            larger = "; it is larger than f" if self.complexity.distinct > expanded else ""
            lines.append(f"complexity {self.complexity.distinct}, expanded form {expanded}{larger}")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        outer = None if self.outer is None else plain(self.outer)
        return f"<Solution {self.status}: outer {outer}, inner {', '.join(map(plain, self.inner))}>"

    def _repr_latex_(self) -> str:
        return write_aligned(self.decomposition)

    def __hash__(self) -> int:
        return hash((key(self.f), self.decomposition, self.verdict, self.source))


@dataclass(frozen=True)
class Answer:
    """What was found for f and what was tried: solutions by rank, the verified ones first.

    `indecomposable` is the proof that there is no decomposition; `stopped` says what ended the search early:
    "time limit" or "interrupted". With the `identities` of atoms f was written in fewer of them. An answer is
    true, counts and iterates by its verified solutions.
    """

    f: Polynomial
    solutions: tuple[Solution, ...] = ()
    tried: tuple[Attempt, ...] = field(default=(), compare=False)
    indecomposable: str | None = None
    seconds: float = field(default=0.0, compare=False)
    stopped: str | None = None
    identities: tuple[str, ...] = ()

    @property
    def verified(self) -> list[Solution]:
        """The verified solutions, the simplest first."""
        return [s for s in self.solutions if s.verified]

    @property
    def best(self) -> Solution | None:
        """The simplest verified solution; None if there is none, so test the answer or this first."""
        return next(iter(self.verified), None)

    @cached_property
    def chain_degrees(self) -> tuple[tuple[int, ...], ...]:
        """The degrees of all complete chains of f in one variable, outermost first; else empty."""
        from polyctl.solvers.exact.chains import chain_degrees

        if not self.verified or len(variables_used(self.f)) != 1:
            return ()
        try:
            return tuple(chain_degrees(self.f, Budget.of(CHAIN_SECONDS)))
        except OutOfTime:
            return ()

    @cached_property
    def reciprocal(self) -> Reciprocal | None:
        """f as x^n·g(x + c/x) times simple factors, if f is such a polynomial in one of its variables."""
        from polyctl.solvers.exact.palindromic import reciprocal

        return reciprocal(self.f)

    def other_forms(self, as_latex: bool = False) -> list[str]:
        """What else holds for f, a line each: its chains by degree if it has an answer, f as reciprocal."""
        form = self.reciprocal
        if not self:
            return [] if form is None else [f"but {form.to_text(as_latex)}"]
        lines = []
        if (count := len(self.chain_degrees)) > 1:
            listed = ", ".join("∘".join(map(str, degrees)) for degrees in self.chain_degrees[:CHAINS_SHOWN])
            more = ", …" if count > CHAINS_SHOWN else ""
            lines.append(f"{count} complete chains, by degree: {listed}{more}")
        if len(variables_used(self.f)) > 1 and form is not None:
            lines.append(f"also {form.to_text(as_latex)}")
        return lines

    def __len__(self) -> int:
        return len(self.verified)

    def __iter__(self) -> Iterator[Solution]:
        return iter(self.verified)

    def to_dict(self, top: int | None = None) -> dict[str, Any]:
        """The answer as JSON, its first `top` solutions or all (docs/scripting.md)."""
        form = self.reciprocal
        return {
            "solutions": [{"rank": i, **s.to_dict()} for i, s in enumerate(self.solutions[:top], 1)],
            "indecomposable": self.indecomposable,
            "chain_degrees": [list(degrees) for degrees in self.chain_degrees],
            "reciprocal": None if form is None else form.to_dict(),
            "tried": [attempt.to_dict() for attempt in self.tried],
            "stopped": self.stopped,
            "seconds": self.seconds,
        }

    def to_sympy(self) -> tuple[sympy.Expr | None, tuple[sympy.Expr, ...]] | None:
        """The best solution as SymPy expressions, if there is one."""
        return None if self.best is None else self.best.to_sympy()

    def to_text(self, top: int | None = None, as_latex: bool = False) -> str:
        """What people read: the first `top` verified solutions, or why there are none."""
        if self:
            blocks = [f"{i}. {s.to_text(as_latex)}" for i, s in enumerate(self.verified[:top], 1)]
            lines = [block.replace("\n", "\n   ") for block in blocks]
        elif self.indecomposable is not None:
            lines = [f"indecomposable: {self.indecomposable}"]
        else:
            stopped = f" ({self.stopped})" if self.stopped else ""
            none_found = f"none found in {self.seconds:.2g} s{stopped}"
            lines = ["\n   ".join([none_found, *write_tried(self.tried)])]
        return "\n".join([*lines, *self.other_forms(as_latex)])

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        nothing = "none found" if self.indecomposable is None else "indecomposable"
        return f"<Answer for {plain(self.f)}: {f'{len(self)} verified' if self else nothing}>"

    def _repr_latex_(self) -> str | None:
        return None if self.best is None else self.best._repr_latex_()

    def __hash__(self) -> int:
        return hash((key(self.f), self.solutions, self.indecomposable, self.stopped))


def _is_iterate(chain: Sequence[Polynomial]) -> bool:
    """Whether all components, each in its one variable, are the same."""
    return len(chain) > 1 and len({tuple((sum(m), c) for m, c in terms(part)) for part in chain}) == 1
