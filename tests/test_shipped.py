"""The bundled model: present, small, of this version, and used if nothing was trained."""

import json
import shutil

import pytest

from polyctl.cli import app
from polyctl.data.tokenizers import make_tokenizer
from polyctl.model.serialization import load_model
from polyctl.store.runs import Run
from tests.shared import ROOT

SHIPPED = Run.at(ROOT / "runs" / "general" / "shipped")


def test_it_is_small_and_of_this_version():
    files = [path for path in SHIPPED.path.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 20e6
    loaded = load_model(SHIPPED.weights(), "cpu")
    assert SHIPPED.config() == loaded.experiment
    assert loaded.vocabulary == make_tokenizer(loaded.experiment.data).vocabulary
    assert SHIPPED.summary().state == "finished"
    assert list(SHIPPED.reports.glob("eval-*.json"))


def test_the_readme_has_the_figures_of_its_report():
    report = json.loads((ROOT / "docs" / "results" / "shipped.json").read_text(encoding="utf-8"))
    assert report["step"] == load_model(SHIPPED.weights(), "cpu").step
    sets = report["sets"]
    assert {one["problems"] for one in sets.values()} == {300}
    univariate = [one["greedy"] for name, one in sets.items() if name.startswith("univariate")]
    pairs = ((3, 2), (3, 3), (2, 3), (4, 3), (3, 4))
    homogeneous = [f"{100 * sets[f'homogeneous_{n}_{m}']['pass@15']:.1f}" for n, m in pairs]
    cells = {}
    for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("|") and line.count("|") == 6:
            name, answers, bundled, *_ = (cell.strip() for cell in line.strip("|").split("|"))
            cells[name] = (answers, bundled)
    assert cells["univariate, nine sets"] == ("1", f"{100 * sum(univariate) / len(univariate):.1f}")
    assert cells["univariate 4∘4"] == ("10", f"{100 * sets['univariate_4_4']['pass@10']:g}")
    assert cells["O(N) singlets"] == ("1", f"{100 * sets['on_singlet']['greedy']:.1f}")
    assert cells["homogeneous (3,2), (3,3), (2,3), (4,3), (3,4)"] == ("15", ", ".join(homogeneous))


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
