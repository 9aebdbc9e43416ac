"""The update of BGRPO and GRPO: a few optimizer steps on the groups of one step (docs/rl.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import nn

from polyctl.config.schema import Experiment, KLName
from polyctl.model.gpt import GPT
from polyctl.rl.loss import divergence, policy_loss
from polyctl.rl.policy import GroupBatch, Scores, score
from polyctl.rl.rollouts import Group
from polyctl.runtime.processes import Processes
from polyctl.training.optim import Optimizers


@dataclass(frozen=True)
class Update:
    """What an update did, over all processes: means over its tokens; `groups` is 0 if nothing was done."""

    groups: int = 0
    tokens: int = 0
    loss: float = 0.0
    kl: float = 0.0
    entropy: float = 0.0
    clip_share: float = 0.0
    grad_norm: float = 0.0
    tokens_read: int = 0  # tokens of one forward pass in this process


class NotFinite(ArithmeticError):
    """The loss or the gradient is not finite; the weights are still those before it."""


def update(
    model: GPT,
    reference: GPT | None,
    optimizer: Optimizers,
    groups: Sequence[Group],
    end: int,
    experiment: Experiment,
    processes: Processes,
) -> Update:
    """`rl.updates_per_step` optimizer steps on the groups with a signal; none if no process has one.

    `groups` are this process's share; gradients are summed over all processes, and the normalizer counts the
    problems of all, so the result does not depend on their number. Everything is computed in single
    precision: the noise of bfloat16 is many times the change of a ratio in one update. Raises NotFinite.
    """
    rl = experiment.rl
    kept = sorted((g for g in groups if g.signal), key=lambda g: len(g.prompt))
    (total,) = processes.sum([float(len(kept))])
    if not total:
        return Update()
    batches = batches_of(kept, rl.micro_groups, end, processes.device)
    normalizer = float(rl.groups_per_step * rl.group_size * experiment.eval.max_tokens)
    weights = {
        "clip_low": rl.clip_low,
        "clip_high": rl.clip_high,
        "kl_weight": rl.kl_weight,
        "normalizer": normalizer,
    }
    old: list[torch.Tensor] = []
    sums = {name: torch.zeros((), device=processes.device) for name in ("loss", "kl", "entropy", "clipped")}
    norm = 0.0
    for epoch in range(rl.updates_per_step):
        optimizer.zero_grad(set_to_none=True)
        for number, batch in enumerate(batches):
            found = score(model, batch)
            if epoch == 0:
                old.append(found.logp_GWL.detach())
                sums["entropy"] += found.entropy_GWL.sum()
            kl_GWL = _drift(found, reference, batch, rl.kl_estimator)
            part = policy_loss(found.logp_GWL, old[number], kl_GWL, batch, **weights)
            torch.autograd.backward(part.loss)
            sums["loss"] += part.loss.detach()
            sums["kl"] += part.kl_sum
            sums["clipped"] += part.clipped
        norm = optimizer_step(model, optimizer, sums["loss"], rl.max_grad_norm, processes)
    tokens = sum(float(batch.mask_GWL.sum()) for batch in batches)
    loss, kl, entropy, clipped, all_tokens = processes.sum(
        [*(float(value) for value in sums.values()), tokens]
    )
    passes = all_tokens * rl.updates_per_step
    return Update(
        groups=int(total),
        tokens=int(all_tokens),
        loss=loss / rl.updates_per_step,
        kl=kl / passes,
        entropy=entropy / all_tokens,
        clip_share=clipped / passes,
        grad_norm=norm,
        tokens_read=sum(batch.tokens for batch in batches),
    )


def _drift(found: Scores, reference: GPT | None, batch: GroupBatch, kind: KLName) -> torch.Tensor | None:
    """kl_GWL from the reference, if there is one.

    It is scored anew in each update: its distributions would take memory for all batches of a step.
    """
    if reference is None:
        return None
    with torch.no_grad():
        anchor = score(reference, batch)
    return divergence(found, anchor, kind)


def batches_of(groups: Sequence[Group], size: int, end: int, device: torch.device) -> list[GroupBatch]:
    """The groups as tensors, `size` of them a forward pass, with the hypotheses that are trained."""
    written = [(group, group.emitted(end)) for group in groups]
    parts = [written[i : i + size] for i in range(0, len(written), size)]
    return [
        GroupBatch.of(
            [group.prompt for group, _ in part],
            [[emitted[place] for place in group.trained] for group, emitted in part],
            [[group.advantages[place] for place in group.trained] for group, _ in part],
            device,
        )
        for part in parts
    ]


def optimizer_step(
    model: nn.Module, optimizer: Optimizers, loss: torch.Tensor, clip: float, processes: Processes
) -> float:
    """Sum gradients over processes, clip, step; the norm before clipping. Raises NotFinite, in all."""
    sum_gradients(model, processes)
    norm = float(nn.utils.clip_grad_norm_(model.parameters(), clip))
    (bad,) = processes.sum([float(not (torch.isfinite(loss).item() and norm < float("inf")))])
    if bad:
        raise NotFinite(f"loss {float(loss)}, gradient norm {norm}")
    optimizer.step()
    return norm


def sum_gradients(model: nn.Module, processes: Processes) -> None:
    """Every parameter's gradient becomes the sum over all processes; one without any counts as zero.

    Not DistributedDataParallel: a process whose groups all lack a signal has no backward pass to hook into.
    """
    if processes.world == 1:
        return
    parameters = [p for p in model.parameters() if p.requires_grad]
    flat = torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in parameters])
    dist.all_reduce(flat)
    for parameter, part in zip(parameters, torch.split(flat, [p.numel() for p in parameters]), strict=True):
        parameter.grad = part.view_as(parameter).clone()
