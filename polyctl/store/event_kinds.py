"""The kinds of events that a run's file holds: what each says, as JSON and back.

A float that is not finite is null in a file, and NaN when it is read; what an event does not say is None.
"""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, field, fields
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, get_type_hints

from pydantic import BeforeValidator, ConfigDict, InstanceOf, ValidationError
from pydantic.dataclasses import dataclass

from polyctl.store.evaluation_report import ProblemSet

STRICT = ConfigDict(strict=True, extra="forbid")
HEAD = ("v", "time", "kind")  # the fields that the writer adds
DEVICE_MEMORY = "device_memory"  # a metric of steps on a GPU: the bytes that the process has reserved

Text = InstanceOf[str]  # any str: pydantic's own check refuses the lone surrogates of undecodable paths
StartState = Literal["started", "resumed", "imported"]
EndState = Literal["complete", "interrupted", "time limit", "imported"]


@dataclass(frozen=True, config=STRICT)
class ShownHypothesis:
    """A hypothesis for people: polynomials in f's own variables; the rest is known of some.

    Without `tokens`, as older versions wrote it, the text is what the tokens stand for, in their order.
    `logprobs` are those of its last tokens: of all that no hypothesis before it in the same list shares.
    """

    text: Text = ""
    logprob: float | None = None
    finished: bool | None = None
    status: str | None = None
    rank: int | None = None
    reward: float | None = None
    advantage: float | None = None
    tokens: list[int] | None = None
    logprobs: list[float] | None = None

    def to_json(self) -> dict[str, Any]:
        """What is known of it."""
        return {name: value for name, value in vars(self).items() if value is not None}


def _hypothesis(value: object) -> object:
    return ShownHypothesis(**_known(ShownHypothesis, value)[0]) if isinstance(value, dict) else value


def _problem_set(value: object) -> object:
    return value if isinstance(value, ProblemSet) else ProblemSet.from_json(value)


Shown = Annotated[ShownHypothesis, BeforeValidator(_hypothesis)]


@dataclass(frozen=True, config=STRICT)
class Event:
    """What happened in a run; `time` is in Unix seconds and known only of events that were read."""

    KIND: ClassVar[str] = ""

    _: KW_ONLY
    time: float | None = None

    @property
    def kind(self) -> str:
        """The word for the kind in a file."""
        return self.KIND

    def to_json(self) -> dict[str, Any]:
        """The event's own fields, without those that the writer adds; metrics lie among them."""
        found = {part.name: getattr(self, part.name) for part in fields(self) if part.name not in HEAD}
        flat = found.pop("metrics") if self.KIND in FLAT else {}
        return {name: _plain(value) for name, value in (found | flat).items() if value is not None}


@dataclass(frozen=True, config=STRICT)
class RunStarted(Event):
    """A training begins or is resumed, or its weights were imported."""

    KIND = "run"

    state: StartState | None = None
    algorithm: str | None = None  # of reinforcement learning
    step: int | None = None
    total_steps: int | None = None
    device: str | None = None
    processes: int | None = None
    parameters: int | None = None
    source: Text | None = None  # where imported weights come from
    after: Text | None = None  # the process that died writing to the run before this one


@dataclass(frozen=True, config=STRICT)
class Step(Event):
    """What training reports of a step; `metrics` is everything else that was measured."""

    KIND = "step"

    step: int | None = None
    loss: float | None = None
    lr: float | None = None
    grad_norm: float | None = None
    tokens_per_second: float | None = None
    elapsed: float | None = None
    problems_seen: int | None = None
    trained_groups: int | None = None  # of reinforcement learning
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, config=STRICT)
class Validation(Event):
    """What a training measures on held-out problems while it runs."""

    KIND = "validation"

    step: int | None = None
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, config=STRICT)
class Evaluation(Event):
    """What `polyctl eval` found of a checkpoint."""

    KIND = "evaluation"

    step: int | None = None
    data: Annotated[ProblemSet | None, BeforeValidator(_problem_set)] = None
    beam: int | None = None
    problems: int | None = None
    greedy_exact: float | None = None
    greedy_verified: float | None = None
    pass_at: dict[str, float] = field(default_factory=dict)  # by k
    cells: list[dict[str, Any]] = field(default_factory=list)  # as in the report


@dataclass(frozen=True, config=STRICT)
class EvaluationProgress(Event):
    """How far a running `polyctl eval` is, and which process it is (store/owner.py); verified by greedy.

    Of the problems that this process has `counted`, so many were `solved` by an answer of the beam as it is,
    and by its first.
    """

    KIND = "progress"

    done: int | None = None
    problems: int | None = None
    verified: int | None = None
    beam: int | None = None
    counted: int | None = None
    solved_first: int | None = None
    solved: int | None = None
    pid: int | None = None
    began: str | None = None
    host: str | None = None


