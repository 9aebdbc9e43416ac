"""polyctl tui: the dashboard."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from polyctl.cli import completion
from polyctl.cli.options import RegistryOption, RunsOption
from polyctl.errors import UsageError
from polyctl.tui.tabs import TABS


def tui(
    expression: Annotated[str, typer.Argument(help="A polynomial to decompose immediately.")] = "",
    screen: Annotated[
        str | None, typer.Option("--screen", metavar="NAME", help=f"One of {', '.join(TABS)}.")
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="Print the screens once as text, for pipes and screen readers.")
    ] = False,
    run: Annotated[
        str | None,
        typer.Option(
            "--run",
            metavar="RUN",
            help="With --plain: show this run instead of the newest.",
            autocompletion=completion.run_names,
        ),
    ] = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Open it in a browser, on this machine only (needs polyctl[web]).")
    ] = False,
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="With --serve: the port.")] = 8000,
    allow_jobs: Annotated[
        bool,
        typer.Option("--allow-jobs", help="With --serve: jobs can be started and stopped in the browser."),
    ] = False,
    runs: RunsOption = None,
    registry: RegistryOption = None,
) -> None:
    """Open the dashboard: decompose what you type, watch runs and beams, start experiments.

    Example: polyctl tui --plain --screen runs
    """
    if screen is not None and screen not in TABS:
        raise UsageError(f"--screen {screen!r} is not one of {', '.join(TABS)}", "leave it out for all")
    if plain and expression:
        raise UsageError("--plain does not decompose", f"polyctl decompose '{expression.strip()}'")
    if plain:
        from polyctl.tui.text_dump import dump_tabs

        for line in dump_tabs((screen,) if screen else tuple(TABS), runs, registry, run):
            print(line)
        return
    served = "TEXTUAL_DRIVER" in os.environ  # set by textual-serve, whose sessions have no terminal
    if allow_jobs and not (serve or served):
        raise UsageError("--allow-jobs needs --serve", "in a terminal jobs can always be started")
    if serve:
        options = [("--runs", runs), ("--registry", registry), ("--screen", screen)]
        words = [part for name, value in options if value for part in (name, str(value))]
        words += ["--allow-jobs"] if allow_jobs else []
        _serve(port, [*words, "--", expression] if expression else words)
        return
    if not served and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("the dashboard needs a terminal", "`polyctl tui --plain` prints it as text")
    if served:
        from polyctl.runtime.parent import Parent

        Parent(os.getppid(), steady=False).end_together()
    from polyctl.tui.actions import load_keymap

    keymap = load_keymap()
    from polyctl.tui.app import Dashboard

    jobs = allow_jobs or not served
    Dashboard(runs, registry, screen or "decompose", keymap, expression.strip(), jobs).run()


def _serve(port: int, options: list[str]) -> None:
    try:
        from polyctl.tui.serve import serve
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("textual_serve", "aiohttp"):
            raise
        raise UsageError("textual-serve is not installed", "pip install 'polyctl[web]'") from None
    serve(options, port)
