"""First paint, tail and redraw of the dashboard, on an events file of 10 million lines if asked.

    python benchmarks/tui.py [--lines 1000000]

Prints a table, and JSON as the last line. A key's answer is measured from its arrival to the
end of its handler, while another process writes 1,000 events a second into the open run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from textual import events as events_module

from polyctl.config import Experiment
from polyctl.registry import to_toml
from polyctl.runs import Run
from polyctl.tui.app import Dashboard
from polyctl.tui.history import History
from polyctl.tui.screens.run import RunPane
from polyctl.tui.series import POINTS, Point
from polyctl.tui.widgets.plot import Line, View, draw

WRITER = """
import sys, time
from pathlib import Path
from polyctl.runs import EventWriter
with EventWriter(Path(sys.argv[1])) as events:
    began = time.monotonic()
    for i in range(10**9):
        events.write("step", step=i + 10**7, loss=1.0, lr=1e-3, grad_norm=1.0, tokens_per_second=5e3)
        time.sleep(max(0.0, began + i / 1000 - time.monotonic()))
"""


def make(root: Path, lines: int) -> Run:
    run = Run.at(root / "big" / "20250101-000000")
    run.path.mkdir(parents=True)
    run.config_path.write_text(to_toml(Experiment(name="big")))
    with run.events.open("w") as file:
        now = time.time()
        file.write(json.dumps({"v": 1, "time": now, "kind": "run", "step": 0, "total_steps": lines}) + "\n")
        for i in range(lines):
            file.write(
                f'{{"v": 1, "time": {now:.1f}, "kind": "step", "step": {i}, "loss": {1 + 9 / (i + 1):.5f}, '
                f'"lr": 0.001, "grad_norm": 1.0}}\n'
            )
    return run


def tail(run: Run) -> dict[str, float]:
    """Time to the first batch from the end, and to the whole file."""
    history = History(run)
    began = time.perf_counter()
    while not history.log:
        history.refresh()
    first = time.perf_counter() - began
    while not history.complete:
        history.refresh()
    whole = time.perf_counter() - began
    return {"tail_first_s": first, "tail_whole_s": whole, "file_mb": run.events.stat().st_size / 1e6}


def redraw() -> dict[str, float]:
    """One plot of as many points as are kept, on 120 by 40 cells."""
    line = Line("loss", [Point(i, 1.0, 2.0, 1.5) for i in range(POINTS)])
    began = time.perf_counter()
    for _ in range(20):
        draw([line], View(smoothing=0.9), 120, 40)
    return {"plot_ms": (time.perf_counter() - began) / 20 * 1000}


async def keys(root: Path, events: Path) -> dict[str, float]:
    """Milliseconds that keys take while the open run is written to and its past is read."""
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(events)])
    app = Dashboard(root)
    took = []
    try:
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.pause(1.0)
            await pilot.press("f4")
            await pilot.pause(2.0)
            pane = app.pane("run")
            assert isinstance(pane, RunPane)
            for _ in range(40):
                before, began = pane.metric, time.perf_counter()
                key = events_module.Key("m", "m")
                key.set_sender(app)
                app._driver.send_message(key)  # type: ignore[union-attr]
                while pane.metric == before:
                    await asyncio.sleep(0.0005)
                took.append((time.perf_counter() - began) * 1000)
                await asyncio.sleep(0.05)
    finally:
        writer.kill()
        writer.wait()
    took.sort()
    return {
        "key_median_ms": took[len(took) // 2],
        "key_p95_ms": took[len(took) * 95 // 100],
        "key_worst_ms": took[-1],
    }


def first_paint(root: Path) -> float:
    """Seconds from starting Python to the first paint, in a process of its own."""
    code = (
        "import asyncio, sys; from pathlib import Path; from polyctl.tui.app import Dashboard\n"
        "async def main():\n"
        "    async with Dashboard(Path(sys.argv[1])).run_test(size=(120, 40)) as pilot:\n"
        "        print('painted', flush=True); pilot.app.exit()\n"
        "asyncio.run(main())"
    )
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", code, str(root)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=1_000_000)
    lines = parser.parse_args().lines
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        run = make(root, lines)
        found: dict[str, float] = {"lines": lines, "first_paint_s": min(first_paint(root) for _ in range(3))}
        bare = [sys.executable, "-c", "import textual.app, textual.widgets, pydantic"]
        began = time.perf_counter()
        subprocess.run(bare, check=True)
        found["import_textual_s"] = time.perf_counter() - began
        found |= redraw()
        found |= asyncio.run(keys(root, run.events))
        found |= tail(run)
        found["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
            1e6 if sys.platform == "darwin" else 1e3
        )
    for name, value in found.items():
        print(f"{name:<18} {value:,.3f}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
