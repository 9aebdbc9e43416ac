"""What the screens show at five sizes, and without colour; POLYCTL_UPDATE_SCREENS=1 rewrites."""

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
from tests.tui.shared import (
    drive,
    make_predictions,
    make_run,
    reinforced_events,
    screen_text,
    until,
    until_shown,
)

SETTLE_SECONDS = 5.0 if os.environ.get("POLYCTL_UPDATE_SCREENS") else 30.0
STORED = Path(__file__).parent / "screens"
SIZES = ((120, 40), (80, 24), (60, 16), (140, 40), (200, 60))
LEAST_CONTRAST = 3.5  # of text and its background (WCAG 2.2, relative luminance)
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


@pytest.mark.parametrize("place", TABS)
def test_screen(place, tmp_path):
    make_predictions(make_run(tmp_path / "runs"))
    compare(place, place, SIZES, legible)


@pytest.mark.parametrize("place", TABS)
def test_a_small_screen_without_colour(place, tmp_path, monkeypatch):
    make_predictions(make_run(tmp_path / "runs"))
    monkeypatch.setenv("NO_COLOR", "1")

    def check(app):
        assert not list(coloured(app))

    compare(place, place, [(60, 16)], check, update=False)


@pytest.mark.parametrize("place", ["run", "beam"])
def test_screen_of_reinforcement_learning(place, tmp_path):
    make_run(tmp_path / "runs", "quick_bgrpo/20251009-085320", reinforced_events())
    compare(place, f"{place}-rl", [(80, 24), (120, 40), (200, 60)])


@pytest.mark.parametrize("place", TABS)
def test_another_theme_changes_colours_alone(place, tmp_path):
    make_predictions(make_run(tmp_path / "runs"))
    compare(place, place, [(120, 40)], legible, theme="textual-light", update=False)


def compare(place, name, sizes, check=lambda app: None, theme=None, update=True):
    """Show a tab in all sizes, one after the other in one dashboard, which starts in the first.

    Its text is compared with what is stored under the name; `check` sees what else is to hold.
    """
    app = Dashboard()
    update = update and bool(os.environ.get("POLYCTL_UPDATE_SCREENS"))
    paths = {size: STORED / f"{name}-{size[0]}x{size[1]}.txt" for size in sizes}
    stored = {} if update else {size: p.read_text(encoding="utf-8").splitlines() for size, p in paths.items()}
    seen = {}

    async def script(pilot):
        if theme is not None:
            app.theme = theme
        await show(pilot, app, place)
        for size in sizes:
            if seen:
                await pilot.resize_terminal(*size)
            end = time.monotonic() + SETTLE_SECONDS
            while screen_text(app).splitlines() != stored.get(size) and time.monotonic() < end:
                await pilot.pause(0.02)
            seen[size] = screen_text(app)
            check(app)

    drive(app, script, sizes[0])
    for size, text in seen.items():
        if update:
            paths[size].write_text(text + "\n", encoding="utf-8")
        else:
            assert text.splitlines() == stored[size], size


def legible(app: Dashboard) -> None:
    """All text can be read."""
    pale = {(text, colour, ground, round(ratio, 2)) for text, colour, ground, ratio in contrasts(app)}
    assert {one for one in pale if one[3] < LEAST_CONTRAST} == set()


def contrasts(app: Dashboard) -> Iterator[tuple[str, str, str, float]]:
    """Each text of the screen with its colours and their contrast, 1 to 21; frames are left out."""
    for strip in app.screen._compositor.render_strips():
        for segment in strip:
            style = segment.style
            if not any(c.isalnum() for c in segment.text) or style is None:
                continue
            colours = [style.bgcolor, style.color] if style.reverse else [style.color, style.bgcolor]
            if all(colour is not None and colour.triplet is not None for colour in colours):
                front, back = (luminance(colour.triplet) for colour in colours)
                ratio = (max(front, back) + 0.05) / (min(front, back) + 0.05)
                yield segment.text, *(colour.triplet.hex for colour in colours), ratio


def luminance(colour: tuple[int, int, int]) -> float:
    """The relative luminance of a colour, 0 to 1."""
    shares = [value / 255 for value in colour]
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def coloured(app: Dashboard) -> Iterator[Segment]:
    """What of the screen is not grey."""
    for strip in app.screen._compositor.render_strips():
        for segment in strip:
            for colour in (segment.style and segment.style.color, segment.style and segment.style.bgcolor):
                if colour is not None and colour.triplet is not None and len(set(colour.triplet)) > 1:
                    yield segment
