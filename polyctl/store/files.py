"""Files that are never half written."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

UNFINISHED = ".tmp"


def write_atomic(path: Path, data: bytes | str) -> None:
    """Write a whole file so that readers, even after a crash, find the old contents or the new."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}{UNFINISHED}")
    try:
        with temporary.open("xb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def remove_unfinished(directory: Path) -> None:
    """Remove the files that writers who died have begun; there must be no other writer."""
    for path in directory.glob(f".*.????????????????????????????????{UNFINISHED}"):
        path.unlink(missing_ok=True)
