"""A beam at one moment: hypotheses with their log-probabilities, how their ranks moved, their verdicts."""

from __future__ import annotations

import math
from typing import Any

from rich.text import Text

from polyctl.formatting import format_number
from polyctl.tui.format import clean, format_status
from polyctl.tui.series import finite


def frame_rows(frame: dict[str, Any]) -> list[dict[str, Any]]:
    """The hypotheses of an event, best first, with a `status`; what is damaged is left out."""
    if frame.get("kind") == "verdict":
        return sorted(_dicts(frame.get("hypotheses")), key=lambda h: finite(h.get("rank")) or 0)
    if frame.get("kind") == "rollout":
        return sorted(_dicts(frame.get("hypotheses")), key=_unlikely)
    finished = [{**h, "status": h.get("status", "waiting")} for h in _dicts(frame.get("finished"))]
    live = [{**h, "status": "growing"} for h in _dicts(frame.get("live"))]
    return sorted(finished + live, key=_unlikely)


def _unlikely(row: dict[str, Any]) -> float:
    logprob = finite(row.get("logprob"))
    return math.inf if logprob is None else -logprob


def _dicts(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def movement(row: dict[str, Any], rank: int, before: list[dict[str, Any]] | None) -> str:
    """How a hypothesis moved since the frame before: a parent is one whose text it begins with."""
    if before is None:
        return ""
    text = str(row.get("text", ""))
    parents = [
        (len(str(b.get("text", ""))), -old)
        for old, b in enumerate(before)
        if text.startswith(str(b.get("text", "")))
    ]
    if not parents:
        return "new"
    up = -max(parents)[1] - rank
    return "=" if up == 0 else f"↑{up}" if up > 0 else f"↓{-up}"


def beam_text(frame: dict[str, Any], before: dict[str, Any] | None, width: int, limit: int = 100) -> Text:
    """A frame as a table of text; long answers keep their newest end while they grow."""
    rows = frame_rows(frame)
    old = None if before is None else frame_rows(before)
    learnt = frame.get("kind") == "rollout"
    text = Text(no_wrap=True, overflow="crop")
    text.append(
        f"{'rank':>4} {'reward' if learnt else 'moved':<6} {'log-prob':>9} {'status':<12} answer\n",
        style="dim",
    )
    room = max(width - 37, 10)
    for rank, row in enumerate(rows[:limit]):
        logprob = finite(row.get("logprob"))
        word = clean(row.get("status", "unknown"))
        answer = clean(row.get("text", ""))
        if len(answer) > room:
            answer = "…" + answer[-(room - 1) :] if word == "growing" else answer[: room - 1] + "…"
        moved = format_number(finite(row.get("reward"))) if learnt else movement(row, rank, old)
        text.append(f"{rank + 1:>4} {moved:<6} ")
        text.append(f"{'-' if logprob is None else f'{logprob:.3f}':>9} ")
        mark = format_status(word)
        mark.pad_right(max(0, 12 - mark.cell_len))
        text.append_text(mark)
        text.append(f" {answer}\n")
    if len(rows) > limit:
        text.append(f"and {len(rows) - limit} more\n", style="dim")
    return text
