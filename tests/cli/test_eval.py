"""polyctl eval, run as a user runs it: its report, its table, its predictions, and two processes like one."""

import json
import re
import signal
from pathlib import Path

import pytest

from polyctl.cli.app import run
from polyctl.store.runs import list_runs
from tests.cli.helpers import read
from tests.processes import ending, in_two_processes, start_polyctl, wait_for
from tests.shared import every_source


def test_eval_reports_and_keeps_predictions(place, capsys):
    assert run(["eval", "--beam", "30", "--limit", "5", "--json"]) == 0
    report = read(capsys)
    assert report["problems"] == 5
    assert report["beam"] == 30
    assert set(report["pass_at"]) == {str(k) for k in range(1, 31)}
    assert 0 <= report["greedy"]["verified"] <= 1
    assert report["baselines"]["sympy"]["verified"] == 1
    assert [c["cell"] for c in report["cells"]] == ["2∘2"]
    assert report["may_have_trained_on"] == 0  # they are of the test split
    assert len((place / report["predictions"]).read_text().splitlines()) == 5
    kinds = [json.loads(line)["kind"] for line in next(place.glob("runs/smoke/*/events.jsonl")).open()]
    assert "beam" in kinds
    assert kinds[-1] == "evaluation"
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
    assert report["may_have_trained_on"] == 1  # x^4; x^6 is of a degree that the experiment does not have
    assert run(["eval", "--data", str(path)]) == 0
    assert "1 of 2 problems may have been trained on" in capsys.readouterr().err
    path.write_text("\n")
    assert run(["eval", "--data", str(path)]) == 3


@every_source
def test_eval_reads_files_of_any_family(place, capsys, source):
    for name in ("univariate_2_2", "monic", "homogeneous_3_2", "on_singlet"):
        path = str(source.path(name))
        assert run(["eval", "--data", path, "--limit", "2", "--json", "--no-baseline"]) == 0
        assert read(capsys)["problems"] == 2


def test_no_model_says_what_to_do(tmp_path, capsys):
    for command in (["eval"], ["decompose", "x^4", "--method", "neural"]):
        assert run([*command, "--runs", str(tmp_path / "none")]) == 3
        assert re.search(r"`polyctl train --runs \S+ quick`", capsys.readouterr().err)


@pytest.mark.slow
def test_two_processes_evaluate_like_one(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["train", "smoke", "--steps", "2", "--device", "cpu"]) == 0
    capsys.readouterr()
    words = ["eval", "smoke", "--device", "cpu", "--json", "--limit", "5", "--no-baseline"]
    shared = json.loads(in_two_processes("-m", "polyctl", *words))
    lines = Path(shared["predictions"]).read_text().splitlines()
    assert [json.loads(line)["index"] for line in lines] == [0, 1, 2, 3, 4]
    assert run(words) == 0
    single = json.loads(capsys.readouterr().out)
    assert (shared.pop("processes"), single.pop("processes")) == (2, 1)
    for changing in ("seconds", "predictions"):
        shared.pop(changing), single.pop(changing)
    assert shared == single


def test_eval_by_sampling(place, capsys):
    assert run(["eval", "--samples", "6", "--temperature", "0.5", "--limit", "3", "--json"]) == 0
    report = read(capsys)
    assert (report["beam"], report["temperature"]) == (6, 0.5)
    assert set(report["pass_at"]) == {str(k) for k in range(1, 7)}
    assert run(["eval", "--samples", "2", "--limit", "3", "--no-baseline"]) == 0
    assert "2 samples at temperature 0.7" in capsys.readouterr().out
    for arguments in (
        ["--temperature", "1"],
        ["--samples", "2", "--beam", "2"],
        ["--samples", "2", "--temperature", "0"],
    ):
        assert run(["eval", *arguments]) == 2
    assert run(["eval", "--samples", "2", "--solver", "exact"]) == 2


def test_ctrl_c_in_an_evaluation_says_what_is_kept_and_how_to_go_on(place):
    (place / "many.txt").write_text((place / "data/smoke/train.txt").read_text() * 30)
    words = ["--data", "many.txt", "--beam", "2", "--batch", "1", "--no-baseline", "--device", "cpu"]
    process = start_polyctl("eval", "smoke", *words, cwd=place)
    (made,) = list_runs(place / "runs")

    def predictions():
        return [p for p in made.predictions.iterdir() if len(p.read_bytes().splitlines()) > 2]

    wait_for(predictions, "the first predictions", process)
    process.send_signal(signal.SIGINT)
    _, err = ending(process)
    assert process.returncode == 130
    first, second = (line for line in err.splitlines() if line.startswith("interrupted"))
    assert first == "interrupted: stopping; a second Ctrl-C does not wait"
    assert re.match(r"interrupted after [\d,]+ of 6,000 problems: their answers are kept in runs/", second)
    assert "the same command begins again, and --limit" in second
