"""Candidates from every source, verified, brought to normal form, de-duplicated and ranked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import comb, inf
from time import perf_counter
from typing import TYPE_CHECKING

from polyctl.algebra.budget import Budget
from polyctl.algebra.decomposition import Decomposition, equivalence_key
from polyctl.algebra.polynomial import Polynomial, degree, is_homogeneous, key, variables_used
from polyctl.config.schema import DataConfig
from polyctl.data.problem import SparseProblem
from polyctl.data.tokenizers import make_tokenizer
from polyctl.data.tokenizers.base import MalformedTarget, UnwritableProblem, decode_for
from polyctl.solvers.exact.binary_forms import by_root_grouping
from polyctl.solvers.exact.differential_forms import by_differential_forms
from polyctl.solvers.exact.factors import by_divisors, by_factorisation
from polyctl.solvers.exact.multi_univariate import multi_univariate
from polyctl.solvers.exact.uni_multivariate import uni_multivariate
from polyctl.solvers.exact.univariate import univariate
from polyctl.solvers.outcome import Solver
from polyctl.solving.judge import Candidate, Solution, judge

if TYPE_CHECKING:
    from polyctl.model.serialization import LoadedModel
    from polyctl.search.hypothesis import Observer

METHODS = ("exact", "numeric", "neural")
DEFAULT_SECONDS = 10.0
MANY = 12
CHOOSING_SECONDS = 0.3
EXACT: tuple[tuple[str, Solver], ...] = (
    ("univariate", univariate),
    ("uni-multivariate", uni_multivariate),
    ("multi-univariate (separable)", multi_univariate),
    ("root grouping", by_root_grouping),
    ("differential forms", by_differential_forms),
    ("divisors", by_divisors),
    ("factorisation", by_factorisation),
)
GRACE_SECONDS = 1.0  # after the time limit, to judge what was found just before it


@dataclass(frozen=True)
class Attempt:
    """A method that was tried: how long it took, and what it proved or why it had nothing to say."""

    method: str
    seconds: float
    found: int
    note: str | None = None


@dataclass
class Answer:
    """What `solve` found and tried; it fills while `solve` runs, so an interrupted one is of use too."""

    solutions: list[Solution] = field(default_factory=list)
    tried: list[Attempt] = field(default_factory=list)
    indecomposable: str | None = None
    seconds: float = 0.0
    stopped: str | None = None

    @property
    def verified(self) -> list[Solution]:
        """The proved solutions, the simplest first."""
        return [s for s in self.solutions if s.verdict.verified]


@dataclass(frozen=True)
class Neural:
    """A model, the name of its run, and how wide to search with it."""

    loaded: LoadedModel
    name: str
    width: int
    max_tokens: int
    grammar: bool = False
    observer: Observer | None = None


def solve(
    f: Polynomial,
    *,
    methods: Sequence[str] = METHODS,
    inners: int | None = None,
    time_limit: float = DEFAULT_SECONDS,
    seed: int = 0,
    neural: Callable[[], Neural | None] | None = None,
    polish: bool = False,
    on_solution: Callable[[Solution], None] | None = None,
    answer: Answer | None = None,
) -> Answer:
    """Decompose f: the cheap methods first, until one of them finds a verified decomposition.

    `inners` bounds the number of inners. `neural` loads the model where it is needed, or gives None; with
    `polish` its wrong hypotheses become starts for the numeric solver. `on_solution` hears of every new
    solution as it is found. The time limit is looked at between candidates and within the long exact methods.
    KeyboardInterrupt ends the search and what was found stays in the answer.
    """
    search = _Search(f, inners, Budget.of(time_limit), on_solution, answer or Answer())
    try:
        if "exact" in methods:
            search.exact()
        if not search.done and "neural" in methods and neural is not None:
            search.neural(neural)
        if not search.done and ("numeric" in methods or polish):
            search.numeric(seed, polish)
    except KeyboardInterrupt:
        search.answer.stopped = "interrupted"
    return search.finish()


class _Search:
    """One run of `solve`: collects solutions, drops equivalents, knows when enough is found."""

    def __init__(
        self,
        f: Polynomial,
        inners: int | None,
        budget: Budget,
        on_solution: Callable[[Solution], None] | None,
        answer: Answer,
    ) -> None:
        self.f, self.inners, self.budget, self.answer = f, inners, budget, answer
        self._on_solution = on_solution
        self._seen: dict[object, Solution] = {}
        self._started = perf_counter()
        self._enough = False
        self._misses: list[Decomposition] = []

    @property
    def done(self) -> bool:
        """Whether a decomposition was found, none can exist, or time is up."""
        if self.budget.expired and not self._enough:
            self.answer.stopped = self.answer.stopped or "time limit"
        return self._enough or self.answer.indecomposable is not None or self.answer.stopped is not None

    def add(self, candidate: Candidate) -> bool:
        """Judge a candidate; whether it is a new verified solution."""
        grace = Budget(self.budget.deadline + GRACE_SECONDS)
        solution = judge(self.f, candidate, grace, perf_counter() - self._started)
        if self.inners is not None and len(solution.decomposition.inners) > self.inners:
            return False
        name = _key(solution)
        before = self._seen.get(name)
        if before is not None and (before.verdict.verified or not solution.verdict.verified):
            return False
        if before is not None:  # the same inners' span, but only now proved
            self.answer.solutions.remove(before)
        self._seen[name] = solution
        self.answer.solutions.append(solution)
        if self._on_solution is not None:
            self._on_solution(solution)
        if not solution.verdict.verified:
            self._misses.append(candidate.decomposition)
            return False
        self._enough |= not weak(self.f, solution.decomposition)
        return True

    def exact(self) -> None:
        """The algebraic methods, in order, until one finds something."""
        for name, method in EXACT:
            if self.done:
                return
            started = perf_counter()
            outcome = method(self.f, self.budget)
            found = sum(self.add(Candidate(d, f"exact: {name}")) for d in outcome.decompositions)
            self._note(name, started, found, outcome.proof)
            if outcome.proof and method is univariate and len(variables_used(self.f)) == 1:
                self.answer.indecomposable = outcome.proof

    def numeric(self, seed: int, polish: bool) -> None:
        """Least squares made exact, up to the time limit or the first answer."""
        began = perf_counter()
        from polyctl.solvers.numeric.solver import by_least_squares

        started, found = perf_counter(), 0
        self.budget = Budget(self.budget.deadline + started - began)  # loading torch is not searching
        starts = self._misses if polish else ()
        outcome = by_least_squares(self.f, self.budget, inners=self.inners, seed=seed, starts=starts)
        first = inf
        for decomposition in outcome.decompositions:
            found += self.add(Candidate(decomposition, "numeric"))
            if not self._enough:
                continue
            # where nearly any polynomial has such an answer there are many, and the simplest is wanted
            first = min(first, perf_counter())
            many = generic(self.f, self.answer.verified[-1].decomposition) and found < MANY
            if not many or perf_counter() - first > CHOOSING_SECONDS:
                break
        self._note("numeric", started, found, None)
        _ = self.done

    def neural(self, load: Callable[[], Neural | None]) -> None:
        """A model's beam."""
        started, found, note = perf_counter(), 0, None
        neural = load()
        if neural is None:
            self._note("neural", started, 0, "no model has been trained yet (polyctl train quick)")
            return
        try:
            for candidate in neural_candidates(self.f, neural):
                found += self.add(candidate)
        except UnwritableProblem as error:
            data = neural.loaded.experiment.data
            kinds = [_kind(part) for part in data.parts or (data,)]
            note = f"{error}; it was trained on {', '.join(dict.fromkeys(kinds))}"
        self._note(f"neural ({neural.name}, beam {neural.width})", started, found, note)

    def _note(self, method: str, started: float, found: int, note: str | None) -> None:
        self.answer.tried.append(Attempt(method, perf_counter() - started, found, note))

    def finish(self) -> Answer:
        """Rank: verified ones by complexity, those that say little after the others, wrong ones last."""
        self.answer.solutions.sort(key=partial(_rank, self.f))
        self.answer.seconds = perf_counter() - self._started
        return self.answer


