"""First paint, tail and redraw of the dashboard, on an events file of 10 million lines if asked.

    python benchmarks/tui.py [--lines 1000000] [--runs 1000]

Prints a table, and JSON as the last line. Ratios have their peer in the same run: the import of Textual
for the first paint, `json.loads` of one MB of the same file for reading. The session is a process of its
own: a key is measured from its arrival to the end of its handler, while a writer adds 1,000 events a second
to the open run and its past is being read; its memory is the largest that it ever took. Of many runs, the
processor time is measured until all have been read and drawn, and that of keys. Then a training of ten events
a second is watched and killed, and the bundled model is asked.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import common
from textual import events as events_module

from polyctl.config.registry import to_toml
from polyctl.config.schema import Experiment
from polyctl.store.runs import Run
from polyctl.tui.app import Dashboard
from polyctl.tui.panes.run import RunPane
from polyctl.tui.run_log import RunLog
from polyctl.tui.series import POINTS, Point
from polyctl.tui.views.plot import Line, PlotView, draw_plot
from polyctl.tui.widgets.log import LogView

WRITER = """
import sys, time
from pathlib import Path
from polyctl.store.event_kinds import Step
from polyctl.store.events import EventWriter
with EventWriter(Path(sys.argv[1])) as events:
    began = time.monotonic()
    for i in range(10**9):
        events.write(Step(step=i + 10**7, loss=1.0, lr=1e-3, grad_norm=1.0, tokens_per_second=5e3))
        time.sleep(max(0.0, began + i / float(sys.argv[2]) - time.monotonic()))
