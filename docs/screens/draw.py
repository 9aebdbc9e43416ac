"""Draw the pictures of docs/tui.md from the runs of a directory and the bundled model.

python docs/screens/draw.py --runs DIR [NAME ...]
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from polyctl.tui.app import Dashboard
from polyctl.tui.panes.decompose import DecomposePane

HERE = Path(__file__).parent
WIDE, NARROW = (120, 40), (80, 24)
LIGHT = "textual-light"
TEXT = "x^6 + 9x^5 + 24x^4 + 9x^3 - 25x^2 + 6x + 3"
SECONDS = 120.0  # for a model to load and to search
PICTURES = (
    *((tab, tab, WIDE, None) for tab in ("decompose", "runs", "run", "beam", "experiments", "problems")),
    ("decompose-narrow", "decompose", NARROW, None),
    ("run-narrow", "run", NARROW, None),
    ("run-light", "run", WIDE, LIGHT),
)


async def wait(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    """Wait for what threads bring about, then for the layout."""
    end = time.monotonic() + SECONDS
    while not condition() and time.monotonic() < end:
        await pilot.pause(0.05)
    await pilot.pause(1.0)


async def draw(runs: Path, tab: str, size: tuple[int, int], theme: str | None) -> str:
    """A tab as SVG."""
    app = Dashboard(runs, start=tab)
    async with app.run_test(size=size) as pilot:
        if theme is not None:
            app.theme = theme
        await wait(
            pilot, lambda: app.runs.rows and app.runs.rows[0].summary and app.runs.run_logs[0].complete
        )
        pane = app.pane(tab)
        if isinstance(pane, DecomposePane):
            pane.settings.method = "neural"
            pane.solve(TEXT)
            await wait(pilot, lambda: pane.search.done)
        pane.redraw()
        await pilot.pause(1.0)
        return app.export_screenshot(title="polyctl tui")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("names", nargs="*", metavar="NAME", help="pictures to draw, all by default")
    arguments = parser.parse_args()
    for name, tab, size, theme in PICTURES:
        if name in arguments.names or not arguments.names:
            picture = asyncio.run(draw(arguments.runs, tab, size, theme))
            (HERE / f"{name}.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
