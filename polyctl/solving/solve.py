"""The search over methods: candidates from each of them, judged, de-duplicated and ranked."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf
from time import perf_counter
from typing import TYPE_CHECKING

from polyctl.algebra.atoms import is_plain
from polyctl.algebra.budget import Budget
from polyctl.algebra.complexity import complexity, complexity_of
from polyctl.algebra.decomposition import Decomposition, equivalence_key
from polyctl.algebra.polynomial import Polynomial, compose, key, variables_used
from polyctl.solving.attempt import Attempt, Ending
from polyctl.solving.judge import judge, simplify_solution
from polyctl.solving.methods import DEFAULT_SECONDS, METHODS, Method, ModelUnavailable, select_methods
from polyctl.solving.rank import is_generic, is_poor
from polyctl.solving.solution import Answer, Candidate, Solution

if TYPE_CHECKING:
    from polyctl.solvers.outcome import Outcome
    from polyctl.solving.neural import Neural

MANY = 12
# for another numeric answer: beside a good one, one hardly simpler than f, and one larger than f
CHOOSING_SECONDS, COMPLEX_SECONDS, LARGER_SECONDS = 0.3, 0.5, 2.0
SMALL, MODERATE = 12, 30  # distinct subexpressions beyond the variables
ATOMS_SECONDS = 1.0  # to decompose what f is in a sum of inverses
# seconds for each further exact method once there is an answer; the second if fewer inner polynomials may do
BRIEFLY, LESS_BRIEFLY = 0.3, 0.8
FOR_SMALL = 1.0  # seconds for each exact method if f is small
SIMPLIFIED, SIMPLIFYING_SECONDS, BEYOND_SECONDS = 3, 1.0, 0.25  # the last one if time is up
# Beside a weak answer with so few of f's distinct subexpressions that it is likely to be all there is, the
# numeric solver has a small share of the time limit, but some seconds at least.
GOOD, BESIDE_GOOD, LEAST_SECONDS = 0.6, 0.07, 2.0
BESIDE_WEAK = 5.0  # seconds, in which the numeric solver finds nearly all that it finds (docs/benchmarks.md)
MODEST = 0.8  # of f's distinct subexpressions: an exact answer that does not end the search
NUMERIC_FIRST = 0.5  # of the time limit, for the numeric solver before a model is loaded
LOADING_SECONDS = 2.5  # about what it takes to import torch and to load a model
GRACE_SECONDS = 0.25  # after the time limit, to judge what was found just before it


@dataclass(frozen=True)
class Numeric:
    """How the numeric solver searches: its random seed, and whether a model's wrong answers are starts."""

    seed: int = 0
    polish: bool = False


def solve(
    f: Polynomial,
    method: str = "auto",
    *,
    inners: int | None = None,
    time_limit: float = DEFAULT_SECONDS,
    numeric: Numeric = Numeric(),
    main: Sequence[str] = (),
    neural: Callable[[], Neural] | None = None,
    on_solution: Callable[[Solution], None] | None = None,
    on_attempt: Callable[[Attempt], None] | None = None,
) -> Answer:
    """Decompose f: the exact methods first, then the others if these find no more than weak answers.

    A small f is left to the exact methods alone. `main` names variables of f: the others are parameters of
    g(y; h(x, y)), which is then all that is looked for, unless there is none. `inners` bounds the number of
    inner polynomials. `neural` loads the model when it is needed, or raises ModelUnavailable; with
    `numeric.polish` its wrong hypotheses become starts for the numeric solver. `on_solution` is called with
    every new solution as it is found, `on_attempt` with every method as it ends. The time limit, in seconds,
    holds in every method; no model is loaded if too little is left for that. KeyboardInterrupt ends the
    search, and the answer is what was found by then. Raises UsageError for an unknown method.
    """
    methods = select_methods(method)
    if numeric.polish and all(m.kind != "numeric" for m in methods):
        methods += tuple(m for m in METHODS if m.kind == "numeric")
    search = _Search(f, inners, time_limit, on_solution, on_attempt)
    try:
        algebra = any(one.kind == "exact" for one in methods)
        if algebra and not all(map(is_plain, f.context().names())):
            search.atoms()
        if main:
            search.parametric(main)
        for i, chosen in enumerate(methods):
            if search.done and not search.continues(chosen):
                if not any(s.verified for s in search.solutions):
                    search.note_left_out(methods[i:])
                break
            if chosen.kind == "exact":
                search.exact(chosen)
            elif method == "auto" and search.small:
                search.note_left_out([chosen], "f is small enough for the exact methods")
            elif chosen.kind == "numeric":
                search.numeric(chosen, numeric)
            elif neural is not None:
                if method == "auto":
                    search.numeric_first(numeric)
                if not search.done:
                    search.neural(neural)
        _ = search.done
    except KeyboardInterrupt:
        search.stopped = "interrupted"
    return search.finish()


