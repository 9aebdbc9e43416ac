"""One problem of a running evaluation at a time, shown in the events of a run as its beam grows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from time import monotonic

from polyctl.algebra.polynomial import Polynomial
from polyctl.algebra.printing import plain
from polyctl.algebra.verify import Status
from polyctl.data.problem import Problem
from polyctl.data.tokenizers.base import Tokenizer
from polyctl.search.hypothesis import BeamStep, Hypothesis, shown_hypothesis
from polyctl.store.event_kinds import Beam, ShownHypothesis, Verdicts
from polyctl.store.events import EventWriter

SPOTLIGHT_SECONDS = 0.25


class Spotlight:
    """Writes the beam of one problem a few times a second, then its verdicts, and goes to the next one."""

    def __init__(self, writer: EventWriter, tokenizer: Tokenizer, problems: Sequence[Problem]) -> None:
        self._writer, self._tokenizer, self._problems = writer, tokenizer, problems
        self._last = -math.inf
        self._lit: int | None = None  # the number of the problem in the spotlight, until it is judged
        self._seen = False  # whether its beam has been written

    def wants(self, key: int) -> bool:
        """Whether that problem is in the spotlight, or can be, and it is time to write again."""
        if self._lit is None:
            self._lit, self._seen = key, False
        return key == self._lit and monotonic() - self._last >= SPOTLIGHT_SECONDS

    def step(self, step: BeamStep) -> None:
        """Write the beam of the problem in the spotlight."""
        self._last, self._seen = monotonic(), True
        f = self._problems[step.key].f
        beam = Beam(
            problem=step.key,
            input=plain(f),
            step=step.step,
            live=[self._shown(h, f) for h in step.live],
            finished=[self._shown(h, f) for h in step.finished],
        )
        self._writer.write(beam)

    def result(self, key: int, beam: Sequence[Hypothesis], statuses: Sequence[Status]) -> None:
        """Write the verdicts on the problem in the spotlight if its beam was seen; the spotlight moves on."""
        if key != self._lit:
            return
        self._lit = None
        if self._seen and beam:
            self._last, f = monotonic(), self._problems[key].f
            verdicts = [
                replace(self._shown(one, f), rank=rank, status=status)
                for rank, (one, status) in enumerate(zip(beam, statuses, strict=True))
            ]
            self._writer.write(Verdicts(problem=key, input=plain(f), hypotheses=verdicts))

    def _shown(self, hypothesis: Hypothesis, f: Polynomial) -> ShownHypothesis:
        return shown_hypothesis(hypothesis, self._tokenizer, f)
