"""Draw the pictures of docs/tui.md from the runs of a directory and the bundled model.

python docs/screens/draw.py --runs DIR [NAME ...]

DIR needs two runs of `quick`, the older one evaluated, one of `quick_bgrpo`, and an evaluated one of
`general`.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from textual.pilot import Pilot

from polyctl.tui.app import Dashboard
from polyctl.tui.panes.decompose import DecomposePane

HERE = Path(__file__).parent
STANDARD, NARROW, WIDE = (120, 40), (80, 24), (200, 60)
LIGHT = "textual-light"
TEXT = "x^6 + 9x^5 + 24x^4 + 9x^3 - 25x^2 + 6x + 3"
SECONDS = 120.0  # for a model to load and to search


@dataclass(frozen=True)
class Picture:
    """A tab as it is to be drawn: which experiments' first runs, or all, are open, and the keys pressed."""

    tab: str
    size: tuple[int, int] = STANDARD
    experiments: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    theme: str | None = None
    every: bool = False


PICTURES = {
    "decompose": Picture("decompose"),
    "decompose-narrow": Picture("decompose", NARROW),
    "decompose-tree": Picture("decompose", WIDE, keys=("tab", "t")),
    "runs": Picture("runs"),
    "runs-wide": Picture("runs", WIDE, keys=("b",)),
    "run": Picture("run", experiments=("quick",)),
    "run-narrow": Picture("run", NARROW, ("quick",)),
    "run-light": Picture("run", experiments=("quick",), theme=LIGHT),
    "run-rl": Picture("run", experiments=("quick_bgrpo",)),
    "run-compare": Picture("run", WIDE, ("quick",), ("c", "H", "v", "v"), every=True),
    "beam": Picture("beam", experiments=("general",)),
    "beam-tree": Picture("beam", experiments=("general",), keys=("t",)),
    "experiments": Picture("experiments"),
    "problems": Picture("problems", experiments=("general",), keys=("f", "s")),
    "problems-wide": Picture("problems", WIDE, ("general",), ("f",), LIGHT),
}


async def wait(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    """Wait for what threads bring about, then for the layout."""
    end = time.monotonic() + SECONDS
    while not condition() and time.monotonic() < end:
        await pilot.pause(0.05)
    await pilot.pause(1.0)


async def draw(runs: Path, picture: Picture) -> str:
    """A tab as SVG."""
    app = Dashboard(runs, start=picture.tab)
    async with app.run_test(size=picture.size) as pilot:
        if picture.theme is not None:
            app.theme = picture.theme
        await wait(pilot, lambda: app.runs.rows and all(row.summary for row in app.runs.rows))
        if picture.experiments:
            of = [row.run.name for row in app.runs.rows if row.run.experiment in picture.experiments]
            app.runs.open(of if picture.every else of[-1:])
            await wait(pilot, lambda: all(run_log.complete for run_log in app.runs.run_logs))
        pane = app.pane(picture.tab)
        if isinstance(pane, DecomposePane):
            pane.settings.method = "neural"
            pane.solve(TEXT)
            await wait(pilot, lambda: pane.search.done)
        pane.redraw()
        await pilot.pause(1.0)
        await pilot.press(*picture.keys)
        await pilot.pause(1.5)
        return app.export_screenshot(title="polyctl tui")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("names", nargs="*", metavar="NAME", help="pictures to draw, all by default")
    arguments = parser.parse_args()
    for name in arguments.names or PICTURES:
        drawn = asyncio.run(draw(arguments.runs, PICTURES[name]))
        (HERE / f"{name}.svg").write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