class _Search:
    """One run of `solve`: collects solutions, drops equivalents, knows when enough is found."""

    def __init__(
        self,
        f: Polynomial,
        inners: int | None,
        time_limit: float,
        on_solution: Callable[[Solution], None] | None,
        on_attempt: Callable[[Attempt], None] | None,
    ) -> None:
        self.f, self.inners, self.time_limit = f, inners, time_limit
        self.budget = Budget.of(time_limit)
        self.solutions: list[Solution] = []
        self.tried: list[Attempt] = []
        self.indecomposable: str | None = None
        self.stopped: str | None = None
        self._on_solution, self._on_attempt = on_solution, on_attempt
        self._seen: dict[object, Solution] = {}
        self._started = perf_counter()
        self._enough = False
        self._closed = False
        self._misses: list[Decomposition] = []

    @property
    def done(self) -> bool:
        """Whether a decomposition was found, none can exist, or time is up."""
        if self.budget.expired and not self._enough and self.indecomposable is None:
            self.stopped = self.stopped or "time limit"
        return self._enough or self.indecomposable is not None or self.stopped is not None

    def add(self, candidate: Candidate) -> bool:
        """Judge a candidate; whether it is a new verified solution."""
        grace = Budget(self.budget.deadline + GRACE_SECONDS)
        return self._take(judge(self.f, candidate, grace, perf_counter() - self._started))

    def _take(self, solution: Solution) -> bool:
        """Keep a solution that is new; whether it is verified."""
        if self.inners is not None and len(solution.inner) > self.inners:
            return False
        name = _key(solution)
        before = self._seen.get(name)
        if before is not None and (before.verified or not solution.verified):
            return False
        if before is not None:  # the same inners' span, but only now proved
            self.solutions.remove(before)
        self._seen[name] = solution
        self.solutions.append(solution)
        if self._on_solution is not None:
            self._on_solution(solution)
        if not solution.verified:
            self._misses.append(solution.decomposition)
            return False
        self._enough |= solution.ends_search and not self._is_poor(solution)
        return True

    def _is_poor(self, solution: Solution) -> bool:
        """Whether an exact answer has as many inner polynomials as f has variables, and is hardly simpler."""
        size = solution.complexity
        if size is None or not solution.source.startswith("exact") or self._size <= MODERATE:
            return False
        return is_poor(self.f, solution.decomposition, size, MODEST)

    def continues(self, method: Method) -> bool:
        """Whether a method is worth trying though an answer was found: it may find a simpler one."""
        exact = method.kind == "exact" and self._enough and self.stopped is None and not self._closed
        return exact and len(variables_used(self.f)) > 1 and (self._size <= MODERATE or self._with_many)

    @property
    def _with_many(self) -> bool:
        """Whether all answers that end the search have as many inner polynomials as f has variables."""
        count = len(variables_used(self.f))
        return all(len(s.inner) >= count for s in self.solutions if s.ends_search)

    @property
    def small(self) -> bool:
        """Whether f is so small that the exact methods find its simplest form nearly always.

        On 266 random planted problems of this size they did in 95 %; it is evidence and no proof.
        """
        return self._size <= SMALL

    @cached_property
    def _size(self) -> int:
        """How many distinct subexpressions f has beyond its variables."""
        return complexity_of(self.f).distinct - len(variables_used(self.f))

    def note_left_out(self, methods: Sequence[Method], reason: str | None = None) -> None:
        """Say that methods were not tried, and why; if not for a reason, because the search was stopped."""
        reason = reason or self.stopped
        if reason is not None:
            note = f"not tried: {reason}"
            self.tried.extend(Attempt(method.name, 0.0, 0, note, "not tried") for method in methods)

    def atoms(self) -> None:
        """g(y; u + c·(1/u)) for an atom and its inverse, verified modulo their identity.

        If there are other variables y, g is decomposed in turn.
        """
        from polyctl.solving.inverse_sums import in_sums_with_inverses

        started = perf_counter()
        found, new = in_sums_with_inverses(self.f), 0
        if found is not None and found.outer is not None:
            claims = [found]
            if len(found.inners) > 1:
                inside = solve(found.outer, "exact", time_limit=min(ATOMS_SECONDS, self.budget.left))
                parts = [
                    (s.outer, [compose(k, found.inners) for k in s.inner]) for s in inside if s.ends_search
                ]
                claims += [Decomposition(g, tuple(h)) for g, h in parts]
            new = sum([self._with_identities(claim) for claim in claims])
        self._note("inverses", started, new)
        self._closed = self._enough

    def _with_identities(self, claim: Decomposition) -> bool:
        from polyctl.solving.verification import verify_claim

        verdict, seconds = verify_claim(self.f, claim, self.budget), perf_counter() - self._started
        size = complexity(claim) if verdict.verified else None
        return self._take(Solution(self.f, claim, verdict, "exact: inverses", None, None, size, seconds))

    def parametric(self, main: Sequence[str]) -> None:
        """h(x, y) for the main variables x alone; the search ends if there is one that says something.

        For a single x it ends if there is one at all: a substitution of powers is what was asked for.
        """
        from polyctl.solvers.exact.parametric import parametric, shears

        started, names = perf_counter(), self.f.context().names()
        places = [names.index(name) for name in main]
        outcome = parametric(self.f, self.budget, places)
        listed = [*outcome.decompositions, *shears(self.f, self.budget, places).decompositions]
        found = sum(self.add(Candidate(d, f"exact: {', '.join(main)} as main variables")) for d in listed)
        self._note("parameters", started, found, outcome.proof)
        self._enough |= found > 0 and len(main) == 1
        self._closed = self._enough

    def exact(self, method: Method) -> None:
        """One of the algebraic methods; only briefly, if there is an answer already."""
        solver, started = method.load(), perf_counter()
        seconds = FOR_SMALL if self._size <= MODERATE else inf
        if self._enough:
            seconds = LESS_BRIEFLY if self._with_many else BRIEFLY
        budget = self.budget.at_most(seconds)
        outcome = solver(self.f, budget)
        found = sum(self.add(Candidate(d, f"exact: {method.name}")) for d in outcome.decompositions)
        cut = budget.expired and not outcome.proof
        self._note(method.name, started, found, outcome.proof, "out of time" if cut else None)
        if outcome.proof and method.name == "univariate" and len(used := variables_used(self.f)) == 1:
            name = self.f.context().names()[used[0]]
            within = "" if is_plain(name) else f"as a polynomial in {name}, "
            self.indecomposable = within + outcome.proof

    def numeric_first(self, options: Numeric) -> None:
        """The numeric solver for a part of the time limit: it is faster than loading a model."""
        (method,) = select_methods("numeric")
        self._least_squares(method, options, self.budget.at_most(NUMERIC_FIRST * self.time_limit))

    def numeric(self, method: Method, options: Numeric) -> None:
        """The numeric solver up to the time limit, from other starts if it has been tried already."""
        again = any(attempt.method == method.name for attempt in self.tried)
        if not (again and self._nearly_enough and not options.polish):
            options = replace(options, seed=options.seed + again)
            self._least_squares(method, options, self.budget)

    @property
    def _nearly_enough(self) -> bool:
        """Whether there is a weak answer that is likely to be all there is.

        That is one so much simpler than f, or simpler at all if f is not large.
        """
        weak = [s.complexity.distinct for s in self.solutions if s.weak and s.complexity is not None]
        share = 1.0 if self._size <= MODERATE else GOOD
        return bool(weak) and min(weak) < share * complexity_of(self.f).distinct

    def _least_squares(self, method: Method, options: Numeric, budget: Budget) -> None:
        """Least squares made exact, while there is time or until an answer is likely to be the simplest."""
        from threadpoolctl import threadpool_limits

        starts, solver, started = self._misses if options.polish else (), method.load(), perf_counter()
        seconds = BESIDE_WEAK if any(s.weak for s in self.solutions) else inf
        if self._nearly_enough:
            seconds = min(seconds, max(LEAST_SECONDS, BESIDE_GOOD * self.time_limit))
        budget = budget.at_most(seconds)
        with threadpool_limits(1, "blas"):  # the threads of a small product would wait for each other
            outcome = solver(self.f, budget, inners=self.inners, seed=options.seed, starts=starts)
            found = self._choose(outcome, budget)
        cut = budget.expired and not self.budget.expired and not found
        self._note(method.name, started, found, ending="out of time" if cut else None)

    def _choose(self, outcome: Outcome, budget: Budget) -> int:
        """Take numeric answers until one is likely to be the simplest; how many were new.

        The budget of the search that finds them is shortened, so that it does not wait long for another.
        """
        found, first, best, own = 0, inf, inf, complexity_of(self.f).distinct
        modest = MODEST * own
        for decomposition in outcome.decompositions:
            new = self.add(Candidate(decomposition, "numeric"))
            found += new
            if not new and first == inf:
                continue
            # If nearly any polynomial has such an answer there are many, and the simplest is wanted. A mere
            # factorisation of this shape may have a better answer beside it, but not often. What is hardly
            # simpler than f is hardly what f was made of.
            first = min(first, perf_counter())
            latest = next(s for s in reversed(self.solutions) if s.verified)
            best = min(best, inf if latest.complexity is None else latest.complexity.distinct)
            many = latest.weak or is_generic(self.f, latest.decomposition)
            if found >= MANY or (best <= modest and not many):
                break
            complex_seconds = COMPLEX_SECONDS if best <= own else LARGER_SECONDS
            budget.shorten(first + (CHOOSING_SECONDS if best <= modest else complex_seconds))
        return found

    def neural(self, load: Callable[[], Neural]) -> None:
        """A model's beam."""
        started, found, name = perf_counter(), 0, "neural"
        try:
            if self.budget.left < (0 if "torch" in sys.modules else LOADING_SECONDS):
                raise ModelUnavailable(f"loading a model takes {LOADING_SECONDS} s, and less time was left")
            neural = load()
            name = str(neural)
            for candidate in neural.candidates(self.f, self.budget):
                found += self.add(candidate)
        except ModelUnavailable as error:
            self.tried.append(Attempt(name, perf_counter() - started, found, str(error), "not tried"))
        else:
            self._note(name, started, found)

    def _note(
        self, method: str, started: float, found: int, proof: str | None = None, ending: Ending | None = None
    ) -> None:
        if ending is None:
            ending = "proved" if proof else "out of time" if self.budget.expired else "finished"
        self.tried.append(Attempt(method, perf_counter() - started, found, proof, ending))
        if self._on_attempt is not None:
            self._on_attempt(self.tried[-1])

    def finish(self) -> Answer:
        """Rank the solutions; the best ones are brought to a simpler form."""
        ranked = sorted(self.solutions, key=lambda s: s.rank_key)
        budget = Budget.of(max(BEYOND_SECONDS, min(SIMPLIFYING_SECONDS, self.budget.left)))
        simpler = [simplify_solution(s, budget) if s.verified else s for s in ranked[:SIMPLIFIED]]
        ranked = sorted([*simpler, *ranked[SIMPLIFIED:]], key=lambda s: s.rank_key)
        different: dict[object, Solution] = {}
        for solution in ranked:  # the simpler form of one may have the span of another
            different.setdefault((_key(solution), solution.status), solution)
        seconds, ranked = perf_counter() - self._started, list(different.values())
        return Answer(self.f, tuple(ranked), tuple(self.tried), self.indecomposable, seconds, self.stopped)


def _key(solution: Solution) -> object:
    try:
        return equivalence_key(solution.decomposition)
    except (ValueError, IndexError):  # constant or no inners
        return tuple(key(h) for h in solution.inner)
