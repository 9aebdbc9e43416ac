"""The bundled model: present, small, of this version, and used if nothing was trained."""

import shutil
from pathlib import Path

import pytest

from polyctl.cli import app
from polyctl.data.tokenizers import make_tokenizer
from polyctl.model.serialization import load_model
from polyctl.store.runs import Run

SHIPPED = Run.at(Path(__file__).parents[1] / "runs" / "general" / "shipped")


def test_it_is_small_and_of_this_version():
    files = [path for path in SHIPPED.path.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 20e6
    loaded = load_model(SHIPPED.weights(), "cpu")
    assert SHIPPED.config() == loaded.experiment
    assert loaded.vocabulary == make_tokenizer(loaded.experiment.data).vocabulary
    assert SHIPPED.summary().state == "finished"
    assert list(SHIPPED.reports.glob("eval-*.json"))


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """The shipped run as git brings it, without empty folders, and no runs beside it."""
    place = tmp_path / "package" / "runs" / "general" / "shipped"
    shutil.copytree(SHIPPED.path, place, ignore=shutil.ignore_patterns("predictions", "reports"))
    monkeypatch.setenv("POLYCTL_SHIPPED", str(place))
    monkeypatch.chdir(tmp_path)
    return place


def test_it_decomposes_and_is_evaluated_where_no_run_is_named(clone, capsys):
    words = ["decompose", "--method", "neural", "x^4 + 2x^3 + 3x^2 + 2x + 5", "--beam", "4"]
    assert app.run(words) == 0
    assert "h = x^2 + x" in capsys.readouterr().out
    kept = (clone / "events.jsonl").read_bytes()
    assert app.run(["eval", "--limit", "2", "--beam", "2", "--device", "cpu", "--no-baseline"]) == 0
    assert (clone / "events.jsonl").read_bytes() == kept  # git keeps it: using a model must not change it
    assert '"kind": "evaluation"' in (clone / "usage.jsonl").read_text()
    assert "general/shipped" in capsys.readouterr().out
    assert len(list(clone.glob("reports/eval-*.json"))) == 1
    assert len(list(clone.glob("predictions/eval-*.jsonl"))) == 1
