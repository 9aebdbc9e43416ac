"""`solve` in a process of its own, so that no key ever waits for it and a cancel is at once.

Exact algebra and the import of torch hold Python's lock for long; in another process that does not matter.
Lines of JSON go both ways: a request is {"id", "text", "method", "inners", "width", "limit", "run"}; answers
carry the request's id and a kind: solution, beam, done, error; ready and torch tell how the process is.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from polyctl.search.hypothesis import BeamStep, Hypothesis, Observer, hypothesis_event

if TYPE_CHECKING:
    from polyctl.algebra.polynomial import Polynomial
    from polyctl.data.tokenizers.base import Tokenizer
    from polyctl.solving.judge import Solution
    from polyctl.solving.solve import Neural

Message = dict[str, Any]
METHODS = {
    "auto": ("exact", "neural", "numeric"),
    "exact": ("exact",),
    "neural": ("neural",),
    "numeric": ("numeric",),
}
BEAM_SECONDS = 0.1
WARM_SECONDS = 1.0
SHOWN = 4000  # characters of a polynomial in the detail pane


# -- the dashboard's side --------------------------------------------------------------------------


class Solver:
    """The solving process; `tell` is called from a thread with every message of the newest request.

    `request` is that one's number.
    """

    def __init__(self, tell: Callable[[Message], None], runs: Path | None = None) -> None:
        self._tell, self._runs = tell, runs
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self.request = 0
        self._closed = False

    def start(self) -> None:
        """Begin the process; does nothing where it runs already."""
        with self._lock:
            if self._process is not None or self._closed:
                return
            command = [sys.executable, "-m", "polyctl.tui.solver_client"]
            if self._runs is not None:
                command.append(str(self._runs))
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
                start_new_session=True,  # a Ctrl-C in the terminal is the dashboard's
            )
        threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            message = json.loads(line)
            if message.get("id") in (None, self.request):
                self._tell(message)
        code = process.wait()
        with self._lock:
            unexpected = process is self._process
            if unexpected:
                self._process = None
        if unexpected and not self._closed:
            self._tell({"kind": "died", "message": f"the solving process ended with code {code}"})

    def submit(self, text: str, **settings: Any) -> None:
        """Solve `text`; its messages come to `tell`."""
        self.start()
        self.request += 1
        process = self._process
        if process is None or process.stdin is None:
            return
        try:
            process.stdin.write(json.dumps({"id": self.request, "text": text, **settings}) + "\n")
            process.stdin.flush()
        except OSError as error:
            self._tell({"kind": "died", "message": f"the solving process is gone: {error.strerror}"})

    def cancel(self) -> None:
        """Stop the search at once; a new process is made ready."""
        self.request += 1
        self._end()
        self.start()

    def close(self) -> None:
        """End the process for good."""
        self._closed = True
        self._end()

    def _end(self) -> None:
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()


# -- the process's side ----------------------------------------------------------------------------


def main() -> None:
    """Answer requests from stdin until it ends."""
    # What a library prints must not come between the messages.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    runs = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    lock = threading.Lock()

    def tell(kind: str, **fields: Any) -> None:
        with lock, contextlib.suppress(BrokenPipeError):
            print(json.dumps({"kind": kind, **fields}), file=answers, flush=True)

    import polyctl.solving.solve  # noqa: F401  (imported before `ready` is said)

    tell("ready")
    # A request that is waiting already goes first: the import would share its processor.
    warm = threading.Timer(WARM_SECONDS, _warm, args=(tell,))
    warm.daemon = True
    warm.start()
    _serve(sys.stdin, tell, lambda name: _model_of(runs, name))


def _warm(tell: Callable[..., None]) -> None:
    import torch

    tell("torch", version=torch.__version__)


def _model_of(runs: Path | None, name: str | None) -> Neural | None:
    """The model of that run, or else the default; read again where its file has changed."""
    from polyctl.errors import FileError
    from polyctl.store.runs import default_run, find_run

    if name is not None:
        run = find_run(name, runs)
    else:
        try:
            run = default_run(runs)
        except FileError:
            return None
    weights = run.weights()
    return _model(weights, weights.stat().st_mtime_ns, run.name)


@lru_cache(maxsize=1)
def _model(weights: Path, _changed: int, name: str) -> Neural:
    from polyctl.model.serialization import load_model
    from polyctl.runtime.device import choose_device, limit_threads
    from polyctl.solving.solve import Neural

    loaded = load_model(weights, choose_device("auto"))
    limit_threads(loaded.model.config)
    evaluation = loaded.experiment.eval
    return Neural(loaded, name, evaluation.beam, evaluation.max_tokens)


def _serve(
    requests: IO[str], tell: Callable[..., None], model: Callable[[str | None], Neural | None]
) -> None:
    from polyctl.errors import ParseError, PolyctlError

    for line in requests:
        request = json.loads(line)
        number = request["id"]
        try:
            _answer(request, tell, model)
        except ParseError as error:
            tell("error", id=number, message=error.message, hint=error.hint, position=error.position)
        except PolyctlError as error:
            tell("error", id=number, message=error.message, hint=error.hint)
        except Exception as error:  # the process must answer every request
            tell("error", id=number, message=f"{type(error).__name__}: {error}", hint=None)


def _answer(
    request: Message, tell: Callable[..., None], model: Callable[[str | None], Neural | None]
) -> None:
    from polyctl.algebra.complexity import complexity_of
    from polyctl.algebra.parse import parse
    from polyctl.algebra.polynomial import degree
    from polyctl.errors import UsageError
    from polyctl.solving.solve import solve

    f = parse(request["text"])
    if degree(f) < 2:
        raise UsageError(
            f"a polynomial of degree {max(degree(f), 0)} has no decomposition", "type a higher one"
        )
    number = request["id"]
    beam = _Beam(partial(tell, id=number), f)

    def load() -> Neural | None:
        neural = model(request.get("run"))
        if neural is None:
            return None
        beam.watch(neural)
        return replace(neural, width=request.get("width") or neural.width, observer=beam)

    def tell_solution(solution: Solution) -> None:
        beam.flush()  # the search is over when the first of its answers is judged
        tell("solution", id=number, **describe(f, solution), rank=beam.rank(solution))

    found = solve(
        f,
        methods=METHODS[request.get("method", "auto")],
        inners=request.get("inners"),
        time_limit=request.get("limit", 10.0),
        neural=load,
        on_solution=tell_solution,
    )
    beam.flush()
    tell(
        "done",
        id=number,
        seconds=found.seconds,
        stopped=found.stopped,
        indecomposable=found.indecomposable,
        expanded=complexity_of(f).distinct,
        tried=[[a.method, a.seconds, a.found, a.note] for a in found.tried],
    )


class _Beam(Observer):
    """Sends a model's beam as it grows, a few times a second, and knows the ranks of its answers."""

    def __init__(self, tell: Callable[..., None], f: Polynomial) -> None:
        self._tell, self._f = tell, f
        self._last = 0.0
        self._tokenizer: Tokenizer | None = None
        self._finished: list[float] = []
        self._pending: BeamStep | None = None

    def watch(self, neural: Neural) -> None:
        """The model whose tokens are to be shown as text."""
        from polyctl.data.tokenizers import make_tokenizer

        self._tokenizer = make_tokenizer(neural.loaded.experiment.data)

    def step(self, step: BeamStep) -> None:
        """One step of the search."""
        self._finished = sorted((h.logprob for h in step.finished), reverse=True)
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
        )

    def _shown(self, hypotheses: Sequence[Hypothesis]) -> list[Message]:
        assert self._tokenizer is not None
        return [hypothesis_event(h, self._tokenizer, self._f) for h in hypotheses]

    def rank(self, solution: Solution) -> int | None:
        """The rank, from 1, of an answer of the beam."""
        if solution.source != "beam" or solution.logprob not in self._finished:
            return None
        return self._finished.index(solution.logprob) + 1


