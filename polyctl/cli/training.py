"""What `train`, `rl` and `experiments run` share: progress on stderr, the result, the estimated cost."""

from __future__ import annotations

import math
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polyctl.cli import output
from polyctl.formatting import format_bytes, format_duration

if TYPE_CHECKING:
    from polyctl.config.schema import Experiment
    from polyctl.plans.progress import Progress
    from polyctl.runtime.processes import Processes
    from polyctl.store.event_kinds import Event, RunStarted, Step, Validation
    from polyctl.store.runs import Run
    from polyctl.training.cost import Cost
    from polyctl.training.loop import TrainResult

# -- progress --------------------------------------------------------------------------------------


class ProgressReporter:
    """Reports the events of a job on stderr: steps on the bar if there is one, else a line now and then.

    Without a bar it can be pickled and sent to another process. Events that were read from a file are
    reported as they were when they happened; `say` prints a line.
    """

    def __init__(self, bar: output.Bar | None = None, say: Callable[[str], None] = output.say) -> None:
        self._bar = bar or output.Bar()
        self.say = say
        self._plain = bar is None or not sys.stderr.isatty()
        self._total = self._first = 0
        self._began = self._reported = 0.0

    def __call__(self, event: Event | Progress) -> None:
        """One event of a training, or the progress of making data and of evaluating."""
        from polyctl.plans.progress import Progress
        from polyctl.store.event_kinds import Pool, RunStarted, Step, Validation

        match event:
            case Progress(what, done, total):
                self._bar.update(done, total, what)
            case RunStarted():
                self._start(event)
            case Step():
                self._step(event)
            case Pool():
                self.say(
                    f"step {event.step:,}: {event.kept} of {event.candidates} problems in the band, "
                    f"first answer right {event.first_right:.1%}"
                )
                if event.candidates_needed is not None and event.candidates_needed > (event.candidates or 0):
                    self.say(
                        f"warning: the pool wears out: each of its problems is used {event.uses:.1f} times. "
                        f"Set rl.pool_candidates={event.candidates_needed}, or 0 for fresh problems"
                    )
            case Validation():
                self.say(f"step {event.step:,}: {_validation_text(event)}")

    def _start(self, event: RunStarted) -> None:
        self._total, self._first, self._began = (
            event.total_steps or 0,
            event.step or 0,
            event.time or time.time(),
        )
        if not self._plain:
            self._bar.update(done=self._first, total=self._total)
        if event.after is not None:
            self.say(f"taking over from {event.after}, which has died")
        what = f"{event.algorithm} {event.state}" if event.algorithm is not None else event.state
        self.say(
            f"{what} at step {self._first:,} of {self._total:,} on {event.device}, "
            f"{event.parameters:,} parameters"
        )

    def _step(self, event: Step) -> None:
        step, text, now = event.step or 0, _step_text(event), event.time or time.time()
        if not self._plain:
            self._bar.update(done=step, description=text)
        if self._plain and (now - self._reported >= output.LINE_SECONDS or step == self._total):
            self._reported = now
            left = max(0, self._total - step) * (now - self._began) / max(1, step - self._first)
            self.say(f"step {step:,} of {self._total:,}  {text}  {format_duration(left)} left")


def _known(metrics: dict[str, float]) -> dict[str, float]:
    """The metrics, NaN for those that an older version did not report."""
    return defaultdict(lambda: math.nan, metrics)


def _step_text(event: Step) -> str:
    found = _known(event.metrics)
    if "reward" in found:
        return (
            f"reward {found['reward']:.3f}  pass@1 {found['pass_at_1']:.0%}  kl {found['kl']:.4f}  "
            f"entropy {found['entropy']:.2f}  mass {found['mass']:.2f}  copies {found['copies']:.0%}  "
            f"skipped {found['all_right']:.0f} right, {found['all_wrong']:.0f} wrong"
        )
    loss = math.nan if event.loss is None else event.loss
    text = f"loss {loss:.4f}  {(event.tokens_per_second or 0) / 1000:.1f}k tokens/s"
    return f"{text}  {found['mfu']:.1%} MFU" if "mfu" in found else text  # if the device's peak is known


def _validation_text(event: Validation) -> str:
    found = _known(event.metrics)
    if "rank_score" in found:
        return (
            f"held out: greedy verified {found['greedy_verified']:.1%}, pass@1 {found['pass_at_1']:.1%}, "
            f"pass@w {found['pass_at_w']:.1%}, rank score {found['rank_score']:.3f}; "
            f"mass {found['mass']:.2f}, copies {found['copies']:.1%}; "
            f"of samples: kl {found['sample_kl']:.4f}, entropy {found['sample_entropy']:.2f}"
        )
    text = _held_out(found, "")
    return f"{text}; average: {_held_out(found, 'average_')}" if "average_valid_loss" in found else text


def _held_out(found: dict[str, float], kind: str) -> str:
    return (
        f"valid loss {found[kind + 'valid_loss']:.4f}, greedy exact {found[kind + 'greedy_exact']:.1%}, "
        f"verified {found[kind + 'greedy_verified']:.1%}"
    )


@contextmanager
def progress_reporter(description: str) -> Iterator[ProgressReporter]:
    """A reporter with a progress bar, if stderr is a terminal."""
    with output.progress(description, lines=False) as bar:
        yield ProgressReporter(bar)


# -- start -----------------------------------------------------------------------------------------


def check_resumable(run: Run) -> None:
    """FileError if another process trains the run, or it lies where nothing can be written."""
    from polyctl.store.lock import check_free

    check_free(run.path, "copy the runs to a place that can be written, and name it with --runs")


def kept_from(experiment: Experiment, start: Path, processes: Processes) -> Experiment:
    """The experiment with what its start was kept from; a warning of what of that is not here."""
    from polyctl.model.serialization import read_experiment
    from polyctl.training.start import with_exclusions

    kept, lost = with_exclusions(experiment, read_experiment(start).data.exclude)
    if lost and processes.main:
        output.say(
            f"warning: {start} was kept from the problems of {', '.join(lost)}; these files are not here, "
            "so their problems may be trained on now"
        )
    return kept


# -- result and cost -------------------------------------------------------------------------------


def print_result(
    result: TrainResult, run: Run, experiment: Experiment, resume: str, as_json: bool, **facts: Any
) -> None:
    """How a training ended, on stdout, and what to type next; `facts` are further fields of the JSON."""
    _print_end(result, run, experiment, as_json, facts)
    if result.state == "interrupted":
        output.say(f"interrupted: `{resume}` continues it")
    elif not as_json:
        output.say(f"next: {f'polyctl eval {run.name}' if result.state == 'complete' else resume}")


def _print_end(
    result: TrainResult, run: Run, experiment: Experiment, as_json: bool, facts: dict[str, Any]
) -> None:
    if as_json:
        named = {"run": run.name, "path": str(run.path), "experiment": experiment.name}
        output.print_json({**named, **facts, **result.to_dict()})
    else:
        print(f"{result.state} at step {result.step:,}: {result.checkpoint or 'no checkpoint yet'}")


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
