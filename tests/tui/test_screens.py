"""What the screens show at three sizes, with and without colour; POLYCTL_UPDATE_SCREENS=1 rewrites."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.segment import Segment

from polyctl.algebra.parse import parse
from polyctl.solving.solve import solve
from polyctl.tui.app import Dashboard
from polyctl.tui.solver_worker import describe
from polyctl.tui.tabs import TABS
from tests.tui.shared import drive, make_predictions, make_run, screen_text, until, until_shown

SETTLE_SECONDS = 5.0 if os.environ.get("POLYCTL_UPDATE_SCREENS") else 30.0
STORED = Path(__file__).parent / "screens"
SIZES = ((120, 40), (80, 24), (60, 16))
FOOTER = {
    "decompose": "Example",
    "runs": "Mark",
    "run": "Metric",
    "beam": "Pause",
    "experiments": "Train",
    "problems": "Kind",
}
SHOWN = {
    "decompose": ["degree 4"],
    "runs": ["newest first", "0.1167"],
    "run": ["Log: "],
    "beam": ["frame "],
    "experiments": ["smoke"],
    "problems": ["known: "],
}  # what stands on a tab that is drawn
TEXT = "x^4 + 2x^3 + 3x^2 + 2x + 5"


def answers(text: str) -> list[dict]:
    """What the solving process would say."""
    f = parse(text)
    found = solve(f, method="exact")
    listed = [{**describe(s), "rank": None, "seconds": 0.25} for s in found.solutions]
    said = [{"kind": "solution", **s} for s in listed]
    done = {
        "kind": "done",
        "solutions": listed,
        "seconds": 0.5,
        "stopped": None,
        "indecomposable": found.indecomposable,
        "expanded": 15,
    }
    return [*said, {**done, "tried": [[a.method, 0.25, a.found, a.note] for a in found.tried]}]


async def show(pilot, app: Dashboard, place: str) -> None:
    """Go to a tab, and wait until everything is there."""
    await until(
        pilot,
        lambda: app.runs.rows and app.runs.rows[0].summary and app.runs.run_logs[0].complete,
        "the newest run is read",
    )
    app._go(place)
    if place == "decompose":
        app.solver.say({"kind": "ready"})
        pane = app.pane("decompose")
        pane.enter(TEXT)
        pane.solve(TEXT)
        for message in answers(TEXT):
            app.solver.say(message)
        await until(pilot, lambda: pane.search.done, "the search is over")
    app.pane(place).redraw()
    await until_shown(pilot, FOOTER[place], *SHOWN[place])


@pytest.mark.parametrize("colour", [True, False], ids=["colour", "NO_COLOR"])
@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize("place", TABS)
def test_screen(place, size, colour, tmp_path, monkeypatch):
    make_predictions(make_run(tmp_path / "runs"))
    if not colour:
        monkeypatch.setenv("NO_COLOR", "1")
    app = Dashboard()
    path = STORED / f"{place}-{size[0]}x{size[1]}.txt"
    update = bool(os.environ.get("POLYCTL_UPDATE_SCREENS")) and colour
    stored = [] if update else path.read_text(encoding="utf-8").splitlines()
    seen = []

    async def script(pilot):
        await show(pilot, app, place)
        end = time.monotonic() + SETTLE_SECONDS
        while screen_text(app).splitlines() != stored and time.monotonic() < end:
            await pilot.pause(0.02)
        seen.append(screen_text(app))
        if not colour:
            assert not list(coloured(app))

    drive(app, script, size)
    if update:
        path.write_text(seen[0] + "\n", encoding="utf-8")
    else:
        assert seen[0].splitlines() == stored


def coloured(app: Dashboard) -> Iterator[Segment]:
    """What of the screen is not grey."""
    for strip in app.screen._compositor.render_strips():
        for segment in strip:
            for colour in (segment.style and segment.style.color, segment.style and segment.style.bgcolor):
                if colour is not None and colour.triplet is not None and len(set(colour.triplet)) > 1:
                    yield segment
