"""What the tabs need of the dashboard that holds them."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from polyctl.tui.run_list import RunList
from polyctl.tui.solver_client import Solver

NO_JOBS = "in a browser jobs are started and stopped only with `polyctl tui --serve --allow-jobs`"
NO_FILES = "in a browser files are changed only with `polyctl tui --serve --allow-jobs`"
NO_TERMINAL = "an editor needs a terminal, and cannot be opened in a browser"


class Host(Protocol):
    """The dashboard as its tabs see it."""

    @property
    def allows_jobs(self) -> bool:
        """Whether jobs may be started and stopped."""

    @property
    def registry(self) -> Path | None:
        """The registry that was named on the command line."""

    @property
    def runs(self) -> RunList:
        """The runs, and which of them are open."""

    @property
    def solver(self) -> Solver:
        """The solving process."""

    def open_runs(self, names: list[str]) -> None:
        """Show these runs in the tab Run."""

    def open_next_run(self) -> None:
        """Show the run that comes after the open one in the list."""

    def open_problems(self, name: str) -> None:
        """Show the problems of a run's evaluations."""

    def decompose(self, text: str, run: str, width: int | None) -> None:
        """Ask the model of that run in the tab Decompose, with a beam of that width."""

    def stop_job(self, run: str | None) -> None:
        """Stop the process that works on that run, or the newest that was started from here."""
