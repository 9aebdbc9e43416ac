"""polyctl eval --solver, run as a user runs it."""

from polyctl.cli.app import run
from tests.cli.helpers import read
from tests.shared import every_source


def test_eval_of_the_solver(place, capsys):
    assert run(["eval", "quick", "--solver", "exact", "--limit", "4", "--peers", "--json"]) == 0
    report = read(capsys)["sets"]["quick"]
    assert (report["problems"], report["verified"], report["as_small"]) == (4, 1, 1)
    assert report["complexity"]["sympy"] > 0
    assert run(["eval", "--solver", "exact"]) == 2
    assert run(["eval", "--solver", "magic", "--data", "x"]) == 2
    assert run(["eval", "--solver", "exact", "--data", "missing.txt"]) == 3
    assert run(["eval", "--polish"]) == 2


def test_without_a_time_limit_the_json_is_json(place, capsys):
    assert run(["eval", "quick", "--solver", "exact", "--limit", "1", "--time-limit", "inf", "--json"]) == 0
    assert read(capsys)["time_limit"] == 1e9


@every_source
def test_eval_of_the_solver_on_files(capsys, source):
    sets = ["univariate_3_3", "monic", "on_singlet", "homogeneous_3_2"]
    files = [part for name in sets for part in ("--data", str(source.path(name)))]
    assert run(["eval", "--solver", "exact", *files, "--limit", "5"]) == 0
    out = capsys.readouterr().out
    assert "mathematica" in out
    assert out.count("100.0%") >= 7
