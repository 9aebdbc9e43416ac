"""Is f = g(h1, ..., hm), and is that worth saying? Exact arithmetic over Q decides."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import comb, prod
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

from polyctl.algebra.budget import UNLIMITED, Budget, OutOfTime
from polyctl.algebra.completion import TooLarge, complete_outer, completion_is_final
from polyctl.algebra.decomposition import Decomposition, outer_ring
from polyctl.algebra.modular import PRIME, at_point
from polyctl.algebra.polynomial import (
    Polynomial,
    compose,
    degree,
    key,
    variables_used,
)
from polyctl.algebra.printing import latex, plain
from polyctl.algebra.sympy_form import sympy_expression
from polyctl.algebra.triviality import triviality

if TYPE_CHECKING:
    import sympy

Status = Literal["verified", "refuted", "malformed", "trivial", "undecided"]
STATUSES: tuple[Status, ...] = ("verified", "refuted", "malformed", "trivial", "undecided")

CONSTANT_INNER = "an inner polynomial is constant"
# what it means that completion finds no outer, by whether completion is final
NO_OUTER: dict[bool, tuple[Status, str]] = {
    True: ("refuted", "f is not a polynomial in the given inner polynomials"),
    False: ("undecided", "only outers whose parts have at most f's degree were tried"),
}


@dataclass(frozen=True)
class WorkBound:
    """How much work a verification may take before it says undecided."""

    terms: int = 200_000
    digits: int = 100_000
    unknowns: int = 3000


@dataclass(frozen=True)
class Verdict:
    """What exact arithmetic says of a decomposition; `outer` is the given or the completed outer."""

    status: Status
    reason: str
    method: str
    seconds: float = field(compare=False)
    outer: Polynomial | None = None

    @property
    def verified(self) -> bool:
        return self.status == "verified"

    def to_dict(self) -> dict[str, Any]:
        """The verdict as JSON, with the outer as text (docs/scripting.md)."""
        return {
            "status": self.status,
            "reason": self.reason,
            "method": self.method,
            "seconds": self.seconds,
            "outer": None if self.outer is None else plain(self.outer),
        }

    def to_sympy(self) -> sympy.Expr | None:
        """The outer as a SymPy expression."""
        return None if self.outer is None else sympy_expression(self.outer)

    def __str__(self) -> str:
        return f"{self.status}: {self.reason} (by {self.method})"

    def __repr__(self) -> str:
        return f"<Verdict {self}>"

    def _repr_latex_(self) -> str:
        outer = "" if self.outer is None else f"\\quad g = {latex(self.outer)}"
        return f"$\\text{{{self}}}{outer}$"

    def __hash__(self) -> int:
        return hash((self.status, self.reason, self.method, None if self.outer is None else key(self.outer)))


@dataclass(frozen=True)
class Checked:
    """The verdicts on a decomposition as given, and on its inner polynomials with the outer that fits."""

    given: Verdict
    completed: Verdict

    @property
    def best(self) -> Verdict:
        """The verdict of the completed decomposition if that is verified, or else of the given one."""
        return self.completed if self.completed.verified else self.given


def verify(
    f: Polynomial, decomposition: Decomposition, bound: WorkBound = WorkBound(), budget: Budget = UNLIMITED
) -> Verdict:
    """Check a decomposition of f, completing the outer if only inner polynomials are given.

    refuted means that g(h) differs from f, or that no outer fits the inners; malformed that it is no
    decomposition of f at all (rings or counts do not match); trivial that it holds but says nothing
    (`triviality`); undecided that the bound on work or time was reached, or that no outer was found and one
    whose leading forms cancel may exist.

    >>> from polyctl.algebra.parse import parse
    >>> f, h = parse("x^4 + 2x^3 + x^2 + 1"), parse("x^2 + x")
    >>> verdict = verify(f, Decomposition(None, (h,)))
    >>> verdict.status, verdict.outer
    ('verified', b^2 + 1)
    """
    started = perf_counter()
    status, reason, method, outer = _decide(f, decomposition, bound, budget)
    return Verdict(status, reason, method, perf_counter() - started, outer)


def verify_or_complete(
    f: Polynomial, decomposition: Decomposition, bound: WorkBound = WorkBound(), budget: Budget = UNLIMITED
) -> Checked:
    """Verify a decomposition of f; if its outer is wrong, look for one that fits its inner polynomials."""
    given = verify(f, decomposition, bound, budget)
    if given.status != "refuted" or decomposition.outer is None:
        return Checked(given, given)
    return Checked(given, verify(f, Decomposition(None, decomposition.inners), bound, budget))


def _decide(
    f: Polynomial, decomposition: Decomposition, bound: WorkBound, budget: Budget
) -> tuple[Status, str, str, Polynomial | None]:
    outer, inners = decomposition.outer, decomposition.inners
    problem = _malformation(f, decomposition)
    if problem:
        return "malformed", problem, "inspection", outer
    if outer is None:
        if any(degree(h) < 1 for h in inners):
            return "trivial", CONSTANT_INNER, "inspection", None
        method = completion_method(len(inners))
        try:
            outer = complete_outer(f, inners, bound.unknowns, budget)
        except TooLarge as error:
            return "undecided", str(error), method, None
        except OutOfTime:
            return "undecided", "the time limit was reached", method, None
        if outer is None:
            return *NO_OUTER[completion_is_final(inners)], method, None
    else:
        method = "composition"
        if work_exceeds(outer, inners, bound):
            if differ_at_a_point(f, outer, inners):
                return "refuted", "g(h) and f differ at a point modulo a prime", "evaluation", outer
            return "undecided", f"expanding g(h) passes the bound of {bound.terms} terms", "evaluation", outer
        if compose(outer, inners) != f:
            return "refuted", "g(h) and f differ", method, outer
    return *weigh(f, Decomposition(outer, inners)), method, outer


def weigh(f: Polynomial, decomposition: Decomposition) -> tuple[Status, str]:
    """Status and reason of a decomposition that holds: trivial or verified."""
    reason = triviality(f, decomposition)
    return ("trivial", f"g(h) = f holds, but {reason}") if reason else ("verified", "g(h) = f over Q")


def completion_method(inners: int) -> str:
    """How the outer of so many inner polynomials is found."""
    return "h-adic expansion" if inners == 1 else "linear algebra"


def _malformation(f: Polynomial, decomposition: Decomposition) -> str | None:
    outer, inners = decomposition.outer, decomposition.inners
    if not inners:
        return "there is no inner polynomial"
    if any(h.context() != f.context() for h in inners):
        return "an inner polynomial is in other variables than f"
    if outer is not None and outer.context() != outer_ring(len(inners)):
        count = outer.context().nvars()
        return f"the outer polynomial is in {count} variables, but there are {len(inners)} inner polynomials"
    return None


def work_exceeds(outer: Polynomial, inners: tuple[Polynomial, ...], bound: WorkBound) -> bool:
    """Whether expanding outer(inners) may pass the bound, from the sizes of what goes in."""
    powers = max(degree(outer), 0)
    bits = max((c.height_bits() for h in inners for c in h.coeffs()), default=1)
    if powers * max(bits, 1) * 0.302 > bound.digits:
        return True
    variables, top = inners[0].context().nvars(), powers * max(degree(h) for h in inners)
    if comb(variables + max(top, 0), variables) <= bound.terms:
        return False  # as nearly always; what follows is sharper and takes longer than most expansions
    variables = len({v for h in inners for v in variables_used(h)})
    top = max(
        (sum(e * max(degree(h), 0) for e, h in zip(m, inners, strict=True)) for m in outer.monoms()),
        default=0,
    )
    if comb(variables + top, variables) <= bound.terms:
        return False
    expanded = sum(
        prod(comb(len(h) + e - 1, e) if len(h) else 0 for e, h in zip(m, inners, strict=True) if e)
        for m in outer.monoms()
    )
    return expanded > bound.terms


def differ_at_a_point(f: Polynomial, outer: Polynomial, inners: tuple[Polynomial, ...]) -> bool:
    """Whether f and outer(inners) differ modulo a prime at a fixed point; never true for equal ones."""
    point = [(i + 2) * 0x9E3779B97F4A7C15 % PRIME for i in range(f.context().nvars())]
    try:
        values = [at_point(h, point) for h in inners]
        return at_point(outer, values) != at_point(f, point)
    except ValueError:  # a denominator is divisible by the prime
        return False
