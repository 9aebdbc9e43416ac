"""A file shown in the user's own editor, as a copy that nobody writes back."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from polyctl.errors import FileError, UsageError
from polyctl.runtime.signals import ignoring_interrupts
from polyctl.store.files import read_regular

VARIABLES = ("VISUAL", "EDITOR")


def find_editor() -> list[str]:
    """The command of the user's editor, from VISUAL or EDITOR. Raises UsageError if neither names one."""
    for variable in VARIABLES:
        if value := os.environ.get(variable, "").strip():
            try:
                return shlex.split(value)
            except ValueError as error:
                raise UsageError(
                    f"{variable} cannot be read: {error}", "close its quotation marks"
                ) from error
    raise UsageError("no editor is named", "set EDITOR, for example: export EDITOR=vim")


def show_copy(path: Path, editor: Sequence[str]) -> bool:
    """Show a read-only copy of a file until the editor ends; whether the copy was changed all the same.

    Raises FileError if the file cannot be read or the editor cannot be started.
    """
    try:
        data = read_regular(path)
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}", "restore the file") from error
    with TemporaryDirectory(prefix="polyctl-") as folder:
        copy = Path(folder) / path.name
        copy.write_bytes(data)
        copy.chmod(0o400)
        try:
            process = subprocess.Popen([*editor, str(copy)])
        except OSError as error:
            message = f"{shlex.join(editor)} cannot be started: {error.strerror}"
            raise FileError(message, "set EDITOR to an editor that is installed") from error
        with ignoring_interrupts():  # a Ctrl-C in the editor is for the editor
            process.wait()
        return not copy.exists() or copy.read_bytes() != data
