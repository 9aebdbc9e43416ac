"""Answers judged by other processes while the search goes on; what comes of them is settled in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Generic, TypeVar

from polyctl.config.schema import DataConfig
from polyctl.data.problem import Problem, SparseProblem
from polyctl.data.tokenizers import make_tokenizer
from polyctl.data.tokenizers.base import Tokenizer
from polyctl.evaluation.accuracy import Answers, ProblemResult
from polyctl.runtime.device import use_one_thread
from polyctl.runtime.pool import noticing_deaths, worker_pool

WAITING = 64  # problems a worker; a search that is further ahead waits

Made = TypeVar("Made")


class Judges(Generic[Made]):
    """Judges answers, and makes something of each result.

    `workers` processes do it (with none this one), and `settle` gets what they make in the order of the
    answers. As the verdicts do not depend on who judges, the number of workers changes nothing. `make` must
    be a module's own function.
    """

    def __init__(
        self,
        data: DataConfig,
        make: Callable[[int, ProblemResult], Made],
        settle: Callable[[Answers, Made], None],
        workers: int = 0,
    ) -> None:
        self._make, self._settle, self._workers = make, settle, workers
        self._tokenizer = make_tokenizer(data)
        self._pool = worker_pool(workers, partial(_prepare, data)) if workers else None
        self._waiting: deque[tuple[Answers, Future[Made]]] = deque()

    def __enter__(self) -> Judges[Made]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Settle all that waits; after an error nothing more is judged."""
        try:
            while kind is None and self._waiting:
                self._settle_first()
        finally:
            if self._pool is not None:
                self._pool.shutdown(cancel_futures=True)

    def submit(self, answers: Answers) -> None:
        """Have these answers judged."""
        if self._pool is None:
            self._settle(answers, self._make(answers.number, answers.judge(self._tokenizer)))
            return
        sent = replace(answers, problem=_portable(answers.problem))
        with noticing_deaths():
            self._waiting.append((answers, self._pool.submit(_judge, sent, self._make)))
        most = WAITING * self._workers
        while self._waiting and (len(self._waiting) > most or self._waiting[0][1].done()):
            self._settle_first()

    def _settle_first(self) -> None:
        answers, future = self._waiting.popleft()
        with noticing_deaths():
            made = future.result()
        self._settle(answers, made)


def _portable(problem: Problem) -> Problem:
    """The same problem without what cannot be sent to another process."""
    if isinstance(problem, SparseProblem):
        return problem
    return SparseProblem(
        problem.f,
        problem.decomposition,
        problem.family,
        problem.index,
        problem.written,
        problem.target_text,
    )


_own: list[Tokenizer] = []  # a worker's


def _prepare(data: DataConfig) -> None:
    use_one_thread()
    _own[:] = [make_tokenizer(data)]


def _judge(answers: Answers, make: Callable[[int, ProblemResult], Made]) -> Made:
    return make(answers.number, answers.judge(_own[0]))
