"""Removing a run: as a whole, and only if nobody writes to it."""

from __future__ import annotations

import shutil
import uuid
from contextlib import suppress
from pathlib import Path

from polyctl.config.names import is_run_name
from polyctl.errors import FileError, UsageError, did_you_mean
from polyctl.store.files import UNFINISHED, explaining
from polyctl.store.lock import check_free, sole_writer
from polyctl.store.runs import Run, find_run, list_runs, runs_root, shipped_run, was_trained


def find_removable(name: str, root: Path | None = None) -> Run:
    """The run EXPERIMENT/ID, also one whose config.toml is missing or damaged, or the one in a directory.

    Raises FileError if there is none, UsageError for a name that may be several.
    """
    root = runs_root(root)
    if "/" in name and is_run_name(name) and was_trained(root / name):
        return Run.at(root / name)
    try:
        run = find_run(name, root, need_checkpoint=False)
    except FileError as error:
        names = [run.name for run in list_runs(root)]
        raise FileError(error.message, did_you_mean(name, names, error.hint)) from error
    if name != run.name and Path(name).resolve() != run.path.resolve():
        raise UsageError(f"{name!r} may be several runs", f"polyctl runs rm {run.name}")
    return run


def check_removable(run: Run) -> None:
    """Raise UsageError for the bundled run, FileError for one that is trained now or that a link leads to."""
    if run.path.resolve() == shipped_run().path.resolve():
        raise UsageError(
            f"{run.name} is the bundled model, which is not removed", "set POLYCTL_SHIPPED=none to do without"
        )
    run.refuse_links()
    for directory in (run.path, run.path.parent):
        check_free(directory, "nothing can be removed there; change its permissions, or mount it writable")


def remove_run(run: Run) -> int:
    """Remove a run's directory; returns how many bytes its files had. Raises UsageError, FileError.

    It is renamed first, so that it is never listed half removed.
    """
    check_removable(run)
    size = sum(path.lstat().st_size for path in run.path.rglob("*") if not path.is_dir())
    away = run.path.with_name(f".{run.id[:40]}.{uuid.uuid4().hex}{UNFINISHED}")
    with sole_writer(run.path), explaining("remove", run.path):
        run.path.rename(away)
        shutil.rmtree(away)
    with suppress(OSError):
        run.path.parent.rmdir()  # its last run
    return size
