"""What a training reports while it runs: events to the run's file and to a callback."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from polyctl.errors import FileError
from polyctl.runtime.signals import ignoring_interrupts
from polyctl.store.event_kinds import End, Event, Failure
from polyctl.store.events import EventWriter

OnEvent = Callable[[Event], None]


class Journal:
    """Writes events to the run's file and to a callback; silent in every process but the main one.

    `after` is the process that died writing to the run before, if one did.
    As a context manager it writes an error or an interrupt that leaves the block before it closes.
    """

    def __init__(
        self, path: Path, main: bool, on_event: OnEvent | None = None, after: str | None = None
    ) -> None:
        self.after = after
        self.writer = EventWriter(path) if main else None
        self.on_event = on_event if main else None

    def __enter__(self) -> Journal:
        if self.writer is not None:
            self.writer.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception):
            with suppress(FileError):  # a full disk must not hide what went wrong before
                self.write(Failure(message=str(error), error=type(error).__name__))
        elif isinstance(error, KeyboardInterrupt):
            with ignoring_interrupts(), suppress(FileError):
                self.write(End(state="interrupted"))
        if self.writer is not None:
            self.writer.__exit__(kind, error, trace)

    def write(self, event: Event) -> None:
        """One event, to the file first."""
        if self.writer is not None:
            self.writer.write(event)
        if self.on_event is not None:
            self.on_event(event)
