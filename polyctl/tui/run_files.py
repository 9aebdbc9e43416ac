"""What the dashboard changes in a directory of runs: notes, and runs that are archived."""

from __future__ import annotations

import shutil
from pathlib import Path

from polyctl.errors import FileError
from polyctl.store.files import explaining, open_regular, write_atomic
from polyctl.store.lock import sole_writer
from polyctl.store.remove import check_removable
from polyctl.store.runs import Run

NOTE = "note.txt"
NOTE_BYTES = 10_000
ARCHIVE = ".archived"  # in the directory of runs


def read_note(run: Run) -> str:
    """The note on a run as one line, "" if there is none."""
    try:
        with open_regular(run.path / NOTE) as file:
            return " ".join(file.read(NOTE_BYTES).decode("utf-8", "replace").split())
    except OSError:
        return ""


def write_note(run: Run, text: str) -> None:
    """Keep a note in the run, or remove it if the text is empty. Raises FileError."""
    path = run.path / NOTE
    try:
        if text.strip():
            write_atomic(path, text.strip() + "\n")
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror}", "look at its permissions") from error


def archive(run: Run, root: Path) -> Path:
    """Move a run into the archive beside the others; returns where it is now.

    Raises FileError, and UsageError for the bundled run.
    """
    check_removable(run)
    target = root / ARCHIVE / run.experiment / run.id
    if target.exists():
        raise FileError(f"{target} exists already", "move it away")
    with sole_writer(run.path), explaining("move", run.path):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(run.path, target)
    return target
