"""A beam at one moment: hypotheses with their log-probabilities, how their ranks moved, their verdicts."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from rich.text import Text

from polyctl.formatting import format_number
from polyctl.tui.format import clean, format_clock, format_status
from polyctl.tui.series import to_finite

EMPTY = (
    "no beam has been seen in this run\n"
    "`polyctl eval RUN --beam 30` beside this dashboard shows one problem's search here, step by step"
)
FRAMES_TOGETHER = 100


@dataclass
class BeamView:
    """The frames of a run and the one that is shown; `at` is None while the newest is followed."""

    frames: list[dict[str, Any]] = field(default_factory=list)
    at: int | None = None

    @property
    def here(self) -> int:
        """The place of the frame that is shown."""
        return len(self.frames) - 1 if self.at is None else self.at

    def update(self, frames: list[dict[str, Any]], same_run: bool) -> None:
        """Take over new frames; while paused the frame that is shown stays, or is the oldest one left."""
        shown = None if self.at is None or not same_run else self.frames[self.at]
        self.frames = frames
        self.at = next((i for i, frame in enumerate(frames) if frame is shown), None)
        if shown is not None and self.at is None and frames:
            self.at = 0

    def toggle_pause(self) -> None:
        """Pause at the frame that is shown, or follow again."""
        self.at = self.here if self.at is None and self.frames else None

    def go_to(self, at: int) -> None:
        """Pause at that frame, or at the nearest there is."""
        if self.frames:
            self.at = min(max(at, 0), len(self.frames) - 1)

    def go_to_problem(self, step: int) -> None:
        """Pause at the nearest frame of another problem, before (-1) or after (1) this one."""
        if not self.frames:
            return
        at, problem = self.here, self.frames[self.here].get("input")
        while 0 <= at < len(self.frames) and self.frames[at].get("input") == problem:
            at += step
        if 0 <= at < len(self.frames):
            self.at = at

    def describe(self) -> str:
        """Which frame is shown, and whether newer ones are followed."""
        state = "following" if self.at is None else f"paused, {len(self.frames) - 1 - self.here} newer"
        return f"frame {self.here + 1} of {len(self.frames)}, {state}"


def frame_before(frames: list[dict[str, Any]], at: int) -> dict[str, Any] | None:
    """The frame of the same search just before frame `at`, if there is one."""
    if (
        at > 0
        and frames[at].get("kind") != "rollout"
        and frames[at - 1].get("input") == frames[at].get("input")
    ):
        return frames[at - 1]
    return None


def frames_of_search(frames: list[dict[str, Any]], at: int) -> list[dict[str, Any]]:
    """The frames of one search up to frame `at`, at most FRAMES_TOGETHER of them."""
    first = at
    while frame_before(frames, first) is not None and at - first < FRAMES_TOGETHER - 1:
        first -= 1
    return frames[first : at + 1]


def format_caption(frame: dict[str, Any], known: str = "") -> Text:
    """Which problem and step a frame shows, when it was written, and what became of the known answer."""
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
    text.append(f"{known}  " if known else "", style="yellow" if known.startswith("☆") else "green")
    text.append(f"f = {clean(frame.get('input', '?'))}")
    return text


def rank_hypotheses(frame: dict[str, Any]) -> list[dict[str, Any]]:
    """The hypotheses of an event, best first, with a `status`; what is damaged is left out."""
    if frame.get("kind") == "verdict":
        return sorted(_dicts(frame.get("hypotheses")), key=lambda h: to_finite(h.get("rank")) or 0)
    if frame.get("kind") == "rollout":
        return sorted(_dicts(frame.get("hypotheses")), key=_unlikely)
    finished = [{**h, "status": h.get("status", "waiting")} for h in _dicts(frame.get("finished"))]
    live = [{**h, "status": "growing"} for h in _dicts(frame.get("live"))]
    return sorted(finished + live, key=_unlikely)


def _unlikely(row: dict[str, Any]) -> float:
    logprob = to_finite(row.get("logprob"))
    return math.inf if logprob is None else -logprob


def _dicts(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def format_movement(row: dict[str, Any], rank: int, before: list[dict[str, Any]] | None) -> str:
    """How a hypothesis moved since the frame before: a parent is one whose tokens it begins with."""
    if before is None:
        return ""
    own = _tokens(row)
    parents = [
        (len(tokens), -old) for old, b in enumerate(before) if own[: len(tokens := _tokens(b))] == tokens
    ]
    if not parents:
        return "new"
    up = -max(parents)[1] - rank
    return "=" if up == 0 else f"↑{up}" if up > 0 else f"↓{-up}"


def _tokens(row: dict[str, Any]) -> list[Any]:
    """A hypothesis as its tokens; older versions wrote their words as its text."""
    found = row.get("tokens")
    return found if isinstance(found, list) else str(row.get("text", "")).split()


def format_answer(row: dict[str, Any]) -> str:
    """A hypothesis as polynomials; the words of tokens, which are not mathematics, stand in ⟨ ⟩."""
    text = clean(row.get("text", ""))
    return text if isinstance(row.get("tokens"), list) else f"⟨{text}⟩"


def format_beam(frame: dict[str, Any], before: dict[str, Any] | None, width: int, limit: int = 100) -> Text:
    """A frame as a table of text; long answers keep their newest end while they grow."""
    rows = rank_hypotheses(frame)
    old = None if before is None else rank_hypotheses(before)
    learnt = frame.get("kind") == "rollout"
    text = Text(no_wrap=True, overflow="crop")
    text.append(
        f"{'rank':>4} {'reward' if learnt else 'moved':<6} {'log-prob':>9} {'status':<12} answer\n",
        style="dim",
    )
    room = max(width - 37, 10)
    for rank, row in enumerate(rows[:limit]):
        logprob = to_finite(row.get("logprob"))
        word = clean(row.get("status", "unknown"))
        answer = format_answer(row)
        if len(answer) > room:
            answer = "…" + answer[-(room - 1) :] if word == "growing" else answer[: room - 1] + "…"
        moved = format_number(to_finite(row.get("reward"))) if learnt else format_movement(row, rank, old)
        text.append(f"{rank + 1:>4} {moved:<6} ")
        text.append(f"{'-' if logprob is None else f'{logprob:.3f}':>9} ")
        mark = format_status(word)
        mark.pad_right(max(0, 12 - mark.cell_len))
        text.append_text(mark)
        text.append(f" {answer}\n")
    if len(rows) > limit:
        text.append(f"and {len(rows) - limit} more\n", style="dim")
    return text
