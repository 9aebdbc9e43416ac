"""polyctl tui: the dashboard."""

from __future__ import annotations

import os
import shlex
import sys
from typing import Annotated

import typer

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
        typer.Option("--run", metavar="RUN", help="With --plain: show this run instead of the newest."),
    ] = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Open it in a browser, on this machine only (needs polyctl[web]).")
    ] = False,
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="With --serve: the port.")] = 8000,
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
    if serve:
        options = [("--runs", runs), ("--registry", registry), ("--screen", screen)]
        words = [part for name, value in options if value for part in (name, str(value))]
        _serve(port, [*words, "--", expression] if expression else words)
        return
    served = "TEXTUAL_DRIVER" in os.environ  # set by textual-serve, whose sessions have no terminal
    if not served and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("the dashboard needs a terminal", "`polyctl tui --plain` prints it as text")
    from polyctl.tui.actions import load_keymap

    keymap = load_keymap()
    from polyctl.tui.app import Dashboard

    Dashboard(runs, registry, screen or "decompose", keymap, expression.strip()).run()


def _serve(port: int, options: list[str]) -> None:
    try:
        from textual_serve.server import Server
    except ImportError:
        raise UsageError("textual-serve is not installed", "pip install 'polyctl[web]'") from None
    command = shlex.join([sys.executable, "-m", "polyctl", "tui", *options])
    try:
        Server(command, host="127.0.0.1", port=port, title="polyctl").serve()
    except OSError as error:
        raise UsageError(f"port {port} cannot be used: {error.strerror}", "choose another: --port") from error
