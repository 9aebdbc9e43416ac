"""Decompose: type a polynomial, see it fall apart, every answer proved."""

from __future__ import annotations

from typing import Any

from rich.cells import cell_len
from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.events import Paste
from textual.message import Message
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from polyctl.errors import ParseError, PolyctlError
from polyctl.formatting import format_age, format_percent
from polyctl.store.runs import shipped_run
from polyctl.tui.actions import bindings
from polyctl.tui.format import clean
from polyctl.tui.panes.pane import Pane
from polyctl.tui.screens.choose import ChooseScreen
from polyctl.tui.solver_client import METHODS, cut
from polyctl.tui.widgets import solutions
from polyctl.tui.widgets.beam import beam_text
from polyctl.tui.widgets.table import Table

EXAMPLES = (
    "x^4 + 2x^3 + 3x^2 + 2x + 5",
    "x^6 + 9x^5 + 24x^4 + 9x^3 - 25x^2 + 6x + 3",
    "9x^4y^2 + 12x^3y^2z + 4x^2y^2z^2 + 3x^2y + 2xyz + 7",
    "(x y + z^2)^3 + (x y + z^2)(x^2 + w y)",
    "24a^3b^3c^3 - 16a^2b^6c - 32a^2b^5c^2 - 64ab^8 - 256ab^7c - 256ab^6c^2",
    "x^5 - x - 1",
)
DETAILS = ("proof", "latex", "sympy", "tried")
TITLES = {"proof": "Proof", "latex": "LaTeX", "sympy": "SymPy", "tried": "What was tried"}
WIDTHS = (1, 2, 5, 10, 20, 30, 50, 100)
PROMPT = "f = "
ASKED_SHOWN = 24  # characters
STOPPED = "stopped"
BEAM_STAYS = 28  # rows
SECONDS = 10.0  # after which a search ends


class OneLine(Input):
    """An input into which several lines are pasted as one."""

    def _on_paste(self, event: Paste) -> None:
        event.text = " ".join(event.text.split())  # the rest is done by Input


