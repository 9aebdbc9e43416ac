"""Supervised training: teach a transformer to write the decomposition after the separator.

Step s is a function of (experiment, s) and the weights before it: the batch is number s of the source, and
dropout draws from a generator seeded by (seed, s, rank). So a resumed run is the run that was never stopped,
bit for bit on a CPU, and neither workers nor validations disturb it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from polyctl.config.renamed import stored_experiment
from polyctl.config.schema import Experiment
from polyctl.data.batch import Batch
from polyctl.data.families import held_out
from polyctl.data.problem import Problem
from polyctl.data.stream import open_source
from polyctl.data.tokenizers import make_tokenizer
from polyctl.data.tokenizers.base import Tokenizer
from polyctl.errors import PolyctlError, UsageError
from polyctl.evaluation.accuracy import greedy_accuracy
from polyctl.model.gpt import GPT
from polyctl.model.number_features import start_as_waves
from polyctl.model.serialization import LoadedModel, load_model, save_model
from polyctl.runtime.processes import Processes
from polyctl.runtime.signals import Interrupts
from polyctl.store.runs import Run, find_run
from polyctl.training import checkpoint
from polyctl.training.flops import peak_flops, step_flops
from polyctl.training.journal import Journal, OnEvent
from polyctl.training.loader import Ahead, batches, data_workers, split
from polyctl.training.loss import TargetLoss, autocast, dropout_seed, make_objective
from polyctl.training.optim import lr_at, make_optimizer
from polyctl.training.session import session
from polyctl.training.throughput import Meter

STEP_EVENT_SECONDS = 0.3  # at most about three step events a second
SAVE_SECONDS = 600.0  # a crash between validations costs at most this much work


class DivergedError(PolyctlError):
    """The loss or the gradient stopped being a finite number; the weights before that step are saved."""


@dataclass(frozen=True)
class TrainResult:
    """How a training ended: `state` is complete, time limit or interrupted; `metrics` are the last ones."""

    step: int
    metrics: dict[str, float]
    state: str
    best: dict[str, float] = field(default_factory=dict)
    checkpoint: Path | None = None


def train(
    experiment: Experiment,
    run: Run,
    *,
    device: str = "auto",
    resume: bool = False,
    max_minutes: float | None = None,
    on_event: OnEvent | None = None,
    data: Path | None = None,
) -> TrainResult:
    """Train `experiment` in the directory of `run`, or continue there, until its steps are done.

    Reaching max_minutes and the first SIGINT or SIGTERM end it gently: everything needed to resume is saved.
    Raises UsageError for settings that do not fit together, FileError where there is nothing to resume,
    DivergedError where the loss stops being finite.
    """
    with session(run, device, on_event) as here:
        if resume and data is None:
            data = _data_of(run)
        trainer = Trainer(experiment, run, here.processes, here.journal, data)
        if resume:
            trainer.resume()
        elif experiment.train.init_from is not None:
            trainer.start_from(experiment.train.init_from)
        return trainer.run_until(here.interrupts, None if max_minutes is None else 60 * max_minutes)


class Trainer:
    """The state of a training between two steps, and what can be done with it."""

    def __init__(
        self,
        experiment: Experiment,
        run: Run,
        processes: Processes,
        journal: Journal,
        data: Path | None = None,
    ) -> None:
        config = experiment.train
        if config.batch < processes.world * config.accumulate:
            raise UsageError(
                f"train.batch {config.batch} is too small for {processes.world} processes with "
                f"train.accumulate {config.accumulate}: every forward pass needs a problem",
                f"--set train.batch={processes.world * config.accumulate}, or accumulate less",
            )
        self.experiment, self.run, self.processes, self.journal = experiment, run, processes, journal
        self.data = data
        self.source = open_source(experiment, data)
        self.total_steps = self.source.total_steps or config.steps
        self.tokenizer = make_tokenizer(experiment.data)
        self.problems = held_out_that_fit(experiment, self.tokenizer)
        torch.manual_seed(experiment.seed)
        model = GPT.of(experiment, len(self.tokenizer.vocabulary))
        if experiment.model.number_init == "fourier":
            start_as_waves(model.embedding, *self.tokenizer.numbers)
        self.model = model.to(processes.device)
        self.optimizer = make_optimizer(self.model, config)
        self.objective = processes.wrap(make_objective(self.model, config, processes.device))
        self.peak = peak_flops(processes.device)
        self.step = 0
        self.elapsed = 0.0
        self.metrics: dict[str, float] = {}
        self.best: dict[str, float] = {}
        self.validated = 0

    # -- the loop ----------------------------------------------------------------------------------

    def run_until(self, interrupts: Interrupts, seconds: float | None) -> TrainResult:
        """Train until the last step, the time limit or an interrupt; save and validate on the way."""
        began, before = time.monotonic(), self.elapsed
        meter = Meter()
        saved_at = began
        self._announce()
        workers = data_workers(self.experiment.train.workers, self.processes.device, self.processes.world)
        made = batches(self.source, self.step, self.total_steps, workers, self.processes)
        with closing(made):
            stream = Ahead(made)
            while True:
                now = time.monotonic()
                self.elapsed = before + now - began
                late = seconds is not None and now - began >= seconds
                state = self._agree(interrupts.asked, late)
                due = self.step % self.experiment.train.eval_every == 0 or state != "running"
                if state == "interrupted":
                    self.save()
                elif due and self.step > self.validated:
                    self.save()  # first, so that a failing validation loses nothing
                    self.validate()
                    self.save()
                    meter, saved_at = Meter(), time.monotonic()
                elif now - saved_at >= SAVE_SECONDS:
                    self.save()
                    saved_at = now
                if state != "running":
                    break
                batch = next(stream)
                loss, norm, lr = self.advance(batch, meanwhile=stream.fetch)
                meter.tokens += batch.tokens
                meter.flops += step_flops(self.experiment.model, self.model.tokens, batch)
                if meter.seconds >= STEP_EVENT_SECONDS or self.step in (1, self.total_steps):
                    self._report(loss, norm, lr, meter)
                    meter = Meter()
        self.journal.write("end", state=state, step=self.step, elapsed=self.elapsed, metrics=self.metrics)
        return TrainResult(self.step, self.metrics, state, self.best, self._checkpoint())

    def advance(
        self, batch: Batch, meanwhile: Callable[[], None] = lambda: None
    ) -> tuple[float, float, float]:
        """One optimizer step on one batch; returns its loss a target token, gradient norm and learning rate.

        `meanwhile` is called when a GPU has its work, before it is waited for.

        The loss is divided by the target tokens of the whole batch, over all parts and processes, so that the
        gradient does not depend on how the batch was split.
        """
        config, world = self.experiment.train, self.processes.world
        lr = lr_at(self.step, config, self.total_steps)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        torch.manual_seed(dropout_seed(self.experiment.seed, self.step, self.processes.rank))
        tokens = int(batch.loss_BT.sum())
        parts = split(batch, self.processes.rank, world, config.accumulate)
        self.optimizer.zero_grad(set_to_none=True)
        total = torch.zeros((), device=self.processes.device)
        for index, part in enumerate(parts):
            with self._no_sync(index + 1 < len(parts)):
                with autocast(self.processes.device, config.precision):
                    loss = self.objective(*part.to(self.processes.device))
                # DistributedDataParallel averages over processes; the factor turns its mean into a sum.
                (loss * (world / tokens)).backward()
                total += loss.detach()
        norm_tensor = nn.utils.clip_grad_norm_(self.model.parameters(), config.max_grad_norm)
        meanwhile()
        # One wait for the device a step, before the weights change, so that they are never spoiled by a NaN.
        part_loss, norm = torch.stack([total / tokens, norm_tensor]).tolist()
        (loss_value,) = self.processes.sum([part_loss])
        if not (math.isfinite(loss_value) and math.isfinite(norm)):
            self.save()
            raise DivergedError(
                f"step {self.step + 1}: loss {loss_value}, gradient norm {norm} at learning rate {lr:.3g}",
                f"lower the learning rate: --resume --set train.lr={config.lr / 3:.1g} "
                f"continues from the {self.step} good steps",
            )
        self.optimizer.step()
        self.step += 1
        return loss_value, norm, lr

    def _no_sync(self, skip: bool) -> AbstractContextManager[None]:
        """Keep gradients local in all parts but the last, after which they are summed over processes once."""
        if skip and isinstance(self.objective, DistributedDataParallel):
            return self.objective.no_sync()
        return nullcontext()

    def _agree(self, interrupted: bool, late: bool) -> str:
        """The state that all processes share; signals and clocks reach them at different steps."""
        asked, ended = self.processes.sum([float(interrupted), float(late)])
        if self.step >= self.total_steps:
            return "complete"
        if asked:
            return "interrupted"
        return "time limit" if ended else "running"

    # -- validation --------------------------------------------------------------------------------

    def validate(self) -> None:
        """Loss and greedy accuracy on held-out problems; keeps the weights as `best` where they are."""
        self.model.eval()
        try:
            self.metrics = self._measure()
        finally:
            self.model.train()
        self.validated = self.step
        self.journal.write("eval", step=self.step, **self.metrics)
        if not self.best or _rank(self.metrics) > _rank(self.best):
            self.best = {"step": self.step, **self.metrics}
            self._save_weights("best")

    def _measure(self) -> dict[str, float]:
        """valid_loss, greedy_exact and greedy_verified, each process measuring its share of the problems."""
        experiment, processes = self.experiment, self.processes
        mine = self.problems[processes.rank :: processes.world]
        decoded = self.problems[: experiment.train.eval_problems][processes.rank :: processes.world]
        loss, tokens = self._held_out_loss(mine)
        exact = verified = 0.0
        if decoded:
            accuracy = greedy_accuracy(
                self.model,
                self.tokenizer,
                decoded,
                max_tokens=experiment.eval.max_tokens,
                batch=experiment.eval.batch,
            )
            exact, verified = accuracy.exact * len(decoded), accuracy.verified * len(decoded)
        loss, tokens, exact, verified, total = processes.sum([loss, tokens, exact, verified, len(decoded)])
        return {
            "valid_loss": loss / tokens,
            "greedy_exact": exact / total,
            "greedy_verified": verified / total,
        }

    def _held_out_loss(self, problems: list[Problem]) -> tuple[float, float]:
        """Summed loss over target tokens, and their number."""
        examples = [_encode(self.tokenizer, problem) for problem in problems]
        examples.sort(key=lambda example: len(example[0]) + len(example[1]))
        loss = tokens = 0.0
        objective = TargetLoss(self.model)
        for start in range(0, len(examples), self.experiment.eval.batch):
            batch = Batch.of(examples[start : start + self.experiment.eval.batch])
            (part,) = split(batch, 0, 1, 1)
            with torch.no_grad(), autocast(self.processes.device, self.experiment.train.precision):
                loss += float(objective(*part.to(self.processes.device)))
            tokens += part.targets_N.numel()
        return loss, tokens

    # -- files and events --------------------------------------------------------------------------

    def save(self) -> None:
        """Write the trainer's state, then the same weights as checkpoints/last.safetensors."""
        if not self.processes.main:
            return
        facts = {
            "experiment": self.experiment.model_dump(mode="json"),
            "data": None if self.data is None else str(self.data.absolute()),
            "step": self.step,
            "total_steps": self.total_steps,
            "elapsed": self.elapsed,
            "metrics": self.metrics,
            "best": self.best,
            "validated": self.validated,
        }
        checkpoint.save_trainer(trainer_file(self.run), self.model, self.optimizer, facts)
        self._save_weights("last")

    def _save_weights(self, which: Literal["best", "last"]) -> None:
        if not self.processes.main:
            return
        metrics = self.metrics if self.validated == self.step else {}
        save_model(
            self.run.checkpoint(which),
            self.model,
            self.experiment,
            self.tokenizer.vocabulary,
            self.step,
            metrics,
        )
        self.journal.write("checkpoint", step=self.step, which=which, path=f"checkpoints/{which}.safetensors")

    def resume(self) -> None:
        """Take up weights, moments and position from the run's trainer state."""
        path = trainer_file(self.run)
        saved = stored_experiment(checkpoint.read_facts(path)["experiment"])
        for part in ("data", "model", "seed"):
            if getattr(saved, part) != getattr(self.experiment, part):
                raise UsageError(
                    f"{self.run.path} was trained with other {part} settings than it would be resumed with",
                    "only train.* and eval.* may change on resume; start a new run for the rest",
                )
        facts = checkpoint.load_trainer(path, self.model, self.optimizer)
        self.step, self.elapsed = facts["step"], facts["elapsed"]
        self.metrics, self.best, self.validated = facts["metrics"], facts["best"], facts["validated"]

    def start_from(self, name: str) -> None:
        """Copy the weights of another run or checkpoint; UsageError where the vocabulary or shape differs.

        A start that was not shown ratios may learn to see them: their matrix begins at zero, so that the
        model begins as the start.
        """
        loaded = load_start(name, self.run.root, self.experiment, self.tokenizer)
        weights = loaded.model.state_dict()
        if self.experiment.model.ratios and not loaded.model.config.ratios:
            weights["ratios.matrix.weight"] = torch.zeros_like(self.model.ratios.matrix.weight)
        try:
            self.model.load_state_dict(weights)
        except RuntimeError as error:
            raise UsageError(
                f"train.init_from {name}: its shape is not that of {self.experiment.name}",
                "give both experiments the same [model]",
            ) from error

    def _checkpoint(self) -> Path | None:
        return self.run.weights() if self.run.has_checkpoint else None

    def _announce(self) -> None:
        self.journal.write(
            "run",
            state="resumed" if self.step else "started",
            step=self.step,
            total_steps=self.total_steps,
            device=str(self.processes.device),
            processes=self.processes.world,
            parameters=self.model.parameter_count(),
        )

    def _report(self, loss: float, norm: float, lr: float, meter: Meter) -> None:
        utilisation = {}
        if self.peak is not None:
            utilisation["mfu"] = meter.utilisation(self.peak * self.processes.world)
        self.journal.write(
            "step",
            step=self.step,
            loss=loss,
            lr=lr,
            grad_norm=norm,
            tokens_per_second=meter.rate,
            problems_seen=self.step * self.experiment.train.batch,
            elapsed=self.elapsed,
            **utilisation,
        )


