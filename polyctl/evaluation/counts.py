"""How complex Mathematica's simplifications are: FILE.counts.tsv beside the published problems."""

from __future__ import annotations

import csv
from pathlib import Path

from polyctl.errors import FileError


def read_counts(path: Path) -> list[int] | None:
    """Mathematica's count of each problem of a file; None if there is no table of them. Raises FileError."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return [int(row["mathematica"]) for row in csv.DictReader(file, delimiter="\t")]
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}", "check the path") from error
    except (KeyError, ValueError, TypeError, csv.Error) as error:
        raise FileError(f"{path} is no table of counts: {error}", "columns: true, mathematica") from error
