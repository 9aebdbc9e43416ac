"""polyctl runs tail: the log of a run as its training prints it, followed while it grows."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polyctl.cli import output
from polyctl.cli.options import JsonOption, RunArgument, RunsOption
from polyctl.cli.training import ProgressReporter
from polyctl.formatting import format_percent

if TYPE_CHECKING:
    from polyctl.store.runs import Run
    from polyctl.store.tail import Tail

POLL_SECONDS = 0.5
THINNED = 1000  # of the steps of which no line is shown, one in so many is looked at

RawEvent = dict[str, Any]


def tail(
    run: RunArgument,
    lines: Annotated[
        int, typer.Option("--lines", min=0, metavar="N", help="Begin with the last N lines.")
    ] = 10,
    runs: RunsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Follow a run: the lines that its training prints, until it ends or Ctrl-C.

    With --json every event of the run is a line, as in its events.jsonl, from its last N events on.
    """
    from polyctl.store.runs import find_run
    from polyctl.store.tail import Tail

    found = find_run(run, runs, need_checkpoint=False)
    log = Tail(found.events)
    batches = _until_now(log)
    shown: deque[RawEvent | str] = deque(maxlen=lines)
    reporter = ProgressReporter(say=shown.append)
    for events in batches[:-1]:
        for event in events:
            if event["kind"] == "run":
                _report(event, reporter, shown.append)
    for event in batches[-1]:
        shown.append(event) if as_json else _report(event, reporter, shown.append)
    for line in shown:
        _print(line)
    reporter.say = _print
    for event in _later(log, found):
        _print(event) if as_json else _report(event, reporter, _print)
    output.say(f"{found.name}: {_how_it_stands(found)}")


def _until_now(log: Tail) -> list[list[RawEvent]]:
    """The newest events in the file, after the older ones back to where their training began."""
    log.later()
    batch = log.earlier()
    batches = [batch.events]
    while batch.more and not any(event["kind"] == "run" for event in batches[0]):
        batch = log.earlier(every=THINNED)
        batches.insert(0, batch.events)
    return batches


def _later(log: Tail, run: Run) -> Iterator[RawEvent]:
    """Events as they are written, until nobody writes any more."""
    while True:
        running = run.state() == "running"
        batch = log.later()
        yield from batch.events
        if batch.more:
            continue
        if not running:
            return
        time.sleep(POLL_SECONDS)


def _report(raw: RawEvent, reporter: ProgressReporter, say: Any) -> None:
    """Print what an event says, if it is one that training prints or that ends it."""
    from polyctl.store.event_kinds import End, Evaluation, Failure, event_from_json

    with suppress(TypeError):  # an event that lacks what its line says
        match event := event_from_json(raw):
            case None:
                return
            case End():
                say(f"{event.state} at step {event.step:,}")
            case Failure():
                say(f"error: {event.message}")
            case Evaluation():
                verified = format_percent(event.greedy_verified)
                say(f"evaluation at step {event.step:,}: greedy verified {verified} of {event.problems}")
            case _:
                reporter(event)


def _how_it_stands(run: Run) -> str:
    summary = run.summary()
    return summary.state if summary.ended is None else f"{summary.state} ({summary.ended})"


def _print(line: RawEvent | str) -> None:
    if isinstance(line, str):
        print(line, flush=True)
    else:
        output.print_json_line(line)
