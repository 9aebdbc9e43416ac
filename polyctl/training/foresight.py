"""What a training or an evaluation takes at least, known before a model is made or a step is timed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache

import torch

from polyctl.config.schema import Experiment
from polyctl.data.families import draw_problem
from polyctl.data.tokenizers import make_tokenizer
from polyctl.model.blank import blank
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
    parameters = _parameters(experiment)
    lengths = [sum(pair) for pair in _lengths(experiment)]
    rows = -(-config.batch // (config.accumulate * world))
    kept = (5 if config.ema else 4) * FLOAT * parameters
    weights = 5 * FLOAT * parameters
    steps = experiment.data.train_size * config.epochs // config.batch if config.epochs else config.steps
    flops = 6.0 * parameters * config.batch * steps * sum(lengths) / len(lengths)
    memory = kept + activations(experiment.model, rows, max(lengths))
    return Foresight(parameters, weights, memory, flops, flops / world / _speed(device))


def foresee_reinforcement(experiment: Experiment, device: torch.device, world: int = 1) -> Foresight:
    """The same for reinforcement learning, whose hypotheses are taken to be as long as known answers.

    Memory is that of weights, gradients, moments and the reference. Validations and redrawn problems are not
    counted, nor is the update of boost, which only trains on some of its hypotheses.
    """
    rl = experiment.rl
    parameters = _parameters(experiment)
    prompt, answer = _mean_lengths(experiment)
    searched = prompt + rl.group_size * answer
    updated = (
        0.0 if rl.algorithm == "boost" else 3.0 * rl.updates_per_step * rl.group_size * (prompt + answer)
    )
    flops = 2.0 * parameters * rl.steps * rl.groups_per_step * (searched + updated)
    memory = 5 * FLOAT * parameters
    return Foresight(parameters, memory, memory, flops, flops / world / _speed(device))


def foresee_evaluation(
    experiment: Experiment, device: torch.device, problems: int, world: int = 1
) -> Foresight:
    """The same for an evaluation of so many problems: weights, keys and values of a batch, and its scores."""
    tokenizer, config, model = make_tokenizer(experiment.data), experiment.eval, experiment.model
    parameters = _parameters(experiment)
    prompt, answer = _mean_lengths(experiment)
    batch = min(config.batch, problems)
    kept = 2 * model.layers * model.width * (prompt + config.width * answer)
    scores = config.width * len(tokenizer.vocabulary)
    memory = int(FLOAT * (parameters + batch * (kept + scores)))
    flops = 2.0 * parameters * problems * (prompt + config.width * answer)
    return Foresight(parameters, FLOAT * parameters, memory, flops, flops / world / _speed(device))


def available_memory(device: torch.device) -> int | None:
    """Bytes of memory of a device; None if it is not known."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return memory_bytes()


def _parameters(experiment: Experiment) -> int:
    with blank():
        return GPT.of(experiment, len(make_tokenizer(experiment.data).vocabulary)).parameter_count()


def _mean_lengths(experiment: Experiment) -> tuple[float, float]:
    """Mean lengths of prompts and of known answers."""
    prompts, answers = zip(*_lengths(experiment), strict=True)
    return sum(prompts) / len(prompts), sum(answers) / len(answers)


def _lengths(experiment: Experiment) -> list[tuple[int, int]]:
    """Prompts and answers of a few problems in tokens, as far as the model reads them."""
    tokenizer, longest = make_tokenizer(experiment.data), experiment.model.context_length
    deadline = time.monotonic() + SAMPLE_SECONDS
    found: list[tuple[int, int]] = []
    while len(found) < SAMPLE and (not found or time.monotonic() < deadline):
        problem = draw_problem(experiment.data, experiment.seed, len(found))
        prompt = min(len(tokenizer.encode_prompt(problem)), longest)
        found.append((prompt, min(len(tokenizer.encode_target(problem)), longest - prompt)))
    return found


@lru_cache
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
