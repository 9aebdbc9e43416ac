"""The process in which `solve` runs for the dashboard: answers requests from stdin (see `solver_client`)."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from polyctl.algebra.complexity import complexity_of
from polyctl.algebra.polynomial import Polynomial
from polyctl.algebra.printing import plain
from polyctl.algebra.reading import notes_on
from polyctl.errors import ParseError, PolyctlError
from polyctl.formatting import cut_text
from polyctl.runtime.parent import Parent
from polyctl.search.hypothesis import BeamStep, Hypothesis, Observer, shown_beam, token_words
from polyctl.solving.answer import answer
from polyctl.solving.describe import write_latex, write_sympy
from polyctl.solving.methods import DEFAULT_SECONDS
from polyctl.solving.request import ModelRequest, SolveRequest
from polyctl.solving.solution import Solution

if TYPE_CHECKING:
    from polyctl.data.tokenizers.base import Tokenizer
    from polyctl.solving.neural import Neural

Tell = Callable[..., None]
BEAM_SECONDS = 0.1
WARM_SECONDS = 1.0
INTERRUPT = {signal.SIGINT}


def main() -> None:
    """Answer requests from stdin until it ends, or the dashboard does."""
    Parent(os.getppid(), steady=False).end_together()
    # What a library prints must not come between the messages.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    runs = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    lock = threading.Lock()

    def tell(kind: str, **fields: Any) -> None:
        line = json.dumps({"kind": kind, **fields})
        signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPT)  # a cancel must not cut a line
        try:
            with lock, contextlib.suppress(BrokenPipeError):
                print(line, file=answers, flush=True)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, INTERRUPT)

    models = _Models(tell)
    server = _Server(tell, runs, models)
    signal.signal(signal.SIGINT, server.interrupt)
    tell("ready")
    # A request that is waiting already goes first: the import would share its processor.
    warm = threading.Timer(WARM_SECONDS, models.warm, args=(runs,))
    warm.daemon = True
    warm.start()
    server.serve(sys.stdin)


class _Models:
    """Loads models in a thread, so that a search that is cancelled meanwhile leaves nothing half loaded.

    The newest one stays loaded.
    """

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._thread = ThreadPoolExecutor(1)

    def warm(self, runs: Path | None) -> None:
        """Load the default model before anyone asks for it."""
        self._thread.submit(self._load, ModelRequest(None, runs))

    def load(self, request: ModelRequest) -> Neural:
        """The model of a request; raises what `load_neural` raises."""
        return self._thread.submit(self._load, request).result()

    def _load(self, request: ModelRequest) -> Neural:
        self._tell("loading")
        name = None
        try:
            from polyctl.solving.neural import load_neural

            found = load_neural(request)
            name = found.name
            return found
        finally:
            self._tell("loaded", run=name)


class _Interrupted(BaseException):
    """The search that runs was cancelled."""


class _Server:
    """Answers requests one after the other; SIGINT gives up the one that is being answered."""

    def __init__(self, tell: Tell, runs: Path | None, models: _Models) -> None:
        self._tell, self._runs, self._models = tell, runs, models
        self._busy = False

    def interrupt(self, number: int, frame: object) -> None:
        """The handler of the signal."""
        if self._busy:
            self._busy = False
            raise _Interrupted

    def serve(self, requests: IO[str]) -> None:
        """Answer until there are no more requests."""
        for line in requests:
            request = json.loads(line)
            number = request["id"]
            try:
                self._busy = True
                self._answer(request, number)
                self._busy = False
            except _Interrupted:
                self._tell("cancelled", id=number)

    def _answer(self, request: dict[str, Any], number: int) -> None:
        try:
            _answer(request, partial(self._tell, id=number), self._runs, self._models)
        except ParseError as error:
            self._tell("error", id=number, message=error.message, hint=error.hint, position=error.position)
        except PolyctlError as error:
            self._tell("error", id=number, message=error.message, hint=error.hint)
        except Exception as error:  # the process must answer every request
            self._tell("error", id=number, message=f"{type(error).__name__}: {error}", hint=None)


def _answer(request: dict[str, Any], tell: Tell, runs: Path | None, models: _Models) -> None:
    run = request.get("run")
    asked = SolveRequest(
        request["text"],
        method=request.get("method", "auto"),
        inners=request.get("inners"),
        main=tuple(request.get("main") or ()),
        time_limit=request.get("limit", DEFAULT_SECONDS),
        model=ModelRequest(
            run,
            runs,
            beam=request.get("width"),
            needed=run is not None,
            checkpoint=request.get("checkpoint"),
        ),
    )
    reading = asked.read()
    f = reading.polynomial
    beam = _Beam(tell, f)
    steps: list[int] = []  # at which the weights were saved

    def load(wanted: ModelRequest) -> Neural:
        neural = models.load(wanted)
        steps.append(neural.loaded.step)
        return neural

    def tell_solution(solution: Solution) -> None:
        beam.flush()  # the search is over when the first of its answers is judged
        tell("solution", **describe(solution))

    found = answer(asked, on_solution=tell_solution, observe=beam.watch, load_model=load)
    beam.flush()
    tell(
        "done",
        solutions=[describe(solution) for solution in found.solutions],
        seconds=found.seconds,
        stopped=found.stopped,
        indecomposable=found.indecomposable,
        expanded=complexity_of(f).distinct,
        tried=[[a.method, a.seconds, a.found, a.note] for a in found.tried],
        notes=notes_on(f, reading.main),
        forms=found.other_forms(),
        step=steps[-1] if steps else None,
    )


class _Beam(Observer):
    """Sends a model's beam as it grows, a few times a second."""

    def __init__(self, tell: Tell, f: Polynomial) -> None:
        self._tell, self._f = tell, f
        self._last = 0.0
        self._tokenizer: Tokenizer | None = None
        self._pending: BeamStep | None = None

    def watch(self, neural: Neural) -> _Beam:
        """Show the beam of this model, its tokens as text."""
        from polyctl.data.tokenizers import make_tokenizer

        self._tokenizer = make_tokenizer(neural.loaded.experiment.data)
        return self

    def step(self, step: BeamStep) -> None:
        """One step of the search."""
        self._pending = step
        if time.monotonic() - self._last >= BEAM_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Send the newest step if it has not been sent."""
        step, self._pending = self._pending, None
        if step is None:
            return
        self._last = time.monotonic()
        self._tell(
            "beam",
            step=step.step,
            live=self._shown(step.live),
            finished=self._shown(step.finished),
            words=self._words([*step.live, *step.finished]),
        )

    def _shown(self, hypotheses: Sequence[Hypothesis]) -> list[dict[str, Any]]:
        assert self._tokenizer is not None
        return [one.to_json() for one in shown_beam(hypotheses, self._tokenizer, self._f)]

    def _words(self, hypotheses: Sequence[Hypothesis]) -> dict[str, str]:
        assert self._tokenizer is not None
        return token_words(self._tokenizer, self._f, [one.tokens for one in hypotheses])


def describe(solution: Solution) -> dict[str, Any]:
    """A solution as JSON: all texts that the dashboard shows of it, and what it is sorted by."""
    outer, rank = solution.outer, solution.beam_rank
    return {
        **solution.to_dict(),
        "method": solution.verdict.method,
        "rank": None if rank is None else rank + 1,
        "rank_key": list(solution.rank_key),
        "reservation": solution.reservation,
        "outer": None if outer is None else cut_text(plain(outer)),
        "inners": [cut_text(plain(h)) for h in solution.inner],
        "forms": [cut_text(form) for form in solution.other_forms()],
        "proof": solution.proof,
        "latex": write_latex(solution.decomposition),
        "sympy": write_sympy(solution.decomposition),
        "weak": solution.weak,
    }


if __name__ == "__main__":
    main()