def _rank(metrics: dict[str, float]) -> tuple[float, float]:
    """Greater is better: verified accuracy, then loss; a loss that is no number counts as the worst."""
    loss = metrics["valid_loss"]
    return metrics["greedy_verified"], -loss if math.isfinite(loss) else -math.inf


def trainer_file(run: Run) -> Path:
    """Where a run keeps what resuming needs."""
    return run.checkpoints / "trainer.safetensors"


def _data_of(run: Run) -> Path | None:
    """The directory of data that a run was started with."""
    directory = checkpoint.read_facts(trainer_file(run))["data"]
    return None if directory is None else Path(directory)


def held_out_that_fit(experiment: Experiment, tokenizer: Tokenizer) -> list[Problem]:
    """The problems to validate on, without those that are longer than the model can read.

    Raises UsageError where none is left.
    """
    wanted = max(experiment.data.valid_size, experiment.train.eval_problems)
    problems = held_out(experiment.data, experiment.seed, split="valid", count=wanted)
    fitting = [p for p in problems if sum(map(len, _encode(tokenizer, p))) <= experiment.model.context_length]
    if not fitting:
        raise UsageError(
            f"none of {len(problems)} held-out problems fits "
            f"model.context_length = {experiment.model.context_length} tokens",
            "raise model.context_length or make the degrees smaller",
        )
    return fitting


def _encode(tokenizer: Tokenizer, problem: Problem) -> tuple[list[int], list[int]]:
    return tokenizer.encode_prompt(problem), tokenizer.encode_target(problem)


def weights_of(name: str, root: Path) -> Path:
    """The model file that train.init_from means: a .safetensors file, or the best one of a run in `root`."""
    return Path(name) if name.endswith(".safetensors") else find_run(name, root).weights()


def load_start(name: str, root: Path, experiment: Experiment, tokenizer: Tokenizer) -> LoadedModel:
    """The model that train.init_from means, on the CPU. Raises UsageError where it has other tokens."""
    loaded = load_model(weights_of(name, root), torch.device("cpu"))
    if tuple(loaded.vocabulary) != tuple(tokenizer.vocabulary):
        raise UsageError(f"train.init_from {name}: its tokens are not those of {experiment.name}")
    return loaded
