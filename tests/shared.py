"""Where the published test problems lie (tests that read them say so when they are missing), and torchrun."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

DATA = ROOT.parent / "shared" / "data"
needs_shared_data = pytest.mark.skipif(
    not DATA.is_dir(), reason="the published test problems (../shared/data) are not here"
)


def lines(name: str) -> list[str]:
    """The lines of a published file."""
    return (DATA / f"{name}.txt").read_text(encoding="utf-8").splitlines()


UNIVARIATE = tuple(f"univariate_{outer}_{inner}" for outer in (2, 3, 4) for inner in (2, 3, 4))
HOMOGENEOUS = tuple(f"homogeneous_{v}" for v in ("3_2", "3_3", "2_3", "4_3", "3_4"))
EVERY_SET = (*UNIVARIATE, *HOMOGENEOUS, "monic", "on_singlet", "separable_with_sign_bug")


def in_two_processes(*arguments) -> str:
    """Run a script, or `-m` and a module, in two processes under torchrun; what they wrote to stdout."""
    launch = ["torch.distributed.run", "--standalone", "--nproc-per-node", "2", *map(str, arguments)]
    done = subprocess.run(
        [sys.executable, "-m", *launch],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