def _kind(data: DataConfig) -> str:
    outer, inner = ("/".join(map(str, degrees)) for degrees in (data.outer_degrees, data.inner_degrees))
    return f"{data.family} {outer}∘{inner}"


def weak(f: Polynomial, decomposition: Decomposition) -> bool:
    """Whether a verified decomposition says so little that the search should go on beside it.

    That is a mere factorisation of f, and one whose inners are powers of the variables (f is even in x), as
    many as there are variables. The decomposition must be in normal form.
    """
    outer, inners = decomposition.outer, decomposition.inners
    factored = outer is not None and len(outer) == 1 and len(inners) > 1
    powers = all(len(h) == 1 for h in inners) and any(degree(h) == 1 for h in inners)
    return factored or (powers and len(inners) >= len(variables_used(f)) > 1)


def generic(f: Polynomial, decomposition: Decomposition) -> bool:
    """Whether nearly every polynomial of f's degree and variables has a decomposition of this shape.

    By counting: the outer's coefficients and the choice of a space of inners are as many as f's coefficients.
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


def _rank(f: Polynomial, solution: Solution) -> tuple[object, ...]:
    size = solution.complexity
    if size is None:
        return (True, True, inf, inf)
    return (False, weak(f, solution.decomposition), size.distinct, size.leaves)


def neural_candidates(f: Polynomial, neural: Neural) -> Iterator[Candidate]:
    """A model's beam for f, best first. Raises UnwritableProblem where the model has no tokens for f."""
    from polyctl.search.batching import Decoding
    from polyctl.search.beam import beam_search
    from polyctl.search.grammar import make_grammar

    model = neural.loaded.model
    tokenizer = make_tokenizer(neural.loaded.experiment.data)
    prompt = tokenizer.encode_prompt(SparseProblem(f, None, "typed", 0))
    room = model.config.context_length - 1
    if len(prompt) > room:
        raise UnwritableProblem(f"f takes {len(prompt)} tokens, this model reads {room}")
    grammar = make_grammar(tokenizer) if neural.grammar else None
    decoding = Decoding(neural.max_tokens, tokenizer.end, grammar)
    (beam,) = beam_search(model, [prompt], decoding, width=neural.width, observer=neural.observer)
    for rank, hypothesis in enumerate(beam):
        if not hypothesis.finished:
            continue
        try:
            decomposition = decode_for(tokenizer, f, hypothesis.tokens)
        except MalformedTarget:
            continue
        yield Candidate(decomposition, "beam", hypothesis.logprob, rank)


def _key(solution: Solution) -> object:
    try:
        return equivalence_key(solution.decomposition)
    except (ValueError, IndexError):  # constant or no inners
        return tuple(key(h) for h in solution.decomposition.inners)
