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
from polyctl.search.hypothesis import (
    BeamStep,
    Hypothesis,
    known_tokens,
    shown_beam,
    shown_hypothesis,
    token_words,
)
from polyctl.store.event_kinds import Beam, Verdicts
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
        f, known = self._of(step.key)
        beam = Beam(
            problem=step.key,
            input=plain(f),
            step=step.step,
            live=shown_beam(step.live, self._tokenizer, f),
            finished=shown_beam(step.finished, self._tokenizer, f),
            known=known,
            words=self._words(f, (*step.live, *step.finished), known),
        )
        self._writer.write(beam)

    def result(self, key: int, beam: Sequence[Hypothesis], statuses: Sequence[Status]) -> None:
        """Write the verdicts on the problem in the spotlight if its beam was seen; the spotlight moves on."""
        if key != self._lit:
            return
        self._lit = None
        if self._seen and beam:
            self._last, (f, known) = monotonic(), self._of(key)
            verdicts = [
                replace(shown_hypothesis(one, self._tokenizer, f), rank=rank, status=status)
                for rank, (one, status) in enumerate(zip(beam, statuses, strict=True))
            ]
            words = self._words(f, beam, known)
            self._writer.write(
                Verdicts(problem=key, input=plain(f), hypotheses=verdicts, known=known, words=words)
            )

    def _of(self, key: int) -> tuple[Polynomial, list[int] | None]:
        """The polynomial of a problem, and the tokens of its known answer."""
        problem = self._problems[key]
        return problem.f, known_tokens(self._tokenizer, problem)

    def _words(
        self, f: Polynomial, hypotheses: Sequence[Hypothesis], known: list[int] | None
    ) -> dict[str, str]:
        return token_words(self._tokenizer, f, [known or [], *(one.tokens for one in hypotheses)])
