"""Files that are never half written, and errors of the file system that say what could not be done."""

from __future__ import annotations

import errno
import os
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from polyctl.errors import FileError

UNFINISHED = ".tmp"
MOST_BYTES = 1 << 28  # of a file that is read whole
HINTS = {
    errno.ENOSPC: "make room, then continue; what was there before is unchanged",
    errno.EDQUOT: "make room, then continue; what was there before is unchanged",
    errno.EFBIG: "raise the limit on the size of files; what was there before is unchanged",
    errno.EROFS: "name a place that can be written",
    errno.EACCES: "name a place that can be written, or change its permissions",
    errno.EPERM: "name a place that can be written, or change its permissions",
    errno.ENOENT: "the directory has vanished: was it moved or removed?",
    errno.ENOLCK: "this file system has no locks: name a place on another one",
    errno.ENOTDIR: "a part of that path is a file: name another place",
}


@contextmanager
def explaining(operation: str, path: Path) -> Iterator[None]:
    """Turn an error of the file system into a FileError that names operation and file, and how to go on."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if error.filename is not None and Path(error.filename).absolute().parent != path.absolute().parent:
            reason += f" ({error.filename})"
        hint = HINTS.get(error.errno) if error.errno is not None else None
        raise FileError(f"cannot {operation} {path}: {reason}", hint) from error


def write_atomic(path: Path, data: bytes | str) -> None:
    """Write a whole file so that readers, even after a crash, find the old contents or the new.

    Raises FileError; the old contents are then as they were.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}{UNFINISHED}")
    try:
        with explaining("write", path):
            with temporary.open("xb") as file:
                file.write(data.encode() if isinstance(data, str) else data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def open_regular(path: Path) -> BinaryIO:
    """Open a file to read its bytes; OSError for a pipe or a device, which could be read forever, too."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    try:
        size_of_regular(descriptor, path)
    except OSError:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def size_of_regular(descriptor: int, path: Path) -> int:
    """The bytes of a file that is open; OSError if it is no regular file."""
    status = os.fstat(descriptor)
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is a pipe or a device, not a regular file", str(path))
    return status.st_size


def read_regular(path: Path, most: int = MOST_BYTES) -> bytes:
    """The bytes of a regular file; OSError if it cannot be read or has more than `most`."""
    with open_regular(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it has more than {most:,} bytes", str(path))
    return data


def make_directory(path: Path) -> None:
    """Make a directory and those above it that are missing. Raises FileError."""
    with explaining("make the directory", path):
        path.mkdir(parents=True, exist_ok=True)


def remove_unfinished(directory: Path) -> None:
    """Remove the files that writers who died have begun; there must be no other writer."""
    for path in directory.glob(f".*.????????????????????????????????{UNFINISHED}"):
        with suppress(OSError):
            path.unlink()
