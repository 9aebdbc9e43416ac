"""What reinforcement learning will cost, before it begins: one small step of the real model, timed."""

from __future__ import annotations

import time

import torch

from polyctl.config.schema import Experiment
from polyctl.data.tokenizers import make_tokenizer
from polyctl.model.gpt import GPT
from polyctl.rl.curriculum import ProblemMix
from polyctl.rl.policy import GroupBatch, score
from polyctl.rl.rollouts import make_groups
from polyctl.training.cost import FLOAT, Cost, device_name, wait

PROBLEMS = 4  # searched to estimate the time of a step


def estimate(experiment: Experiment, device: torch.device, model: GPT | None = None) -> Cost:
    """Time the search and the update of a few problems, with `model` or an untrained one, and scale up.

    An untrained model rarely ends its answers, so the time is an upper bound. Memory counts weights,
    gradients, moments and the reference model; validations and the solver of boost come on top. If problems
    without a signal are replaced, all are taken to be.
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
    update = once * rl.updates_per_step * (4 / 3 if rl.kl_weight else 1)  # the reference runs forward only
    redrawn = 1 if rl.pool_candidates or rl.algorithm == "boost" else 1 + rl.max_redraws
    probes = rl.pool_candidates * -(-rl.steps // rl.pool_refresh_every)
    probe_seconds = search / rl.groups_per_step * probes
    parameters = model.parameter_count()
    return Cost(
        device=device_name(device),
        parameters=parameters,
        steps=rl.steps,
        problems=rl.steps * rl.groups_per_step,
        hypotheses=rl.steps * rl.groups_per_step * rl.group_size,
        probed=probes,
        memory_bytes=5 * FLOAT * parameters,
        disk_bytes=6 * FLOAT * parameters,
        search_seconds_per_step=search * redrawn,
        update_seconds_per_step=update,
        seconds=rl.steps * (search * redrawn + update) + probe_seconds,
    )
