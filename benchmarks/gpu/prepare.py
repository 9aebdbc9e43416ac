"""Fill a folder with what a GPU machine without network lacks: wheels, and the published test problems.

    python benchmarks/gpu/prepare.py --data DIR [--out .gpu]

The wheels are those of polyctl's requirements, and of theirs, in the versions of this environment, for
another Python on x86-64 Linux; torch, NumPy, safetensors and what they need are expected to be there.
There, the wheels go to a folder in front of what is installed:

    python3 -m pip install -q --no-index --no-deps --no-compile --no-cache-dir --upgrade \\
        --target /tmp/site .gpu/wheels/*.whl
    export PYTHONPATH=/tmp/site:$PWD
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from collections import Counter
from importlib import metadata
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(BENCHMARKS))

import common  # noqa: E402

MOST_BYTES = 60_000_000
THERE = ("torch", "numpy", "safetensors")  # with all that they need
WANTED_ALL_THE_SAME = ("typing-extensions",)  # torch's may be too old for pydantic
PLATFORMS = [f"manylinux_2_{n}_x86_64" for n in (39, 35, 34, 31, 28, 27, 26, 24, 17)]
PLATFORMS += ["manylinux2014_x86_64", "manylinux1_x86_64"]


def requirements_of(project: Path) -> list[str]:
    """The names that [project] dependencies in pyproject.toml lists."""
    import tomllib

    listed = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["dependencies"]
    return [name_of(line) for line in listed]


def name_of(requirement: str) -> str:
    """The package that a requirement names, in the one spelling that pip compares."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def closure(names: list[str]) -> set[str]:
    """These packages and all that they need, as far as they are installed here."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue  # wanted on another system only
        found.add(name)
        waiting += [name_of(line) for line in needs if "extra ==" not in line]
        if name == "markdown-it-py":
            waiting += ["linkify-it-py", "mdit-py-plugins"]  # the extras that Textual asks for
    return found


def download(names: list[str], folder: Path, python: str) -> None:
    """One wheel of each package, in the version that is installed here."""
    asked = [f"{name}=={metadata.version(name)}" for name in names]
    options = ["--no-deps", "--only-binary=:all:", "--implementation=cp", f"--python-version={python}"]
    options += [f"--platform={platform}" for platform in PLATFORMS]
    command = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check"]
    subprocess.run([*command, *options, "-d", str(folder), *asked], check=True)


def main() -> None:
    """Download, copy, check."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    common.add_published(parser)
    parser.add_argument("--out", type=Path, default=Path(".gpu"))
    parser.add_argument("--python", default="3.12", help="the version of Python there")
    options = parser.parse_args()
    data = common.published(options.data)
    if options.out.exists():
        shutil.rmtree(options.out)
    wheels = options.out / "wheels"
    wheels.mkdir(parents=True)
    needed = closure(requirements_of(BENCHMARKS.parent / "pyproject.toml")) - closure(list(THERE))
    download(sorted(needed | set(WANTED_ALL_THE_SAME)), wheels, options.python)
    (options.out / "data").mkdir()
    for path in sorted(data.glob("*.txt")):
        shutil.copy(path, options.out / "data")
    several = [n for n, k in Counter(p.name.split("-")[0] for p in wheels.iterdir()).items() if k > 1]
    size = sum(path.stat().st_size for path in options.out.rglob("*") if path.is_file())
    for path in sorted(wheels.iterdir()):
        print(f"{path.stat().st_size / 1e6:6.2f} MB  {path.name}")
    print(f"{size / 1e6:.1f} MB in {options.out}")
    if several:
        sys.exit(f"several versions of {', '.join(several)}")
    if size > MOST_BYTES:
        sys.exit(f"more than {MOST_BYTES / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
