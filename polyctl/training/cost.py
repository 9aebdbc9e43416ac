"""What a training will cost, before it begins: parameters, memory, tokens, time and disk."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from polyctl.config.schema import Experiment, ModelConfig
from polyctl.data.batch import TrainingBatch
from polyctl.data.stream import open_source
from polyctl.data.tokenizers import make_tokenizer
from polyctl.model.gpt import GPT
from polyctl.training.loader import MicroBatch, data_workers, split
from polyctl.training.loss import autocast, make_objective
from polyctl.training.optim import make_optimizer

FLOAT = 4
PROBE_ROWS = 8  # rows of the first, short pass from which a whole step's time is estimated
PROBE_SECONDS = 4.0  # whole steps are timed only if three of them fit in this


@dataclass(frozen=True)
class Cost:
    """What a job will cost, counted in all of its steps; None stands for what does not apply to its kind.

    Memory is what is kept at once, `flops` are 6 · parameters · tokens, without attention. `timing` says how
    the time was found. Seconds are on `device` with one process.
    """

    device: str
    seconds: float
    parameters: int | None = None
    steps: int | None = None
    problems: int | None = None
    tokens: int | None = None
    flops: int | None = None
    hypotheses: int | None = None
    probed: int | None = None
    problems_per_step: int | None = None
    tokens_per_step: int | None = None
    weights_bytes: int | None = None
    gradients_bytes: int | None = None
    moments_bytes: int | None = None
    activations_bytes: int | None = None
    memory_bytes: int | None = None
    disk_bytes: int | None = None
    data_bytes: int | None = None
    seconds_per_step: float | None = None
    data_seconds_per_step: float | None = None
    search_seconds_per_step: float | None = None
    update_seconds_per_step: float | None = None
    timing: str | None = None

    def times(self, steps: int) -> Cost:
        """The cost of `steps` steps, if this is the cost of one."""

        def all_of(count: int | None) -> int | None:
            return None if count is None else count * steps

        return replace(
            self,
            steps=steps,
            problems=all_of(self.problems),
            tokens=all_of(self.tokens),
            flops=all_of(self.flops),
            seconds=self.seconds * steps,
        )

    def to_dict(self) -> dict[str, Any]:
        """All that applies, for JSON."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def estimate(experiment: Experiment, device: torch.device, data: Path | None = None) -> Cost:
    """Count what can be counted, make one chunk of data, and time real steps of the real model on `device`.

    On a CPU a step that takes longer than about a second is timed on PROBE_ROWS of its rows and scaled up; a
    GPU takes about as long for a few rows as for all. Validations are not included; one process is assumed.
    """
    config = experiment.train
    source = open_source(experiment, data)
    steps = source.total_steps or config.steps
    began = time.perf_counter()
    chunk = source.chunk(0)
    data_seconds = (time.perf_counter() - began) / len(chunk) / config.echo_factor
    tokens_per_step = round(sum(batch.tokens for batch in chunk) / len(chunk))
    model = GPT.of(experiment, len(make_tokenizer(experiment.data).vocabulary)).to(device)
    parameters = model.parameter_count()
    step_seconds, timing = _time_steps(model, experiment, device, chunk)
    # Data processes work beside the training; without them the two take turns.
    workers = data_workers(config.workers, device, 1)
    both = max(step_seconds, data_seconds / workers) if workers else step_seconds + data_seconds
    longest = max(batch.ids_BT.shape[1] for batch in chunk)
    kept = activations(experiment.model, -(-config.batch // config.accumulate), longest)
    tokens = tokens_per_step * steps
    return Cost(
        device=device_name(device),
        seconds=both * steps,
        parameters=parameters,
        steps=steps,
        problems=config.batch * steps,
        tokens=tokens,
        flops=6 * parameters * tokens,
        problems_per_step=config.batch,
        tokens_per_step=tokens_per_step,
        weights_bytes=FLOAT * parameters,
        gradients_bytes=FLOAT * parameters,
        moments_bytes=2 * FLOAT * parameters,
        activations_bytes=kept,
        memory_bytes=4 * FLOAT * parameters + kept,
        disk_bytes=5 * FLOAT * parameters,  # best, last, and the trainer's weights and two moments
        seconds_per_step=step_seconds,
        data_seconds_per_step=data_seconds,
        timing=timing,
    )


def device_name(device: torch.device) -> str:
    """What a device is called: a GPU by its maker's name."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def activations(model: ModelConfig, rows: int, longest: int) -> int:
    """Roughly the bytes that a forward pass of so many rows of tokens keeps for the backward pass.

    Counted by autograd's own saved tensors: 24 values of a token's width in each layer of the modern
    architecture, 37 of gpt2 with dropout.
    """
    values = 37 if model.architecture == "gpt2" else 24
    return int(FLOAT * values * model.layers * model.width * rows * longest)


def _time_steps(
    model: GPT, experiment: Experiment, device: torch.device, chunk: list[TrainingBatch]
) -> tuple[float, str]:
    """(seconds of an optimizer step, how they were found); the steps spoil the model."""
    config = experiment.train
    objective = make_objective(model, config, device)
    optimizer = make_optimizer(model, config)

    def passes(parts: list[MicroBatch]) -> float:
        began = time.perf_counter()
        for part in parts:
            with autocast(device, config.precision):
                loss = objective(*part.to(device)) / part.targets_N.numel()
            loss.backward()
        wait(device)
        return time.perf_counter() - began

    def update() -> float:
        began = time.perf_counter()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        wait(device)
        return time.perf_counter() - began

    typical = sorted(chunk, key=lambda batch: batch.tokens)[len(chunk) // 2]
    if device.type == "cpu":
        probe = split(typical, 0, -(-config.batch // min(PROBE_ROWS, config.batch)), 1)
        passes(probe), update()  # the first pass pays for start-up and compilation
        rows = len(probe[0].ids_BT)
        # The fastest of three: on a busy machine single passes may take ten times as long.
        scaled = min(passes(probe) for _ in range(3)) * config.batch / rows + update()
        if 3 * scaled > PROBE_SECONDS:
            return scaled, f"from {rows} of a step's {config.batch} problems, scaled up"
    whole = split(typical, 0, 1, config.accumulate)
    passes(whole), update()
    timed = sorted(passes(whole) + update() for _ in range(3))
    return timed[1], "the median of three steps"


def wait(device: torch.device) -> None:
    """Wait until a GPU has finished its work, so that clocks are right; nothing on a CPU."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
