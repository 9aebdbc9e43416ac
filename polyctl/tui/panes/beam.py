"""Beam: the problem in the spotlight of a running evaluation, and the groups of a reinforcement learning."""

from __future__ import annotations

from typing import Any

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from polyctl.tui.actions import bindings
from polyctl.tui.format import clean, format_clock, shorten
from polyctl.tui.panes.pane import Pane
from polyctl.tui.run_log import History
from polyctl.tui.widgets.beam import beam_text

EMPTY = (
    "no beam has been seen in this run\n"
    "`polyctl eval RUN --beam 30` beside this dashboard shows one problem's search here, step by step"
)


def before(frames: list[dict[str, Any]], at: int) -> dict[str, Any] | None:
    """The frame of the same search just before frame `at`, if there is one."""
    if (
        at > 0
        and frames[at].get("kind") != "rollout"
        and frames[at - 1].get("input") == frames[at].get("input")
    ):
        return frames[at - 1]
    return None


def caption(frame: dict[str, Any]) -> Text:
    """What a frame is of."""
    text = Text(no_wrap=True, overflow="ellipsis")
    step = clean(frame.get("step", "?"))
    if frame.get("kind") == "rollout":
        what = f"rollout of training step {step}"
    else:
        what = f"problem {clean(frame.get('problem', '?'))}, "
        what += "verdicts" if frame.get("kind") == "verdict" else f"step {step}"
    when = frame.get("time")
    text.append(what, style="bold")
    text.append(f"  {format_clock(when if isinstance(when, (int, float)) else None)}  ", style="dim")
    text.append(f"f = {clean(frame.get('input', '?'))}")
    return text


class BeamPane(Pane):
    """One frame at a time; it follows the newest one, or stands and steps back and forward."""

    BINDINGS = bindings("beam")
    place = "beam"

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[dict[str, Any]] = []
        self.at: int | None = None  # None follows
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
    def history(self) -> History | None:
        histories = self.dashboard.histories
        return histories[0] if histories else None

    def redraw(self) -> None:
        """Take over new frames; while paused the frame that is shown stays."""
        history = self.history
        if history is not None:
            source = (history.run.name, history.changes, history.complete)
            if source == self._source:
                return
            same = self._source is not None and self._source[0] == source[0]
            self._source = source
            shown = None if self.at is None or not same else self.frames[self.at]
            with history.lock:
                self.frames = list(history.frames)
            self.at = next((i for i, f in enumerate(self.frames) if f is shown), None)
            if shown is not None and self.at is None and self.frames:
                self.at = 0  # what was shown is so old that it has been dropped
        self._draw()

    def _draw(self) -> None:
        history = self.history
        if history is None or not self.frames:
            name = "" if history is None else clean(history.run.name)
            why = self.no_run if history is None else EMPTY if history.complete else "reading"
            self._show(Text(name), Text(), Text(why))
            return
        at = self._here
        frame = self.frames[at]
        state = "following" if self.at is None else f"paused, {len(self.frames) - 1 - at} newer"
        tail = f"  frame {at + 1} of {len(self.frames)}, {state}"
        name = shorten(clean(history.run.name), max(10, self.size.width - len(tail)))
        past = before(self.frames, at)
        rows = beam_text(frame, past, self.size.width - 2)
        problem = (history.run.name, frame.get("problem"), frame.get("input"))
        if problem != self._problem_shown:
            self._problem_shown = problem
            self.query_one("#beam-box").scroll_home(animate=False)
        self._show(Text(name + tail), caption(frame), rows)

    def _show(self, title: Text, caption: Text, text: Text) -> None:
        """The head of a table, its first line, stays while the rest scrolls; without a caption it is none."""
        head, rest = text.divide([text.plain.index("\n") + 1]) if caption else (Text(), text)
        head.rstrip()
        for place, said in (("title", title), ("caption", caption), ("head", head), ("text", rest)):
            self.query_one(f"#beam-{place}", Static).update(said)

    def _go(self, at: int) -> None:
        if self.frames:
            self.at = min(max(at, 0), len(self.frames) - 1)
            self._draw()

    @property
    def _here(self) -> int:
        return len(self.frames) - 1 if self.at is None else self.at

    def action_pause(self) -> None:
        self.at = self._here if self.at is None and self.frames else None
        self._draw()

    def action_back(self) -> None:
        self._go(self._here - 1)

    def action_forward(self) -> None:
        self._go(self._here + 1)

    def action_problem_back(self) -> None:
        self._problem(-1)

    def action_problem_forward(self) -> None:
        self._problem(1)

    def action_page_down(self) -> None:
        self.query_one("#beam-box").scroll_page_down(animate=False)

    def action_page_up(self) -> None:
        self.query_one("#beam-box").scroll_page_up(animate=False)

    def _problem(self, step: int) -> None:
        if not self.frames:
            return
        at = self._here
        here = self.frames[at].get("input")
        while 0 <= at < len(self.frames) and self.frames[at].get("input") == here:
            at += step
        if 0 <= at < len(self.frames):
            self._go(at)
