"""What the screens show at three sizes, with and without colour; POLYCTL_UPDATE_SCREENS=1 rewrites."""

import os
from pathlib import Path

import pytest

from polyctl.algebra.parse import parse
from polyctl.solve import solve
from polyctl.tui.actions import TABS
from polyctl.tui.app import Dashboard
from polyctl.tui.solving import describe
from tests.tui.shared import drive, screen_text, until

STORED = Path(__file__).parent / "screens"
SMALL = (60, 16)
SIZES = ((120, 40), (80, 24), SMALL)
FOOTER = {"decompose": "Example", "runs": "Mark", "run": "Metric", "beam": "Pause", "experiments": "Train"}
TEXT = "x^4 + 2x^3 + 3x^2 + 2x + 5"


def answers(text: str) -> list[dict]:
    """What the solving process would say."""
    f = parse(text)
    found = solve(f, methods=("exact",))
    said = [{"kind": "solution", **describe(f, s), "rank": None, "seconds": 0.25} for s in found.solutions]
    done = {
        "kind": "done",
        "seconds": 0.5,
        "stopped": None,
        "indecomposable": found.indecomposable,
        "expanded": 15,
    }
    return [*said, {**done, "tried": [[a.method, 0.25, a.found, a.note] for a in found.tried]}]


async def show(pilot, app: Dashboard, place: str) -> str:
    """The text of a tab once everything is there."""
    await until(pilot, lambda: app.rows and app.histories and app.histories[0].complete)
    app._go(place)
    if place == "decompose":
        app.solver.say({"kind": "ready", "model": None})
        pane = app.pane("decompose")
        pane._enter(TEXT)
        pane.solve(TEXT)
        for message in answers(TEXT):
            app.solver.say(message)
        await until(pilot, lambda: pane.done and "degree 4" in screen_text(app))
    await until(pilot, lambda: app.pane(place)._drawn is not None if place == "run" else True)
    app.pane(place).redraw()
    await until(pilot, lambda: FOOTER[place] in screen_text(app).splitlines()[-1])
    await until(pilot, lambda: place != "runs" or ": complete" in screen_text(app))
    size = f"{app.size.width}x{app.size.height}"
    stored = STORED / f"{place}-{size}.txt"
    if not os.environ.get("POLYCTL_UPDATE_SCREENS"):  # what is still being laid out has its time
        expected = stored.read_text(encoding="utf-8").splitlines()
        for _ in range(150):
            if screen_text(app).splitlines() == expected:
                break
            app.screen.refresh(layout=True)
            await pilot.pause(0.02)
    return screen_text(app)


def without_bar(text: str, width: int) -> list[str]:
    """The lines without the last two columns, where a scrollbar's length depends on when it was drawn."""
    return [line[: width - 2].rstrip() for line in text.splitlines()]


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize("place", TABS)
def test_screen(place, size, dashboard):
    seen = []

    async def script(pilot):
        seen.append(await show(pilot, dashboard, place))

    drive(dashboard, script, size)
    path = STORED / f"{place}-{size[0]}x{size[1]}.txt"
    if os.environ.get("POLYCTL_UPDATE_SCREENS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(seen[0] + "\n", encoding="utf-8")
    drawn, stored = (without_bar(t, size[0]) for t in (seen[0], path.read_text(encoding="utf-8")))
    if (place, size) == ("experiments", SMALL):  # the box of processes may leave the table a row more or less
        drawn, stored = ([*lines[:9], lines[-1]] for lines in (drawn, stored))
    assert drawn == stored


@pytest.mark.parametrize("place", TABS)
def test_without_colour_the_same_is_said(place, dashboard, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    app = Dashboard()

    async def script(pilot):
        text = await show(pilot, app, place)
        stored = (STORED / f"{place}-80x24.txt").read_text(encoding="utf-8")
        assert without_bar(text, 80) == without_bar(stored, 80)
        for strip in app.screen._compositor.render_strips():
            for segment in strip:
                for colour in (
                    segment.style and segment.style.color,
                    segment.style and segment.style.bgcolor,
                ):
                    if colour is not None and colour.triplet is not None:
                        assert len(set(colour.triplet)) == 1, (segment, colour)

    drive(app, script, (80, 24))
