"""Accuracy of a model: greedy, pass@k and rank score, every answer verified exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Protocol

from flint import fmpq

from polyctl.algebra.decomposition import (
    Decomposition,
    DecompositionTerms,
    used_inners,
)
from polyctl.algebra.polynomial import names, polynomial, variables_used
from polyctl.algebra.sympy_form import sympy_expression
from polyctl.algebra.verify import Status, Verdict, verify
from polyctl.algebra.verify_many import verify_each
from polyctl.config.schema import DataConfig, EvalConfig
from polyctl.data.families import degree_cells, draw_held_out
from polyctl.data.problem import Problem
from polyctl.data.tokenizers.base import AnswerReader, Tokenizer
from polyctl.data.tokenizers.errors import MalformedTarget, UnwritableProblem
from polyctl.model.gpt import GPT
from polyctl.search.batching import Decoding
from polyctl.search.beam import beam_search
from polyctl.search.grammar import make_grammar
from polyctl.search.hypothesis import BeamStep, Hypothesis, Observer
from polyctl.search.sampling import greedy, sample
from polyctl.store.evaluation_report import Baseline

BATCHES = 16  # searched in one go: what ends makes room for what waits


@dataclass(frozen=True)
class JudgedHypothesis:
    """A hypothesis with what exact arithmetic says of it.

    `status` takes the answer as given; `completed` its inners alone, the outer found by algebra.
    `duplicate_of` is the rank of a better hypothesis with equivalent inners. `extra_inners` marks an answer
    with more inners than the known decomposition has.
    """

    rank: int
    hypothesis: Hypothesis
    terms: DecompositionTerms | None
    status: Status
    completed: Status
    reason: str
    exact: bool
    duplicate_of: int | None
    extra_inners: bool

    @property
    def decomposition(self) -> Decomposition | None:
        """The answer as polynomials, None if it is malformed."""
        return None if self.terms is None else self.terms.decomposition

    def right(self, completed: bool) -> bool:
        """Whether it counts as solved, as answered or with the outer completed."""
        status = self.completed if completed else self.status
        return status == "verified" and not self.extra_inners


@dataclass(frozen=True)
class ProblemResult:
    """All that was found for one problem: the greedy answer and the beam's, best first, or the samples."""

    problem: Problem
    greedy: JudgedHypothesis | None
    beam: tuple[JudgedHypothesis, ...]
    error: str | None = None

    def first(self, completed: bool) -> int | None:
        """Rank of the first verified hypothesis of the beam (0 is the best), or None."""
        return next((j.rank for j in self.beam if j.right(completed)), None)


@dataclass(frozen=True)
class GreedyReport:
    """Greedy decoding over a set: fraction equal to the known target, fraction verified."""

    problems: int
    exact: float
    verified: float


def judge(
    problem: Problem, hypotheses: Sequence[Hypothesis], tokenizer: Tokenizer, target: Sequence[int] | None
) -> list[JudgedHypothesis]:
    """Verify each hypothesis, best first, and mark those equivalent to a better one."""
    reader = AnswerReader(tokenizer, problem.f)
    read: dict[int, DecompositionTerms] = {}
    malformed: dict[int, str] = {}
    for rank, hypothesis in enumerate(hypotheses):
        if hypothesis.finished:
            try:
                read[rank] = reader.read(hypothesis.tokens)
            except MalformedTarget as error:
                malformed[rank] = str(error)
        else:
            malformed[rank] = "the answer was cut off at the output limit"
    ranks = list(read)
    answers = verify_each(problem.f, list(read.values()))
    places = {rank: place for place, rank in enumerate(ranks)}
    known = problem.decomposition
    allowed = None if known is None else len(used_inners(known).inners)
    judged = []
    for rank, hypothesis in enumerate(hypotheses):
        exact = target is not None and hypothesis.finished and list(hypothesis.tokens) == list(target[:-1])
        if rank in malformed:
            one = JudgedHypothesis(
                rank, hypothesis, None, "malformed", "malformed", malformed[rank], exact, None, False
            )
        else:
            checked, first = answers.checked[places[rank]], ranks[answers.first[places[rank]]]
            one = JudgedHypothesis(
                rank,
                hypothesis,
                read[rank],
                checked.given.status,
                checked.completed.status,
                checked.given.reason,
                exact,
                None if first == rank else first,
                _has_extra_inners(checked.completed, allowed),
            )
        judged.append(one)
    return judged


