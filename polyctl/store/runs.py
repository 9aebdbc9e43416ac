"""Run directories: what a training leaves behind, and all that watchers need.

runs/EXPERIMENT/ID/ holds config.toml (the resolved experiment), events.jsonl (store/events.py),
checkpoints/, reports/ and predictions/.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import tomli_w
from pydantic import ValidationError

from polyctl.config.as_typed import command_that_resumes, command_that_trains
from polyctl.config.names import NAME_RULE, check_name, is_name, is_run_name
from polyctl.config.renamed import stored_experiment
from polyctl.config.schema import Experiment
from polyctl.config.toml import parse_toml
from polyctl.errors import FileError, UsageError, did_you_mean
from polyctl.store.evaluation_report import CheckpointName
from polyctl.store.files import make_directory, read_regular, write_atomic
from polyctl.store.places import refuse_links
from polyctl.store.summary import RunState, Summary, summarise_events

NO_MODEL = "none"  # as POLYCTL_SHIPPED: there is no bundled model
TRAINER_STATE, RL_STATE = "trainer.safetensors", "rl.safetensors"  # in checkpoints/: what resuming needs
OUT_HINT = "name a place for the results with --out DIR"
STAMP = "%Y%m%d-%H%M%S"  # how runs and reports are named, by the time in UTC


# -- one run -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """A run's directory, runs/EXPERIMENT/ID."""

    path: Path
    experiment: str
    id: str

    @classmethod
    def at(cls, path: Path) -> Run:
        """The run in that directory."""
        full = path.absolute()
        return cls(path, full.parent.name, full.name)

    @property
    def name(self) -> str:
        """EXPERIMENT/ID, as commands take it."""
        return f"{self.experiment}/{self.id}"

    @property
    def root(self) -> Path:
        """The folder of all runs that this one lies in."""
        return self.path.parents[1]

    @property
    def config_path(self) -> Path:
        return self.path / "config.toml"

    @property
    def events(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def usage_log(self) -> Path:
        """Where programs that use the run's model write their events.

        That is its event file; for the bundled run, whose own is under version control, a file beside it.
        """
        return self.path / "usage.jsonl" if self.name == shipped_run().name else self.events

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def reports(self) -> Path:
        return self.path / "reports"

    @property
    def predictions(self) -> Path:
        return self.path / "predictions"

    def config(self) -> Experiment:
        """The resolved experiment of the run; FileError if config.toml is missing or wrong."""
        try:
            return stored_experiment(parse_toml(read_regular(self.config_path).decode("utf-8-sig")))
        except OSError as error:
            raise FileError(
                f"{self.config_path} cannot be read: {error.strerror}", "`polyctl runs list` shows all runs"
            ) from error
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(map(str, first["loc"]))
            raise FileError(
                f"{self.config_path} does not fit this polyctl: {key}: {first['msg']}",
                "use the version of polyctl that made the run, or fix the file",
            ) from error
        except ValueError as error:
            raise FileError(
                f"{self.config_path} is not TOML: {error}", "restore or remove the run"
            ) from error

    def checkpoint(self, which: CheckpointName = "best") -> Path:
        """Where these weights are kept; they need not exist yet.

        best: of the best validation; last; average: the exponential average, if the training keeps one.
        """
        return self.checkpoints / f"{which}.safetensors"

    @property
    def has_checkpoint(self) -> bool:
        return self.checkpoint("best").exists() or self.checkpoint("last").exists()

    def weights(self) -> Path:
        """The best checkpoint there is, else the last one; FileError if the run has none that is a file."""
        for which in ("best", "last"):
            if (path := self.checkpoint(which)).is_dir():
                raise FileError(f"{path} is a directory, not a model file", "restore the file, or remove it")
            if path.is_file():
                return path
        raise FileError(f"{self.path} has no checkpoint yet", self.way_to_a_checkpoint())

    @property
    def resumable(self) -> bool:
        """Whether it has what a training that goes on needs, though perhaps no checkpoint yet."""
        return any((self.checkpoints / name).is_file() for name in (TRAINER_STATE, RL_STATE))

    def way_to_a_checkpoint(self) -> str:
        """What to do about a run that has none yet."""
        if self.state() == "running":
            return "wait for its first one: the run is being trained"
        if not self.resumable:
            return f"train one: `polyctl {command_that_trains(self.experiment)}`"
        resume = command_that_resumes(self.experiment)
        if resume.startswith("train"):
            resume = f"train --resume {self.name}"
        return f"the training ended before its first one: `polyctl {resume}` continues it"

    def refuse_links(self) -> None:
        """FileError if what is written to the run would land elsewhere."""
        folders = (self.checkpoints, self.reports, self.predictions)
        refuse_links(self.path.parent, self.path, *folders, self.events, self.usage_log)

    def state(self) -> RunState:
        """How the run stands, by its events."""
        return self.summary().state

    def summary(self) -> Summary:
        """What the newest events say; never fails on a damaged file."""
        return summarise_events(self.events)


# -- making and finding runs ---------------------------------------------------------------------


def runs_root(root: Path | None = None) -> Path:
    """Where runs are kept: `root`, else POLYCTL_RUNS, else ./runs."""
    return root if root is not None else Path(os.environ.get("POLYCTL_RUNS") or "runs")


def create_run(experiment: Experiment, root: Path | None = None) -> Run:
    """A new directory for a run of `experiment`, its config.toml written; FileError if that cannot be.

    Raises UsageError if the experiment is called what no directory may be called.
    """
    try:
        parent = runs_root(root) / check_name(experiment.name)
    except ValueError as error:
        raise UsageError(f"no run can be made: the name {error}", "rename the experiment") from None
    refuse_links(parent)
    stamp = datetime.now(UTC).strftime(STAMP)
    number = 1
    try:
        parent.mkdir(parents=True, exist_ok=True)
        while True:
            run = Run.at(parent / (stamp if number == 1 else f"{stamp}-{number}"))
            try:
                run.path.mkdir()
                break
            except FileExistsError:
                number += 1
        for folder in (run.checkpoints, run.reports, run.predictions):
            folder.mkdir()
        write_atomic(run.config_path, tomli_w.dumps(experiment.model_dump(mode="json", exclude_none=True)))
    except OSError as error:
        raise FileError(
            f"no run can be made in {parent}: {error.strerror}",
            "name another place with --runs or POLYCTL_RUNS",
        ) from error
    return run


def list_runs(root: Path | None = None) -> list[Run]:
    """All runs under the root, newest first; empty if the root does not exist.

    A directory that is called what no run may be called is none.
    """
    found = (path.parent for path in runs_root(root).glob("*/*/config.toml"))
    return _sorted(path for path in found if is_name(path.name) and is_name(path.parent.name))


def left_out(root: Path | None = None) -> list[tuple[Path, str]]:
    """Directories that list_runs leaves out though something was trained there, and why."""
    found = []
    for path in sorted(runs_root(root).glob("*/*")):
        config = (path / "config.toml").is_file()
        if not (is_name(path.name) and is_name(path.parent.name)):
            if config:
                found.append((path, f"it has no name of a run: {NAME_RULE}"))
        elif not config and was_trained(path):
            found.append((path, "it has no config.toml"))
    return found


def was_trained(path: Path) -> bool:
    """Whether something was trained in a directory, though it may have no config.toml."""
    return (path / "events.jsonl").exists() or (path / "checkpoints").exists()


def existing_root(root: Path | None = None) -> Path:
    """Where runs are kept. Raises FileError if a place was named that does not exist."""
    found = runs_root(root)
    if not found.is_dir() and (root is not None or os.environ.get("POLYCTL_RUNS")):
        raise FileError(f"there is no directory {found}", "correct --runs or POLYCTL_RUNS, or leave it out")
    return found


def shipped_run() -> Run:
    """The bundled model's run: POLYCTL_SHIPPED, or the one that comes with the package; it may be missing.

    `none` stands for a run that does not exist.
    """
    place = os.environ.get("POLYCTL_SHIPPED")
    return Run.at(Path(place) if place else packaged_run(Path(__file__).resolve().parents[1]))


def packaged_run(package: Path) -> Path:
    """The bundled run's directory: inside the package if installed, under runs/ beside it in a clone."""
    installed = package / "shipped" / "general" / "shipped"
    return installed if installed.is_dir() else package.parent / "runs" / "general" / "shipped"


def run_for_results(run: Run, root: Path | None = None, out: Path | None = None) -> Run:
    """Where an evaluation of `run` is written: to `out`, else to the run, or to its name in the runs' root.

    The last for a run inside an installed package and for one whose directory cannot be written.
    Raises FileError if the place cannot be written either.
    """
    if out is not None:
        make_directory(out)
        return Run(out, run.experiment, run.id)
    package = Path(__file__).resolve().parents[1]
    if os.access(run.path, os.W_OK) and not run.path.resolve().is_relative_to(package):
        run.refuse_links()
        return run
    if not is_run_name(run.name):
        raise FileError(f"{run.path} cannot be written, and {run.name!r} is no name of a run", NAME_RULE)
    results = Run.at(runs_root(root) / run.experiment / run.id)
    results.refuse_links()
    try:
        results.path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(
            f"{results.path} cannot be made: {error.strerror}",
            OUT_HINT,
        ) from error
    if not os.access(results.path, os.W_OK):
        raise FileError(f"{results.path} cannot be written: it is read-only", OUT_HINT)
    return results


def check_shipped() -> None:
    """FileError if POLYCTL_SHIPPED names a place that does not exist."""
    place = os.environ.get("POLYCTL_SHIPPED") or NO_MODEL
    if place != NO_MODEL and not Path(place).is_dir():
        raise FileError(
            f"POLYCTL_SHIPPED names {place}, which is not there",
            f"correct it, leave it out, or set it to {NO_MODEL}",
        )


def default_run(root: Path | None = None) -> Run:
    """The run whose model is used if none is named: the bundled one, else the newest with a checkpoint.

    A run of --smoke, whose model knows nothing, must be named. FileError if there is no other, or
    POLYCTL_SHIPPED is wrong.
    """
    check_shipped()
    shipped = shipped_run()
    return shipped if shipped.has_checkpoint else newest_run_with_checkpoint(root, smoke=False)


def newest_run_with_checkpoint(root: Path | None = None, *, smoke: bool = True) -> Run:
    """The newest run that has a checkpoint, also one of --smoke if `smoke`; FileError if there is none."""
    trained = [run for run in list_runs(root) if run.has_checkpoint]
    for run in trained:
        if smoke or not re.search(r"_smoke(_|$)", run.experiment):
            return run
    begun = [run for run in list_runs(root) if run.resumable and not run.has_checkpoint]
    raise FileError(
        f"no run in {runs_root(root)} has a checkpoint{', only smoke runs have' if trained else ''}",
        begun[0].way_to_a_checkpoint() if begun else "train one, for example `polyctl train quick`",
    )


def run_to_resume(name: str | None, root: Path | None = None) -> Run:
    """The run of that name to continue: the newest with a checkpoint, else one that ended before its first.

    Without a name it is one of all runs. Raises FileError.
    """
    try:
        return newest_run_with_checkpoint(root) if name is None else find_run(name, root)
    except FileError:
        if name is not None:
            return find_run(name, root, need_checkpoint=False)
        if begun := [run for run in list_runs(root) if run.resumable]:
            return begun[0]
        raise


def find_run(name: str | Path, root: Path | None = None, *, need_checkpoint: bool = True) -> Run:
    """The run that `name` means: EXPERIMENT/ID, a directory, or EXPERIMENT (its newest with a checkpoint).

    The bundled run is found wherever runs are kept. Without need_checkpoint, EXPERIMENT means its newest run.
    Only names are looked for in the root, so that nothing else is taken for a run in it. Raises FileError
    that says what to do next, with need_checkpoint also for a run whose config.toml is damaged.
    """
    run = _find(name, root, need_checkpoint)
    if need_checkpoint:
        run.config()
    return run


def _find(name: str | Path, root: Path | None, need_checkpoint: bool) -> Run:
    root = runs_root(root)
    if not str(name).strip() or "\0" in str(name):
        raise FileError(f"{str(name)!r} names no run", "`polyctl runs list` shows all")
    places = [root / name] if is_run_name(str(Path(name))) else []
    places.append(Path(name))
    shipped = shipped_run()
    if str(name) in (shipped.experiment, shipped.name):
        places.append(shipped.root / name)
    for path in places:
        if (path / "config.toml").is_file():
            return Run.at(path)
        if was_trained(path):
            raise FileError(
                f"{path} has no config.toml, which says what was trained there",
                f"restore that file, or remove the run: `polyctl runs rm {Run.at(path).name}`"
                if path == root / name and is_run_name(Run.at(path).name)
                else "restore that file, or move the directory away",
            )
    found = [_sorted(config.parent for config in path.glob("*/config.toml")) for path in places]
    for run in (run for runs in found for run in runs):
        if run.has_checkpoint or not need_checkpoint:
            return run
    for path, runs in zip(places, found, strict=True):
        if runs:
            raise FileError(f"no run in {path} has a checkpoint yet", runs[0].way_to_a_checkpoint())
    raise FileError(f"there is no run {str(name)!r} in {root}", next_step(str(name), root))


def next_step(name: str, root: Path) -> str:
    """A hint for a name that no run in `root` has."""
    runs = list_runs(root)
    if not runs:
        return "there are no runs yet: `polyctl train quick` makes one; --runs names another place"
    experiments = [] if "/" in name else [run.experiment for run in runs]
    names = list(dict.fromkeys(experiments + [run.name for run in runs]))
    return did_you_mean(name, names) or "`polyctl runs list` shows all"


def _sorted(paths: Iterator[Path]) -> list[Run]:
    return sorted((Run.at(path) for path in paths), key=_age, reverse=True)


def _age(run: Run) -> tuple[str, int, str]:
    made = re.fullmatch(r"(\d{8}-\d{6})(?:-(\d+))?", run.id)
    return (made[1], int(made[2] or 1), run.experiment) if made else ("", 0, run.name)
