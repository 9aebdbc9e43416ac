"""A plan: which stages a set of experiments needs, in which order, and which of them are done.

An experiment goes through gen (its data set), train, eval, rl and eval again. An experiment whose
train.init_from names another comes after that; one with rl.init_from has no supervised training of its own
and begins with rl. Experiments with the same [data] and seed share one data set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from polyctl.config.as_typed import as_typed
from polyctl.config.registry import override, smoke
from polyctl.config.schema import Experiment, RLConfig
from polyctl.data.manifest import read_manifest
from polyctl.errors import FileError, UsageError, did_you_mean
from polyctl.model.serialization import read_experiment
from polyctl.rl.trainer import ReinforcementTrainer, with_algorithm_name
from polyctl.store.evaluation_report import EvaluationReport, ProblemSet, read_reports
from polyctl.store.runs import Run, find_run, list_runs
from polyctl.training.start import with_exclusions
from polyctl.training.supervised import SupervisedTrainer

Stage = Literal["gen", "train", "eval", "rl"]
STAGES: tuple[Stage, ...] = get_args(Stage)


@dataclass(frozen=True)
class Directories:
    """Where a plan keeps data sets and runs."""

    data: Path
    runs: Path


@dataclass(frozen=True)
class Task:
    """One stage of one experiment.

    `experiment` is named as its data set (gen) or its runs (the others); `data` is the data set's directory
    where the stage has to do with one; `base` names the experiment that train or rl starts from.
    """

    stage: Stage
    experiment: Experiment
    data: Path | None = None
    base: str | None = None
    needs: tuple[tuple[Stage, str], ...] = ()

    @property
    def key(self) -> tuple[Stage, str]:
        """What names the task in its plan."""
        return self.stage, self.experiment.name


@dataclass(frozen=True)
class TaskStatus:
    """The state of a task: done, interrupted (to be resumed), or new; `run` is the run that it is about."""

    state: Literal["done", "resume", "new"]
    run: Run | None = None
    figures: dict[str, Any] = field(default_factory=dict)


# -- making a plan ---------------------------------------------------------------------------------


def parse_stages(text: str | None) -> tuple[Stage, ...] | None:
    """The stages of `gen,train`, in their order; None for all that are needed. Raises UsageError."""
    if text is None:
        return None
    named = [word.strip() for word in text.split(",")]
    for word in named:
        if word not in STAGES:
            hint = did_you_mean(word, STAGES, f"the stages are {','.join(STAGES)}")
            raise UsageError(f"there is no stage {word!r}", hint)
    return tuple(stage for stage in STAGES if stage in named)


def _wanted_stages(registered: Experiment, changed: Experiment) -> tuple[Stage, ...]:
    """What an experiment needs: gen to train on files, rl if the registry has settings for it."""
    needs: dict[Stage, bool] = {
        "gen": changed.train.source == "files",
        "rl": registered.rl != RLConfig(),
    }
    return tuple(stage for stage in STAGES if needs.get(stage, True))


def make_plan(
    chosen: Sequence[Experiment],
    registry: Iterable[Experiment],
    directories: Directories,
    stages: tuple[Stage, ...] | None = None,
    *,
    small: bool = False,
    settings: Sequence[str] = (),
) -> list[Task]:
    """The tasks of the experiments, each after what it needs; `small` and `settings` change the experiments.

    Without `stages`: gen if files are trained on, train, eval, and rl where the registry has settings for
    it. `registry` says who else has the same data. Raises FileError if an experiment starts from one that
    is neither chosen nor trained.
    """
    everyone = [smoke(e, alone=False) for e in registry] if small else list(registry)
    tasks: dict[tuple[Stage, str], Task] = {}
    for experiment in _ordered(chosen):
        changed = override(smoke(experiment, alone=False) if small else experiment, settings)
        wanted = _wanted_stages(experiment, changed) if stages is None else stages
        for task in _tasks(changed, everyone, directories, wanted):
            tasks.setdefault(task.key, task)
    for task in tasks.values():
        if task.stage == "train" and task.base is not None and ("train", task.base) not in tasks:
            _start_of(task.base, directories)
    return [
        Task(t.stage, t.experiment, t.data, t.base, tuple(n for n in t.needs if n in tasks))
        for t in tasks.values()
    ]


def _tasks(
    experiment: Experiment, everyone: list[Experiment], directories: Directories, stages: tuple[Stage, ...]
) -> Iterator[Task]:
    name, files = experiment.name, experiment.train.source == "files"
    start = experiment.rl.init_from
    data, owner = data_set(experiment, everyone, directories)
    if start is not None:
        stages = tuple(stage for stage in stages if stage in ("rl", "eval"))
    if "gen" in stages:
        yield Task("gen", owner, data)
    if "train" in stages:
        base = base_of(experiment)
        needs: tuple[tuple[Stage, str], ...] = (("gen", owner.name),) if files else ()
        needs += () if base is None else (("train", base),)
        yield Task("train", experiment, data if files else None, base, needs)
    if "eval" in stages and start is None:
        yield Task("eval", experiment, needs=(("train", name),))
    if "rl" in stages:
        after, base = with_algorithm_name(experiment), start or name
        yield Task("rl", after, base=base, needs=(("train", base), ("rl", base)))
        if "eval" in stages:
            yield Task("eval", after, base=base, needs=(("rl", after.name),))


def _ordered(chosen: Sequence[Experiment]) -> list[Experiment]:
    """The experiments, each after the one that it starts from; UsageError if they go in a circle."""
    by_name = {with_algorithm_name(experiment).name: experiment for experiment in chosen}
    by_name |= {experiment.name: experiment for experiment in chosen}
    ordered: dict[str, Experiment] = {}

    def visit(experiment: Experiment, path: tuple[str, ...]) -> None:
        if experiment.name in path:
            raise UsageError(
                f"init_from goes in a circle: {' -> '.join([*path, experiment.name])}",
                "take one of them out",
            )
        for base in (experiment.train.init_from, experiment.rl.init_from):
            if base in by_name and experiment.name not in ordered:
                visit(by_name[base], (*path, experiment.name))
        ordered.setdefault(experiment.name, experiment)

    for experiment in chosen:
        visit(experiment, ())
    return list(ordered.values())


def data_set(
    experiment: Experiment, everyone: Iterable[Experiment], directories: Directories
) -> tuple[Path, Experiment]:
    """The directory of the experiment's data set, and the experiment under whose name it is made.

    That is the first of those trained on files with the same [data] and seed, unless the experiment has a
    set already.
    """
    own = directories.data / experiment.name
    if (own / "manifest.json").is_file():
        return own, experiment
    same = (e for e in everyone if (e.data, e.seed) == (experiment.data, experiment.seed))
    owner = next((e for e in same if e.train.source == "files"), experiment)
    return directories.data / owner.name, experiment.model_copy(update={"name": owner.name})


# -- what is done ----------------------------------------------------------------------------------


def standing(task: Task, directories: Directories) -> TaskStatus:
    """Whether the task is done, interrupted or new. Raises FileError if what it works on is missing."""
    if task.stage == "gen":
        return _data_standing(task)
    if task.stage == "eval":
        run = _run_to_evaluate(task, directories)
        report = find_report(run, task.experiment)
        return TaskStatus("new", run) if report is None else TaskStatus("done", run, summarise(report))
    trainer = SupervisedTrainer if task.stage == "train" else ReinforcementTrainer
    wanted = resolve_start(task, directories)
    fitting = [
        run for run in runs_of(task.experiment.name, directories.runs) if _fits(run, wanted, task.stage)
    ]
    for run in fitting:
        if complete(run):
            return TaskStatus("done", run)
    for run in fitting:
        if trainer.state_path(run).is_file():
            return TaskStatus("resume", run)
    return TaskStatus("new")


def _data_standing(task: Task) -> TaskStatus:
    """A data set that was made with other exclusions is done too: they are left out as it is read."""
    assert task.data is not None
    try:
        manifest = read_manifest(task.data)
    except FileError:
        return TaskStatus("new")
    made = manifest.data.model_copy(update={"exclude": task.experiment.data.exclude})
    same = (made, manifest.seed) == (task.experiment.data, task.experiment.seed)
    return TaskStatus("done", figures={"counts": manifest.counts}) if same else TaskStatus("new")


def resolve_start(task: Task, directories: Directories) -> Experiment:
    """The experiment as its run's config.toml has it: train.init_from names the very run it starts from, and
    data.exclude has what that run was kept from.
    """
    experiment, init = task.experiment, task.experiment.train.init_from
    if task.base is None:
        of_file = task.stage == "train" and init is not None
        inherited = read_experiment(Path(str(init))).data.exclude if of_file else ()
        return with_exclusions(experiment, inherited)[0]
    start = _start_of(task.base, directories)
    train = experiment.train.model_copy(update={"init_from": start.name})
    named = experiment.model_copy(update={"train": train})
    return with_exclusions(named, start.config().data.exclude)[0]


def _start_of(base: str, directories: Directories) -> Run:
    """The run that a base means: EXPERIMENT/ID, or EXPERIMENT (its newest finished one). Raises FileError."""
    return find_run(base, directories.runs) if "/" in base else finished_run(base, directories)


def _run_to_evaluate(task: Task, directories: Directories) -> Run:
    """The finished run of the very experiment that the task evaluates."""
    stage: Stage = "rl" if task.base is not None else "train"
    base = task.base if stage == "rl" else base_of(task.experiment)
    wanted = resolve_start(Task(stage, task.experiment, base=base), directories)
    for run in runs_of(task.experiment.name, directories.runs):
        if complete(run) and _fits(run, wanted, stage):
            return run
    raise _unfinished(task.experiment.name, directories)


def base_of(experiment: Experiment) -> str | None:
    """The experiment or run whose weights a training starts from."""
    init = experiment.train.init_from
    return None if init is None or init.endswith(".safetensors") else init


def finished_run(name: str, directories: Directories) -> Run:
    """The newest finished run of an experiment; FileError if there is none."""
    for run in runs_of(name, directories.runs):
        if complete(run):
            return run
    raise _unfinished(name, directories)


def _unfinished(name: str, directories: Directories) -> FileError:
    return FileError(
        f"{name} has no finished run with these settings in {directories.runs}",
        f"train it first: polyctl experiments run {as_typed(name)}",
    )


def runs_of(name: str, root: Path) -> list[Run]:
    """All runs of an experiment, newest first."""
    return [run for run in list_runs(root) if run.experiment == name]


def complete(run: Run) -> bool:
    """Whether the run came to the end of its steps, and its weights are there."""
    return run.summary().ended == "complete" and run.has_checkpoint


def _fits(run: Run, wanted: Experiment, stage: Stage) -> bool:
    """Whether a run was made with the settings that its training depends on."""
    try:
        config = run.config()
    except FileError:  # a run of another version does not count
        return False
    parts = ("seed", "data", "model", "train", *(("rl",) if stage == "rl" else ()))
    return all(getattr(config, part) == getattr(wanted, part) for part in parts)


def find_report(run: Run, experiment: Experiment) -> EvaluationReport | None:
    """The newest report of the run's best weights on the experiment's test problems, with its beam."""
    newest = run.weights().stat().st_mtime
    for path, report in read_reports(run.reports):
        own = report.data == ProblemSet(experiment.name) and report.checkpoint == "best"
        # The degree cells share the problems evenly, so that there may be a few more than asked for.
        enough = report.summary.problems >= experiment.eval.problems
        if own and enough and report.summary.beam == experiment.eval.beam and path.stat().st_mtime >= newest:
            return report
    return None


def summarise(report: EvaluationReport) -> dict[str, Any]:
    """The numbers of an evaluation's report that an outcome shows."""
    summary, accuracy = report.summary, report.summary.answered
    return {
        "problems": summary.problems,
        "beam": summary.beam,
        "greedy_exact": accuracy.greedy_exact,
        "greedy_verified": accuracy.greedy_verified,
        "pass_at_1": accuracy.pass_at[1],
        "pass_at_beam": accuracy.pass_at[summary.beam],
        "rank_score": accuracy.rank_score,
        "step": report.step,
    }
