"""What a plan will cost, before it begins: its tasks that are not done, counted and timed on this device."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch

from polyctl.config.schema import DataConfig, Experiment
from polyctl.data.dataset import write_problem
from polyctl.data.families import degree_cells, draw_problem, split_of
from polyctl.data.tokenizers import make_tokenizer
from polyctl.errors import FileError
from polyctl.evaluation.accuracy import evaluation_problems
from polyctl.model.gpt import GPT
from polyctl.plans.stages import Directories, Task, standing
from polyctl.rl import cost as rl_cost
from polyctl.runtime.device import limit_threads
from polyctl.search.batching import Decoding
from polyctl.search.beam import beam_search
from polyctl.training import cost as training_cost
from polyctl.training.cost import Cost, device_name

SAMPLE = 200  # problems drawn to estimate the size of a data set and the time to make it
SEARCHED = 2  # problems searched to estimate the time of an evaluation
SEARCHED_TOKENS = 20  # of their answers; the rest takes as long a token


FIGURES = ("problems", "data_bytes", "parameters", "tokens", "flops", "seconds", "disk_bytes")


@dataclass(frozen=True)
class StageCost:
    """What a stage of an experiment will cost; None if it is done.

    The time is an upper bound for eval and rl, whose untrained model does not end its answers.
    """

    stage: str
    experiment: str
    state: str
    cost: Cost | None = None

    def to_dict(self) -> dict[str, Any]:
        """The figures that stages have in common, for JSON; null is what does not apply."""
        figures = {name: getattr(self.cost, name, None) for name in FIGURES}
        return {"stage": self.stage, "experiment": self.experiment, "state": self.state, **figures}


def stage_costs(
    tasks: Sequence[Task], directories: Directories, device: torch.device, workers: int = 1
) -> Iterator[StageCost]:
    """The cost of each task, in order; what is done costs nothing."""
    for task in tasks:
        try:
            found = standing(task, directories).state
        except FileError:  # what it works on is made by an earlier task
            found = "new"
        cost = None if found == "done" else _cost_of(task, device, workers)
        yield StageCost(*task.key, found, cost)


def total(stages: Sequence[StageCost]) -> StageCost:
    """The sum over all stages; parameters and problems are not summed."""
    costs = [stage.cost for stage in stages if stage.cost is not None]

    def add(name: str) -> int:
        return sum(getattr(cost, name) or 0 for cost in costs)

    summed = Cost(
        device=costs[0].device if costs else "",
        seconds=sum(cost.seconds for cost in costs),
        tokens=add("tokens"),
        flops=add("flops"),
        data_bytes=add("data_bytes"),
        disk_bytes=add("disk_bytes"),
    )
    return StageCost("total", f"{len(stages)} stages", "", summed)


def _cost_of(task: Task, device: torch.device, workers: int) -> Cost:
    experiment = task.experiment
    limit_threads(experiment.model)
    if task.stage == "gen":
        return _data_cost(experiment, workers)
    if task.stage == "train":
        return _training_cost(experiment, device)
    if task.stage == "eval":
        return _evaluation_cost(experiment, device)
    return rl_cost.estimate(experiment, device)


def _data_cost(experiment: Experiment, workers: int) -> Cost:
    """From a sample: bytes of a line, and the time to draw a problem and write it."""
    data = experiment.data
    count = _problems_on_disk(data)
    began = time.perf_counter()
    size = 0
    for index in range(SAMPLE):
        drawn = draw_problem(data, experiment.seed, index)
        split_of(drawn.digest)
        size += len(write_problem(data, drawn).encode()) + 1
    each = (time.perf_counter() - began) / SAMPLE
    # held-out problems are one in sixteen, so sixteen are drawn for each
    drawn_in_all = data.train_size * 16 / 14 + 16 * (count - data.train_size)
    bytes_ = count * size // SAMPLE
    return Cost(
        device="cpu",
        seconds=each * drawn_in_all / workers,
        problems=count,
        data_bytes=bytes_,
        disk_bytes=2 * bytes_,  # while the parts are there
    )


def _problems_on_disk(data: DataConfig) -> int:
    return data.train_size + data.valid_size + len(degree_cells(data)) * data.test_size


def _training_cost(experiment: Experiment, device: torch.device) -> Cost:
    train = experiment.train
    steps = train.steps
    if train.source == "files" and train.epochs:
        steps = max(1, experiment.data.train_size * train.epochs // train.batch)
    return _one_step(_timed(experiment), device).times(steps)


def _timed(experiment: Experiment) -> Experiment:
    """What the time of a training step depends on, the same for all experiments that differ in the rest.

    Files need not be there yet, and fresh problems are as long.
    """
    data = experiment.data.model_copy(update={"train_size": 1, "test_size": 1, "exclude": ()})
    train = experiment.train.model_copy(
        update={"source": "stream", "steps": 1, "epochs": 0, "init_from": None, "lr": 1e-3, "warmup": 0}
    )
    model, evaluation = experiment.model, experiment.eval
    return Experiment(name="timed", data=data, model=model, train=train, eval=evaluation)


@lru_cache
def _one_step(experiment: Experiment, device: torch.device) -> Cost:
    return training_cost.estimate(experiment, device)


def _evaluation_cost(experiment: Experiment, device: torch.device) -> Cost:
    count = experiment.eval.problems
    parameters, each = _one_search(_timed(experiment), device)
    return Cost(device_name(device), each * count, parameters=parameters, problems=count)


@lru_cache
def _one_search(experiment: Experiment, device: torch.device) -> tuple[int, float]:
    """(parameters, seconds a problem) by a beam search of an untrained model, which is as slow as can be."""
    tokenizer, config = make_tokenizer(experiment.data), experiment.eval
    model = GPT.of(experiment, len(tokenizer.vocabulary)).to(device).eval()
    problems = evaluation_problems(experiment.data, experiment.seed, SEARCHED)[:SEARCHED]
    prompts = [tokenizer.encode_prompt(found) for found in problems]
    room = [prompt for prompt in prompts if len(prompt) < experiment.model.context_length]
    limit = min(config.max_tokens, SEARCHED_TOKENS)
    beam_search(
        model, room[:1], Decoding(max_tokens=1, end=tokenizer.end), width=config.beam
    )  # pays for start-up
    began = time.perf_counter()
    beam_search(model, room, Decoding(limit, tokenizer.end), width=config.beam)
    each = (time.perf_counter() - began) / max(1, len(room))
    return model.parameter_count(), each * config.max_tokens / limit
