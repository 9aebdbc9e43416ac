"""Supervised training: teach a transformer to write the decomposition after the separator.

Step s is a function of (experiment, s) and the weights before it: the batch is number s of the source, and
dropout draws from a generator seeded by (seed, s, rank). So a resumed run is the run that was never stopped,
bit for bit on a CPU, and neither workers nor validations disturb it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from polyctl.config.schema import Experiment
from polyctl.data.batch import TrainingBatch
from polyctl.data.problem import Problem
from polyctl.data.stream import open_source
from polyctl.errors import UsageError
from polyctl.evaluation.accuracy import greedy_accuracy
from polyctl.model.gpt import GPT
from polyctl.model.number_features import start_as_waves
from polyctl.runtime.pool import WorkerDied
from polyctl.runtime.processes import Processes
from polyctl.store.event_kinds import Step
from polyctl.store.runs import TRAINER_STATE, Run
from polyctl.training import checkpoint
from polyctl.training.average import WeightAverage
from polyctl.training.echo import Echo
from polyctl.training.flops import peak_flops, step_flops
from polyctl.training.journal import Journal, OnEvent
from polyctl.training.loader import GPU_WIDTHS, Prefetcher, batches, data_workers, split
from polyctl.training.loop import Loop, Progress, TrainResult, run_loop
from polyctl.training.loss import TargetLoss, autocast, derived_seed, make_objective
from polyctl.training.optim import Schedule, make_optimizer
from polyctl.training.start import held_out_that_fit, start_weights, weights_of
from polyctl.training.throughput import Meter, measure_memory

STEP_EVENT_SECONDS = 0.3  # at most about three step events a second


def train(
    experiment: Experiment,
    run: Run,
    processes: Processes,
    *,
    resume: bool = False,
    max_minutes: float | None = None,
    on_event: OnEvent | None = None,
    data: Path | None = None,
) -> TrainResult:
    """Train `experiment` in the directory of `run`, or continue there, until its steps are done.

    Reaching max_minutes and the first SIGINT or SIGTERM end it gently: everything needed to resume is saved.
    Raises UsageError for settings that do not fit together, FileError if there is nothing to resume,
    DivergedError if the loss stops being finite.
    """

    def make(journal: Journal) -> SupervisedTrainer:
        known = data if data is not None or not resume else _data_of(run)
        trainer = SupervisedTrainer(experiment, run, processes, journal, known)
        if resume:
            trainer.resume()
        elif experiment.train.init_from is not None:
            trainer.start_from(experiment.train.init_from)
        return trainer

    return run_loop(make, run, processes, max_minutes=max_minutes, on_event=on_event)


class SupervisedTrainer(Loop):
    """Training on problems with known answers, by cross-entropy."""

    state_file = TRAINER_STATE

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
        super().__init__(experiment, run, processes, journal)
        self.data = data
        self.source = open_source(experiment, data)
        self.total_steps = self.source.total_steps or config.steps
        self.eval_every = config.eval_every
        self.problems = held_out_that_fit(experiment, self.tokenizer)
        torch.manual_seed(experiment.seed)
        model = GPT.of(experiment, len(self.tokenizer.vocabulary))
        if experiment.model.number_init == "fourier":
            start_as_waves(model.embedding, *self.tokenizer.numbers)
        self.model = model.to(processes.device)
        self.average = WeightAverage(self.model, config.ema) if config.ema else None
        self.optimizer = make_optimizer(self.model, config)
        self.schedule = Schedule(
            config.lr,
            config.warmup,
            self.total_steps,
            config.final_lr_ratio,
            config.schedule,
            config.decay_fraction,
        )
        self.objective = processes.wrap(make_objective(self.model, config, processes.device))
        self.peak = peak_flops(processes.device)
        self.progress = Progress()
        self.stream = Prefetcher(iter(()))
        self.meter: Meter | None = None  # counts from the first step after a report or a validation

    # -- a step ------------------------------------------------------------------------------------

    @contextmanager
    def stepping(self) -> Iterator[None]:
        """The stream of batches, from the next step's on."""
        workers = data_workers(self.experiment.train.workers, self.processes.device, self.processes.world)
        train = self.experiment.train
        echo = Echo(train.echo_factor, self.experiment.seed, train.mixed_lengths)
        made = batches(self.source, self.step, self.total_steps, workers, self.processes, echo)
        try:
            with closing(made):
                self.stream = Prefetcher(made)
                yield
        except RuntimeError as error:
            if not str(error).startswith("DataLoader worker"):  # PyTorch has no class of its own for it
                raise
            raise WorkerDied("--set train.workers=0") from error

    def advance(self) -> None:
        """Train on the next batch; report it, at most once in STEP_EVENT_SECONDS."""
        meter = self.meter = self.meter or Meter()
        batch = next(self.stream)
        loss, norm, lr = self.train_on(batch, meanwhile=self.stream.fetch)
        meter.tokens += batch.tokens
        meter.flops += step_flops(self.experiment.model, self.model.tokens, batch)
        if meter.seconds >= STEP_EVENT_SECONDS or self.step in (1, self.total_steps):
            self._report(loss, norm, lr, meter)
            self.meter = None

    def train_on(
        self, batch: TrainingBatch, meanwhile: Callable[[], None] = lambda: None
    ) -> tuple[float, float, float]:
        """One optimizer step on one batch; returns its loss a target token, gradient norm and learning rate.

        `meanwhile` is called when a GPU has its work, before it is waited for.

        The loss is divided by the target tokens of the whole batch, over all parts and processes, so that the
        gradient does not depend on how the batch was split.
        """
        config, world = self.experiment.train, self.processes.world
        lr = self.schedule.lr_at(self.step, self.clock if config.end_with_clock else 0.0)
        self.optimizer.set_lr(lr)
        torch.manual_seed(derived_seed(self.experiment.seed, self.step, self.processes.rank))
        tokens = int(batch.loss_BT.sum())
        longest = self.experiment.model.context_length
        widths = GPU_WIDTHS if self.processes.device.type == "cuda" and longest % GPU_WIDTHS == 0 else 1
        parts = split(batch, self.processes.rank, world, config.accumulate, widths)
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
            raise self.diverged(f"loss {loss_value}, gradient norm {norm}", lr, "train.lr")
        self.optimizer.step()
        self.progress.step += 1
        if self.average is not None:
            self.average.update(self.model, self.step)
        return loss_value, norm, lr

    def _no_sync(self, skip: bool) -> AbstractContextManager[None]:
        """Keep gradients local in all parts but the last, after which they are summed over processes once."""
        if skip and isinstance(self.objective, DistributedDataParallel):
            return self.objective.no_sync()
        return nullcontext()

    # -- validation --------------------------------------------------------------------------------

    def validate(self) -> None:
        """Loss and greedy accuracy on held-out problems, without dropout."""
        self.model.eval()
        try:
            super().validate()
        finally:
            self.model.train()
        self.meter = None

    def measure(self) -> dict[str, float]:
        """valid_loss, greedy_exact and greedy_verified; for the average, with average_ before each."""
        measured = self._measured(self.model)
        if self.average is not None:
            average = self._measured(self.average.model)
            measured |= {f"average_{name}": value for name, value in average.items()}
        return measured

    def _measured(self, model: GPT) -> dict[str, float]:
        """The three metrics of a model, each process measuring its share of the problems."""
        experiment, processes = self.experiment, self.processes
        mine = self.problems[processes.rank :: processes.world]
        decoded = self.problems[: experiment.train.eval_problems][processes.rank :: processes.world]
        loss, tokens = self._held_out_loss(model, mine)
        exact = verified = 0.0
        if decoded:
            accuracy = greedy_accuracy(
                model,
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

    def _held_out_loss(self, model: GPT, problems: list[Problem]) -> tuple[float, float]:
        """Summed loss over target tokens, and their number."""
        tokenizer = self.tokenizer
        examples = [(tokenizer.encode_prompt(p), tokenizer.encode_target(p)) for p in problems]
        examples.sort(key=lambda example: len(example[0]) + len(example[1]))
        loss = tokens = 0.0
        objective = TargetLoss(model)
        for start in range(0, len(examples), self.experiment.eval.batch):
            batch = TrainingBatch.of(examples[start : start + self.experiment.eval.batch])
            (part,) = split(batch, 0, 1, 1)
            with torch.no_grad(), autocast(self.processes.device, self.experiment.train.precision):
                loss += float(objective(*part.to(self.processes.device)))
            tokens += part.targets_N.numel()
        return loss, tokens

    def rank(self, metrics: dict[str, float]) -> tuple[float, float]:
        """Verified accuracy, then loss, of the better of weights and average.

        A loss that is not a number counts as the worst.
        """
        kinds = ("", "average_") if "average_valid_loss" in metrics else ("",)
        return max(_rank(metrics, kind) for kind in kinds)

    def best_model(self, metrics: dict[str, float]) -> GPT:
        """The weights, or their average if that is better."""
        if self.average is None or _rank(metrics, "") > _rank(metrics, "average_"):
            return self.model
        return self.average.model

    # -- start and report --------------------------------------------------------------------------

    def extra_facts(self) -> dict[str, Any]:
        """The directory of data and the number of steps that it makes."""
        data = None if self.data is None else str(self.data.absolute())
        return {"data": data, "total_steps": self.total_steps}

    def start_from(self, name: str) -> None:
        """Copy the weights of another run or checkpoint; UsageError if the vocabulary or shape differs."""
        path = weights_of(name, self.run.root)
        self.model.load_state_dict(start_weights(path, self.experiment, self.tokenizer, self.model))
        if self.average is not None:
            self.average.restart(self.model)

    def _report(self, loss: float, norm: float, lr: float, meter: Meter) -> None:
        measured = measure_memory(self.processes.device)
        if self.peak is not None:
            measured["mfu"] = meter.utilisation(self.peak * self.processes.world)
        step = Step(
            step=self.step,
            loss=loss,
            lr=lr,
            grad_norm=norm,
            tokens_per_second=meter.rate,
            problems_seen=self.step * self.experiment.train.batch,
            elapsed=self.progress.elapsed,
            metrics=measured,
        )
        self.journal.write(step)


def _rank(metrics: dict[str, float], kind: str) -> tuple[float, float]:
    loss = metrics[f"{kind}valid_loss"]
    return metrics[f"{kind}greedy_verified"], -loss if math.isfinite(loss) else -math.inf


def _data_of(run: Run) -> Path | None:
    """The directory of data that a run was started with."""
    directory = checkpoint.read_facts(SupervisedTrainer.state_path(run)).get("data")
    return Path(directory) if isinstance(directory, str) else None