class DecomposePane(Pane):
    """Input, ranked solutions as they are found, the beam while it grows, and a detail."""

    BINDINGS = bindings("decompose")
    place = "decompose"

    class Parsed(Message):
        """What the parser says of a text: (words, None), or an error's words and its place."""

        def __init__(self, text: str, words: str, position: int | None, wrong: bool) -> None:
            super().__init__()
            self.text, self.words, self.position, self.wrong = text, words, position, wrong

    def __init__(self) -> None:
        super().__init__()
        self.method, self.inners, self.width = "auto", 0, 10
        self.wanted: str | None = None  # the run whose model is used; None: the first there is
        self.ready = self.torch = self.busy = False
        self.solutions: list[dict[str, Any]] = []
        self.frame: dict[str, Any] | None = None
        self.before: dict[str, Any] | None = None
        self.done: dict[str, Any] | None = None
        self.problem: str | None = None
        self.asked = ""  # what the answers below are of
        self.detail = "proof"
        self.history: list[str] = []
        self._draft = ""  # the line being typed, while an older one is looked at
        self._at = 0  # place in the history; its length means the line being typed
        self._example = -1

    def compose(self) -> ComposeResult:
        with Horizontal(id="question"):
            yield Static(PROMPT, id="prompt", markup=False)
            hint = "a polynomial, such as x^4 + 2x^2 - 3   (F7: an example)"
            yield OneLine(placeholder=hint, compact=True, select_on_focus=False)
        yield Static("", id="parsed", markup=False)
        yield Static("", id="settings", markup=False)
        yield Table(id="solutions")
        yield Static("", id="growing", markup=False)
        with VerticalScroll(id="detail"):
            yield Static("", id="detail-text", markup=False)

    def on_mount(self) -> None:
        self._settings()
        self._table()
        self._detail()

    def arrive(self) -> None:
        self.query_one(Input).focus()

    def on_resize(self) -> None:
        self._settings()
        self._table()
        self._beam()

    # -- typing

    def on_input_changed(self, event: Input.Changed) -> None:
        self._parse(event.value)
        self._settings()

    @work(thread=True, exclusive=True, group="parse", exit_on_error=False)
    def _parse(self, text: str) -> None:
        worker = get_current_worker()
        words, position, wrong = "", None, False
        if text.strip():
            from polyctl.algebra.parse import parse
            from polyctl.algebra.polynomial import degree, variables_used

            try:
                f = parse(text)
                count = len(variables_used(f))
                words = (
                    f"degree {max(degree(f), 0)}, {len(f)} term{'s' * (len(f) != 1)}, "
                    f"{count} variable{'s' * (count != 1)}"
                )
            except ParseError as error:
                words = error.message + (f" ({error.hint})" if error.hint else "")
                position, wrong = error.position, True
            except PolyctlError as error:
                words, wrong = error.message, True
        if not worker.is_cancelled:
            self.post_message(self.Parsed(text, words, position, wrong))

    def on_decompose_pane_parsed(self, event: Parsed) -> None:
        entry = self.query_one(Input)
        if event.text != entry.value:
            return
        column = 0
        if event.position is not None:
            column = cell_len(event.text[: event.position]) - int(entry.scroll_offset.x)
        column = len(PROMPT) + max(0, min(column, max(entry.size.width - 1, 0)))
        caret = " " * column + "^\n" if event.position is not None else "\n"
        words = ("✗ " if event.wrong else "✓ ") + event.words if event.words else ""
        style = "red" if event.wrong else "green"
        self.query_one("#parsed", Static).update(Text(caret + clean(words), style=style))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.solve(event.value)

    def solve(self, text: str) -> None:
        """Begin the search for decompositions of a text."""
        if not text.strip():
            return
        if self.query_one(Input).value != text:
            self._enter(text)
        if self.busy:
            self.dashboard.solver.cancel()
        if not self.history or self.history[-1] != text:
            self.history.append(text)
        self._at, self._draft, self.asked = len(self.history), "", text
        self.solutions, self.frame, self.before, self.done, self.problem = [], None, None, None, None
        self.busy = True
        self.query_one(Table).clear()  # the cursor goes back to the best answer
        self.dashboard.solver.submit(
            text,
            method=self.method,
            inners=self.inners or None,
            width=self.width,
            limit=SECONDS,
            run=self.wanted,
        )
        self._show()

    # -- what the solving process says

    def hear(self, message: dict[str, Any]) -> None:
        """A message of the solving process."""
        kind = message["kind"]
        if message.get("id") not in (None, self.dashboard.solver.request):
            return  # it was on its way when the search it is of was given up
        if kind == "ready":
            self.ready = True
        elif kind == "torch":
            self.torch = True
        elif kind == "solution":
            self.solutions.append({**message, "number": len(self.solutions)})
            self.solutions.sort(key=solutions.order)
            self._table()
            self._detail()
        elif kind == "beam":
            self.before, self.frame = self.frame, message
        elif kind in ("done", "error", "died"):
            self.busy = False
            if kind == "done":
                self.done = message
            else:
                hint = message.get("hint")
                self.problem = message["message"] + (f" ({hint})" if hint else "")
            self._detail()
        if kind in ("beam", "solution", "done"):
            self._beam()
        self._settings()

    # -- drawing

    def _show(self) -> None:
        self._settings()
        self._table()
        self._beam()
        self._detail()

    def redraw(self) -> None:
        """Runs may have come or gone."""
        self._settings()

    def _settings(self) -> None:
        wide = self.size.width >= 100
        model = self.wanted or next((name for name, _ in self._models()), None)
        parts = [
            f"method {self.method}",
            f"inners {'any' if not self.inners else f'≤ {self.inners}'}",
            f"beam {self.width}",
        ]
        if not self.ready:
            parts.append("solver is starting")
        elif model is None:
            parts.append("no model: solvers only" + ("; `polyctl train quick` makes one" if wide else ""))
        else:
            parts.append(f"model {model}" + ("" if self.torch else ", torch is loading"))
        text = Text(" · ".join(parts), style="dim", no_wrap=True, overflow="ellipsis")
        self.query_one("#settings", Static).update(Text.assemble(self._state(), "  ", text))

    def _state(self) -> Text:
        if self.busy:
            return Text("… searching, Esc stops", style="bold cyan")
        if self.problem is not None and self.problem.startswith(STOPPED):
            return Text(f"■ {clean(self.problem)}", style="yellow")
        if self.problem is not None:
            return Text(f"✗ {clean(self.problem)}", style="red")
        if self.done is None:
            return Text("Enter decomposes")
        if self.query_one(Input).value != self.asked:
            return Text(f"below: {clean(_short(self.asked))}", style="yellow")
        verified = sum(s["status"] == "verified" for s in self.solutions)
        seconds = f"{self.done['seconds']:.2g} s"
        if self.done["indecomposable"]:
            return Text(f"✓ indecomposable, proved in {seconds}", style="green")
        if not verified:
            stopped = self.done["stopped"]
            return Text(f"○ none found in {seconds}{f' ({stopped})' if stopped else ''}", style="yellow")
        return Text(f"✓ {verified} verified in {seconds}", style="green")

    def _table(self) -> None:
        table = self.query_one(Table)
        table.head(solutions.columns(self.size.width))
        rows = solutions.rows(self.solutions, self.size.width)
        at_best = table.cursor_row == 0
        table.fill(rows)
        if rows and (at_best or not table.has_focus):  # who has not chosen another answer sees the best one
            table.move_cursor(row=0)

    def _beam(self) -> None:
        growing = self.query_one("#growing", Static)
        # once its answers are in the table, the room it takes is the detail's, where there is little
        growing.display = self.frame is not None and (self.busy or self.size.height >= BEAM_STAYS)
        if self.frame is None:
            return
        verdicts = {s["logprob"]: s["status"] for s in self.solutions if s["logprob"] is not None}
        finished = [
            {**h, "status": verdicts.get(h["logprob"], "waiting" if self.busy else "left out")}
            for h in self.frame["finished"]
        ]
        growing.border_title = f"Beam, step {self.frame['step']}"
        shown = {**self.frame, "finished": finished}
        growing.update(beam_text(shown, self.before, self.size.width - 4, 8))

    def on_data_table_row_highlighted(self) -> None:
        self._detail()

    @property
    def chosen(self) -> dict[str, Any] | None:
        """The solution under the cursor."""
        key = self.query_one(Table).key
        return next((s for s in self.solutions if str(s["number"]) == key), None)

    def _detail(self) -> None:
        box = self.query_one("#detail", VerticalScroll)
        box.border_title = TITLES[self.shown]
        lines = self.detail_text().split("\n")
        self.query_one("#detail-text", Static).update(Text("\n".join(map(cut, lines))))

    @property
    def shown(self) -> str:
        """The detail that is seen: without an answer, what was tried."""
        return "tried" if self.chosen is None and self.done is not None else self.detail

    def detail_text(self) -> str:
        """What the detail pane shows, very long lines cut, and copies whole."""
        solution = self.chosen
        if self.shown == "tried":
            return self._tried()
        if solution is None:
            return WELCOME if not self.busy and self.problem is None else ""
        text = str(solution[self.detail])
        if self.detail == "proof":
            more = [f"found by {solutions.source(solution)} after {solution['seconds']:.2g} s"]
            if solution["weak"]:
                more.append("it says little: a factorisation, or variables stand among the inners")
            if solution["complexity"] is not None:
                expanded = f", expanded form {self.done['expanded']}" if self.done else ""
                more.append(f"complexity {solution['complexity']} ({solution['leaves']} leaves){expanded}")
            text += "\n" + "\n".join(more)
        return text

    def _tried(self) -> str:
        if self.done is None:
            return "nothing tried yet" if not self.busy else "still searching"
        lines = [
            f"{method}: {found} found, {seconds:.2g} s{f': {note}' if note else ''}"
            for method, seconds, found, note in self.done["tried"]
        ]
        if self.done["indecomposable"]:
            lines.append(f"indecomposable: {self.done['indecomposable']}")
        return "\n".join(lines)

    # -- actions

    def action_edit(self) -> None:
        self.query_one(Input).focus()

    def action_example(self) -> None:
        self._example = (self._example + 1) % len(EXAMPLES)
        self.solve(EXAMPLES[self._example])

    def _enter(self, text: str) -> None:
        entry = self.query_one(Input)
        entry.value = text
        entry.cursor_position = len(text)

    def action_history_back(self) -> None:
        self._history(-1)

    def action_history_forward(self) -> None:
        if self._at >= len(self.history):
            self.query_one(Table).focus()
        else:
            self._history(1)

    def _history(self, step: int) -> None:
        value = self.query_one(Input).value
        if self._at == len(self.history):
            self._draft = value
        at = self._at + step
        if 0 <= at < len(self.history) and self.history[at] == value:
            at += step
        if 0 <= at <= len(self.history):
            self._at = at
            self._enter(self.history[at] if at < len(self.history) else self._draft)

    def action_method(self) -> None:
        names = list(METHODS)
        self.method = names[(names.index(self.method) + 1) % len(names)]
        self._settings()

    def action_more_inners(self) -> None:
        self.inners = min(self.inners + 1, 8)
        self._settings()

    def action_fewer_inners(self) -> None:
        self.inners = max(self.inners - 1, 0)
        self._settings()

    def action_wider(self) -> None:
        self.width = next((w for w in WIDTHS if w > self.width), WIDTHS[-1])
        self._settings()

    def action_narrower(self) -> None:
        self.width = next((w for w in reversed(WIDTHS) if w < self.width), WIDTHS[0])
        self._settings()

    def _models(self) -> list[tuple[str, str]]:
        """(run, what is known of it) of every model, the shipped one first and then the newest."""
        found = []
        shipped = shipped_run()
        if shipped.has_checkpoint:
            found.append((shipped.name, "  shipped with polyctl"))
        for row in self.dashboard.rows:
            if row.has_model and row.run.name not in dict(found):
                s = row.summary
                said = f"  verified {format_percent(s.accuracy)}, {format_age(s.updated)} ago" if s else ""
                found.append((row.run.name, said))
        return found

    def action_model(self) -> None:
        models = self._models()
        if not models:
            self.app.notify("no run has a model yet: `polyctl train quick` makes one", markup=False)
            return
        names = [name for name, _ in models]
        lines = [clean(name) + said for name, said in models]

        def choose(at: int | None) -> None:
            if at is not None:
                self.wanted = names[at]
                self._settings()

        at = names.index(self.wanted) if self.wanted in names else 0
        self.app.push_screen(ChooseScreen("The model of", lines, at), choose)

    def action_cancel(self) -> None:
        if not self.busy:
            self.query_one(Table).focus()
            return
        self.busy, self.ready, self.torch = False, False, False
        self.problem = f"{STOPPED}; what was found is below" if self.solutions else STOPPED
        self.dashboard.solver.cancel()
        self._show()

    def action_detail(self) -> None:
        self.detail = DETAILS[(DETAILS.index(self.detail) + 1) % len(DETAILS)]
        self._detail()

    def action_copy(self) -> None:
        text = self.detail_text()
        self.app.copy_to_clipboard(text)
        self.app.notify(f"copied: {TITLES[self.shown]}, {len(text):,} characters", markup=False)


def _short(text: str) -> str:
    return text if len(text) <= ASKED_SHOWN else f"{text[: ASKED_SHOWN - 1]}…"


WELCOME = """Type a polynomial and press Enter, or F7 for an example: f = g(h) is looked for, and proved.
x^4 + 2x^2 - 3, 2 x y, 3(x+1)^2, 1/2 x, x_1, x² and LaTeX are read."""
