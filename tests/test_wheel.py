"""The wheel: what is in it, and commands that run from it without write access."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RUN = "polyctl/shipped/general/shipped/"
# Runs a command with the polyctl that is first on the path, which must not be the clone's.
PROGRAM = """
import sys
import polyctl
assert polyctl.__file__.startswith(sys.argv[1]), polyctl.__file__
from polyctl.cli.app import run
raise SystemExit(run(sys.argv[2:]))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> zipfile.ZipFile:
    """A wheel built from the working tree with the installed hatchling; no network, no pip."""
    pytest.importorskip("hatchling", reason="the extra dev is not installed")
    from hatchling.builders.wheel import WheelBuilder

    (built,) = WheelBuilder(str(ROOT)).build(
        directory=str(tmp_path_factory.mktemp("dist")), versions=["standard"]
    )
    return zipfile.ZipFile(built)


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The wheel unpacked, as pip puts it into site-packages."""
    place = tmp_path_factory.mktemp("site-packages")
    wheel.extractall(place)
    return place


@pytest.mark.slow
def test_the_wheel_holds_the_package_the_registry_and_the_bundled_run(wheel):
    files = set(wheel.namelist())
    package = [path for path in (ROOT / "polyctl").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert files >= {path.relative_to(ROOT).as_posix() for path in package}
    assert {name for name in files if name.startswith("polyctl/shipped/")} == {
        f"{RUN}config.toml",
        f"{RUN}events.jsonl",
        f"{RUN}checkpoints/best.safetensors",
        f"{RUN}reports/eval-20261128-032328.json",
    }
    assert "polyctl/experiments.toml" in files
    assert {name.split("/")[0] for name in files if not name.startswith("polyctl-")} == {"polyctl"}
    assert wheel.read("polyctl/experiments.toml") == (ROOT / "experiments.toml").read_bytes()


def run(installed: Path, folder: Path, *arguments: str) -> str:
    """What a command prints that runs from the unpacked wheel in `folder`."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("POLYCTL_")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(installed), *arguments],
        cwd=folder,
        env={**clean, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_commands_run_from_the_wheel_and_write_nothing_into_it(installed, tmp_path):
    before = sorted(installed.rglob("*"))
    assert "h = x^2" in run(installed, tmp_path, "decompose", "--method", "neural", "x^4 + 2x^2 + 3")
    assert str(installed / "polyctl" / "experiments.toml") in run(
        installed, tmp_path, "experiments", "--json"
    )
    assert list(tmp_path.iterdir()) == []
    small = ("--beam", "2", "--limit", "2", "--device", "cpu", "--no-baseline")
    assert "general/shipped" in run(installed, tmp_path, "eval", *small)
    assert sorted(installed.rglob("*")) == before
    results = tmp_path / "runs" / "general" / "shipped"
    assert sorted(path.name for path in results.iterdir()) == ["predictions", "reports", "usage.jsonl"]
    assert "general/shipped" in run(installed, tmp_path, "eval", "general", *small)  # still finds the model
