"""The GPU benchmarks run to the end on a processor, and keep what they have when something fails."""

import importlib
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.shared import OURS, ROOT

FOLDER = ROOT / "benchmarks" / "gpu"
SCRIPTS = ("prepare.py", "measure.py", "train.py", "collect.py")


def run(script, *arguments):
    """The script's output; its errors too, if it fails."""
    command = [sys.executable, str(FOLDER / script), *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def load(monkeypatch):
    """A module of the folder, whose files import each other and what the other benchmarks share."""
    before = set(sys.modules)
    for folder in (FOLDER.parent, FOLDER):
        monkeypatch.syspath_prepend(str(folder))
    yield importlib.import_module
    for name in {path.stem for path in [*FOLDER.glob("*.py"), *FOLDER.parent.glob("*.py")]}:
        if name in set(sys.modules) - before:
            del sys.modules[name]


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_has_help(script):
    assert "usage:" in run(script, "--help")


@pytest.mark.slow
def test_every_part_is_measured(tmp_path):
    pytest.importorskip("transformers", reason="the extra hf is not installed")
    shown = run("measure.py", "--out", tmp_path, "--device", "cpu", "--rehearse")
    found = json.loads((tmp_path / "measure.json").read_text())
    parts = ("parity", "training", "beam", "profile", "data", "wide")
    assert [found[part]["exit"] for part in parts] == [0] * len(parts), shown
    assert found["parity"]["answers"]["same_greedy"] == 1
    tables = run("collect.py", tmp_path)
    assert "Not measured" not in tables, tables
    assert [path.name for path in tmp_path.iterdir()] == ["measure.json"]


@pytest.mark.slow
def test_the_trained_weights_come_back(tmp_path):
    run("train.py", "--out", tmp_path, "--device", "cpu", "--rehearse", "--data", OURS.folder)
    found = json.loads((tmp_path / "train.json").read_text())
    assert found["exits"] == [0]
    assert set(found["new"]) == set(found["bundled"])
    assert found["bundled"]
    tables = run("collect.py", tmp_path, "--weights", tmp_path / "joined.safetensors")
    assert "Not measured" not in tables, tables
    from polyctl.model.serialization import load_model

    loaded = load_model(tmp_path / "joined.safetensors", "cpu")
    assert loaded.experiment.train.init_from is None
    assert {Path(path).name for path in loaded.experiment.data.exclude} >= {"monic.txt", "univariate_4_4.txt"}


def test_an_error_is_a_figure_and_the_others_stay(load, tmp_path):
    record = load("record").Record(tmp_path / "figures.json", 100)
    record.put(first=1)
    assert record.attempt("second", lambda: 1 / 0) is None
    assert record.attempt("third", lambda: {"x": 3})["x"] == 3
    assert record.attempt("fourth", lambda: {"x": 4}, needs=1000) is None
    found = json.loads((tmp_path / "figures.json").read_text())
    assert (found["first"], found["third"]["x"]) == (1, 3)
    assert "ZeroDivisionError" in found["second"]["error"]
    assert "left_out" in found["fourth"]
    missing = load("collect").failures(found, "measure")
    assert [line.split(":")[0] for line in missing] == ["measure.second", "measure.fourth"]


def test_what_cannot_be_compiled_runs_eagerly(load):
    bundled, tiny = load("bundled"), load("record").TINY
    asked = bundled.experiment(*bundled.FRESH, *tiny.wide, "train.batch=6", "train.precision=float32")
    (batch,) = bundled.batches(asked, 1)[:1]
    with bundled.trainer(asked, "cpu") as trainer:

        def fails(*_):
            raise RuntimeError("no compiler")

        trainer.objective = fails
        found = bundled.first_step(trainer, batch, time.perf_counter)
        assert "no compiler" in found["error"]
        assert "error" not in bundled.first_step(trainer, batch, time.perf_counter)


def test_a_damaged_piece_is_noticed(load, tmp_path):
    (tmp_path / "weights.safetensors.00").write_bytes(b"half of it")
    with pytest.raises(SystemExit, match="checksum"):
        load("collect").join(tmp_path, {"pieces": 1, "sha256": "0"}, tmp_path / "joined")


def test_busy_time_counts_kernels_side_by_side_once(load):
    assert load("profiles").covered([(5.0, 6.0), (0.0, 2.0), (1.0, 3.0), (1.0, 1.5)]) == 4.0


def test_wheels_are_of_what_is_not_there(load):
    prepare = load("prepare")
    names = prepare.closure(prepare.requirements_of(ROOT / "pyproject.toml"))
    needed = names - prepare.closure(list(prepare.THERE))
    assert {"python-flint", "pydantic", "pydantic-core", "textual", "tomli-w", "typer"} <= needed
    assert not {"torch", "numpy", "sympy"} & needed
