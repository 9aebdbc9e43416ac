"""The search for inner polynomials that several polynomials share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import islice, product
from time import perf_counter
from typing import Any

from polyctl.algebra.budget import Budget, OutOfTime
from polyctl.algebra.complexity import complexity
from polyctl.algebra.decomposition import Decomposition, normal_form
from polyctl.algebra.polynomial import Polynomial, degree, key, variables_used
from polyctl.algebra.triviality import generates_fewer, triviality
from polyctl.solvers.exact.blocks import by_blocks
from polyctl.solvers.exact.common import (
    Common,
    Inners,
    common_components,
    common_forms,
    fitting,
    from_marked,
    marked,
)
from polyctl.solvers.exact.linear_symmetries import by_linear_symmetries
from polyctl.solvers.exact.multi_univariate import multi_univariate
from polyctl.solvers.exact.symmetric import by_symmetry
from polyctl.solving.attempt import Attempt, Ending
from polyctl.solving.describe import write_tried
from polyctl.solving.solve import solve

MARKED = (
    ("blocks of variables", by_blocks),
    ("symmetric", by_symmetry),
    ("linear symmetries", by_linear_symmetries),
    ("multi-univariate (separable)", multi_univariate),
)
SHARE = 0.25  # of the time that is left, for each method but the last
BRIEFLY = 0.5  # seconds for each polynomial by itself once there is an answer
BEST = 3  # answers of each polynomial that are tried on the others
UNIONS = 12  # of answers of several polynomials


@dataclass
class CommonSearch:
    """What was found, `found` or None, and what was tried; `stopped` is "time limit" if that ended it."""

    found: Common | None = None
    tried: list[Attempt] = field(default_factory=list)
    stopped: str | None = None
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """What was tried, as JSON (docs/scripting.md)."""
        tried = [
            {"method": a.method, "seconds": a.seconds, "found": a.found, "note": a.note} for a in self.tried
        ]
        return {"tried": tried, "stopped": self.stopped, "seconds": self.seconds}

    def to_text(self) -> str:
        """What a search in vain tried, and how far."""
        stopped = f" ({self.stopped})" if self.stopped else ""
        return "\n   ".join([f"none found in {self.seconds:.2g} s{stopped}", *write_tried(self.tried)])


def search_common(polynomials: Sequence[Polynomial], time_limit: float) -> CommonSearch:
    """Inner polynomials of all of these: one of the largest degree, or else several, the simplest.

    The polynomials are of one ring. Several inner polynomials come from one linear system for all
    polynomials, from their common blocks and symmetries, and from the answers of each that hold for the
    others. They must say something of the polynomials together (`triviality`), or at least not generate
    every polynomial.
    """
    search, started = _Search(polynomials, Budget.of(time_limit)), perf_counter()
    search.run()
    if search.budget.expired and search.answer.found is None:
        search.answer.stopped = "time limit"
    search.answer.seconds = perf_counter() - started
    return search.answer


class _Search:
    """One run of `search_common`: tries candidates, keeps the best."""

    def __init__(self, polynomials: Sequence[Polynomial], budget: Budget) -> None:
        self.given, self.budget = polynomials, budget
        self.varying = [f for f in polynomials if degree(f) > 0]
        self.used = sorted({place for f in self.varying for place in variables_used(f)})
        self.answer = CommonSearch()
        self.rank: tuple[int, ...] | None = None
        self._seen: set[object] = set()

    def run(self) -> None:
        """Cheap methods first; one inner polynomial ends the search."""
        self.single()
        if self.answer.found is not None or len(self.used) < 2:
            return
        self.several("the polynomials themselves", self.smallest)
        self.several("differential forms", partial(common_forms, self.varying))
        for name, solver in MARKED:
            self.several(name, partial(from_marked, self.varying, solver))
        self.several("answers of each polynomial alone", self.from_each, share=1.0)

    def single(self) -> None:
        """One inner polynomial of all."""
        started, proof, cut = perf_counter(), None, False
        try:
            components, proof = common_components(self.varying, self.budget)
            if components and says_something(components[0][0]):
                self.answer.found = fitting(self.given, components[0], self.budget)
        except OutOfTime:
            cut = True
        self._note("components", started, int(self.answer.found is not None), proof, cut)

    def several(self, name: str, find: Callable[[Budget], Iterable[Inners]], share: float = SHARE) -> None:
        """Candidates of one method, within its share of the time that is left."""
        if self.budget.expired:
            self.answer.tried.append(Attempt(name, 0.0, 0, "not tried: time limit", "not tried"))
            return
        started, before = perf_counter(), self.rank
        budget = self.budget.at_most(share * self.budget.left)
        with suppress(OutOfTime):
            for inners in find(budget):
                self.add(inners, budget)
        self._note(name, started, int(self.rank != before), None, budget.expired)

    def smallest(self, budget: Budget) -> Iterator[Inners]:
        """The polynomials of lowest degree, without the last one, the last two, and so on."""
        rising = sorted(self.varying, key=degree)
        for count in range(2, min(len(rising), len(self.used) + 1)):
            yield tuple(rising[:count])

    def from_each(self, budget: Budget) -> Iterator[Inners]:
        """Inner polynomials of one of these: alone, with what it lacks, with those of the others."""
        answers: list[list[Inners]] = []
        generators = self.varying[0].context().gens()
        for i, f in enumerate(self.varying):
            seconds = budget.left / (len(self.varying) - i)
            if self.answer.found:
                seconds = min(seconds, BRIEFLY)
            found = solve(f, "exact", time_limit=seconds) if degree(f) > 1 else None
            if found is not None and found.stopped == "interrupted":
                raise KeyboardInterrupt
            answers.append([] if found is None else [s.inner for s in found.verified[:BEST]])
            for inners in answers[-1]:
                yield inners
                covered = {place for h in inners for place in variables_used(h)}
                if lacking := tuple(generators[place] for place in self.used if place not in covered):
                    yield inners + lacking
                yield inners + tuple(other for other in self.varying if other is not f)
        answered = [listed for listed in answers if listed]
        for chosen in islice(product(*answered), UNIONS) if len(answered) > 1 else ():
            yield tuple({key(h): h for inners in chosen for h in inners}.values())

    def add(self, inners: Inners, budget: Budget) -> None:
        """Keep inner polynomials, as they are or in normal form, if they are the simplest so far."""
        if len(inners) > len(self.used):
            return
        for listed in (inners, normal_form(Decomposition(None, inners)).inners):
            name = tuple(map(key, listed))
            if name in self._seen:
                continue
            self._seen.add(name)
            common = fitting(self.varying, listed, budget)
            if common is None:
                return
            whole, together = marked(self.varying), common.together
            larger = triviality(whole, together) is not None
            if _restates(common) or (larger and not self.generate_fewer(listed)):
                continue
            size = complexity(together)
            rank = (larger, size.distinct, len(listed), -min(map(degree, common.outers)), size.leaves)
            if self.rank is None or rank < self.rank:
                self.rank, self.answer.found = rank, fitting(self.given, listed, self.budget)

    def generate_fewer(self, inners: Inners) -> bool:
        """Whether not every polynomial is one in these, so that they say something though not simpler."""
        n = len(self.used)
        return len(inners) < n or (len(inners) == n and generates_fewer(inners, self.used))

    def _note(
        self, method: str, started: float, found: int, proof: str | None = None, cut: bool = False
    ) -> None:
        ending: Ending = "out of time" if cut else "proved" if proof else "finished"
        self.answer.tried.append(Attempt(method, perf_counter() - started, found, proof, ending))


def _restates(common: Common) -> bool:
    """Whether some polynomials are among the inner ones and all others are mere products of these."""
    linear = [degree(g) < 2 for g in common.outers]
    return any(linear) and all(flat or len(g) == 1 for flat, g in zip(linear, common.outers, strict=True))


def says_something(h: Polynomial) -> bool:
    """Whether one inner polynomial is more than a variable."""
    return degree(h) > 1 or len(variables_used(h)) > 1
