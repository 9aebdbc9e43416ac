"""What a training of any kind runs in: its processes, its journal, and the signals that end it gently."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from polyctl.runtime.processes import Processes, join_processes
from polyctl.runtime.signals import Interrupts
from polyctl.store.runs import Run
from polyctl.training.journal import Journal, OnEvent


@dataclass(frozen=True)
class Session:
    """The surroundings of one training, the same in every process."""

    processes: Processes
    journal: Journal
    interrupts: Interrupts


@contextmanager
def session(run: Run, device: str, on_event: OnEvent | None) -> Iterator[Session]:
    """Join the processes and open the run's journal; an exception that leaves is written there first."""
    with ExitStack() as stack:
        processes = stack.enter_context(join_processes(device))
        journal = stack.enter_context(Journal(run.events, processes.main, on_event))
        interrupts = stack.enter_context(Interrupts())
        try:
            yield Session(processes, journal, interrupts)
        except Exception as error:
            journal.write("error", message=str(error), error=type(error).__name__)
            raise
