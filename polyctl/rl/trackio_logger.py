"""An optional tracker beside the run's own event file: trackio, which keeps its data on this machine."""

from __future__ import annotations

import importlib
import sys
from contextlib import redirect_stdout
from types import TracebackType
from typing import Any

from polyctl.config.schema import Experiment
from polyctl.errors import UsageError
from polyctl.store.event_kinds import Event, Pool, Step, Validation
from polyctl.store.runs import Run

TRACKED = (Step, Validation, Pool)


def load_trackio() -> Any:
    """The library; UsageError if it is not installed."""
    try:
        return importlib.import_module("trackio")
    except ImportError:
        raise UsageError("--track needs trackio", "pip install 'polyctl[track]'") from None


class Tracker:
    """Forwards the numbers of step, validation and pool events; use as a context manager."""

    def __init__(self, experiment: Experiment, run: Run) -> None:
        self._trackio = load_trackio()
        self._experiment, self._run = experiment, run

    def __enter__(self) -> Tracker:
        with redirect_stdout(sys.stderr):  # it greets on stdout, which is for data
            self._trackio.init(
                project=f"polyctl-{self._experiment.name}",
                name=self._run.id,
                config=self._experiment.model_dump(mode="json"),
                resume="allow",
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with redirect_stdout(sys.stderr):
            self._trackio.finish()

    def __call__(self, event: Event) -> None:
        """One event, as the trainer reports it."""
        if isinstance(event, TRACKED):
            numbers = event.to_json()
            step = numbers.pop("step")
            self._trackio.log({f"{event.kind}/{name}": value for name, value in numbers.items()}, step=step)
