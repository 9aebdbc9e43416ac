"""What `train`, `rl` and `experiments run` share: progress on stderr, the result, the estimated cost."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from polyctl.cli import output
from polyctl.formatting import format_bytes, format_duration

if TYPE_CHECKING:
    from polyctl.config.schema import Experiment
    from polyctl.store.runs import Run
    from polyctl.training.cost import Cost
    from polyctl.training.loop import TrainResult

LINE_SECONDS = 10.0  # between two plain progress lines

Event = dict[str, Any]


# -- progress --------------------------------------------------------------------------------------


class ProgressReporter:
    """Reports the events of a job on stderr: steps on the bar if there is one, else a line now and then.

    Without a bar it can be pickled and sent to another process.
    """

    def __init__(self, bar: output.Bar | None = None) -> None:
        self._bar = bar or output.Bar(None, None)
        self._plain = bar is None or not sys.stderr.isatty()
        self._total = self._first = 0
        self._began = self._reported = 0.0

    def __call__(self, kind: str, event: Event) -> None:
        """One event of a training, or `progress` of making data and of evaluating."""
        if kind == "progress":
            self._bar.update(event["done"], event["total"], event["what"])
        elif kind == "run":
            self._start(event)
        elif kind == "step":
            self._step(event)
        elif kind == "pool":
            output.say(
                f"step {event['step']:,}: {event['kept']} of {event['candidates']} problems in the band, "
                f"first answer right {event['first_right']:.1%}"
            )
        elif kind == "eval":
            output.say(f"step {event['step']:,}: {_validation_text(event)}")

    def _start(self, event: Event) -> None:
        self._total, self._first, self._began = event["total_steps"], event["step"], time.monotonic()
        self._bar.update(done=self._first, total=self._total)
        what = f"{event['algorithm']} {event['state']}" if "algorithm" in event else event["state"]
        output.say(
            f"{what} at step {self._first:,} of {self._total:,} on {event['device']}, "
            f"{event['parameters']:,} parameters"
        )

    def _step(self, event: Event) -> None:
        step, text, now = event["step"], _step_text(event), time.monotonic()
        self._bar.update(done=step, description=text)
        if self._plain and (now - self._reported >= LINE_SECONDS or step == self._total):
            self._reported = now
            left = (self._total - step) * (now - self._began) / (step - self._first)
            output.say(f"step {step:,} of {self._total:,}  {text}  {format_duration(left)} left")


def _step_text(event: Event) -> str:
    if "reward" in event:
        return (
            f"reward {event['reward']:.3f}  pass@1 {event['pass_at_1']:.0%}  skipped {event['skipped']:.0f}  "
            f"kl {event['kl']:.4f}"
        )
    text = f"loss {event['loss']:.4f}  {event['tokens_per_second'] / 1000:.1f}k tokens/s"
    return f"{text}  {event['mfu']:.1%} MFU" if "mfu" in event else text  # if the device's peak is known


def _validation_text(event: Event) -> str:
    if "rank_score" in event:
        return (
            f"held out: greedy verified {event['greedy_verified']:.1%}, pass@1 {event['pass_at_1']:.1%}, "
            f"pass@w {event['pass_at_w']:.1%}, rank score {event['rank_score']:.3f}"
        )
    return (
        f"valid loss {event['valid_loss']:.4f}, greedy exact {event['greedy_exact']:.1%}, "
        f"verified {event['greedy_verified']:.1%}"
    )


@contextmanager
def progress_reporter(description: str) -> Iterator[ProgressReporter]:
    """A reporter with a progress bar, if stderr is a terminal."""
    with output.progress(description) as bar:
        yield ProgressReporter(bar)


# -- result and cost -------------------------------------------------------------------------------


def print_result(
    result: TrainResult, run: Run, experiment: Experiment, resume: str, as_json: bool, **facts: Any
) -> None:
    """How a training ended, on stdout, and what to type next; `facts` are further fields of the JSON."""
    if as_json:
        output.print_json({"run": str(run.path), "experiment": experiment.name, **facts, **result.to_dict()})
        return
    print(f"{result.state} at step {result.step:,}: {result.checkpoint or 'no checkpoint yet'}")
    output.say(f"next: {f'polyctl eval {run.name}' if result.state == 'complete' else resume}")


def print_cost(cost: Cost, experiment: Experiment, as_json: bool) -> None:
    """The estimated cost of a training, on stdout."""
    if as_json:
        output.print_json({"experiment": experiment.name, **cost.to_dict()})
    else:
        output.print_table(("cost", experiment.name), _cost_rows(cost))


def _cost_rows(cost: Cost) -> list[tuple[str, str]]:
    memory = f"about {format_bytes(cost.memory_bytes)}"
    if cost.weights_bytes is not None:
        memory += (
            f": weights {format_bytes(cost.weights_bytes)}, gradients {format_bytes(cost.gradients_bytes)}, "
            f"moments {format_bytes(cost.moments_bytes)}, "
            f"activations roughly {format_bytes(cost.activations_bytes)}"
        )
    else:
        memory += " and activations"
    counts = {"problems": cost.problems, "tokens": cost.tokens, "hypotheses": cost.hypotheses}
    counted = [f"{count:,} {name}" for name, count in counts.items() if count is not None]
    rows = [
        ("device", cost.device),
        ("parameters", f"{cost.parameters:,}"),
        ("memory", memory),
        ("disk", f"{format_bytes(cost.disk_bytes)} of checkpoints"),
        ("in all", ", ".join([f"{cost.steps:,} steps", *counted])),
    ]
    if cost.problems_per_step is not None:
        rows.insert(4, ("a step", f"{cost.problems_per_step:,} problems, {cost.tokens_per_step:,} tokens"))
    if cost.probed is not None:
        rows.append(("probed", f"{cost.probed:,} problems for the pools"))
    return [*rows, ("time", _time_text(cost))]


def _time_text(cost: Cost) -> str:
    if cost.search_seconds_per_step is not None:
        return (
            f"at most about {format_duration(cost.seconds)}: {cost.search_seconds_per_step:.2g} s a step to "
            f"search and {cost.update_seconds_per_step:.2g} s to update; validations come on top"
        )
    return (
        f"about {format_duration(cost.seconds)}: {cost.seconds_per_step:.3g} s a step and "
        f"{cost.data_seconds_per_step:.2g} s to make its data ({cost.timing}); validations come on top"
    )
