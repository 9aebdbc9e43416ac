"""Decompose: type a polynomial and watch it being decomposed, every answer proved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.containers import Container, Horizontal, VerticalScroll
from textual.message import Message
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from polyctl.errors import PolyctlError
from polyctl.formatting import cut_text, format_age, format_percent
from polyctl.store.files import write_atomic
from polyctl.store.runs import shipped_run
from polyctl.tui.actions import history_path, make_bindings
from polyctl.tui.format import clean
from polyctl.tui.input_history import InputHistory
from polyctl.tui.panes.host import NO_FILES, Host
from polyctl.tui.panes.pane import BESIDE
from polyctl.tui.panes.pin_pane import PinPane
from polyctl.tui.pinned import Pin
from polyctl.tui.screens.choose import ChooseScreen
from polyctl.tui.search_state import SearchSettings, SearchState
from polyctl.tui.views.beam import format_beam
from polyctl.tui.views.beam_tree import format_tree, token_logprobs
from polyctl.tui.views.decompose import (
    DETAILS,
    EXAMPLES,
    Model,
    Reading,
    describe_detail,
    describe_settings,
    export_answers,
    format_reading,
    format_state,
    read_input,
)
from polyctl.tui.views.pinned import format_pinned
from polyctl.tui.views.solutions import format_solutions
from polyctl.tui.widgets.ask import Ask
from polyctl.tui.widgets.entry import Entry
from polyctl.tui.widgets.table import Table

PROMPT = "f = "
BEAM_STAYS = 28  # rows from which on the beam keeps its place when the search is over


class DecomposePane(PinPane):
    """Input, ranked solutions as they are found, the beam while it grows, and a detail."""

    BINDINGS = make_bindings("decompose")

    class Parsed(Message):
        """What the parser makes of the text in the input."""

        def __init__(self, reading: Reading) -> None:
            super().__init__()
            self.reading = reading

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.settings = SearchSettings()
        self.search = SearchState()
        self.inputs = InputHistory(history_path())
        self.detail = "proof"
        self.as_tree = False  # whether the beam is shown as one
        self._model = Model(None, ready=False, loading=False, loaded=None)
        self._example = -1

    def compose(self) -> ComposeResult:
        with Horizontal(id="question"):
            yield Static(PROMPT, id="prompt", markup=False)
            hint = "a polynomial, such as x^4 + 2x^2 - 3   (F7: an example)"
            yield Entry(placeholder=hint, compact=True, select_on_focus=False)
        yield Static("", id="parsed", markup=False)
        yield Static("", id="settings", markup=False)
        with Container(id="answers"):
            yield Table(id="solutions")
            yield Static("", id="growing", markup=False)
            with VerticalScroll(id="detail"):
                yield Static("", id="detail-text", markup=False)
        yield Ask(id="decompose-ask")

    def on_mount(self) -> None:
        self._draw_state()
        self._draw_table()
        self._draw_detail()

    def arrive(self) -> None:
        self.query_one("#question Input", Input).focus()

    def on_resize(self) -> None:
        self.query_one("#answers").set_class(self.size.width >= BESIDE, "beside")
        self._draw_state()
        self._draw_table()
        self._draw_beam()

    # -- typing

    def on_input_changed(self, event: Input.Changed) -> None:
        self._parse(event.value)
        self._draw_state()

    @work(thread=True, exclusive=True, group="parse", exit_on_error=False)
    def _parse(self, text: str) -> None:
        worker = get_current_worker()
        reading = read_input(text)
        if not worker.is_cancelled:
            self.post_message(self.Parsed(reading))

    def on_decompose_pane_parsed(self, event: Parsed) -> None:
        entry, reading = self.query_one("#question Input", Input), event.reading
        if reading.text != entry.value:
            return
        column = 0
        if reading.position is not None:
            column = cell_len(reading.text[: reading.position]) - int(entry.scroll_offset.x)
        column = len(PROMPT) + max(0, min(column, max(entry.size.width - 1, 0)))
        self.query_one("#parsed", Static).update(format_reading(reading, column))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self._begin(event.value)  # the input may hold what was typed since

    def enter(self, text: str) -> None:
        """Write a text into the input."""
        entry = self.query_one("#question Input", Input)
        entry.value = text
        entry.cursor_position = len(text)

    def solve(self, text: str) -> None:
        """Begin the search for decompositions of a text."""
        if text.strip():
            self.enter(text)
            self._begin(text)

    def _begin(self, text: str) -> None:
        if not text.strip():
            return
        if self.search.busy:
            self.host.solver.cancel()
        self.postpone_pinned()
        self.inputs.add(text)
        self.search = SearchState.begin(text)
        self.query_one(Table).clear()  # the cursor goes back to the best answer
        self.host.solver.submit(text, **self.settings.to_request())
        self._draw()

    def receive(self, message: dict[str, Any]) -> None:
        """Take over a message of the solving process."""
        if message.get("id") not in (None, self.host.solver.request):
            return  # it was on its way when the search it is of was given up
        if self.receive_pinned(message):
            return
        kind = message["kind"]
        if kind in ("ready", "died"):
            self._model = replace(self._model, ready=kind == "ready", loading=False, loaded=None)
        elif kind in ("loading", "loaded"):
            self._model = replace(self._model, loading=kind == "loading", loaded=message.get("run"))
        self.search.receive(message)
        if kind in ("solution", "done"):
            self._draw_table()
        if kind in ("solution", "done", "error", "died"):
            self._draw_detail()
        if kind in ("beam", "solution", "done"):
            self._draw_beam()
        self._draw_state()
        if kind in ("done", "error", "died"):
            self.ask_pinned()

    @property
    def searching(self) -> bool:
        return self.search.busy

    # -- drawing

    def matters(self, action: str) -> bool:
        if action == "cancel":
            return self.search.busy
        if action in ("export", "copy"):
            return bool(self.search.solutions)
        if action == "detail":
            return self.search.done is not None or self.pin is not None
        if action == "tree":
            return bool(self.search.frames)
        return action != "pin" or self.pin is not None or bool(self.search.asked)

    def _draw(self) -> None:
        self._draw_state()
        self._draw_table()
        self._draw_beam()
        self._draw_detail()

    def redraw(self) -> None:
        """Runs may have come or gone."""
        self._draw_state()

    def _draw_state(self) -> None:
        state = format_state(self.search, self.query_one("#question Input", Input).value, self._model.loading)
        run = self.settings.run or next((name for name, _ in self._models()), None)
        model = replace(self._model, run=run)
        room = self.size.width - state.cell_len - 2
        settings = Text(
            describe_settings(self.settings, model, room), style="dim", no_wrap=True, overflow="ellipsis"
        )
        self.query_one("#settings", Static).update(Text.assemble(state, "  ", settings))
        self.show_keys()

    def _draw_table(self) -> None:
        table = self.query_one(Table)
        labels, rows = format_solutions(self.search.solutions, self.list_width)
        at_best = table.cursor_row == 0
        table.fill(labels, rows)
        if rows and (at_best or not table.has_focus):  # who has not chosen another answer sees the best one
            table.move_cursor(row=0)

    def _draw_beam(self) -> None:
        growing, frame = self.query_one("#growing", Static), self.search.judged_frame()
        # once its answers are in the table, the room it takes is the detail's if there is little
        growing.display = frame is not None and (self.search.busy or self.size.height >= BEAM_STAYS)
        if frame is not None:
            growing.border_title = self.search.describe_frame()
            growing.set_class(self.as_tree, "tree")
            width = self.size.width - 4
            if self.as_tree:
                seen = token_logprobs(
                    self.search.frames[max(0, self.search.here - 100) : self.search.here + 1]
                )
                growing.update(format_tree(frame, seen, width))
            else:
                growing.update(format_beam(frame, self.search.before, width, 8))

    def on_table_highlighted(self) -> None:
        self._draw_detail()

    @property
    def chosen(self) -> dict[str, Any] | None:
        """The solution under the cursor."""
        return self.search.find(self.query_one(Table).key)

    def _draw_detail(self) -> None:
        self.query_one("#detail", VerticalScroll).border_title = DETAILS[self.shown]
        lines = self.detail_text().split("\n")
        self.query_one("#detail-text", Static).update(Text("\n".join(map(cut_text, lines))))

    @property
    def shown(self) -> str:
        """The detail that is seen: without an answer, what was tried."""
        if self.pin is not None and self.detail == "pinned":
            return self.detail
        return "tried" if self.chosen is None and self.search.done is not None else self.detail

    def detail_text(self) -> str:
        """What the detail shows, very long lines cut, and copies whole."""
        if self.pin is not None and self.shown == "pinned":
            return format_pinned(self.pin)
        return describe_detail(self.search, self.chosen, self.shown)

    def draw_pinned(self) -> None:
        if self.shown == "pinned":
            self._draw_detail()

    # -- actions

    def action_edit(self) -> None:
        self.query_one("#question Input", Input).focus()

    def action_example(self) -> None:
        self._example = (self._example + 1) % len(EXAMPLES)
        self.solve(EXAMPLES[self._example])

    def action_history_back(self) -> None:
        text = self.inputs.back(self.query_one("#question Input", Input).value)
        if text is not None:
            self.enter(text)

    def action_history_forward(self) -> None:
        if self.inputs.at_draft:
            self.query_one(Table).focus()
            return
        text = self.inputs.forward(self.query_one("#question Input", Input).value)
        if text is not None:
            self.enter(text)

    def action_method(self) -> None:
        self.settings.next_method()
        self._draw_state()

    def action_more_inners(self) -> None:
        self.settings.allow_more_inners()
        self._draw_state()

    def action_fewer_inners(self) -> None:
        self.settings.allow_fewer_inners()
        self._draw_state()

    def action_variables(self) -> None:
        what = "main variables, such as x, y; the others are parameters; none: each is tried"
        self.query_one(Ask).ask(what, ", ".join(self.settings.main), self._take_variables)

    def _take_variables(self, text: str) -> None:
        self.settings.main = tuple(dict.fromkeys(text.replace(",", " ").split()))
        self._draw_state()

    def action_wider(self) -> None:
        self.settings.widen()
        self._draw_state()

    def action_narrower(self) -> None:
        self.settings.narrow()
        self._draw_state()

    def _models(self) -> list[tuple[str, str]]:
        """(run, what is known of it) of every model, the bundled one first and then the newest."""
        found = {}
        shipped = shipped_run()
        if shipped.has_checkpoint:
            found[shipped.name] = "  bundled with polyctl"
        for row in self.host.runs.rows:
            if row.has_model and row.run.name not in found:
                s = row.summary
                known = f"  verified {format_percent(s.accuracy)}, {format_age(s.updated)} ago" if s else ""
                found[row.run.name] = known
        return list(found.items())

    def ask_model(self, run: str, width: int | None) -> None:
        """From now on ask the model of that run, if it has one, with a beam of that width."""
        if run not in (name for name, _ in self._models()):
            self.app.notify(f"{run} has no model here: the default one is asked", markup=False)
            self.settings.run = None
        else:
            self.settings.run = run
        self.settings.method = "neural"
        self.settings.width = width or self.settings.width
        self._draw_state()

    def action_model(self) -> None:
        models = self._models()
        if not models:
            self.app.notify("no run has a model yet: `polyctl train quick` makes one", markup=False)
            return
        names = [name for name, _ in models]
        lines = [clean(name) + known for name, known in models]

        def choose(at: int | None) -> None:
            if at is not None:
                self.settings.run = names[at]
                self._draw_state()

        at = names.index(self.settings.run) if self.settings.run in names else 0
        self.app.push_screen(ChooseScreen("The model of", lines, at), choose)

    def action_cancel(self) -> None:
        if not self.search.busy:
            self.query_one(Table).focus()
            return
        self.search.stop()
        self.host.solver.cancel()
        self._draw()
        self.ask_pinned()

    def action_detail(self) -> None:
        names = [name for name in DETAILS if name != "pinned" or self.pin is not None]
        self.detail = names[(names.index(self.detail) + 1) % len(names)]
        self._draw_detail()

    def action_pin(self) -> None:
        text = self.query_one("#question Input", Input).value.strip() or self.search.asked
        opened = self.host.runs.run_logs
        row = self.host.runs.find(self.settings.run or (opened[0].run.name if opened else None))
        if self.pin is not None:
            self.set_pin(None)
            self.detail = "proof"
            self.app.notify("unpinned", markup=False)
        elif not text:
            self.app.notify("there is no polynomial to pin: type one first", severity="warning", markup=False)
        elif row is None:
            problem = "no run is chosen whose checkpoints could be asked: o chooses one"
            self.app.notify(problem, severity="warning", markup=False)
        else:
            self.set_pin(Pin(text, row.run))
            self.detail = "pinned"
        self._draw_detail()

    def action_copy(self) -> None:
        text = self.detail_text()
        self.app.copy_to_clipboard(text)
        self.app.notify(f"copied: {DETAILS[self.shown]}, {len(text):,} characters", markup=False)

    def action_tree(self) -> None:
        self.as_tree = not self.as_tree
        self._draw_beam()

    def action_step_back(self) -> None:
        self.search.step_by(-1)
        self._draw_beam()

    def action_step_forward(self) -> None:
        self.search.step_by(1)
        self._draw_beam()

    def action_export(self) -> None:
        if not self.host.allows_jobs:
            self.app.notify(NO_FILES, severity="warning", markup=False)
        elif not self.search.solutions:
            self.app.notify("there are no answers to write yet", severity="warning", markup=False)
        else:
            what = "file for all answers: .json, .tex, .py (SymPy) or .txt"
            self.query_one(Ask).ask(what, "answers.json", self._export)

    def _export(self, name: str) -> None:
        path = Path(name.strip()).expanduser()
        try:
            write_atomic(path, export_answers(self.search, path.suffix))
        except OSError as error:
            self.app.notify(f"{path} cannot be written: {error.strerror}", severity="error", markup=False)
        except PolyctlError as error:
            self.app.notify(f"{error.message}; {error.hint}", severity="error", markup=False)
        else:
            self.app.notify(f"{len(self.search.solutions)} answers are in {path.absolute()}", markup=False)
