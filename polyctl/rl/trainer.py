"""Reinforcement learning: a trained model improves on problems whose answers it has to find (docs/rl.md).

One step, `ReinforcementTrainer.advance`, from top to bottom:

    problems    fresh ones of the training split (`curriculum.ProblemMix`), rl.groups_per_step of them; those
                whose groups have no signal are replaced up to rl.max_redraws times. Each process works on
                its share. With rl.pool_candidates they come from a pool instead (`refresh_pool`).
    groups      `rollouts.make_groups`: one search a problem gives rl.group_size hypotheses, best first, by
                beam search (bgrpo, boost) or by sampling (grpo).
    verdicts    `rewards.rank_verdicts`: the verifier says right, wrong or undecided; equivalent answers share
                a rank. An error of the verifier ends the run, it never becomes a reward.
    rewards     `rewards.rewards`: by rank if right, rl.wrong_reward if wrong, nothing for a copy.
    weights     `rewards.advantages`: reward minus the mean of its group, or `rewards.probability_weights`. A
                group that is all right or all wrong has no signal and is skipped.
    update      bgrpo and grpo, `update.update`: rl.updates_per_step optimizer steps on the same groups. Each
                pass scores every emitted token (`policy.score`, a prompt once for its group) and minimizes
                PPO's clipped loss plus the divergence from the reference model (`loss.policy_loss`).
                boost, `expert_iteration`: PatternBoost's two phases. The best right hypothesis of a group, or
                what a solver makes of the wrong ones, is learnt by cross-entropy.
    report      means over the groups of all processes, now and then a whole group for people to read.

Around the steps runs `training.loop.Loop`: every rl.eval_every steps it saves, validates on held-out problems
and keeps the best weights. In checkpoints/ are `best`, `last`, `reference` (the model that the run began
with) and the state for resuming.

Step s is a function of the experiment, s, the pool and the weights before it (the solver of boost also
depends on the clock), so a resumed run is the run that was never stopped. Models run without dropout
throughout: search, reference and update must use the same probabilities.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from polyctl.config.schema import Experiment
from polyctl.errors import UsageError
from polyctl.evaluation.accuracy import evaluate_problems
from polyctl.evaluation.summary import summarize
from polyctl.model.gpt import GPT
from polyctl.rl import expert_iteration
from polyctl.rl.curriculum import Probe, ProblemMix, choose, draw, wear
from polyctl.rl.drift import drift
from polyctl.rl.rewards import rank_verdicts
from polyctl.rl.rollouts import Group, make_groups, rates, totals
from polyctl.rl.update import NotFinite, Update, update
from polyctl.runtime.processes import Processes
from polyctl.store.event_kinds import Pool, Step
from polyctl.store.runs import RL_STATE, Run
from polyctl.training.journal import Journal, OnEvent
from polyctl.training.loop import Loop, Progress, TrainResult, run_loop
from polyctl.training.loss import derived_seed
from polyctl.training.optim import Schedule, make_optimizer
from polyctl.training.start import held_out_that_fit, load_start
from polyctl.training.throughput import measure_memory

PROBES = 1_000_000  # the random stream of probes; that of steps is 0
VALIDATION = 1_000_001  # that of samples in validations
MEASURES = ("greedy_exact", "greedy_verified", "pass_at_1", "pass_at_w", "rank_score", "mass", "copies")


def with_algorithm_name(experiment: Experiment) -> Experiment:
    """The experiment under the name that its runs get: with the algorithm behind it.

    So that `polyctl eval NAME` and a later `polyctl rl NAME` still mean the supervised run.
    """
    suffix = f"_{experiment.rl.algorithm}"
    return experiment.model_copy(update={"name": experiment.name.removesuffix(suffix) + suffix})


def reinforce(
    experiment: Experiment,
    run: Run,
    processes: Processes,
    *,
    start: Path | None,
    max_minutes: float | None = None,
    on_event: OnEvent | None = None,
) -> TrainResult:
    """Improve the model in `start` by rl.algorithm, in the directory of `run`; without `start`, resume there.

    Reaching max_minutes and the first SIGINT or SIGTERM end it gently, ready to be resumed. Raises UsageError
    for settings that do not fit together, FileError if there is nothing to start from, DivergedError if the
    loss stops being finite.
    """

    def make(journal: Journal) -> ReinforcementTrainer:
        return ReinforcementTrainer(experiment, run, processes, journal, start)

    return run_loop(make, run, processes, max_minutes=max_minutes, on_event=on_event)


@dataclass
class RLProgress(Progress):
    """Progress with the problems drawn, and the pool: its candidates' numbers, and the step it was made at.

    The model is validated at step 0 too, to see what the run makes of its start.
    """

    validated: int = -1
    drawn: int = 0
    pool: list[int] = field(default_factory=list)
    pooled: int = -1


class ReinforcementTrainer(Loop):
    """Training on problems with verified hypotheses, found by the model itself."""

    state_file = RL_STATE  # another than supervised training's, which cannot use it
    locked = ("data", "model", "seed", "rl.algorithm")
    progress: RLProgress

    def __init__(
        self,
        experiment: Experiment,
        run: Run,
        processes: Processes,
        journal: Journal,
        start: Path | None,
    ) -> None:
        super().__init__(experiment, run, processes, journal)
        rl = experiment.rl
        self.total_steps, self.eval_every = rl.steps, rl.eval_every
        self.mix = ProblemMix(experiment, self.tokenizer)
        problems = held_out_that_fit(experiment, self.tokenizer)[: experiment.train.eval_problems]
        self.held_out = problems[processes.rank :: processes.world]
        self.progress = RLProgress()
        self.model = self._load(start if start is not None else reference_file(run))
        self.reference = copy.deepcopy(self.model).requires_grad_(False)
        settings = experiment.train.model_copy(
            update={"optimizer": "adamw", "lr": rl.lr, "weight_decay": rl.weight_decay}
        )
        self.optimizer = make_optimizer(self.model, settings)
        self.schedule = Schedule(rl.lr, rl.warmup, rl.steps, rl.final_lr_ratio, "wsd", rl.decay_fraction)
        if start is None:
            self.resume()
        elif processes.main:
            self.write_model(reference_file(run))

    def _load(self, path: Path) -> GPT:
        loaded = load_start(path, self.experiment, self.tokenizer, self.processes.device)
        if loaded.model.config != self.experiment.model:
            raise UsageError(
                f"the model in {path} has another shape than {self.experiment.name}",
                "give both experiments the same [model]",
            )
        return loaded.model.requires_grad_(True)

    @property
    def algorithm(self) -> str:
        """The algorithm."""
        return self.experiment.rl.algorithm

    # -- a step ------------------------------------------------------------------------------------

    def advance(self) -> None:
        """One step: problems, groups, verdicts, update, report."""
        began = time.monotonic()
        rl, processes = self.experiment.rl, self.processes
        groups, drawn = self._pool_groups() if rl.pool_candidates else self._fresh_groups()
        searched = time.monotonic()
        sums = totals(groups, rl.group_size)
        whole = dict(zip(sums, processes.sum([float(v) for v in sums.values()]), strict=True))
        lr = self.schedule.lr_at(self.step, self.clock if rl.end_with_clock else 0.0)
        self.optimizer.set_lr(lr)
        try:
            done, sources = self._update(groups)
        except NotFinite as error:
            raise self.diverged(str(error), lr, "rl.lr") from error
        self.progress.step, self.progress.drawn = self.step + 1, drawn
        now = time.monotonic()
        step = Step(
            step=self.step,
            loss=done.loss,
            lr=lr,
            grad_norm=done.grad_norm,
            tokens_per_second=rl.updates_per_step * done.tokens_read / max(now - searched, 1e-9),
            problems_seen=drawn,
            elapsed=self.progress.elapsed,
            trained_groups=done.groups,
            metrics={
                "search_seconds": searched - began,
                "update_seconds": now - searched,
                "kl": done.kl,
                "entropy": done.entropy,
                "clip_share": done.clip_share,
                **rates(whole),
                **sources,
                **measure_memory(processes.device),
            },
        )
        self.journal.write(step)
        if rl.examples and (self.step - 1) % rl.examples_every == 0:
            for group in sorted(groups, key=lambda g: not g.signal)[: rl.examples]:
                self.journal.write(group.rollout(self.tokenizer, self.step))

    def _fresh_groups(self) -> tuple[list[Group], int]:
        """This process's groups of problems that were never drawn, and the number of the next problem.

        Groups without a signal are replaced by those of further problems, up to rl.max_redraws times; all are
        returned, so that what is reported is true of fresh problems.
        """
        rl, processes = self.experiment.rl, self.processes
        following = max(self.progress.drawn, self.step * rl.groups_per_step)
        missing, groups = rl.groups_per_step, list[Group]()
        for _ in range(1 if rl.algorithm == "boost" else 1 + rl.max_redraws):
            numbers = range(following, following + missing)
            following += missing
            groups += self._groups(numbers[processes.rank :: processes.world], 0)
            (found,) = processes.sum([float(sum(group.signal for group in groups))])
            missing = rl.groups_per_step - int(found)
            if not missing:
                break
        return groups, following

    def _pool_groups(self) -> tuple[list[Group], int]:
        """This process's groups of problems from the pool, made anew if it is due, and those drawn so far."""
        rl, now = self.experiment.rl, self.progress
        if now.pooled < 0 or (now.step % rl.pool_refresh_every == 0 and now.pooled != now.step):
            self.refresh_pool()
        numbers = draw(now.pool, rl.groups_per_step, self.experiment.seed, now.step)
        groups = self._groups(numbers[self.processes.rank :: self.processes.world], 0)
        return groups, (now.step + 1) * rl.groups_per_step

    def refresh_pool(self) -> None:
        """Probe new candidates with the current model and keep those in the band of difficulty."""
        rl, processes, step = self.experiment.rl, self.processes, self.step
        start = step // rl.pool_refresh_every * rl.pool_candidates
        numbers = range(start, start + rl.pool_candidates)
        mine = numbers[processes.rank :: processes.world]
        # a stream of its own: the probe's samples must not be those of the step that follows
        groups = self._groups(mine, PROBES)
        shares, firsts = [0.0] * rl.pool_candidates, [0.0] * rl.pool_candidates
        for n, group in zip(mine, groups, strict=True):
            shares[n - start], firsts[n - start] = group.correct_share, float(group.first_correct == 0)
        shares, firsts = processes.sum(shares), processes.sum(firsts)
        probes = [Probe(n, s, first > 0) for n, s, first in zip(numbers, shares, firsts, strict=True)]
        kept = choose(probes, rl)
        # with nothing in the band, steps on any problem find groups without signal, and report that
        self.progress.pool, self.progress.pooled = kept or list(numbers), step
        uses, needed = wear(len(self.progress.pool), rl, rl.steps - step)
        pool = Pool(
            step=step,
            candidates=rl.pool_candidates,
            kept=len(kept),
            share_right=sum(shares) / rl.pool_candidates,
            first_right=sum(firsts) / rl.pool_candidates,
            uses=uses,
            candidates_needed=needed,
        )
        self.journal.write(pool)

    def _groups(self, numbers: Sequence[int], stream: int) -> list[Group]:
        """The groups of the candidates with these numbers; samples differ between streams."""
        seed = derived_seed(self.experiment.seed, self.step, stream)
        problems = [self.mix.problem(n) for n in numbers]
        self.model.eval()
        return make_groups(self.model, self.tokenizer, problems, self.experiment, seed, numbers)

    def _update(self, groups: list[Group]) -> tuple[Update, dict[str, float]]:
        """The update, and for boost how many answers it learnt from whom."""
        experiment, processes = self.experiment, self.processes
        if experiment.rl.algorithm != "boost":
            end, anchor = self.tokenizer.end, self.reference if experiment.rl.kl_weight else None
            return update(self.model, anchor, self.optimizer, groups, end, experiment, processes), {}
        found = expert_iteration.expert_answers(groups, self.tokenizer, experiment, self.step)
        by_beam, by_solver = (
            float(sum(answer.source == source for answer in found)) for source in ("beam", "solver")
        )
        by_beam, by_solver = processes.sum([by_beam, by_solver])
        done = expert_iteration.imitate(self.model, self.optimizer, found, experiment, processes)
        return done, {"from_beam": by_beam, "from_solver": by_solver}

    # -- validation --------------------------------------------------------------------------------

    def measure(self) -> dict[str, float]:
        """Greedy and beam accuracy and drift, each process measuring its share of the held-out problems."""
        rl, width = self.experiment.rl, self.experiment.rl.group_size
        config = self.experiment.eval.model_copy(update={"beam": width})
        results = evaluate_problems(self.model, self.tokenizer, self.held_out, config)
        accuracy = summarize(results, width).answered
        values = (
            *(accuracy.greedy_exact, accuracy.greedy_verified),
            *(accuracy.pass_at[1], accuracy.pass_at[width], accuracy.rank_score),
        )
        count, beams = len(self.held_out), [result.beam for result in results]
        logprobs = [one.hypothesis.logprob for beam in beams for one in beam]
        verdicts = [rank_verdicts(beam, completion=rl.completion) for beam in beams]
        copies = sum(sum(one.copy for one in group) / max(len(group), 1) for group in verdicts)
        sums = [value * count for value in values] + [math.fsum(map(math.exp, logprobs)), float(copies)]
        prompts = [self.tokenizer.encode_prompt(problem) for problem in self.held_out]
        numbers = range(self.processes.rank, len(prompts) * self.processes.world, self.processes.world)
        seed = derived_seed(self.experiment.seed, 0, VALIDATION)  # the same noise each time
        moved = drift(self.model, self.reference, prompts, numbers, self.experiment, self.tokenizer.end, seed)
        *sums, total, kl, entropy, tokens = self.processes.sum([*sums, float(count), *moved])
        found = {name: value / total for name, value in zip(MEASURES, sums, strict=True)}
        return found | {"sample_kl": kl / tokens, "sample_entropy": entropy / tokens}

    def rank(self, metrics: dict[str, float]) -> tuple[float, float]:
        """Verified accuracy, then rank score."""
        values = metrics["greedy_verified"], metrics["rank_score"]
        return values if all(map(math.isfinite, values)) else (-1.0, -1.0)


def reference_file(run: Run) -> Path:
    """The model that the run began with."""
    return run.checkpoints / "reference.safetensors"
