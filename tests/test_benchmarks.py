"""Every benchmark still loads and shows its help, and what they share measures as it says."""

import importlib
import json
import runpy
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"
SCRIPTS = sorted(path.name for path in FOLDER.glob("*.py") if path.name != "common.py")


@pytest.fixture
def on_path(monkeypatch):
    """The scripts import each other as files beside them."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(FOLDER))
    yield
    for name in {path.stem for path in FOLDER.glob("*.py")} & set(sys.modules) - before:
        del sys.modules[name]


@pytest.fixture
def common(on_path):
    return importlib.import_module("common")


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_benchmark_has_help(script, on_path, monkeypatch, capsys):
    if script == "beam.py":
        pytest.importorskip("transformers", reason="the extra hf is not installed")
    monkeypatch.setattr(sys, "argv", [script, "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(FOLDER / script), run_name="__main__")
    assert ended.value.code == 0
    assert "usage:" in capsys.readouterr().out


def test_rounds_alternate_their_order_and_leave_out_the_warm_up(common):
    calls = []
    works = {name: lambda number, n=name: calls.append((n, number)) or number for name in "ab"}
    assert common.in_turn(works, 2, warm=1) == [{"a": 0, "b": 0}, {"a": 1, "b": 1}]
    assert calls == [("b", -1), ("a", -1), ("a", 0), ("b", 0), ("b", 1), ("a", 1)]


def test_a_spread_is_the_median_and_the_range_or_the_quartiles(common):
    values = [4.0, 1.0, 3.0, 2.0, 10.0]
    assert common.Spread.range(values) == common.Spread(3.0, 1.0, 10.0)
    assert common.Spread.range(values).text(1) == "3.0 (1.0-10.0)"
    assert common.Spread.quartiles([1.0, 2.0, 3.0]).to_dict() == {"median": 2.0, "low": 1.0, "high": 3.0}


def test_a_table_is_aligned_and_the_last_line_is_json(common, capsys):
    common.print_table(("", "ratio"), [("polyctl", 1.5), ("x", "10.25")])
    common.finish("name", rows=[1])
    *table, last = capsys.readouterr().out.splitlines()
    assert table == ["         ratio", "polyctl    1.5", "x        10.25"]
    assert json.loads(last) == {"benchmark": "name", "rows": [1]}


def test_a_system_that_is_missing_has_no_figure(on_path):
    peers = importlib.import_module("peers")
    (row,) = (row for row in peers.rows() if row.name == "(x^2+c)^2+c")
    assert row.parameters == ["c"]
    found = peers.program(row, 0, command=["no-such-program"], script="", suffix="")
    assert peers.summary([found, found]) == found == "missing"
    assert peers.cell("missing", peers.summary([1.0]), "Maxima") == "missing"
    assert peers.cell(peers.summary([3.0, 5.0]), peers.summary([2.0]), "SymPy") == "4.00 (3.00-5.00) = 2.0×"
    assert peers.judged(0.5, 2, 2) == 500
    assert peers.judged(0.5, 1, 2) == "finds 1 of 2"


def test_missing_published_problems_say_what_to_do(common, tmp_path, monkeypatch):
    assert common.published(tmp_path) == tmp_path
    for missing in (None, tmp_path / "none"):
        with pytest.raises(SystemExit, match="--data or POLYCTL_PUBLISHED"):
            common.published(missing)
    monkeypatch.setenv("POLYCTL_PUBLISHED", str(tmp_path))
    parser = common.parser("")
    common.add_published(parser)
    assert parser.parse_args([]).data == tmp_path
