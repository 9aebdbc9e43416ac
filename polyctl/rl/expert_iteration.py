"""Expert iteration: search, fix what is wrong with a solver, train on what verified (docs/rl.md).

These are the two phases of PatternBoost (--algo boost): a local search improves the model's proposals, and
the model learns from the result. The problem's known decomposition is never looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import torch

from polyctl.algebra.budget import Budget
from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.verify import verify
from polyctl.config.schema import Experiment
from polyctl.data.batch import TokenPair, TrainingBatch
from polyctl.data.problem import SparseProblem
from polyctl.data.tokenizers.base import Tokenizer, inner_count
from polyctl.data.tokenizers.errors import UnwritableProblem
from polyctl.model.gpt import GPT
from polyctl.rl.rollouts import Group
from polyctl.rl.update import Update, optimizer_step
from polyctl.runtime.processes import Processes
from polyctl.solvers.numeric.solver import by_least_squares
from polyctl.solving.solve import solve
from polyctl.training.loader import split
from polyctl.training.loss import TargetLoss
from polyctl.training.optim import Optimizers

STARTS = 3


@dataclass(frozen=True)
class ExpertAnswer:
    """A verified answer to learn: prompt and target tokens, and who found it (beam, solver)."""

    pair: TokenPair
    source: str


def expert_answers(
    groups: Sequence[Group], tokenizer: Tokenizer, experiment: Experiment, seed: int
) -> list[ExpertAnswer]:
    """For each group its best right hypothesis, else what the solver finds in time, else nothing."""
    found = []
    for group in groups:
        answer = _found_by_beam(group, tokenizer) or _found_by_solver(group, tokenizer, experiment, seed)
        if answer is not None and sum(map(len, answer.pair)) <= experiment.model.context_length:
            found.append(answer)
    return found


def _found_by_beam(group: Group, tokenizer: Tokenizer) -> ExpertAnswer | None:
    if group.first_correct is None:
        return None
    return ExpertAnswer((list(group.prompt), group.emitted(tokenizer.end)[group.first_correct]), "beam")


def _found_by_solver(
    group: Group, tokenizer: Tokenizer, experiment: Experiment, seed: int
) -> ExpertAnswer | None:
    for decomposition in _candidates(group, experiment, seed):
        verdict = verify(group.problem.f, Decomposition(None, decomposition.inners))
        if not verdict.verified:
            continue
        solved = Decomposition(verdict.outer, decomposition.inners)
        problem = SparseProblem(
            group.problem.f, solved, group.problem.family, group.problem.index, group.problem.written
        )
        try:
            return ExpertAnswer((list(group.prompt), tokenizer.encode_target(problem)), "solver")
        except UnwritableProblem:
            continue
    return None


def _candidates(group: Group, experiment: Experiment, seed: int) -> chain[Decomposition]:
    """Lazily: exact methods if asked for, then the polished wrong hypotheses, then the solver's own."""
    rl, f, count = experiment.rl, group.problem.f, inner_count(experiment.data)
    if rl.solver == "off" or not rl.solver_seconds:
        return chain()
    exact = (
        solution.decomposition
        for method in (["exact"] if rl.solver == "solve" else [])
        for solution in solve(f, method, inners=count, time_limit=rl.solver_seconds)
    )
    starts = [one.decomposition for one in group.judged if one.decomposition is not None]
    numeric = by_least_squares(
        f,
        Budget.of(rl.solver_seconds),
        inners=count,
        inner_degrees=experiment.data.inner_degrees,
        seed=seed,
        starts=starts[:STARTS],
    )
    return chain(exact, numeric.decompositions)


def imitate(
    model: GPT,
    optimizer: Optimizers,
    answers: Sequence[ExpertAnswer],
    experiment: Experiment,
    processes: Processes,
) -> Update:
    """`rl.updates_per_step` optimizer steps on all processes' answers: cross-entropy on their tokens."""
    rl, objective = experiment.rl, TargetLoss(model)
    pairs = sorted((answer.pair for answer in answers), key=lambda pair: len(pair[0]) + len(pair[1]))
    size = rl.micro_groups * rl.group_size
    batches = [TrainingBatch.of(pairs[i : i + size]) for i in range(0, len(pairs), size)]
    count, tokens = processes.sum([float(len(pairs)), float(sum(int(b.loss_BT.sum()) for b in batches))])
    if not count:
        return Update()
    first = norm = 0.0
    for epoch in range(rl.updates_per_step):
        optimizer.zero_grad(set_to_none=True)
        total = torch.zeros((), device=processes.device)
        for batch in batches:
            (part,) = split(batch, 0, 1, 1)
            loss = objective(*part.to(processes.device)) / tokens
            loss.backward()
            total += loss.detach()
        norm = optimizer_step(model, optimizer, total, rl.max_grad_norm, processes)
        if epoch == 0:
            (first,) = processes.sum([float(total)])
    tokens_read = sum(batch.tokens for batch in batches)
    return Update(groups=int(count), tokens=int(tokens), loss=first, grad_norm=norm, tokens_read=tokens_read)
