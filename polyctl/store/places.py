"""Places to write to: nothing that a symbolic link puts elsewhere."""

from __future__ import annotations

from pathlib import Path

from polyctl.errors import FileError


def refuse_links(*places: Path) -> None:
    """FileError if one of these files or directories is a symbolic link, so that it would lead elsewhere."""
    for place in places:
        if place.is_symlink():
            raise FileError(
                f"nothing is written to {place}, a symbolic link to {place.readlink()}",
                "name the directory that it leads to, or replace the link by a directory",
            )
