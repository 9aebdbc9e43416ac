"""Worker processes that leave Ctrl-C to the main one."""

from __future__ import annotations

import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context


def worker_pool(workers: int, prepare: Callable[[], None] | None = None) -> ProcessPoolExecutor:
    """Fresh processes that leave Ctrl-C to the main one; each calls `prepare` first."""
    return ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_prepare_worker, initargs=(prepare,)
    )


def _prepare_worker(prepare: Callable[[], None] | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if prepare is not None:
        prepare()
