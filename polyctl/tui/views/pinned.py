"""The answers to a pinned polynomial by step, as text."""

from __future__ import annotations

from polyctl.formatting import format_number
from polyctl.tui.format import clean, format_status
from polyctl.tui.pinned import WIDTH, Pin, PinnedAnswer


def format_pinned(pin: Pin) -> str:
    """What is asked, and a line for each checkpoint, the newest first."""
    head = f"f = {' '.join(pin.text.split())}"
    about = f"{pin.run.name} answers with a beam of {WIDTH} at each of its checkpoints; p unpins f"
    lines = [head, about]
    if pin.request is not None:
        lines.append("… asking")
    elif not pin.answers:
        lines.append("waiting for the first checkpoint" if not pin.due else "… waiting for the other search")
    if pin.answers:
        lines.append(f"{'step':>9}  {'status':<12} {'rank':>4} {'log-prob':>9} {'right':>5}  best answer")
    lines += [_format_answer(one) for one in reversed(pin.answers)]
    return "\n".join(map(clean, lines))


def _format_answer(one: PinnedAnswer) -> str:
    step = "-" if one.step is None else f"{one.step:,}"
    rank = "-" if one.rank is None else str(one.rank)
    status = {"none": "○ none", "not asked": "! not asked"}.get(one.status) or format_status(one.status).plain
    right = f"{one.right}/{one.of}" if one.of else "-"
    return f"{step:>9}  {status:<12} {rank:>4} {format_number(one.logprob):>9} {right:>5}  {one.text}"
