"""How a run stands as text: progress, time, speed, accuracy, and the process that writes it."""

from __future__ import annotations

from rich.text import Text

from polyctl.formatting import format_bytes, format_duration, format_number, format_percent
from polyctl.store.event_kinds import DEVICE_MEMORY, EvaluationProgress
from polyctl.store.summary import Summary
from polyctl.tui.format import clean, format_progress, format_status
from polyctl.tui.interval import format_pass_at


def format_state(s: Summary) -> Text:
    """The state of a run, or how far its running evaluation is."""
    if s.state != "running" and s.evaluation is not None:
        return Text(f"▶ eval {format_done(s.evaluation)}", style="cyan")
    return format_status(s.state)


def format_done(progress: EvaluationProgress) -> str:
    """Problems done of all."""
    return f"{progress.done or 0:,}/{progress.problems or 0:,}"


def describe_evaluation(progress: EvaluationProgress) -> str:
    """How far an evaluation is, and how many first answers are verified so far."""
    done = progress.done or 0
    shares = [f"greedy verified {format_percent((progress.verified or 0) / done)}"] if done else []
    shares += [passed] if (passed := _format_passed(progress)) else []
    so_far = f", {', '.join(shares)} so far" if shares else ""
    return f"evaluating: {done:,} of {progress.problems or 0:,} problems{so_far} (pid {progress.pid})"


def _format_passed(progress: EvaluationProgress) -> str:
    """pass@k with its intervals, as far as it is known."""
    counted, beam = progress.counted or 0, progress.beam or 0
    first, solved = progress.solved_first or 0, progress.solved or 0
    return format_pass_at(first, solved, beam, counted) if 0 <= first <= solved <= counted > 0 else ""


def format_rate(s: Summary) -> str:
    """Tokens a second, else problems a second."""
    if s.tokens_per_second is not None:
        return f"{_short(s.tokens_per_second)} tok/s"
    return "-" if s.problems_per_second is None else f"{_short(s.problems_per_second)} prob/s"


def _short(value: float) -> str:
    """A rate in few characters."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


def format_strip(s: Summary) -> str:
    """The facts of a run in the order in which they matter, for one line."""
    parts = [format_progress(s.step, s.total_steps)] if s.total_steps else []
    if s.elapsed is not None:
        parts.append(f"{format_duration(s.elapsed)} elapsed")
    if s.left is not None:
        parts.append(f"{format_duration(s.left)} left")
    if s.accuracy is not None:
        best = "" if s.best is None else f", best {format_percent(s.best)}"
        parts.append(f"verified {format_percent(s.accuracy)}{best}")
    elif "valid_loss" in s.metrics:
        parts.append(f"valid loss {format_number(s.metrics['valid_loss'])}")
    if s.tokens_per_second is not None or s.problems_per_second is not None:
        parts.append(format_rate(s))
    if s.lr is not None:
        parts.append(f"lr {format_number(s.lr)}")
    if s.evaluation is not None:
        parts.insert(0, describe_evaluation(s.evaluation))
    parts += describe_process(s)
    return clean(" · ".join(parts))


def describe_process(s: Summary) -> list[str]:
    """Who writes the run, whether that process is alive, on what it computes, and the memory it holds."""
    if s.owner is None or s.state not in ("running", "crashed"):
        return []
    alive = {True: "alive", False: "dead", None: f"on {s.owner.host}"}[s.owner.alive]
    memory, on_device = s.owner.memory, s.step_metrics.get(DEVICE_MEMORY)
    held = [] if memory is None else [f"memory {format_bytes(memory)}"]
    held += [] if on_device is None else [f"{format_bytes(int(on_device))} of the device"]
    return [f"pid {s.owner.pid} {alive}", *([s.device] if s.device else []), *held]
