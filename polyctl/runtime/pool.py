"""Worker processes that leave Ctrl-C to the main one and end with it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context

from polyctl.errors import EXIT_FILE, PolyctlError
from polyctl.runtime.parent import Parent


class WorkerDied(PolyctlError):
    """A worker process was killed, most often because there was too little memory (exit code 3)."""

    exit_code = EXIT_FILE

    def __init__(self, option: str) -> None:
        super().__init__("a worker process was killed", f"was there too little memory? Try fewer: {option}")


def worker_pool(workers: int, prepare: Callable[[], None] | None = None) -> ProcessPoolExecutor:
    """Fresh processes that leave Ctrl-C to the main one and end with it; each calls `prepare` first."""
    return ProcessPoolExecutor(
        workers,
        mp_context=get_context("spawn"),
        initializer=_prepare_worker,
        initargs=(Parent.here(), prepare),
    )


@contextmanager
def noticing_deaths() -> Iterator[None]:
    """Raise WorkerDied if a process of a pool that is used here is killed."""
    try:
        yield
    except BrokenProcessPool as error:
        raise WorkerDied("--workers 1") from error


def _prepare_worker(parent: Parent, prepare: Callable[[], None] | None) -> None:
    parent.end_together()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if prepare is not None:
        prepare()
