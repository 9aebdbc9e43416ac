"""The one loop of every training: step, agree, save, validate, keep the best, stop gently, resume.

A training is a subclass of `Loop`. It gives `advance` (one step), `measure` (held-out metrics), `rank` (which
metrics are better) and `progress` (what resuming needs beside weights and moments). Signals and the time
limit take effect between two steps. The state is saved before a validation, so that one that fails loses
nothing.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import asdict, dataclass, field, fields
from operator import attrgetter
from pathlib import Path
from typing import Any, ClassVar

from pydantic import TypeAdapter

from polyctl.config.renamed import stored_experiment
from polyctl.config.schema import Experiment
from polyctl.data.tokenizers import make_tokenizer
from polyctl.errors import FileError, PolyctlError, UsageError
from polyctl.model.gpt import GPT
from polyctl.model.serialization import save_model
from polyctl.runtime.processes import Processes
from polyctl.runtime.signals import Interrupts
from polyctl.store.evaluation_report import CheckpointName
from polyctl.store.event_kinds import Checkpoint, End, EndState, RunStarted, Validation
from polyctl.store.events import finite
from polyctl.store.lock import sole_writer
from polyctl.store.runs import Run
from polyctl.training import checkpoint
from polyctl.training.average import WeightAverage
from polyctl.training.journal import Journal, OnEvent
from polyctl.training.optim import Optimizers

SAVE_SECONDS = 600.0  # a crash between validations costs at most this much work
FIRST_SAVE_SECONDS = 30.0  # and in the first minutes less


class DivergedError(PolyctlError):
    """The loss or the gradient stopped being a finite number; the weights before that step are saved."""


@dataclass(frozen=True)
class TrainResult:
    """How a training ended, and at which step; `metrics` are those of the last validation."""

    step: int
    metrics: dict[str, float]
    state: EndState
    best: dict[str, float] = field(default_factory=dict)
    checkpoint: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """All of it, for JSON; a metric that is not a finite number is null."""
        return {
            "state": self.state,
            "step": self.step,
            "metrics": finite(self.metrics),
            "best": finite(self.best),
            "checkpoint": None if self.checkpoint is None else str(self.checkpoint),
        }


def _share(passed: float, limit: float | None) -> float:
    """The share of a time limit that has passed, at most 1; 0 without a limit."""
    if limit is None:
        return 0.0
    return passed / limit if passed < limit else 1.0


@dataclass
class Progress:
    """Where a training stands; saved beside its weights and moments, so that a resumed one continues exactly.

    `best` holds the best validation's metrics and step, `validated` is the step of the last validation.
    """

    step: int = 0
    elapsed: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict)
    best: dict[str, float] = field(default_factory=dict)
    validated: int = 0


class Loop(ABC):
    """A training between two steps; subclasses set the model, its optimizer and the attributes below."""

    state_file: ClassVar[str]  # in checkpoints/: what resuming needs
    locked: ClassVar[tuple[str, ...]] = ("data", "model", "seed")  # settings that resuming cannot change

    model: GPT
    average: WeightAverage | None = None
    optimizer: Optimizers
    progress: Progress
    total_steps: int
    eval_every: int

    def __init__(self, experiment: Experiment, run: Run, processes: Processes, journal: Journal) -> None:
        self.experiment, self.run, self.processes, self.journal = experiment, run, processes, journal
        self.tokenizer = make_tokenizer(experiment.data)
        self.clock = 0.0  # share of the time limit that has passed, the same in all processes; 0 without one

    # -- what a kind of training gives -------------------------------------------------------------

    @abstractmethod
    def advance(self) -> None:
        """Take one step and report it."""

    @abstractmethod
    def measure(self) -> dict[str, float]:
        """Metrics on held-out problems, the same in every process."""

    @abstractmethod
    def rank(self, metrics: dict[str, float]) -> tuple[float, ...]:
        """What validations are compared by; greater is better."""

    def stepping(self) -> AbstractContextManager[None]:
        """What is open while steps are taken."""
        return nullcontext()

    def extra_facts(self) -> dict[str, Any]:
        """What the state file says beside the experiment and the progress."""
        return {}

    @property
    def algorithm(self) -> str | None:
        """The algorithm of reinforcement learning, if it is that."""
        return None

    # -- the loop ----------------------------------------------------------------------------------

    @property
    def step(self) -> int:
        """The number of finished steps."""
        return self.progress.step

    def run_until(self, interrupts: Interrupts, seconds: float | None) -> TrainResult:
        """Train until the last step, the time limit or an interrupt; save and validate on the way."""
        began, before = time.monotonic(), self.progress.elapsed
        save_at = began + FIRST_SAVE_SECONDS
        self._announce()
        if not self.step:
            self._save_state()
        with self.stepping():
            while True:
                now = time.monotonic()
                self.progress.elapsed = before + now - began
                ended = self._agree(interrupts.asked, _share(now - began, seconds))
                due = self.step % self.eval_every == 0 or ended is not None
                if ended == "interrupted":
                    self.save()
                elif due and self.step > self.progress.validated:
                    self.save()  # first, so that a failing validation loses nothing
                    self.validate()
                    self.save()
                    save_at = time.monotonic() + SAVE_SECONDS
                elif now >= save_at and self.step:
                    self.save()
                    save_at = now + SAVE_SECONDS
                if ended is not None:
                    break
                self.advance()
        done = self.progress
        self.journal.write(End(state=ended, step=done.step, elapsed=done.elapsed, metrics=done.metrics))
        weights = self.run.weights() if self.run.has_checkpoint else None
        return TrainResult(done.step, done.metrics, ended, done.best, weights)

    def _agree(self, interrupted: bool, clock: float) -> EndState | None:
        """The end that all processes share, if any; signals and clocks reach them at different steps.

        `self.clock` becomes the main process's.
        """
        mine = clock if self.processes.main else 0.0
        asked, over, self.clock = self.processes.sum([float(interrupted), float(clock >= 1), mine])
        if self.step >= self.total_steps:
            return "complete"
        if asked:
            return "interrupted"
        return "time limit" if over else None

    def validate(self) -> None:
        """Measure on held-out problems; keep the weights as `best` if they are."""
        done = self.progress
        done.metrics = self.measure()
        done.validated = done.step
        self.journal.write(Validation(step=done.step, metrics=done.metrics))
        if not done.best or self.rank(done.metrics) > self.rank(done.best):
            done.best = {"step": done.step, **done.metrics}
            self._save_weights("best")

    def best_model(self, metrics: dict[str, float]) -> GPT:
        """The weights that a validation with these metrics speaks for."""
        return self.model

    def diverged(self, found: str, lr: float, setting: str) -> DivergedError:
        """Save the weights, which are still those before the failed step, and return the error to raise.

        `setting` is the key of the learning rate.
        """
        self.save()
        lower = attrgetter(setting)(self.experiment) / 3
        return DivergedError(
            f"step {self.step + 1}: {found} at learning rate {lr:.3g}",
            f"lower the learning rate: --resume --set {setting}={lower:.1g} "
            f"continues from the {self.step} good steps",
        )

    def _announce(self) -> None:
        began = RunStarted(
            state="resumed" if self.step else "started",
            algorithm=self.algorithm,
            step=self.step,
            total_steps=self.total_steps,
            device=str(self.processes.device),
            processes=self.processes.world,
            parameters=self.model.parameter_count(),
            after=self.journal.after,
        )
        self.journal.write(began)

    # -- files -------------------------------------------------------------------------------------

    @classmethod
    def state_path(cls, run: Run) -> Path:
        """Where a run keeps what resuming needs."""
        return run.checkpoints / cls.state_file

    def save(self) -> None:
        """Write the weights as checkpoints/last.safetensors, and their average, then the trainer's state.

        In this order, a process that dies between the two repeats some steps and writes the weights again.
        """
        self._save_weights("last")
        if self.average is not None:
            self._save_weights("average")
        self._save_state()

    def _save_state(self) -> None:
        """Write what resuming needs."""
        if not self.processes.main:
            return
        facts = {
            "experiment": self.experiment.model_dump(mode="json"),
            **self.extra_facts(),
            **asdict(self.progress),
        }
        average = None if self.average is None else self.average.model
        checkpoint.save_trainer(self.state_path(self.run), self.model, self.optimizer, facts, average)

    def resume(self) -> None:
        """Load weights, moments and progress from the run's state file.

        Raises FileError if there is none, UsageError if settings differ that resuming cannot change.
        """
        path = self.state_path(self.run)
        read = checkpoint.read_facts(path)
        kind = type(self.progress)
        try:
            saved = stored_experiment(read["experiment"])
            # older versions kept fewer facts
            known = {p.name: read[p.name] for p in fields(kind) if p.name in read}
            progress = TypeAdapter(kind).validate_python(known)
        except (KeyError, TypeError, ValueError) as error:
            raise FileError(f"{path} is not a trainer state: {error}", "start a new run") from error
        for part in self.locked:
            if attrgetter(part)(saved) != attrgetter(part)(self.experiment):
                raise UsageError(
                    f"{self.run.path} was started with other {part} settings",
                    "only train.*, eval.* and rl.* may change on resume; start a new run for the rest",
                )
        average = None if self.average is None else self.average.model
        checkpoint.load_trainer(path, self.model, self.optimizer, average)
        self.progress = progress

    def _save_weights(self, which: CheckpointName) -> None:
        if not self.processes.main:
            return
        model = self.model
        if which == "average" and self.average is not None:
            model = self.average.model
        elif which == "best":
            model = self.best_model(self.progress.metrics)
        self.write_model(self.run.checkpoint(which), model)
        path = f"checkpoints/{which}.safetensors"
        self.journal.write(Checkpoint(step=self.step, which=which, path=path))

    def write_model(self, path: Path, model: GPT | None = None) -> None:
        """Write the weights, or those of `model`, as a model file, with the metrics of this step, if any."""
        metrics = self.progress.metrics if self.progress.validated == self.step else {}
        save_model(path, model or self.model, self.experiment, self.tokenizer.vocabulary, self.step, metrics)


def _answer(run: Run) -> str:
    return f"interrupted: saving {run.name} after this step; a second Ctrl-C stops without saving"


def run_loop(
    make: Callable[[Journal], Loop],
    run: Run,
    processes: Processes,
    *,
    max_minutes: float | None = None,
    on_event: OnEvent | None = None,
) -> TrainResult:
    """Make a training and run it to its end; an error of either is written to the run's events first.

    FileError if another process trains the run.
    Reaching max_minutes and the first SIGINT or SIGTERM end it gently: what resuming needs is saved.
    """
    with ExitStack() as stack:

        def own() -> str | None:
            run.refuse_links()
            before = stack.enter_context(sole_writer(run.path, run.checkpoints))
            return None if before is None else str(before)

        after = processes.from_main(own)
        journal = stack.enter_context(Journal(run.events, processes.main, on_event, after))
        interrupts = stack.enter_context(Interrupts(_answer(run) if processes.main else None))
        return make(journal).run_until(interrupts, None if max_minutes is None else 60 * max_minutes)
