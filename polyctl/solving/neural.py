"""A trained model as a method: its run, its weights, and its beam as candidates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from polyctl.algebra.budget import Budget
from polyctl.algebra.polynomial import Polynomial
from polyctl.config.schema import DataConfig
from polyctl.data.problem import SparseProblem
from polyctl.data.tokenizers import make_tokenizer
from polyctl.data.tokenizers.base import decode_for
from polyctl.data.tokenizers.errors import MalformedTarget, UnwritableProblem
from polyctl.errors import FileError
from polyctl.model.serialization import LoadedModel, load_model
from polyctl.runtime.device import choose_device, limit_threads
from polyctl.search.batching import Decoding
from polyctl.search.beam import beam_search
from polyctl.search.grammar import make_grammar
from polyctl.search.hypothesis import BeamStep, Hypothesis, Observer
from polyctl.search.sampling import sample
from polyctl.solving.methods import ModelUnavailable
from polyctl.solving.request import ModelRequest
from polyctl.solving.solution import Candidate
from polyctl.store.evaluation_report import CheckpointName
from polyctl.store.runs import Run, check_shipped, default_run, find_run

DRAWN_AT_ONCE = 32  # samples between two looks at the clock


@dataclass(frozen=True)
class Neural:
    """A model, the name of its run, and how wide to search with it, or how many answers to sample."""

    loaded: LoadedModel
    name: str
    width: int
    max_tokens: int
    grammar: bool = False
    observer: Observer | None = None
    samples: int = 0
    temperature: float = 0.7

    def __str__(self) -> str:
        how = f"{self.samples} samples" if self.samples else f"beam {self.width}"
        return f"neural ({self.name}, {how})"

    def candidates(self, f: Polynomial, budget: Budget) -> Iterator[Candidate]:
        """The model's finished hypotheses for f, best first; those there are when time is up.

        Raises ModelUnavailable if the model has no tokens for f.
        """
        model, data = self.loaded.model, self.loaded.experiment.data
        tokenizer = make_tokenizer(data)
        room = model.config.context_length - 1
        try:
            prompt = tokenizer.encode_prompt(SparseProblem(f, None, "typed", 0))
            if len(prompt) > room:
                raise UnwritableProblem(f"f takes {len(prompt)} tokens, this model reads {room}")
        except UnwritableProblem as error:
            kinds = dict.fromkeys(_describe_kind(part) for part in data.parts or (data,))
            raise ModelUnavailable(f"{error}; it was trained on {', '.join(kinds)}") from None
        grammar = make_grammar(tokenizer) if self.grammar else None
        decoding = Decoding(self.max_tokens, tokenizer.end, grammar)
        found = self._search(prompt, decoding, budget)
        for rank, hypothesis in enumerate(found):
            if not hypothesis.finished:
                continue
            try:
                decomposition = decode_for(tokenizer, f, hypothesis.tokens)
            except MalformedTarget:
                continue
            source = "samples" if self.samples else "beam"
            yield Candidate(decomposition, source, hypothesis.logprob, rank)

    def _search(self, prompt: list[int], decoding: Decoding, budget: Budget) -> Sequence[Hypothesis]:
        """The beam, or the different samples, likeliest first."""
        model = self.loaded.model
        if not self.samples:
            timed = _Timed(self.observer, budget)
            try:
                (beam,) = beam_search(model, [prompt], decoding, width=self.width, observer=timed)
            except _TimeIsUp as stop:
                return stop.finished
            return beam
        drawn: dict[tuple[int, ...], Hypothesis] = {}
        for start in range(0, self.samples, DRAWN_AT_ONCE):
            if budget.expired:
                break
            n = min(DRAWN_AT_ONCE, self.samples - start)
            (found,) = sample(
                model, [prompt], decoding, n=n, temperature=self.temperature, seed=0, numbers=[start]
            )
            drawn.update({hypothesis.tokens: hypothesis for hypothesis in found})
        return sorted(drawn.values(), key=lambda hypothesis: -hypothesis.logprob)


class _TimeIsUp(Exception):
    def __init__(self, finished: Sequence[Hypothesis]) -> None:
        self.finished = finished


class _Timed(Observer):
    """Ends a search when time is up, with what it has found; another observer may look on."""

    def __init__(self, other: Observer | None, budget: Budget) -> None:
        self._other, self._budget = other, budget

    def wants(self, key: int) -> bool:
        return self._budget.expired or (self._other is not None and self._other.wants(key))

    def step(self, step: BeamStep) -> None:
        if self._other is not None:
            self._other.step(step)
        if self._budget.expired:
            raise _TimeIsUp(step.finished)

    def result(self, key: int, hypotheses: Sequence[Hypothesis]) -> None:
        if self._other is not None:
            self._other.result(key, hypotheses)


def load_neural(request: ModelRequest) -> Neural:
    """The model that is asked for, or else the default one; it is read again if its file has changed.

    Raises ModelUnavailable if there is none; FileError if the request needs it, or POLYCTL_SHIPPED is wrong.
    """
    if request.run is None:
        check_shipped()
    try:
        run = default_run(request.runs) if request.run is None else find_run(request.run, request.runs)
    except FileError:
        if request.needed:
            raise
        raise ModelUnavailable("no model has been trained yet (polyctl train quick)") from None
    try:
        weights = _find_weights(run, request.checkpoint)
        loaded = _load(weights, weights.stat().st_mtime_ns, request.device)
    except FileError as error:
        if request.needed:
            raise
        raise ModelUnavailable(f"the model is skipped: {error.message}") from None
    limit_threads(loaded.model.config)
    settings = loaded.experiment.eval
    return Neural(
        loaded,
        run.name,
        request.beam or settings.beam,
        settings.max_tokens,
        request.grammar,
        samples=request.samples,
        temperature=request.temperature,
    )


def _find_weights(run: Run, which: CheckpointName | None) -> Path:
    """The weights of that name, or else the best there are."""
    if which is None:
        return run.weights()
    if not (path := run.checkpoint(which)).is_file():
        raise FileError(f"{run.name} has no checkpoint {which!r}", "wait for it, or name another one")
    return path


@lru_cache(maxsize=1)
def _load(weights: Path, _changed: int, device: str) -> LoadedModel:
    return load_model(weights, choose_device(device))


def _describe_kind(data: DataConfig) -> str:
    outer, inner = ("/".join(map(str, degrees)) for degrees in (data.outer_degrees, data.inner_degrees))
    return f"{data.family} {outer}∘{inner}"
