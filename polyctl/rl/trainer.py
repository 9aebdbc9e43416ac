"""The loop of reinforcement learning: draw problems, search, verify, update, watch, save.

Step s is a function of the experiment, s, the pool and the weights before it (boost's solver also of the
clock), so a resumed run is the run that was never stopped. Models run without dropout throughout: search,
reference and update must speak of the same probabilities.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from polyctl.config.renamed import stored_experiment
from polyctl.config.schema import Experiment, RLConfig
from polyctl.data.tokenizers import make_tokenizer
from polyctl.errors import UsageError
from polyctl.evaluation.accuracy import evaluate_problems, summarize
from polyctl.model.gpt import GPT
from polyctl.model.serialization import load_model, save_model
from polyctl.rl import expert_iteration
from polyctl.rl.curriculum import Probe, ProblemMix, choose, draw
from polyctl.rl.rollouts import Group, make_groups, rates, totals
from polyctl.rl.update import NotFinite, Update, update
from polyctl.runtime.processes import Processes
from polyctl.runtime.signals import Interrupts
from polyctl.store.runs import Run
from polyctl.training import checkpoint
from polyctl.training.journal import Journal, OnEvent
from polyctl.training.loss import dropout_seed
from polyctl.training.optim import make_optimizer
from polyctl.training.session import session
from polyctl.training.supervised import SAVE_SECONDS, DivergedError, TrainResult, held_out_that_fit

PROBES = 1_000_000  # the random stream of probes; that of steps is 0
# what --smoke makes of [rl], as settings
SMOKE = (
    "rl.steps=4",
    "rl.groups_per_step=4",
    "rl.group_size=4",
    "rl.pool_candidates=8",
    "rl.pool_refresh_every=2",
    "rl.eval_every=2",
    "rl.updates_per_step=2",
    "rl.examples_every=2",
    "rl.solver_seconds=0.2",
)
MEASURES = ("greedy_exact", "greedy_verified", "pass_at_1", "pass_at_w", "rank_score")


def named(experiment: Experiment) -> Experiment:
    """The experiment under the name that its runs get: with the algorithm behind it.

    So that `polyctl eval NAME` and a later `polyctl rl NAME` still mean the supervised run.
    """
    suffix = f"_{experiment.rl.algorithm}"
    return experiment.model_copy(update={"name": experiment.name.removesuffix(suffix) + suffix})


def reinforce(
    experiment: Experiment,
    run: Run,
    *,
    start: Path | None,
    device: str = "auto",
    max_minutes: float | None = None,
    on_event: OnEvent | None = None,
) -> TrainResult:
    """Improve the model in `start` by rl.algorithm, in the directory of `run`; without `start`, resume there.

    Reaching max_minutes and the first SIGINT or SIGTERM end it gently, ready to be resumed. Raises UsageError
    for settings that do not fit together, FileError where there is nothing to start from, DivergedError where
    the loss stops being finite.
    """
    with session(run, device, on_event) as here:
        trainer = ReinforcementTrainer(experiment, run, here.processes, here.journal, start)
        return trainer.run_until(here.interrupts, None if max_minutes is None else 60 * max_minutes)


class ReinforcementTrainer:
    """The state of a run between two steps, and what can be done with it."""

    def __init__(
        self,
        experiment: Experiment,
        run: Run,
        processes: Processes,
        journal: Journal,
        start: Path | None,
    ) -> None:
        rl = experiment.rl
        self.experiment, self.run, self.processes, self.journal = experiment, run, processes, journal
        self.tokenizer = make_tokenizer(experiment.data)
        self.mix = ProblemMix(experiment, self.tokenizer)
        problems = held_out_that_fit(experiment, self.tokenizer)[: experiment.train.eval_problems]
        self.held_out = problems[processes.rank :: processes.world]
        self.step = self.skipped = self.updates = 0
        self.elapsed = 0.0
        self.metrics: dict[str, float] = {}
        self.best: dict[str, float] = {}
        self.validated = self.pooled = -1
        self.pool: list[int] = []
        self.model = self._model(start if start is not None else reference_file(run))
        self.reference = None
        if rl.kl_weight and rl.algorithm != "boost":
            self.reference = copy.deepcopy(self.model).requires_grad_(False)
        settings = experiment.train.model_copy(
            update={"optimizer": "adamw", "lr": rl.lr, "weight_decay": rl.weight_decay}
        )
        self.optimizer = make_optimizer(self.model, settings)
        if start is None:
            self._resume()
        elif processes.main:
            self._write_model(reference_file(run), {})

    # -- the loop ----------------------------------------------------------------------------------

    def run_until(self, interrupts: Interrupts, seconds: float | None) -> TrainResult:
        """Go on until the last step, the time limit or an interrupt; save and validate on the way."""
        began, before = time.monotonic(), self.elapsed
        saved_at = began
        self._announce()
        while True:
            now = time.monotonic()
            self.elapsed = before + now - began
            state = self._agree(interrupts.asked, seconds is not None and now - began >= seconds)
            due = self.step % self.experiment.rl.eval_every == 0 or state != "running"
            if state == "interrupted":
                self.save()
            elif due and self.step > self.validated:
                self.validate()
                self.save()
                saved_at = time.monotonic()
            elif now - saved_at >= SAVE_SECONDS:
                self.save()
                saved_at = now
            if state != "running":
                break
            self.advance()
        self.journal.write("end", state=state, step=self.step, elapsed=self.elapsed, metrics=self.metrics)
        weights = self.run.weights() if self.run.has_checkpoint else None
        return TrainResult(self.step, self.metrics, state, self.best, weights)

    def advance(self) -> None:
        """One step: problems, groups, verdicts, update, event."""
        began = time.monotonic()
        rl, processes = self.experiment.rl, self.processes
        if (
            rl.pool_candidates
            and (self.pooled < 0 or self.step % rl.pool_refresh_every == 0)
            and self.pooled != self.step
        ):
            self.refresh_pool()
        if rl.pool_candidates:
            numbers = draw(self.pool, self.experiment, self.step)
        else:
            numbers = list(range(self.step * rl.groups_per_step, (self.step + 1) * rl.groups_per_step))
        groups = self._groups(numbers[processes.rank :: processes.world], 0)
        searched = time.monotonic()
        sums = totals(groups, rl.group_size)
        whole = dict(zip(sums, processes.sum([float(v) for v in sums.values()]), strict=True))
        lr = self._set_lr()
        try:
            done, learnt = self._update(groups)
        except NotFinite as error:
            self.save()
            raise DivergedError(
                f"step {self.step + 1}: {error} at learning rate {lr:.3g}",
                f"lower the learning rate: --resume --set rl.lr={rl.lr / 3:.1g}",
            ) from error
        means = rates(whole)
        self.skipped += int(means["skipped"])
        self.updates += bool(done.groups)
        self.step += 1
        now = time.monotonic()
        self.journal.write(
            "step",
            step=self.step,
            loss=done.loss,
            lr=lr,
            grad_norm=done.grad_norm,
            tokens_per_second=rl.updates_per_step * done.read / max(now - searched, 1e-9),
            search_seconds=searched - began,
            update_seconds=now - searched,
            problems_seen=self.step * rl.groups_per_step,
            elapsed=self.elapsed,
            trained_groups=done.groups,
            kl=done.kl,
            entropy=done.entropy,
            clip_share=done.clip_share,
            **means,
            **learnt,
        )
        if rl.examples and (self.step - 1) % rl.examples_every == 0:
            chosen = sorted(groups, key=lambda g: not g.signal)[: rl.examples]
            for group in chosen:
                self.journal.write("rollout", step=self.step, **group.example(self.tokenizer))

    def _groups(self, numbers: Sequence[int], stream: int) -> list[Group]:
        """The groups of the candidates with these numbers; samples differ between streams."""
        seed = dropout_seed(self.experiment.seed, self.step, stream)
        problems = [self.mix.problem(n) for n in numbers]
        self.model.eval()
        return make_groups(self.model, self.tokenizer, problems, self.experiment, seed, numbers)

    def _update(self, groups: list[Group]) -> tuple[Update, dict[str, float]]:
        """The update, and for boost how many answers it learnt from whom."""
        experiment, processes = self.experiment, self.processes
        if experiment.rl.algorithm != "boost":
            end = self.tokenizer.end
            return update(self.model, self.reference, self.optimizer, groups, end, experiment, processes), {}
        found = expert_iteration.lessons(groups, self.tokenizer, experiment, self.step)
        by_beam, by_solver = (
            float(sum(lesson.source == source for lesson in found)) for source in ("beam", "solver")
        )
        by_beam, by_solver = processes.sum([by_beam, by_solver])
        done = expert_iteration.learn(self.model, self.optimizer, found, experiment, processes)
        return done, {"from_beam": by_beam, "from_solver": by_solver}

    def _set_lr(self) -> float:
        rl = self.experiment.rl
        lr = lr_at(self.step, rl)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        return lr

    def _agree(self, interrupted: bool, late: bool) -> str:
        """The state that all processes share; signals and clocks reach them at different steps."""
        asked, ended = self.processes.sum([float(interrupted), float(late)])
        if self.step >= self.experiment.rl.steps:
            return "complete"
        if asked:
            return "interrupted"
        return "time limit" if ended else "running"

    # -- problems and validation -------------------------------------------------------------------

    def refresh_pool(self) -> None:
        """Probe new candidates with the current model and keep those in the band of difficulty."""
        rl, processes = self.experiment.rl, self.processes
        start = self.step // rl.pool_refresh_every * rl.pool_candidates
        numbers = range(start, start + rl.pool_candidates)
        mine = numbers[processes.rank :: processes.world]
        # a stream of its own: the probe's samples must not be those of the step that follows
        groups = self._groups(mine, PROBES)
        shares, firsts = [0.0] * rl.pool_candidates, [0.0] * rl.pool_candidates
        for n, group in zip(mine, groups, strict=True):
            shares[n - start], firsts[n - start] = group.share, float(group.first == 0)
        shares, firsts = processes.sum(shares), processes.sum(firsts)
        probes = [Probe(n, s, first > 0) for n, s, first in zip(numbers, shares, firsts, strict=True)]
        kept = choose(probes, self.experiment)
        # with nothing in the band, steps on any problem find groups without signal, and say so
        self.pool, self.pooled = kept or list(numbers), self.step
        self.journal.write(
            "pool",
            step=self.step,
            candidates=rl.pool_candidates,
            kept=len(kept),
            share_right=sum(shares) / rl.pool_candidates,
            first_right=sum(firsts) / rl.pool_candidates,
        )

    def validate(self) -> None:
        """Greedy and beam accuracy on held-out problems; keeps the weights as `best` where they are."""
        rl, experiment = self.experiment.rl, self.experiment
        config = experiment.eval.model_copy(update={"beam": rl.group_size})
        report = summarize(
            evaluate_problems(self.model, self.tokenizer, self.held_out, config), rl.group_size
        )
        count = len(self.held_out)
        found = (
            report["greedy"]["exact"],
            report["greedy"]["verified"],
            report["pass_at"]["1"],
            report["pass_at"][str(rl.group_size)],
            report["rank_score"],
        )
        *sums, total = self.processes.sum([value * count for value in found] + [float(count)])
        self.metrics = {name: value / total for name, value in zip(MEASURES, sums, strict=True)}
        self.validated = self.step
        self.journal.write("eval", step=self.step, **self.metrics)
        if not self.best or _rank(self.metrics) > _rank(self.best):
            self.best = {"step": self.step, **self.metrics}
            self._save_weights("best")

    # -- files and events --------------------------------------------------------------------------

    def save(self) -> None:
        """Write the trainer's state, then the same weights as checkpoints/last.safetensors."""
        if not self.processes.main:
            return
        facts = {
            "experiment": self.experiment.model_dump(mode="json"),
            **{name: getattr(self, name) for name in _KEPT},
        }
        checkpoint.save_trainer(trainer_file(self.run), self.model, self.optimizer, facts)
        self._save_weights("last")

    def _resume(self) -> None:
        path = trainer_file(self.run)
        saved = stored_experiment(checkpoint.read_facts(path)["experiment"])
        same = saved.rl.algorithm == self.experiment.rl.algorithm
        if not same or any(
            getattr(saved, p) != getattr(self.experiment, p) for p in ("data", "model", "seed")
        ):
            raise UsageError(
                f"{self.run.path} was started with other data, model, seed or algorithm",
                "only rl.*, train.* and eval.* may change on resume; start a new run for the rest",
            )
        facts = checkpoint.load_trainer(path, self.model, self.optimizer)
        for name in _KEPT:
            setattr(self, name, facts[name])

    def _model(self, path: Path) -> GPT:
        loaded = load_model(path, self.processes.device)
        if tuple(loaded.vocabulary) != tuple(self.tokenizer.vocabulary):
            raise UsageError(
                f"the tokens of {path} are not those of {self.experiment.name}", "start from a run of its own"
            )
        if loaded.model.config != self.experiment.model:
            raise UsageError(
                f"the model in {path} has another shape than {self.experiment.name}",
                "give both experiments the same [model]",
            )
        return loaded.model.requires_grad_(True)

    def _save_weights(self, which: Literal["best", "last"]) -> None:
        if self.processes.main:
            metrics = self.metrics if self.validated == self.step else {}
            self._write_model(self.run.checkpoint(which), metrics)
            path = f"checkpoints/{which}.safetensors"
            self.journal.write("checkpoint", step=self.step, which=which, path=path)

    def _write_model(self, path: Path, metrics: dict[str, Any]) -> None:
        save_model(path, self.model, self.experiment, self.tokenizer.vocabulary, self.step, metrics)

    def _announce(self) -> None:
        self.journal.write(
            "run",
            state="resumed" if self.step else "started",
            algorithm=self.experiment.rl.algorithm,
            step=self.step,
            total_steps=self.experiment.rl.steps,
            device=str(self.processes.device),
            processes=self.processes.world,
            parameters=self.model.parameter_count(),
        )


_KEPT = (
    "step", "skipped", "updates", "elapsed", "metrics", "best", "validated", "pool", "pooled",
)  # fmt: skip


def lr_at(step: int, rl: RLConfig) -> float:
    """Learning rate of a step: up linearly over `warmup` steps, then down linearly to final_lr · lr."""
    if step < rl.warmup:
        return rl.lr * (step + 1) / rl.warmup
    progress = (step - rl.warmup) / max(1, rl.steps - 1 - rl.warmup)
    return rl.lr * (1 - (1 - rl.final_lr_ratio) * min(1.0, progress))


def _rank(metrics: dict[str, float]) -> tuple[float, float]:
    values = metrics["greedy_verified"], metrics["rank_score"]
    return values if all(map(math.isfinite, values)) else (-1.0, -1.0)


def trainer_file(run: Run) -> Path:
    """Where a run keeps what resuming needs; another name than supervised training's, which cannot use it."""
    return run.checkpoints / "rl.safetensors"


def reference_file(run: Run) -> Path:
    """The model that the run began with."""
    return run.checkpoints / "reference.safetensors"
