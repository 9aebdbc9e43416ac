"""Problems: what an evaluation asked and what the model answered, a problem at a time."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.widgets import Static

from polyctl.store.predictions import list_evaluations
from polyctl.store.runs import Run
from polyctl.tui.actions import make_bindings
from polyctl.tui.format import clean, shorten
from polyctl.tui.panes.host import Host
from polyctl.tui.panes.pane import BESIDE, Pane
from polyctl.tui.problem_list import ProblemList, ProblemRow, describe_evaluation
from polyctl.tui.screens.choose import ChooseScreen
from polyctl.tui.views.problems import EMPTY, ProblemsView, choose_columns, format_problem, format_row
from polyctl.tui.widgets.ask import Ask
from polyctl.tui.widgets.table import Table

LOOKED_AT = 1000  # runs, for one that has an evaluation


class ProblemsPane(Pane):
    """The list of problems, and below or beside it the one under the cursor with its beam."""

    BINDINGS = make_bindings("problems")

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.view = ProblemsView()
        self.shown: list[ProblemRow] = []
        self._drawn: object = None
        self._problem: object = None  # the one that is shown, and how wide

    def compose(self) -> ComposeResult:
        yield Static("", id="problems-title", markup=False)
        with Container(id="problems-both"):
            yield Table(id="problems-table")
            with VerticalScroll(id="problem", can_focus=False):
                yield Static("", id="problem-text", markup=False)
        yield Ask(id="problems-ask")

    def on_mount(self) -> None:
        self.redraw()

    def arrive(self) -> None:
        self.query_one(Table).focus()
        self.redraw()

    def on_resize(self) -> None:
        self.query_one("#problems-both").set_class(self.size.width >= BESIDE, "beside")
        self.call_after_refresh(self._draw_again)  # the parts have their new sizes then

    @property
    def found(self) -> ProblemList | None:
        """The problems of the first run that is open."""
        return None if self._run is None else self.host.runs.watch_problems(self._run)

    @property
    def _run(self) -> Run | None:
        run_logs = self.host.runs.run_logs
        return run_logs[0].run if run_logs else None

    def redraw(self) -> None:
        """Fill the list, if anything has changed."""
        if not self.size.width:
            return
        found = self.found
        if found is None:
            self._show_nothing(self.host.runs.explain_none_open())
            return
        with found.lock:
            state = (found, found.changes, vars(self.view).copy(), self.size.width)
            if state == self._drawn:
                return
            self._drawn = state
            self.shown = self.view.select(found.rows)
            title = self.view.describe(found, len(self.shown))
            of, nothing = found.title, found.looked and found.shown is None
        name = clean(found.run.name)
        if nothing:
            self._show_nothing(f"{name}: {clean(found.error) if found.error else EMPTY}")
            return
        self._title(Text.assemble((shorten(name, self.size.width // 2), "bold"), f"  {clean(of)}\n{title}"))
        table = self.query_one(Table)
        columns = choose_columns(table.size.width or self.size.width)
        table.show(columns, [str(row.index) for row in self.shown], lambda at: format_row(self.shown[at]))
        self._draw_problem()

    def matters(self, action: str) -> bool:
        found = self.host.runs.problems
        listed = found is not None and bool(found.rows)
        return bool(self.shown) if action == "decompose" else listed

    def _show_nothing(self, why: str) -> None:
        self.shown = []
        self._title(Text(why), whole=True)
        self.query_one(Table).clear()
        self._draw_problem()

    def _title(self, title: Text, whole: bool = False) -> None:
        """A line each for the run and its problems; what is told `whole` takes as many as it needs."""
        if not whole:
            title.no_wrap, title.overflow = True, "ellipsis"
        line = self.query_one("#problems-title", Static)
        line.set_class(whole, "whole")
        line.update(title)

    def _draw_again(self) -> None:
        self._drawn = self._problem = None
        self.redraw()

    @property
    def chosen(self) -> ProblemRow | None:
        """The problem under the cursor."""
        at = self.query_one(Table).cursor_row
        return self.shown[at] if 0 <= at < len(self.shown) else None

    def on_table_highlighted(self) -> None:
        self._draw_problem()

    def _draw_problem(self) -> None:
        self.show_keys()
        row, found, box = self.chosen, self.found, self.query_one("#problem")
        width = (box.size.width or self.size.width) - 1
        if (row, width) == self._problem:
            return
        self._problem = (row, width)
        whole = None if row is None or found is None else found.fetch(row)
        text = Text("" if row is None else "reading") if whole is None else format_problem(whole, width)
        self.query_one("#problem-text", Static).update(text)
        box.scroll_home(animate=False)

    # -- actions

    def on_table_selected(self) -> None:
        self.action_decompose()

    def action_decompose(self) -> None:
        row, found = self.chosen, self.found
        whole = None if row is None or found is None else found.fetch(row)
        if whole is not None and found is not None:
            self.host.decompose(whole.input, found.run.name, len(whole.beam) or None)

    def on_table_heading_clicked(self, event: Table.HeadingClicked) -> None:
        self.view.sort_by(event.label)
        self.redraw()

    def action_kind(self) -> None:
        self.view.next_kind()
        self.redraw()

    def action_cell(self) -> None:
        if (found := self.found) is not None:
            self.view.next_cell(found.rows)
            self.redraw()

    def action_sort(self) -> None:
        self.view.next_sort()
        self.redraw()

    def action_reverse(self) -> None:
        self.view.reverse = not self.view.reverse
        self.redraw()

    def action_filter(self) -> None:
        self.query_one(Ask).ask("number or part of f", self.view.pattern, self._filter, self._filter)

    def _filter(self, pattern: str) -> None:
        self.view.pattern = pattern
        self.redraw()

    def action_evaluation(self) -> None:
        found = self.found
        if found is None or not found.evaluations:
            self.app.notify("no evaluation to choose from", markup=False)
            return
        several = list(found.evaluations)
        now = found.shown

        def choose(at: int | None) -> None:
            if at is not None:
                found.choose(several[at].name)

        lines = [clean(describe_evaluation(found.run, one)) for one in several]
        at = several.index(now) if now in several else 0
        self.app.push_screen(ChooseScreen("Evaluation", lines, at), choose)

    def action_next_run(self) -> None:
        runs = [row.run for row in self.host.runs.rows]
        now = next((at for at, run in enumerate(runs) if run == self._run), -1)
        for run in [*runs[now + 1 :], *runs[: max(0, now)]][:LOOKED_AT]:
            if list_evaluations(run.predictions):
                self.host.runs.open([run.name])
                self.redraw()
                return
        self.app.notify("no other run has kept the problems of an evaluation", markup=False)

    def action_page_down(self) -> None:
        self.query_one("#problem").scroll_page_down(animate=False)

    def action_page_up(self) -> None:
        self.query_one("#problem").scroll_page_up(animate=False)
