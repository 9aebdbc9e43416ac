"""gen, train, eval, verify, decompose and demo, run as a user runs them."""

from __future__ import annotations

import json
import os
import signal

import pytest

from polyctl.cli.app import run
from polyctl.config import registry
from polyctl.store.runs import Run
from tests.processes import POLYCTL, ending, run_program, start_polyctl, wait_for
from tests.shared import every_source


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A directory with a data set and a trained run of `smoke`."""
    directory = tmp_path_factory.mktemp("place")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        patch.delenv("POLYCTL_RUNS", raising=False)
        patch.delenv("POLYCTL_REGISTRY", raising=False)
        assert run(["gen", "smoke", "--workers", "1"]) == 0
        assert run(["train", "smoke", "--threads", "1"]) == 0
        yield directory


def read(capsys) -> dict:
    return json.loads(capsys.readouterr().out)


def test_gen_says_what_it_made_and_does_nothing_twice(place, capsys):
    before = (place / "data/smoke/train.txt").stat().st_mtime_ns
    assert run(["gen", "smoke", "--json"]) == 0
    made = read(capsys)
    assert made["counts"] == {"valid.txt": 8, "test.txt": 8, "train.txt": 200}
    assert (place / "data/smoke/train.txt").stat().st_mtime_ns == before
    assert run(["gen", "smoke", "--seed", "9"]) == 3
    assert "--force" in capsys.readouterr().err


def test_verify_a_data_set_by_name(place, capsys):
    assert run(["verify", "smoke", "--json"]) == 0
    assert {k: v for k, v in read(capsys).items() if k != "failures"} == {
        **{"total": 216, "verified": 216, "refuted": 0, "malformed": 0, "trivial": 0, "undecided": 0}
    }


def test_verify_an_expression(capsys):
    f = "x^4 + 2x^3 + x^2 + 1"
    assert run(["verify", f, "--inner", "x^2 + x", "--outer", "b^2 + 1"]) == 0
    assert "verified" in capsys.readouterr().out
    assert run(["verify", f, "--inner", "x^2 + 2x", "--json"]) == 1
    assert read(capsys)["status"] == "refuted"
    assert run(["verify", f, "--outer", "b"]) == 2
    assert run(["verify", "x^4 +", "--inner", "x"]) == 2
    assert "^" in capsys.readouterr().err
    assert run(["verify", "no/such/file"]) == 3


def test_verify_standard_input():
    lines = "+ P 1 ^ a P 4 ⁇ ^ a P 2\n+ a ^ a P 4 ⁇ ^ a P 2\n"
    done = run_program([*POLYCTL, "verify", "-", "--json"], input=lines)
    assert done.returncode == 1
    counts = json.loads(done.stdout)
    assert (counts["total"], counts["verified"], counts["refuted"]) == (2, 1, 1)


def test_eval_reports_and_keeps_predictions(place, capsys):
    assert run(["eval", "--beam", "30", "--limit", "5", "--json"]) == 0
    report = read(capsys)
    assert report["problems"] == 5
    assert report["beam"] == 30
    assert set(report["pass_at"]) == {str(k) for k in range(1, 31)}
    assert 0 <= report["greedy"]["verified"] <= 1
    assert report["baselines"]["sympy"]["verified"] == 1
    assert [c["cell"] for c in report["cells"]] == ["2∘2"]
    assert len((place / report["predictions"]).read_text().splitlines()) == 5
    kinds = [json.loads(line)["kind"] for line in next(place.glob("runs/smoke/*/events.jsonl")).open()]
    assert "beam" in kinds
    assert kinds[-1] == "eval"
    assert run(["verify", "runs/" + report["run"], "--json"]) in (0, 1)
    assert read(capsys)["total"] == 5


def test_eval_table_for_people(place, capsys):
    assert run(["eval", "smoke", "--limit", "3", "--no-baseline", "--grammar", "--checkpoint", "last"]) == 0
    out = capsys.readouterr().out
    assert "greedy verified" in out
    assert "pass@4" in out
    assert max(map(len, out.splitlines())) <= 80


def test_eval_on_a_file(place, capsys, tmp_path):
    path = tmp_path / "two.txt"
    path.write_text("+ P 1 ^ a P 4 ⁇ ^ a P 2\n^ a P 6 ⁇ ^ a P 2\n")
    assert run(["eval", "--data", str(path), "--json"]) == 0
    report = read(capsys)
    assert (report["problems"], report["unreadable"]) == (2, 1)
    path.write_text("\n")
    assert run(["eval", "--data", str(path)]) == 3


@every_source
def test_eval_reads_files_of_any_family(place, capsys, source):
    for name in ("univariate_2_2", "monic", "homogeneous_3_2", "on_singlet"):
        path = str(source.path(name))
        assert run(["eval", "--data", path, "--limit", "2", "--json", "--no-baseline"]) == 0
        assert read(capsys)["problems"] == 2


QUARTIC = "x^4 + 2x^3 + 3x^2 + 2x + 5"


def test_decompose_needs_no_model(tmp_path, capsys):
    assert run(["decompose", QUARTIC, "--json", "--runs", str(tmp_path)]) == 0
    report = read(capsys)
    assert report["input"] == QUARTIC
    first = report["solutions"][0]
    assert {
        "rank": 1,
        "outer": "b^2 + 2*b + 5",
        "inner": ["x^2 + x"],
        "status": "verified",
    }.items() <= first.items()
    assert first["source"].startswith("exact")
    assert first["complexity"] > 0
    assert report["seconds"] > 0


def test_decompose_for_people(tmp_path, capsys):
    assert run(["decompose", QUARTIC, "--runs", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "g(b) = b^2 + 2*b + 5" in out
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


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["decompose", "x^4 + "], 2, "ends"),
        (["decompose", "x + 1"], 2, "degree 1"),
        (["decompose", "x^4", "--method", "magic"], 2, "auto"),
        (["decompose", "x^4", "--method", "exact", "--polish"], 2, "polish"),
        (["decompose", "x^4", "--model", "nothing", "--method", "neural"], 3, "no run"),
        (["eval", "nothing"], 3, "no run"),
        (["eval", "--checkpoint", "middle"], 2, "best"),
        (["eval", "--beam", "0"], 2, "beam"),
        (["eval", "--data", "missing.txt"], 3, "missing.txt"),
        (["gen", "smokee"], 2, "smoke"),
        (["train", "quik"], 2, "quick"),
        (["gen", "smoke", "--set", "data.familly=monic"], 2, "family"),
    ],
)
def test_bad_input_has_its_words_and_exit_code(place, capsys, arguments, code, words):
    assert run(arguments) == code
    out, err = capsys.readouterr()
    assert words in err
    assert "Traceback" not in err
    assert not out


def test_no_model_says_what_to_do(tmp_path, capsys):
    for command in (["eval"], ["decompose", "x^4", "--method", "neural"]):
        assert run([*command, "--runs", str(tmp_path / "none")]) == 3
        assert "polyctl train quick" in capsys.readouterr().err


def test_the_demo_runs_its_three_steps(place, capsys, monkeypatch, tmp_path):
    """With the packaged registry's `quick`, shrunk to a second."""
    text = registry.PACKAGED.read_text(encoding="utf-8")
    for old, new in {
        "steps = 350,": "steps = 2,",
        "width = 128,": "width = 16,",
        "problems = 200,": "problems = 5,",
    }.items():
        assert old in text, f"{old} is not in the registry: shrink what stands there now"
        text = text.replace(old, new)
    small = tmp_path / "experiments.toml"
    small.write_text(text, encoding="utf-8")
    monkeypatch.setattr(registry, "PACKAGED", small)
    monkeypatch.setenv("POLYCTL_RUNS", str(tmp_path / "runs"))
    assert run(["demo"]) == 0
    err = capsys.readouterr().err
    assert [line for line in err.splitlines() if line[:4] in ("1/3 ", "2/3 ", "3/3 ")] == [
        "1/3  polyctl train quick",
        "2/3  polyctl eval quick",
        "3/3  polyctl decompose --method neural 'x^4 + 2x^3 + 3x^2 + 2x + 5'",
    ]
    assert "Now try" in err
    (made,) = (tmp_path / "runs" / "quick").iterdir()
    assert Run.at(made).summary().step == 2
    assert list((made / "reports").glob("eval-*.json"))