def _has_extra_inners(completed: Verdict, allowed: int | None) -> bool:
    """Whether an answer that holds uses more inner polynomials than are allowed."""
    if allowed is None or completed.outer is None or completed.status not in ("verified", "trivial"):
        return False
    return (len(variables_used(completed.outer)) or completed.outer.context().nvars()) > allowed


def _encode(problem: Problem, tokenizer: Tokenizer) -> tuple[list[int], list[int] | None]:
    """Prompt, and target if it is known and can be written. Raises UnwritableProblem for the prompt."""
    prompt = tokenizer.encode_prompt(problem)
    try:
        return prompt, tokenizer.encode_target(problem) if problem.decomposition is not None else None
    except UnwritableProblem:
        return prompt, None


def greedy_accuracy(
    model: GPT, tokenizer: Tokenizer, problems: Sequence[Problem], *, max_tokens: int, batch: int = 64
) -> GreedyReport:
    """Greedy decoding over a set, the measure that training watches."""
    kept: list[tuple[Problem, list[int], list[int] | None]] = []
    for problem in problems:
        with suppress(UnwritableProblem):
            kept.append((problem, *_encode(problem, tokenizer)))
    decoding = Decoding(max_tokens, tokenizer.end, batch=batch)
    answers = greedy(model, [prompt for _, prompt, _ in kept], decoding)
    exact = verified = 0
    for (problem, _, target), answer in zip(kept, answers, strict=True):
        judged = judge(problem, [answer], tokenizer, target)[0]
        exact += judged.exact
        verified += judged.right(completed=False)
    count = max(len(problems), 1)
    return GreedyReport(len(problems), exact / count, verified / count)


