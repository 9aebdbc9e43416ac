"""A tab from which trainings and evaluations are started, each after its command was shown."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from textual import work

from polyctl.errors import PolyctlError
from polyctl.tui import launch
from polyctl.tui.panes.host import NO_JOBS
from polyctl.tui.panes.pane import Pane
from polyctl.tui.views.experiments import directory_options
from polyctl.tui.widgets.ask import Ask


class JobPane(Pane):
    """Proposes a command in the tab's `Ask`, and starts it as a process that outlives the dashboard."""

    def propose(self, line: str) -> None:
        """Show the command, which Enter starts; in a browser only if jobs are allowed there."""
        if self.may_start():
            self.query_one(Ask).ask("polyctl …, Enter starts it, Escape does not", line, self._start)

    def may_start(self) -> bool:
        """Whether processes are started from here; if not, say so."""
        if not self.host.allows_jobs:
            self.app.notify(NO_JOBS, severity="warning", markup=False)
        return self.host.allows_jobs

    def directories(self, arguments: Sequence[str]) -> list[str]:
        """The options that make a process look at the same files as this dashboard."""
        return directory_options(arguments, self.host.runs.root, self.host.registry)

    def _start(self, line: str) -> None:
        try:
            arguments = shlex.split(line)
        except ValueError as error:
            self.app.notify(f"not started: {error}", severity="error", markup=False)
            return
        if not arguments or arguments[0] not in ("train", "eval", "rl"):
            self.app.notify("only train, eval and rl are started from here", severity="error", markup=False)
            return
        self._launch([*arguments, *self.directories(arguments)])

    @work(thread=True, group="launch", exit_on_error=False)
    def _launch(self, arguments: list[str]) -> None:
        try:
            job = launch.start(arguments, self.host.runs.root)
        except PolyctlError as error:
            self.app.notify(error.message, severity="error", markup=False)
        else:
            self.app.notify(
                f"started {job.command_line}; it continues when the dashboard is closed", markup=False
            )
