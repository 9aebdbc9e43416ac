"""The tab Decompose as text: what it says of an input, of a search and of its answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from polyctl.errors import ParseError, PolyctlError, UsageError
from polyctl.tui.format import clean, shorten
from polyctl.tui.search_state import UNREADABLE, SearchSettings, SearchState
from polyctl.tui.views.solutions import format_source

EXAMPLES = (
    "x^4 + 2x^3 + 3x^2 + 2x + 5",
    "x^6 + 9x^5 + 24x^4 + 9x^3 - 25x^2 + 6x + 3",
    "9x^4y^2 + 12x^3y^2z + 4x^2y^2z^2 + 3x^2y + 2xyz + 7",
    "(x y + z^2)^3 + (x y + z^2)(x^2 + w y)",
    "24a^3b^3c^3 - 16a^2b^6c - 32a^2b^5c^2 - 64ab^8 - 256ab^7c - 256ab^6c^2",
    "x^5 - x - 1",
)
WELCOME = """Type a polynomial and press Enter, or F7 for an example.
polyctl searches for f = g(h) and proves every answer.
x^4 + 2x^2 - 3, 2 x y, 3(x+1)^2, 1/2 x, x_1, x² and LaTeX can be typed."""
DETAILS = {
    "proof": "Proof",
    "latex": "LaTeX",
    "sympy": "SymPy",
    "tried": "What was tried",
    "pinned": "Pinned",
}
INTERNAL = ("kind", "id", "number", "rank_key", "forms")  # of an answer: what only the dashboard needs
ASKED_SHOWN = 24  # characters
MEANT_WIDTH = 40
LEAST_NAME = 15  # columns of a model's name: general/shipped


@dataclass(frozen=True)
class Reading:
    """What the parser makes of a text: its description, or the mistake and its place.

    What is `doubtful` can be read, but was probably meant in another way.
    """

    text: str
    message: str = ""
    position: int | None = None
    wrong: bool = False
    doubtful: bool = False


def read_input(text: str) -> Reading:
    """Parse a text far enough to describe it."""
    if not text.strip():
        return Reading(text)
    from polyctl.algebra.polynomial import degree, names, variables_used
    from polyctl.algebra.questions import with_carets
    from polyctl.algebra.reading import read

    try:
        reading = read(text)
    except ParseError as error:
        message = error.message + (f" ({error.hint})" if error.hint else "")
        return Reading(text, message, error.position, wrong=True)
    except PolyctlError as error:
        return Reading(text, error.message, wrong=True)
    f = reading.polynomial
    occurring = [names(f)[at] for at in variables_used(f)]
    count, parameters = len(occurring), [name for name in occurring if name not in reading.main]
    message = (
        f"degree {max(degree(f), 0)}, {len(f)} term{'s' * (len(f) != 1)}, "
        f"{count} variable{'s' * (count != 1)}"
    )
    if reading.main and parameters and len(parameters) < count:
        message += f": in {', '.join(reading.main)}, parameters {', '.join(parameters)}"
    meant = with_carets(text)
    if meant is not None and (degree(f) < 2 or any(_is_power(name, occurring) for name in occurring)):
        return Reading(text, f"{message}; do you mean {shorten(meant, MEANT_WIDTH)}?", doubtful=True)
    if degree(f) < 2:
        return Reading(text, f"{message}: too low to be decomposed", doubtful=True)
    return Reading(text, message)


def _is_power(name: str, names: list[str]) -> bool:
    """Whether a variable such as x2 stands beside x."""
    return name[:-1] in names and name[-1] in "23456789"


def format_reading(reading: Reading, column: int) -> Text:
    """The caret under that column if there is a mistake, and the message below it."""
    caret = " " * column + "^\n" if reading.position is not None else "\n"
    sign, colour = ("✗", "red") if reading.wrong else ("?", "yellow") if reading.doubtful else ("✓", "green")
    return Text(caret + clean(f"{sign} {reading.message}" if reading.message else ""), style=colour)


@dataclass(frozen=True)
class Model:
    """The model that a search asks, if there is one, and how far the solving process is.

    `loading` says that a model is being loaded, `loaded` which run's is.
    """

    run: str | None
    ready: bool
    loading: bool
    loaded: str | None

    def describe(self, room: int) -> str:
        """What is known of it, in so many columns if possible; no fewer than LEAST_NAME for its name."""
        if not self.ready:
            return "solver is starting"
        if self.run is None:
            said = "no model: `polyctl train quick` makes one"
            return said if len(said) <= room else "no model"
        state = ", loading" if self.loading else ", loaded" if self.loaded == self.run else ""
        name = shorten(clean(self.run), max(LEAST_NAME, room - len(f"model {state}")))
        return f"model {name}{state}"


def describe_settings(settings: SearchSettings, model: Model, room: int) -> str:
    """How the next search will be made, in so many columns: the model's name loses its middle first."""
    method, beam = f"method {settings.method} · ", f"beam {settings.width} · "
    inners = f"inners {f'≤ {settings.inners}' if settings.inners else 'any'} · "
    main = f"in {', '.join(settings.main)} · " if settings.main else ""
    for before in (method + main + inners + beam, method + main + beam, method + main, method):
        known = model.describe(room - len(before))
        if len(before) + len(known) <= room:
            return before + known
    return model.describe(room)