def evaluation_problems(data: DataConfig, seed: int, count: int) -> list[Problem]:
    """Test problems of an experiment, spread evenly over its degree cells, none of which training draws."""
    several = degree_cells(data)
    share = -(-count // len(several))
    found = [draw_held_out(cell, seed, "test", share) for _, cell in several]
    kept = count - (share - 1) * len(several)  # so many cells have one more than the others
    return [p for at, problems in enumerate(found) for p in problems[: share if at < kept else share - 1]]


class Onlooker(Protocol):
    """Who may look on at an evaluation: at the beams it wants to see, and at every verdict."""

    def wants(self, key: int) -> bool:
        """Whether to see the beam of this problem now."""
        ...

    def step(self, step: BeamStep) -> None:
        """Called with a beam that is wanted."""
        ...

    def result(self, key: int, beam: Sequence[Hypothesis], statuses: Sequence[Status]) -> None:
        """Called with the answers to a problem and what they are, as soon as they are judged."""
        ...


@dataclass(frozen=True)
class Answers:
    """What the searches found for a problem, to be judged; without a greedy answer `error` says why."""

    number: int
    problem: Problem
    target: tuple[int, ...] | None = None
    greedy: Hypothesis | None = None
    beam: tuple[Hypothesis, ...] = ()
    error: str | None = None

    def judge(self, tokenizer: Tokenizer) -> ProblemResult:
        """The result, with all answers verified."""
        greedy = self.greedy
        if greedy is None:
            return ProblemResult(self.problem, None, (), self.error)
        beam = judge(self.problem, self.beam, tokenizer, self.target)
        for one in beam:
            if (one.hypothesis.tokens, one.hypothesis.finished) == (greedy.tokens, greedy.finished):
                best = replace(one, rank=0, hypothesis=greedy, duplicate_of=None)
                break
        else:
            (best,) = judge(self.problem, [greedy], tokenizer, self.target)
        return ProblemResult(self.problem, best, tuple(beam), self.error)


class _Searching(Observer):
    """Hands on the answers to each problem as soon as its search has ended."""

    def __init__(self, onlooker: Onlooker | None, found: Callable[[Answers], None]) -> None:
        self.onlooker, self.found = onlooker, found
        self.asked: dict[int, tuple[Problem, list[int] | None]] = {}
        self.greedy: dict[int, Hypothesis] = {}

    def wants(self, key: int) -> bool:
        return self.onlooker is not None and self.onlooker.wants(key)

    def step(self, step: BeamStep) -> None:
        assert self.onlooker is not None
        self.onlooker.step(step)

    def result(self, key: int, hypotheses: Sequence[Hypothesis]) -> None:
        problem, target = self.asked[key]
        exact = None if target is None else tuple(target)
        self.found(Answers(key, problem, exact, self.greedy.pop(key), tuple(hypotheses)))


def search_problems(
    model: GPT,
    tokenizer: Tokenizer,
    problems: Sequence[Problem],
    config: EvalConfig,
    found: Callable[[Answers], None],
    *,
    grammar: bool = False,
    numbers: Sequence[int] | None = None,
    onlooker: Onlooker | None = None,
) -> None:
    """Greedy and beam search on every problem; `found` is called with the answers to each as it is done.

    With `config.samples` answers are sampled instead of a beam; those of a problem follow from its number.
    `numbers` name the problems, without them their places in `problems`. The onlooker sees beams alone.
    """
    numbers = range(len(problems)) if numbers is None else numbers
    rules = make_grammar(tokenizer) if grammar else None
    decoding = Decoding(config.max_tokens, tokenizer.end, rules, config.batch)
    room = model.config.context_length - 1
    searching = _Searching(onlooker, found)
    waiting: list[tuple[int, list[int]]] = []
    for number, problem in zip(numbers, problems, strict=True):
        try:
            prompt, target = _encode(problem, tokenizer)
            if len(prompt) > room:
                raise UnwritableProblem(f"f takes {len(prompt)} tokens, the model reads at most {room}")
        except UnwritableProblem as error:
            found(Answers(number, problem, error=str(error)))
        else:
            searching.asked[number] = problem, target
            waiting.append((number, prompt))
    waiting.sort(key=lambda one: len(one[1]))
    together = BATCHES * config.batch
    for start in range(0, len(waiting), together):
        keys, prompts = zip(*waiting[start : start + together], strict=True)
        searching.greedy = dict(zip(keys, greedy(model, prompts, decoding), strict=True))
        if not config.samples:
            beam_search(model, prompts, decoding, width=config.beam, observer=searching, keys=keys)
            continue
        drawn = sample(
            model, prompts, decoding, n=config.samples, temperature=config.temperature, seed=0, numbers=keys
        )
        for key, hypotheses in zip(keys, drawn, strict=True):
            searching.result(key, hypotheses)


def evaluate_problems(
    model: GPT,
    tokenizer: Tokenizer,
    problems: Sequence[Problem],
    config: EvalConfig,
    *,
    grammar: bool = False,
    numbers: Sequence[int] | None = None,
    onlooker: Onlooker | None = None,
    on_result: Callable[[int, ProblemResult], None] | None = None,
) -> list[ProblemResult]:
    """`search_problems` with all hypotheses verified.

    `on_result(number, result)` is called with each problem as it is done. `numbers` name the problems to it
    and to the onlooker, without them their places in `problems`.
    """
    results: dict[int, ProblemResult] = {}

    def settle(answers: Answers) -> None:
        result = results[answers.number] = answers.judge(tokenizer)
        if onlooker is not None:
            onlooker.result(answers.number, answers.beam, [one.status for one in result.beam])
        if on_result is not None:
            on_result(answers.number, result)

    numbers = range(len(problems)) if numbers is None else numbers
    search_problems(
        model, tokenizer, problems, config, settle, grammar=grammar, numbers=numbers, onlooker=onlooker
    )
    return [results[number] for number in numbers]


def sympy_baseline(problems: Sequence[Problem], limit: int = 300) -> Baseline | None:
    """SymPy's `decompose` on the problems in one variable; None if there are none."""
    import sympy

    chosen = [p for p in problems if p.f.context().nvars() == 1][:limit]
    if not chosen:
        return None
    started, verified = perf_counter(), 0
    for problem in chosen:
        (name,) = names(problem.f)
        f = sympy.Poly(sympy_expression(problem.f), sympy.Symbol(name), domain="QQ")  # over ZZ it misses most
        parts = sympy.decompose(f)
        if len(parts) > 1:
            inner = {m: fmpq(int(c.p), int(c.q)) for m, c in parts[-1].terms()}
            h = polynomial(problem.f.context(), inner)
            verified += verify(problem.f, Decomposition(None, (h,))).verified
    seconds = perf_counter() - started
    count = len(chosen)
    return Baseline(count, verified / count, count / seconds)