"""
OWNED = """
import sys, time
from pathlib import Path
from polyctl.store.owner import FILE_NAME, Owner
(Path(sys.argv[1]) / FILE_NAME).write_text(Owner.here().text())
print("written", flush=True)
time.sleep(1000)
"""
TEXT = "x^6 + 9x^5 + 24x^4 + 9x^3 - 25x^2 + 6x + 3"  # for the bundled model
LIVE_SECONDS, PATIENCE_SECONDS, ASKED = 20.0, 120.0, 5
KEYS, QUIET_SECONDS, HISTORY_SECONDS = 40, 5.0, 300.0


def make(root: Path, lines: int) -> Run:
    """A run of so many steps, of about 110 bytes each."""
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


def first_paint(root: Path, rounds: int = 3) -> dict[str, float]:
    """From starting Python to the first paint, for the large run and for none, and the import of Textual."""
    code = (
        "import asyncio, sys; from pathlib import Path; from polyctl.tui.app import Dashboard\n"
        "async def main():\n"
        "    async with Dashboard(Path(sys.argv[1])).run_test(size=(120, 40)) as pilot:\n"
        "        print('painted', flush=True); pilot.app.exit()\n"
        "asyncio.run(main())"
    )
    bare = "import textual.app, textual.widgets, pydantic; print('imported', flush=True)"
    large, none, imported = (
        min(_seconds(program, folder) for _ in range(rounds))
        for program, folder in ((code, root), (code, root / "none"), (bare, root))
    )
    return {
        "import_textual_s": imported,
        "first_paint_s": large,
        "first_paint_ratio": large / imported,
        "first_paint_none_ratio": none / imported,
    }


def _seconds(code: str, folder: Path) -> float:
    """Until that program prints a line."""
    began = time.perf_counter()
    command = [sys.executable, "-c", code, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        return time.perf_counter() - began


def tail(run: Run) -> dict[str, float]:
    """Processor time of the summary, the end and the whole file, in units of one MB of `json.loads`."""
    with run.events.open("rb") as file:
        file.seek(-min(1_000_000, run.events.stat().st_size), 2)
        lines = file.read().split(b"\n")[1:-1]
    began = time.process_time()
    for line in lines:
        json.loads(line)
    unit = time.process_time() - began
    began = time.process_time()
    run.summary()
    summary = time.process_time() - began
    run_log = RunLog(run)
    began = time.process_time()
    while not run_log.lines:
        run_log.refresh()
    first = time.process_time() - began
    while not run_log.complete:
        run_log.refresh()
    whole = time.process_time() - began
    return {
        "file_mb": run.events.stat().st_size / 1e6,
        "json_mb_ms": unit * 1000,
        "summary_ratio": summary / unit,
        "tail_first_ratio": first / unit,
        "tail_whole_ratio": whole / unit,
        "steps_read_one_in": run_log.every,
    }


def redraw() -> dict[str, float]:
    """One plot of as many points as are kept, on 120 by 40 cells."""
    line = Line("loss", [Point(i, 1.0, 2.0, 1.5, i, 1.0) for i in range(POINTS)])
    began = time.process_time()
    for _ in range(20):
        draw_plot([line], PlotView(smoothing=0.9), 120, 40)
    return {"plot_ms": (time.process_time() - began) / 20 * 1000}


def session(root: Path, events: Path) -> dict[str, float]:
    """The dashboard on the large run, while it is written to and its past is read."""
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(events), "1000"])
    try:
        return asyncio.run(_session(root))
    finally:
        writer.kill()
        writer.wait()


async def _session(root: Path) -> dict[str, float]:
    app = Dashboard(root, start="run")
    took: list[float] = []
    began = time.perf_counter()
    async with app.run_test(size=(120, 40)) as pilot:
        painted = time.perf_counter()
        pane = app.pane("run")
        assert isinstance(pane, RunPane)
        while not pane.query_one(LogView)._lines:
            await asyncio.sleep(0.005)
        shown = time.perf_counter()
        for _ in range(KEYS):
            took.append(await _key(app, pane))
            await asyncio.sleep(0.05)
        reading = not app.runs.run_logs[0].complete
        drawn, draws = RunPane._draw_plots, 0

        def count(self: RunPane, run_logs: list[RunLog]) -> None:
            nonlocal draws
            draws += 1
            drawn(self, run_logs)

        RunPane._draw_plots = count  # type: ignore[method-assign, assignment]
        await pilot.pause(QUIET_SECONDS)
        quiet = draws / QUIET_SECONDS
        while not app.runs.run_logs[0].complete and time.perf_counter() - shown < HISTORY_SECONDS:
            took.append(await _key(app, pane))
            await asyncio.sleep(0.2)
        complete = time.perf_counter()
    took.sort()
    memory = _memory()
    return {
        "paint_to_log_ratio": (shown - painted) / (painted - began),
        "past_still_read_at_keys": reading,
        "past_read_s": complete - shown,
        "keys": len(took),
        "key_median_ms": took[len(took) // 2],
        "key_p95_ms": took[len(took) * 95 // 100],
        "key_worst_ms": took[-1],
        "redraws_per_s": quiet,
        "memory_mb": memory,
    }


def live(root: Path) -> dict[str, float]:
    """A training that writes ten events a second, in the tab Run: share of a core, beside that of no events.

    Then its process is killed: seconds until the tab Runs says so.
    """
    run = make(root, 100)
    return asyncio.run(_live(root, run))


async def _live(root: Path, run: Run) -> dict[str, float]:
    app = Dashboard(root, start="run")
    owner = subprocess.Popen([sys.executable, "-c", OWNED, str(run.path)], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    owner.stdout.readline()
    try:
        async with app.run_test(size=(120, 40)) as pilot:
            while not (app.runs.run_logs and app.runs.run_logs[0].complete):
                await asyncio.sleep(0.05)
            await pilot.pause(3.0)
            idle = await _share()
            writer = subprocess.Popen([sys.executable, "-c", WRITER, str(run.events), "10"])
            try:
                await asyncio.sleep(3.0)
                share = await _share()
            finally:
                writer.kill()
                writer.wait()
            memory = _memory()
            app.action_runs()
            await pilot.pause(1.0)
            owner.kill()
            owner.wait()
            began = time.monotonic()
            while app.runs.rows[0].summary is None or app.runs.rows[0].summary.state != "crashed":
                await asyncio.sleep(0.02)
            told = time.monotonic() - began
    finally:
        owner.kill()
    return {"idle_share": idle, "live_share": share, "live_memory_mb": memory, "killed_told_s": told}


async def _share() -> float:
    """The share of a core that this process takes."""
    began = time.process_time()
    await asyncio.sleep(LIVE_SECONDS)
    return (time.process_time() - began) / LIVE_SECONDS


def _memory() -> float:
    """The most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def first_beam(root: Path) -> dict[str, float]:
    """Seconds from Enter to the first hypotheses on the screen, with the bundled model loaded."""
    return asyncio.run(_first_beam(root))