def test_eval_of_the_solver(place, capsys):
    assert run(["eval", "quick", "--solver", "exact", "--limit", "4", "--peers", "--json"]) == 0
    report = read(capsys)["sets"]["quick"]
    assert (report["problems"], report["verified"], report["as_small"]) == (4, 1, 1)
    assert report["complexity"]["sympy"] > 0
    assert run(["eval", "--solver", "exact"]) == 2
    assert run(["eval", "--solver", "magic", "--data", "x"]) == 2
    assert run(["eval", "--solver", "exact", "--data", "missing.txt"]) == 3
    assert run(["eval", "--polish"]) == 2


@every_source
def test_eval_of_the_solver_on_files(capsys, source):
    sets = ["univariate_3_3", "monic", "on_singlet", "homogeneous_3_2"]
    files = [part for name in sets for part in ("--data", str(source.path(name)))]
    assert run(["eval", "--solver", "exact", *files, "--limit", "5"]) == 0
    out = capsys.readouterr().out
    assert "mathematica" in out
    assert out.count("100.0%") >= 7


def test_ctrl_c_in_gen_keeps_what_is_done_and_goes_on(tmp_path):
    settings = ["--set", "data.train_size=20000", "--set", "data.test_size=5"]
    started = start_polyctl(
        "gen", "d1_degree", "--workers", "1", *settings, cwd=tmp_path, start_new_session=True
    )
    parts = tmp_path / "data" / "d1_degree" / "parts"
    wait_for(lambda: list(parts.glob("*.txt.*")), "the first part of the data set", started)
    os.killpg(started.pid, signal.SIGINT)
    _, err = ending(started)
    assert started.returncode == 130
    assert "run the same command again to continue" in err
    assert "Traceback" not in err
    assert list(parts.glob("*.txt.*"))
