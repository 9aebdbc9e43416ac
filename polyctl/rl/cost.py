"""What reinforcement learning will cost, before it is paid: one small step of the real model, timed."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

import torch

from polyctl.config.schema import Experiment
from polyctl.data.tokenizers import make_tokenizer
from polyctl.model.gpt import GPT
from polyctl.rl.curriculum import ProblemMix
from polyctl.rl.policy import GroupBatch, score
from polyctl.rl.rollouts import make_groups
from polyctl.training.cost import wait

PROBLEMS = 4
FLOAT = 4


@dataclass(frozen=True)
class RLCost:
    """The bill on one device; an untrained model rarely ends its answers, so the time is an upper bound."""

    device: str
    parameters: int
    steps: int
    problems: int
    hypotheses: int
    probed: int
    memory_bytes: int
    disk_bytes: int
    search_seconds_per_step: float
    update_seconds_per_step: float
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """All numbers, for JSON."""
        return asdict(self)


def estimate(experiment: Experiment, device: torch.device, model: GPT | None = None) -> RLCost:
    """Time the search and the update of a few problems, with `model` or an untrained one, and scale up.

    Memory counts weights, gradients, moments and the reference model; validations and boost's solver come
    on top.
    """
    rl, tokenizer = experiment.rl, make_tokenizer(experiment.data)
    model = model or GPT.of(experiment, len(tokenizer.vocabulary)).to(device).eval()
    mix = ProblemMix(experiment, tokenizer)
    problems = [mix.problem(n) for n in range(min(PROBLEMS, rl.groups_per_step))]
    make_groups(model, tokenizer, problems, experiment, 0)  # the first search pays for start-up
    wait(device)
    began = time.perf_counter()
    groups = make_groups(model, tokenizer, problems, experiment, 0)
    wait(device)
    searched = time.perf_counter()
    batch = GroupBatch.of(
        [g.prompt for g in groups],
        [g.emitted(tokenizer.end) for g in groups],
        [g.advantages for g in groups],
        device,
    )
    torch.autograd.backward(score(model, batch).logp_GWL.sum())
    model.zero_grad(set_to_none=True)
    wait(device)
    updated = time.perf_counter()
    scale = rl.groups_per_step / len(problems)
    search, once = (searched - began) * scale, (updated - searched) * scale
    update = once * rl.updates_per_step + once / 3  # the reference runs forward only
    probes = rl.pool_candidates * -(-rl.steps // rl.pool_refresh_every)
    probe_seconds = search / rl.groups_per_step * probes
    parameters = model.parameter_count()
    return RLCost(
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        parameters=parameters,
        steps=rl.steps,
        problems=rl.steps * rl.groups_per_step,
        hypotheses=rl.steps * rl.groups_per_step * rl.group_size,
        probed=probes,
        memory_bytes=5 * FLOAT * parameters,
        disk_bytes=6 * FLOAT * parameters,
        search_seconds_per_step=search,
        update_seconds_per_step=update,
        seconds=rl.steps * (search + update) + probe_seconds,
    )