def format_state(search: SearchState, typed: str, loading: bool = False) -> Text:
    """How a search stands, in a few words; `typed` is what stands in the input now."""
    if search.busy and loading:
        return Text("… the model is loading, Esc stops", style="bold cyan")
    if search.busy:
        return Text("… searching, Esc stops", style="bold cyan")
    if search.stopped:
        return Text("■ stopped" + ("; what was found is below" if search.solutions else ""), style="yellow")
    if search.problem is not None:
        return Text(f"✗ {clean(search.problem)}", style="red")
    if search.done is None:
        return Text("Enter decomposes")
    if typed != search.asked:
        return Text(f"below: {clean(_shorten_end(search.asked))}", style="yellow")
    seconds = f"{search.done['seconds']:.2g} s"
    if search.done["indecomposable"]:
        return Text(f"✓ indecomposable, proved in {seconds}", style="green")
    if search.weak and not search.verified:
        return Text(f"✓ {search.weak} verified, but weak, in {seconds}", style="yellow")
    if not search.verified:
        stopped = search.done["stopped"]
        return Text(f"○ none found in {seconds}{f' ({stopped})' if stopped else ''}", style="yellow")
    weak = f", {search.weak} weak," if search.weak else ""
    return Text(f"✓ {search.verified} verified{weak} in {seconds}", style="green")


def describe_detail(search: SearchState, solution: dict[str, Any] | None, detail: str) -> str:
    """The detail of a chosen answer, whole; without one the welcome, or nothing."""
    if detail == "tried":
        return describe_tried(search)
    if solution is None:
        if search.problem is not None and search.problem != UNREADABLE:
            return search.problem
        return "" if search.busy or search.stopped or search.problem is not None else WELCOME
    text = str(solution[detail])
    if detail != "proof":
        return text
    lines = [text, f"found by {format_source(solution)} after {solution['seconds']:.2g} s"]
    if solution["reservation"]:
        lines.append(solution["reservation"])
    lines += solution.get("forms", ())
    if solution["complexity"] is not None:
        expanded = f", expanded form {search.done['expanded']}" if search.done else ""
        lines.append(f"complexity {solution['complexity']} ({solution['leaves']} leaves){expanded}")
    lines += [*search.forms, *search.notes]
    return "\n".join(lines)


def describe_tried(search: SearchState) -> str:
    """A line for each method that was tried, and the proof that there is no decomposition."""
    if search.done is None:
        return "still searching" if search.busy else "nothing tried yet"
    lines = [
        f"{method}: {found} found, {seconds:.2g} s{f': {note}' if note else ''}"
        for method, seconds, found, note in search.done["tried"]
    ]
    if search.done["indecomposable"]:
        lines.append(f"indecomposable: {search.done['indecomposable']}")
    lines += [*search.forms, *search.notes]
    return "\n".join(lines)


def export_answers(search: SearchState, suffix: str) -> str:
    """All answers as the text of a file: .json, .tex, .py (SymPy) or .txt; UsageError for another suffix."""
    if suffix == ".json":
        shown = ({k: v for k, v in s.items() if k not in INTERNAL} for s in search.solutions)
        return json.dumps({"input": search.asked, "solutions": list(shown)}, indent=2) + "\n"
    detail, comment = {".tex": ("latex", "%"), ".py": ("sympy", "#"), ".txt": ("proof", "")}.get(
        suffix, (None, "")
    )
    if detail is None:
        raise UsageError(f"a file of answers cannot end in {suffix!r}", "use .json, .tex, .py or .txt")
    blocks = []
    for number, solution in enumerate(search.solutions, 1):
        status = "weak" if solution["weak"] else solution["status"]
        head = f"{number}. {status}, {format_source(solution)}"
        blocks.append(f"{comment} {head}".lstrip() + f"\n{solution[detail]}")
    head = f"{comment} f = {' '.join(search.asked.split())}".lstrip()
    return "\n\n".join([head, *blocks]) + "\n"


def _shorten_end(text: str) -> str:
    return text if len(text) <= ASKED_SHOWN else f"{text[: ASKED_SHOWN - 1]}…"