@dataclass(frozen=True, config=STRICT)
class Beam(Event):
    """The beam of the problem in the spotlight after some tokens.

    `known` has the tokens of the known answer, `words` what each token stands for.
    """

    KIND = "beam"

    problem: int | None = None
    input: Text | None = None
    step: int | None = None
    live: list[Shown] = field(default_factory=list)
    finished: list[Shown] = field(default_factory=list)
    known: list[int] | None = None
    words: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, config=STRICT)
class Verdicts(Event):
    """The verdicts on the answers to the problem in the spotlight; `known` and `words` as of a beam."""

    KIND = "verdict"

    problem: int | None = None
    input: Text | None = None
    hypotheses: list[Shown] = field(default_factory=list)
    known: list[int] | None = None
    words: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, config=STRICT)
class Pool(Event):
    """A new pool of problems for reinforcement learning: how many candidates there were, and are kept.

    `uses` says how often each is trained on until the next one, `candidates_needed` how many would have to be
    probed at this rate for a pool that lasts.
    """

    KIND = "pool"

    step: int | None = None
    candidates: int | None = None
    kept: int | None = None
    share_right: float | None = None
    first_right: float | None = None
    uses: float | None = None
    candidates_needed: int | None = None


@dataclass(frozen=True, config=STRICT)
class Rollout(Event):
    """A group of reinforcement learning: one problem and the answers that a search found.

    `known` and `words` are as of a beam.
    """

    KIND = "rollout"

    step: int | None = None
    input: Text | None = None
    hypotheses: list[Shown] = field(default_factory=list)
    known: list[int] | None = None
    words: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, config=STRICT)
class Checkpoint(Event):
    """Weights were written."""

    KIND = "checkpoint"

    step: int | None = None
    which: str | None = None  # a CheckpointName
    path: Text | None = None  # in the run's directory


@dataclass(frozen=True, config=STRICT)
class Failure(Event):
    """An error ended a training."""

    KIND = "error"

    message: Text = ""
    error: str | None = None  # its class


@dataclass(frozen=True, config=STRICT)
class End(Event):
    """A training ends; `metrics` are those of its last validation."""

    KIND = "end"

    state: EndState | None = None
    step: int | None = None
    elapsed: float | None = None
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, config=STRICT)
class Other(Event):
    """An event of a kind that this version does not know."""

    name: str = ""

    @property
    def kind(self) -> str:
        """The word for the kind in the file."""
        return self.name


KINDS: dict[str, type[Event]] = {
    kind.KIND: kind
    for kind in (
        *(RunStarted, Step, Validation, Evaluation, EvaluationProgress, Beam, Verdicts, Pool),
        *(Rollout, Checkpoint, Failure, End),
    )
}
FLAT = (Step.KIND, Validation.KIND)  # whose metrics lie among their other fields


def event_from_json(data: dict[str, Any]) -> Event | None:
    """The event that a JSON object is; None if it is damaged. Fields that are not known are left out."""
    name = data.get("kind")
    if not isinstance(name, str):
        return None
    if name == "eval":  # what older versions called both
        name = Evaluation.KIND if data.get("source") == "eval" else Validation.KIND
    kind = KINDS.get(name)
    try:
        if kind is None:
            return Other(time=data.get("time"), name=name)
        known, others = _known(kind, data)
        if name in FLAT:
            known["metrics"] = others
        return kind(**known)
    except (ValidationError, OverflowError):
        return None


def _known(kind: type, data: dict[str, Any]) -> tuple[dict[str, Any], dict[str, float]]:
    """The fields of a kind as a file has them, and the numbers among the other fields."""
    names, floats = _names(kind)
    known: dict[str, Any] = {}
    others: dict[str, float] = {}
    for name, value in data.items():
        if name in floats:
            known[name] = math.nan if value is None else value
        elif name in names:
            if value is not None:
                known[name] = value
        elif value is None:
            others[name] = math.nan
        elif isinstance(value, (int, float)) and not isinstance(value, bool) and name not in HEAD:
            others[name] = value
    return known, others


@cache
def _names(kind: type) -> tuple[frozenset[str], frozenset[str]]:
    """The names of all fields of a kind, and of those that are measured."""
    hints = get_type_hints(kind)
    names = frozenset(part.name for part in fields(kind))
    return names, frozenset(name for name in names - {"time"} if hints[name] == float | None)


def _plain(value: Any) -> Any:
    if isinstance(value, (ShownHypothesis, ProblemSet)):
        return value.to_json()
    return [_plain(item) for item in value] if isinstance(value, list) else value
