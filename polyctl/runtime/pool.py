"""Worker processes that leave Ctrl-C to the main one and end with it."""

from __future__ import annotations

import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from polyctl.runtime.parent import Parent


def worker_pool(workers: int, prepare: Callable[[], None] | None = None) -> ProcessPoolExecutor:
    """Fresh processes that leave Ctrl-C to the main one and end with it; each calls `prepare` first."""
    return ProcessPoolExecutor(
        workers,
        mp_context=get_context("spawn"),
        initializer=_prepare_worker,
        initargs=(Parent.here(), prepare),
    )


def _prepare_worker(parent: Parent, prepare: Callable[[], None] | None) -> None:
    parent.end_together()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if prepare is not None:
        prepare()
