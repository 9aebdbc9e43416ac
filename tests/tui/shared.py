"""A run made by hand, a solver with given answers, and the dashboard driven by keys."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from polyctl.config.registry import to_toml
from polyctl.config.schema import Experiment
from polyctl.store.runs import Run
from polyctl.tui.app import Dashboard
from polyctl.tui.series import Point, Series

BEGAN = 1_760_000_000.0


class FakeSolver:
    """Remembers what it is asked; `say` answers."""

    def __init__(self, tell, runs=None):
        self.say = tell
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.cancelled = self.started = self.request = 0

    def start(self):
        self.started += 1

    def submit(self, text, **settings):
        self.asked.append((text, settings))
        self.request += 1

    def cancel(self):
        self.cancelled += 1

    def close(self):
        pass


def event(i: float, kind: str, **fields: Any) -> dict[str, Any]:
    return {"v": 1, "time": BEGAN + i, "kind": kind, **fields}


def events(steps: int = 60) -> list[dict[str, Any]]:
    """A whole training, an evaluation with two beams and its report."""
    found = [event(0, "run", state="started", step=0, total_steps=steps)]
    for i in range(1, steps + 1):
        loss = None if i == 20 else 7.0 / i
        found.append(
            event(
                i,
                "step",
                step=i,
                loss=loss,
                lr=1e-3 * min(i, 10) / 10,
                grad_norm=1.0,
                tokens_per_second=5e3 + i,
            )
        )
        if i % 20 == 0:
            found.append(
                event(i, "eval", step=i, valid_loss=8.0 / i, greedy_verified=i / steps, greedy_exact=0.5)
            )
    found.append(event(steps, "end", state="complete", step=steps))
    for problem, f in enumerate(("x^4 + 1", "x^4 + 2*x^2 + 3")):
        for step, answer in enumerate(("±□*x^2 + …", "□*x^2 + …", "x^2 + …")):
            live = [
                {"text": answer, "logprob": -0.1 * step, "tokens": [9, 3, 7][: step + 1]},
                {"text": "±□*x + …", "logprob": -2.0 - step, "tokens": [8]},
            ]
            found.append(
                event(steps + 1, "beam", problem=problem, input=f, step=step, live=live, finished=[])
            )
        done = [
            {"text": "x^2", "logprob": -0.5, "rank": 0, "status": "verified", "tokens": [9, 3, 7]},
            {"text": "x^2 + x", "logprob": -2.5, "rank": 1, "status": "refuted", "tokens": [9, 3, 7, 8]},
        ]
        found.append(event(steps + 2, "verdict", problem=problem, input=f, hypotheses=done))
    cells = [
        {"cell": "2∘2", "greedy": {"verified": 0.9}, "pass_at": {"1": 0.9, "10": 1.0}},
        {"cell": "2∘3", "greedy": {"verified": 0.4}, "pass_at": {"1": 0.4, "10": 0.6}},
        {"cell": "3∘2", "greedy": {"verified": 0.0}, "pass_at": {"1": 0.0, "10": 0.2}},
    ]
    found.append(
        event(
            steps + 3,
            "eval",
            source="eval",
            step=steps,
            pass_at={"1": 0.6, "10": 0.8},
            cells=cells,
            greedy_verified=0.6,
        )
    )
    return found


def reinforced_events(steps: int = 40) -> list[dict[str, Any]]:
    """A reinforcement learning with a group of answers."""
    found = [event(0, "run", state="started", step=0, total_steps=steps, algorithm="bgrpo", device="cpu")]
    for i in range(1, steps + 1):
        share = i / steps
        measured = {
            "loss": 0.02 * (-1) ** i,
            "lr": 1e-4,
            "grad_norm": 1.0 + share,
            "tokens_per_second": 4e3,
            "elapsed": float(i),
            "reward": share - 0.1,
            "kl": 0.01 * share,
            "entropy": 1.0 - 0.5 * share,
            "clip_share": 0.1 * share,
            "searched": 8,
            "all_right": i // 10,
            "all_wrong": 4 - i // 10,
            "skipped": 4,
            "mass": share,
            "copies": 0.0,
        }
        found.append(event(i, "step", step=i, **measured))
        if i % 10 == 0:
            shares = {"greedy_verified": share / 2, "pass_at_1": share / 2, "pass_at_w": share}
            found.append(event(i, "validation", step=i, **shares))
    answers = [
        {"text": "x^2", "logprob": -0.5, "rank": 0, "status": "verified", "reward": 1.0, "tokens": [9, 3, 7]},
        {"text": "x^2 + x", "logprob": -2.5, "status": "refuted", "reward": -0.1, "tokens": [9, 3, 7, 8]},
    ]
    more = {"known": [9, 3, 7], "words": {"9": "x^2", "3": "+", "7": "1", "8": "x"}}
    return [
        *found,
        event(steps, "rollout", step=steps, input="x^4 + 1", hypotheses=answers, **more),
        event(steps, "end", state="complete", step=steps),
    ]


def make_run(
    root: Path, name: str = "quick/20251009-085320", lines: list[dict[str, Any]] | None = None
) -> Run:
    run = Run.at(root / name)
    run.path.mkdir(parents=True)
    run.config_path.write_text(to_toml(Experiment(name=run.experiment)))
    found = events() if lines is None else lines
    run.events.write_text("".join(json.dumps(e, ensure_ascii=False) + "\n" for e in found))
    return run


def prediction(index: int, cell: str, f: str, *statuses: str, **more: Any) -> dict[str, Any]:
    """A problem of an evaluation, its answers with these statuses, best first."""
    beam = [
        {
            "rank": rank,
            "status": status,
            "completed": "verified" if status == "verified" else "refuted",
            "logprob": -0.25 - index - rank,
            "reason": "" if status == "verified" else "an empty polynomial",
            "exact": status == "verified",
            "duplicate_of": None,
            "outer": None,
            "inner": [] if status == "malformed" else [f"x^2 + {rank}*x"],
        }
        for rank, status in enumerate(statuses)
    ]
    known = {"outer": "b^2 + 1", "inner": ["x^2"]}
    found = {"index": index, "cell": cell, "input": f, "known": known, "error": None, "beam": beam}
    return {**found, "greedy": beam[0] if beam else None, **more}


def make_predictions(run: Run, name: str = "eval-20251009-085420.jsonl") -> Path:
    """What an evaluation of a run has kept of five problems."""
    near = prediction(3, "3∘2", "x^6 + 2", "refuted", "malformed")
    near["beam"][0]["completed"] = "verified"
    lines = [
        prediction(0, "2∘2", "x^4 + 1", "verified", "refuted"),
        prediction(1, "2∘2", "x^4 + 2*x^2 + 3", "refuted", "malformed"),
        prediction(2, "2∘3", "x^6 + x^3", "refuted", "verified"),
        near,
        prediction(4, "3∘3", "x^9 + 5", error="f takes 900 tokens, the model reads at most 512"),
    ]
    run.predictions.mkdir(exist_ok=True)
    path = run.predictions / name
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in lines))
    return path


def points(*values) -> list[Point]:
    series = Series()
    series.add(enumerate(values))
    return series.points


def screen_text(app: Dashboard) -> str:
    """What the terminal shows."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


