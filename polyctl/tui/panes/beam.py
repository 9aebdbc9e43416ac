"""Beam: the search of a running evaluation's shown problem, and the groups of reinforcement learning."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from polyctl.tui.actions import make_bindings
from polyctl.tui.format import clean, shorten
from polyctl.tui.panes.host import Host
from polyctl.tui.panes.pane import Pane
from polyctl.tui.run_log import RunLog
from polyctl.tui.views.beam import (
    EMPTY,
    BeamView,
    format_beam,
    format_caption,
    frame_before,
    frames_of_search,
)
from polyctl.tui.views.beam_tree import describe_known, format_tree, token_logprobs


class BeamPane(Pane):
    """One frame at a time; it follows the newest one, or stands and steps back and forward."""

    BINDINGS = make_bindings("beam")

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.view = BeamView()
        self.as_tree = False
        self._source: tuple[str, int, bool] | None = None
        self._problem_shown: object = None

    def compose(self) -> ComposeResult:
        yield Static("", id="beam-title", markup=False)
        yield Static("", id="beam-caption", markup=False)
        yield Static("", id="beam-head", markup=False)
        with VerticalScroll(id="beam-box", can_focus=False):
            yield Static("", id="beam-text", markup=False)

    def on_mount(self) -> None:
        self.redraw()

    def on_resize(self) -> None:
        self._draw()

    def arrive(self) -> None:
        self.focus()
        self.redraw()

    @property
    def run_log(self) -> RunLog | None:
        """The run whose frames are shown: the first one that is open."""
        run_logs = self.host.runs.run_logs
        return run_logs[0] if run_logs else None

    def redraw(self) -> None:
        """Take over new frames; while paused the frame that is shown stays."""
        run_log = self.run_log
        if run_log is not None:
            source = (run_log.run.name, run_log.changes, run_log.complete)
            if source == self._source:
                return
            same_run = self._source is not None and self._source[0] == source[0]
            self._source = source
            with run_log.lock:
                frames = list(run_log.frames)
            self.view.update(frames, same_run)
        self._draw()

    def matters(self, action: str) -> bool:
        return bool(self.view.frames)

    def _draw(self) -> None:
        self.show_keys()
        run_log, frames = self.run_log, self.view.frames
        if run_log is None or not frames:
            name = "" if run_log is None else clean(run_log.run.name)
            if run_log is None:
                why = self.host.runs.explain_none_open()
            else:
                why = EMPTY if run_log.complete else "reading"
            self._show(Text(name), Text(), Text(why))
            return
        at = self.view.here
        frame, past = frames[at], frame_before(frames, at)
        tail = f"  {self.view.describe()}"
        name = shorten(clean(run_log.run.name), max(10, self.size.width - len(tail)))
        search = frames_of_search(frames, at)
        if self.as_tree:
            rows = format_tree(frame, token_logprobs(search), self.size.width - 2)
        else:
            rows = format_beam(frame, past, self.size.width - 2)
        problem = (run_log.run.name, frame.get("problem"), frame.get("input"))
        if problem != self._problem_shown:
            self._problem_shown = problem
            self.query_one("#beam-box").scroll_home(animate=False)
        self._show(Text(name + tail), format_caption(frame, describe_known(search)), rows)

    def _show(self, title: Text, caption: Text, text: Text) -> None:
        """The first line of a table stays while the rest scrolls; without a caption there is no table."""
        head, rest = text.divide([text.plain.index("\n") + 1]) if caption else (Text(), text)
        head.rstrip()
        for place, part in (("title", title), ("caption", caption), ("head", head), ("text", rest)):
            self.query_one(f"#beam-{place}", Static).update(part)

    def action_pause(self) -> None:
        self.view.toggle_pause()
        self._draw()

    def action_tree(self) -> None:
        self.as_tree = not self.as_tree
        self._draw()

    def action_back(self) -> None:
        self.view.go_to(self.view.here - 1)
        self._draw()

    def action_forward(self) -> None:
        self.view.go_to(self.view.here + 1)
        self._draw()

    def action_problem_back(self) -> None:
        self.view.go_to_problem(-1)
        self._draw()

    def action_problem_forward(self) -> None:
        self.view.go_to_problem(1)
        self._draw()

    def action_next_run(self) -> None:
        runs = self.host.runs
        if (name := runs.next_name()) is not None and runs.open([name]):
            self.redraw()

    def action_page_down(self) -> None:
        self.query_one("#beam-box").scroll_page_down(animate=False)

    def action_page_up(self) -> None:
        self.query_one("#beam-box").scroll_page_up(animate=False)
