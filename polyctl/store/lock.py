"""One writer at a time: a second one is told who is at work, and what a dead one left is taken over."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from polyctl.errors import FileError
from polyctl.store.files import explaining, remove_unfinished, write_atomic
from polyctl.store.owner import FILE_NAME, Owner, read_owner

LOCK_NAME = ".lock"
WAIT = "wait until it has finished, or stop it"
ORPHAN_SECONDS = 5.0  # how long processes that a dead writer started may still hold its lock


def check_free(directory: Path, remedy: str) -> None:
    """FileError if another process writes there, or, with that remedy, if the place cannot be written.

    It is asked before other work, which would be in vain; only `sole_writer` makes sure.
    """
    owner = read_owner(directory)
    if owner is not None and owner.alive:
        raise FileError(f"{directory} is being written by {owner}", WAIT)
    if not os.access(directory, os.W_OK):
        raise FileError(f"{directory} cannot be written: it is read-only", remedy)


@contextmanager
def sole_writer(directory: Path, *folders: Path) -> Iterator[Owner | None]:
    """Be the only process that writes to a directory; gives the writer before, if it ended without a word.

    What that one left half written in the directory and in `folders` is removed. The lock belongs to the
    process, so that it ends with it, however that happens. Raises FileError if another process writes there,
    or the directory cannot be written.
    """
    from filelock import FileLock, Timeout  # slow to import, and most commands need no lock

    lock = FileLock(directory / LOCK_NAME)
    owner = read_owner(directory)
    wait = ORPHAN_SECONDS if owner is not None and owner.alive is False else 0
    with explaining("lock", directory / LOCK_NAME):
        try:
            lock.acquire(timeout=wait)
        except Timeout:
            raise FileError(
                f"{directory} is being written by {read_owner(directory) or 'another process'}",
                WAIT,
            ) from None
        except NotImplementedError as error:  # a file system without locks
            raise OSError(errno.ENOLCK, str(error)) from error
    try:
        before = read_owner(directory)
        for folder in (directory, *folders):
            remove_unfinished(folder)
        write_atomic(directory / FILE_NAME, Owner.here().text())
        try:
            yield before
        finally:
            with suppress(OSError):
                (directory / FILE_NAME).unlink()
    finally:
        lock.release()
