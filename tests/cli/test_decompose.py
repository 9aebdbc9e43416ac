"""polyctl decompose, run as a user runs it."""

import json

from polyctl.cli.app import run
from tests.cli.helpers import read
from tests.processes import POLYCTL, run_program

QUARTIC = "x^4 + 2x^3 + 3x^2 + 2x + 5"


def test_decompose_needs_no_model(tmp_path, capsys):
    assert run(["decompose", QUARTIC, "--json", "--runs", str(tmp_path)]) == 0
    report = read(capsys)
    assert report["input"] == QUARTIC
    first = report["solutions"][0]
    assert {
        "rank": 1,
        "outer": "b^2 + 4",
        "inner": ["x^2 + x + 1"],
        "chain": ["b^2 + 4", "x^2 + x + 1"],
        "status": "verified",
    }.items() <= first.items()
    assert first["source"].startswith("exact")
    assert first["complexity"] > 0
    assert report["seconds"] > 0


def test_decompose_for_people(tmp_path, capsys):
    assert run(["decompose", QUARTIC, "--runs", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "g(b) = b^2 + 4" in out
    assert "verified" in out
    assert run(["decompose", "x_1^4 + 2x_1^2 + 3", "--latex", "--runs", str(tmp_path)]) == 0
    assert "x_{1}^{2}" in capsys.readouterr().out
    assert run(["decompose", "x^5 + x", "--runs", str(tmp_path)]) == 1
    assert "indecomposable" in capsys.readouterr().out
    hard = "x^3 + x^2 y + x y^2 z + y^3 z + x + z^2 + z y"
    assert run(["decompose", hard, "--runs", str(tmp_path), "--time-limit", "0.3"]) == 1
    out = capsys.readouterr().out
    assert "none found" in out
    assert "indecomposable" not in out
    assert "no model has been trained" in out


def test_decompose_with_an_untrained_model_finds_nothing_but_says_so(place, capsys):
    assert run(["decompose", QUARTIC, "--method", "neural", "--json"]) == 1
    report = read(capsys)
    assert all(s["status"] != "verified" for s in report["solutions"])
    assert report["tried"][0]["method"].startswith("neural (smoke/")


def test_decompose_many_lines():
    typed = f"{QUARTIC}\n\nx^4 + (\nx^5 + 1\n"
    done = run_program([*POLYCTL, "decompose", "-", "--method", "exact"], input=typed)
    assert done.returncode == 1
    first, broken, prime = map(json.loads, done.stdout.splitlines())
    assert first["solutions"][0]["status"] == "verified"
    assert "error" in broken
    assert broken["input"] == "x^4 + ("
    assert prime["indecomposable"]
