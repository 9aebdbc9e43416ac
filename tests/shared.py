"""Problem files that tests read.

Tests of the published format run on our own files of tests/fixtures/published always, and on the published
files too if they are here: in the folder that POLYCTL_PUBLISHED names, or beside the clone.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

UNIVARIATE = tuple(f"univariate_{outer}_{inner}" for outer in (2, 3, 4) for inner in (2, 3, 4))
HOMOGENEOUS = tuple(f"homogeneous_{v}" for v in ("3_2", "3_3", "2_3", "4_3", "3_4"))
EVERY_SET = (*UNIVARIATE, *HOMOGENEOUS, "monic", "on_singlet", "separable_with_sign_bug")


@dataclass(frozen=True)
class ProblemFiles:
    """A folder that holds a file of problems for each name in EVERY_SET."""

    name: str
    folder: Path

    def path(self, name: str) -> Path:
        """The file of a set."""
        return self.folder / f"{name}.txt"

    def lines(self, name: str) -> list[str]:
        """The lines of a set."""
        return self.path(name).read_text(encoding="utf-8").splitlines()


OURS = ProblemFiles("ours", ROOT / "tests" / "fixtures" / "published")


def _published() -> list[ProblemFiles]:
    """The published files, if they are here. Raises FileNotFoundError if POLYCTL_PUBLISHED is wrong."""
    named = os.environ.get("POLYCTL_PUBLISHED")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    if named and not folder.is_dir():
        raise FileNotFoundError(f"POLYCTL_PUBLISHED={named} is not a folder")
    return [ProblemFiles("published", folder)] if folder.is_dir() else []


every_source = pytest.mark.parametrize("source", [OURS, *_published()], ids=lambda source: source.name)