def describe(f: Polynomial, solution: Solution) -> Message:
    """A solution as JSON: all texts that the dashboard shows of it."""
    from polyctl.algebra.polynomial import names
    from polyctl.algebra.printing import latex, plain
    from polyctl.solving.solve import weak

    outer, inners = solution.decomposition.outer, solution.decomposition.inners
    letters = ["h"] if len(inners) == 1 else [f"h{i}" for i in range(len(inners))]
    verdict, size = solution.verdict, solution.complexity
    arguments = ", ".join(letters)
    head = "g" if outer is None else f"g({', '.join(names(outer))})"
    lines = [(head, outer), *zip(letters, inners, strict=True)]
    return {
        "status": verdict.status,
        "reason": verdict.reason,
        "method": verdict.method,
        "source": solution.source,
        "logprob": solution.logprob,
        "seconds": solution.seconds,
        "complexity": None if size is None else size.distinct,
        "leaves": None if size is None else size.leaves,
        "weak": verdict.verified and weak(f, solution.decomposition),
        "outer": None if outer is None else cut(plain(outer)),
        "inners": [cut(plain(h)) for h in inners],
        "proof": _proof(f, solution, head, arguments, letters),
        "latex": "\n".join(f"{n} = {latex(p)}" for n, p in lines if p is not None),
        "sympy": "\n".join(
            f"{n.partition('(')[0]} = {plain(p).replace('^', '**')}" for n, p in lines if p is not None
        ),
    }


def _proof(f: Polynomial, solution: Solution, head: str, arguments: str, letters: list[str]) -> str:
    from polyctl.algebra.polynomial import compose
    from polyctl.algebra.printing import plain, plain_composition

    outer, inners = solution.decomposition.outer, solution.decomposition.inners
    verdict = solution.verdict
    said = [f"{name} = {cut(plain(h))}" for name, h in zip(letters, inners, strict=True)]
    if outer is None:
        return "\n".join([*said, f"{verdict.status}: {verdict.reason} ({verdict.method})"])
    said.insert(0, f"{head} = {cut(plain(outer))}")
    said.append(f"g({arguments}) = {cut(plain_composition(outer, inners))}")
    if verdict.status in ("verified", "trivial"):
        same = compose(outer, inners) == f
        said.append(f"expanded = {cut(plain(f))}")
        said.append("compared with f: equal, coefficient by coefficient over Q" if same else "not equal to f")
    elif verdict.method == "composition":  # else expanding was too much work
        said.append(f"f - g({arguments}) = {cut(plain(f - compose(outer, inners)))}")
    said.append(f"{verdict.status}: {verdict.reason} ({verdict.method})")
    return "\n".join(said)


def cut(text: str) -> str:
    """A text as far as it is shown."""
    return text if len(text) <= SHOWN else f"{text[:SHOWN]} … ({len(text):,} characters)"


if __name__ == "__main__":
    main()