def heard(app: Dashboard, monkeypatch) -> list[str]:
    """What the dashboard says in notices, which `run_test` does not show."""
    said: list[str] = []
    monkeypatch.setattr(app, "notify", lambda message, **more: said.append(message))
    return said


def drive(app: Dashboard, script: Callable[..., Awaitable[None]], size: tuple[int, int] = (120, 40)) -> None:
    async def main() -> None:
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await script(pilot)

    asyncio.run(main())


async def until(pilot, condition: Callable[[], Any], what: str, seconds: float = 120.0) -> None:
    """Wait for something that threads bring about, then for the layout; `what` names it on a time-out."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, (
            f"waited {seconds:.0f} s in vain until {what}; the screen shows\n{screen_text(pilot.app)}"
        )
        await pilot.pause(0.02)
    for _ in range(2):  # a message may lead to another one, and then to a new layout
        await pilot.pause(0)


async def until_shown(pilot, *texts: str) -> None:
    """Wait until the screen shows all these texts at once, each on one line or wrapped."""

    def missing() -> list[str]:
        shown = screen_text(pilot.app)
        wrapped = " ".join(shown.split())
        return [text for text in texts if text not in shown and text not in wrapped]

    await until(pilot, lambda: not missing(), f"it shows {', '.join(map(repr, texts))}")


async def until_hidden(pilot, text: str) -> None:
    """Wait until the screen no longer shows this text."""
    await until(pilot, lambda: text not in screen_text(pilot.app), f"{text!r} is gone")


async def until_open(pilot, screen: type) -> None:
    """Wait until a dialog is in front."""
    await until(pilot, lambda: isinstance(pilot.app.screen, screen), f"{screen.__name__} is open")


async def until_focused(pilot, widget) -> None:
    """Wait until a widget has the focus."""
    await until(pilot, lambda: widget.has_focus, f"{widget} has the focus")


async def until_listed(pilot, count: int) -> None:
    """Wait until so many runs are listed, each with its summary."""
    rows = pilot.app.runs
    await until(
        pilot,
        lambda: len(rows.rows) == count and all(row.summary for row in rows.rows),
        f"{count} runs are listed and read",
    )
