"""What a training takes at least, known at once: before a model is made or a step is timed."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch

from polyctl.config.schema import Experiment
from polyctl.data.families import draw_problem
from polyctl.data.tokenizers import make_tokenizer
from polyctl.model.gpt import GPT
from polyctl.runtime.machine import memory_bytes
from polyctl.training.cost import FLOAT, activations, wait

SAMPLE = 32  # problems drawn to know how long their sequences are
SAMPLE_SECONDS = 0.5
MATRIX = {"cpu": 512, "cuda": 4096}  # the product that is timed to know how fast a device can be


@dataclass(frozen=True)
class Foresight:
    """Parameters, bytes of memory in one process, FLOPs of all steps, and the seconds these take at least.

    `weights_bytes` are those of weights, gradients, moments and a further model: an average, or a reference.
    """

    parameters: int
    weights_bytes: int
    memory_bytes: int
    flops: float
    seconds: float


def foresee(experiment: Experiment, device: torch.device, world: int = 1) -> Foresight:
    """Count a training's parameters, memory and arithmetic without making the model.

    Memory is weights, gradients, moments and what the backward pass needs; the time is that of products of
    matrices alone, at the speed that this device reaches.
    """
    config = experiment.train
    tokenizer = make_tokenizer(experiment.data)
    with torch.device("meta"):
        parameters = GPT.of(experiment, len(tokenizer.vocabulary)).parameter_count()
    lengths = _lengths(experiment)
    rows = -(-config.batch // (config.accumulate * world))
    kept = (5 if config.ema else 4) * FLOAT * parameters
    weights = 5 * FLOAT * parameters
    steps = experiment.data.train_size * config.epochs // config.batch if config.epochs else config.steps
    flops = 6.0 * parameters * config.batch * steps * sum(lengths) / len(lengths)
    memory = kept + activations(experiment.model, rows, max(lengths))
    return Foresight(parameters, weights, memory, flops, flops / world / _speed(device))


def available_memory(device: torch.device) -> int | None:
    """Bytes of memory of a device; None if it is not known."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return memory_bytes()


def _lengths(experiment: Experiment) -> list[int]:
    """The lengths in tokens of a few problems, as far as the model reads them."""
    tokenizer, longest = make_tokenizer(experiment.data), experiment.model.context_length
    deadline = time.monotonic() + SAMPLE_SECONDS
    found: list[int] = []
    while len(found) < SAMPLE and (not found or time.monotonic() < deadline):
        problem = draw_problem(experiment.data, experiment.seed, len(found))
        length = len(tokenizer.encode_prompt(problem)) + len(tokenizer.encode_target(problem))
        found.append(min(length, longest))
    return found


def _speed(device: torch.device) -> float:
    """FLOPs a second of a product of matrices, the fastest of three."""
    size = MATRIX.get(device.type, MATRIX["cpu"])
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    matrix = torch.ones(size, size, device=device, dtype=dtype)
    seconds = []
    for _ in range(4):
        wait(device)
        began = time.perf_counter()
        matrix @ matrix
        wait(device)
        seconds.append(time.perf_counter() - began)
    return 2.0 * size**3 / max(min(seconds), 1e-9)