async def _first_beam(root: Path) -> dict[str, float]:
    app = Dashboard(root, start="decompose")
    took = []
    async with app.run_test(size=(120, 40)):
        pane = app.decompose_pane
        end = time.monotonic() + PATIENCE_SECONDS
        while pane._model.loaded is None and time.monotonic() < end:
            await asyncio.sleep(0.05)
        pane.settings.method = "neural"
        for _ in range(ASKED):
            began = time.monotonic()
            pane.solve(TEXT)
            while not pane.search.frames and pane.search.busy:
                await asyncio.sleep(0.005)
            took.append(time.monotonic() - began)
            while pane.search.busy:
                await asyncio.sleep(0.05)
    return {"first_beam_s": took[0], "beam_median_s": sorted(took)[ASKED // 2]}


def many_runs(root: Path, count: int) -> dict[str, float]:
    """The table of so many runs, and of five: processor time until all are read and drawn, and of keys."""
    few, many = (asyncio.run(_many_runs(root / str(n), n)) for n in (5, count))
    return {
        "many_runs": count,
        "many_until_idle_s": many["idle"],
        "many_until_idle_ratio": many["idle"] / few["idle"],
        "many_key_p95_ms": many["key"],
        "many_key_ratio": many["key"] / few["key"],
        "many_idle_share": many["quiet"],
    }


def make_many(root: Path, count: int) -> None:
    """So many runs of a hundred steps."""
    for number in range(count):
        run = Run.at(root / f"many_{number % 20}" / f"20250101-{number:06d}")
        run.path.mkdir(parents=True)
        run.config_path.write_text(to_toml(Experiment(name=run.experiment)))
        steps = [{"kind": "step", "step": i, "loss": 10 / i, "lr": 1e-3} for i in range(1, 101)]
        begin, end = {"kind": "run", "step": 0, "total_steps": 100}, {"kind": "end", "step": 100}
        lines = [{"v": 1, "time": time.time(), **event} for event in (begin, *steps, end)]
        run.events.write_text("".join(json.dumps(line) + "\n" for line in lines))


async def _many_runs(root: Path, count: int) -> dict[str, float]:
    make_many(root, count)
    app, took = Dashboard(root, start="runs"), []
    began = time.process_time()
    async with app.run_test(size=(120, 40)) as pilot:
        while len(app.runs.rows) < count or not all(row.summary for row in app.runs.rows):
            await asyncio.sleep(0.005)
        await pilot.pause()
        idle = time.process_time() - began
        for at in range(KEYS):
            begun = time.thread_time()
            await pilot.press(("j", "G", "k", "s", "g", "space")[at % 6])
            took.append((time.thread_time() - begun) * 1000)
        begun = time.process_time()
        await asyncio.sleep(QUIET_SECONDS)
        quiet = (time.process_time() - begun) / QUIET_SECONDS
    return {"idle": idle, "key": sorted(took)[len(took) * 95 // 100], "quiet": quiet}


async def _key(app: Dashboard, pane: RunPane) -> float:
    """Milliseconds from the arrival of a key to the end of what it does."""
    before, began = pane.view.metric, time.perf_counter()
    key = events_module.Key("m", "m")
    key.set_sender(app)
    app._driver.send_message(key)  # type: ignore[union-attr]
    while pane.view.metric == before:
        await asyncio.sleep(0.0005)
    return (time.perf_counter() - began) * 1000


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000, help="steps in the events file")
    parser.add_argument("--runs", type=int, default=1000, help="runs in the table")
    arguments = parser.parse_args()
    lines = arguments.lines
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        run = make(root, lines)
        found: dict[str, float] = {"lines": lines, **tail(run), **first_paint(root), **redraw()}
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as alone:
            found |= alone.submit(session, root, run.events).result()
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as alone:
            found |= alone.submit(many_runs, root / "many", arguments.runs).result()
        for measure in (live, first_beam):
            with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as alone:
                found |= alone.submit(measure, root / measure.__name__).result()
    common.print_table(("", "value"), [(name, f"{value:,.3f}") for name, value in found.items()])
    common.finish("tui", **found)


if __name__ == "__main__":
    main()
