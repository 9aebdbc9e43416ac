"""polyctl export and polyctl import, run in this process."""

import json
import re
from pathlib import Path

import pytest
import torch

from polyctl.cli import app
from polyctl.store.runs import list_runs
from tests.model.test_mingpt import a_state


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A directory with a run of each architecture."""
    directory = tmp_path_factory.mktemp("place")
    for architecture in ("modern", "gpt2"):
        settings = [
            "--set",
            f"model.architecture={architecture}",
            "--steps",
            "2",
            "--runs",
            str(directory / architecture),
        ]
        assert app.run(["train", "smoke", *settings]) == 0
    return directory


@pytest.fixture(autouse=True)
def _published_runs(place, monkeypatch):
    monkeypatch.setenv("POLYCTL_RUNS", str(place / "gpt2"))
    monkeypatch.chdir(place)


def test_there_and_back_and_evaluated(place, capsys):
    assert app.run(["export", "smoke", "out", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["directory"] == "out"
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= set(report["files"])
    assert all((place / "out" / name).is_file() for name in report["files"])
    assert app.run(["import", "out", "--runs", "back", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["experiment"] == "smoke_imported"
    assert made["path"] == f"back/{made['run']}"
    assert Path(made["checkpoint"]).is_file()
    reports = []
    for arguments in (["smoke"], ["smoke_imported", "--runs", "back"]):
        assert app.run(["eval", *arguments, "--limit", "4", "--no-baseline", "--json"]) == 0
        report = json.loads(capsys.readouterr().out)
        reports.append({k: report[k] for k in ("step", "greedy", "pass_at", "hypotheses")})
    assert reports[0] == reports[1]
    assert app.run(["runs", "--runs", "back"]) == 0
    assert "smoke_imported" in capsys.readouterr().out


def test_words_for_people_say_how_to_go_on(capsys):
    assert app.run(["export", "smoke", "words"]) == 0
    out, err = capsys.readouterr()
    assert "model.safetensors" in out
    assert "words/README.md" in err
    assert app.run(["import", "words", "--experiment", "smoke", "--runs", "more"]) == 0
    out, err = capsys.readouterr()
    (made,) = list_runs(Path("more"))
    assert made.name in out
    assert f"next: polyctl eval --runs more {made.name}" in err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["export", "smoke", "x", "--runs", "modern"], 2, "modern architecture"),
        (["export", "nothing", "x"], 3, "no run 'nothing'"),
        (["export", "smoke", "."], 3, "not empty"),
        (["import", "nowhere"], 3, "there is no nowhere"),
        (["import", "full", "--experiment", "smok"], 2, "did you mean smoke?"),
        (["import", "full", "--experiment", "d1_degree"], 2, "tokens, but d1_degree has 31"),
    ],
)
def test_mistakes_have_words_and_exit_codes(arguments, code, words, capsys):
    assert app.run(["export", "smoke", "full", "--force"]) == 0
    capsys.readouterr()
    assert app.run(arguments) == code
    out, err = capsys.readouterr()
    assert words in err
    assert "Traceback" not in err
    assert not out


def test_a_published_checkpoint_becomes_a_run(tmp_path, capsys):
    path = tmp_path / "model.pt"
    torch.save(a_state(31), path)
    named = ["--experiment", "d1_degree", "--set", "model.heads=4", "--runs", str(tmp_path / "runs")]
    assert app.run(["import", str(path), *named]) == 0
    assert re.search(r"next: polyctl eval --runs \S+ d1_degree_imported/", capsys.readouterr().err)
    (run,) = list_runs(tmp_path / "runs")
    assert (run.config().model.heads, run.config().model.width) == (4, 32)
    assert app.run(["import", str(path)]) == 2
    assert "--experiment NAME" in capsys.readouterr().err
    assert app.run(["import", str(tmp_path / "absent.pt"), *named]) == 3
    assert app.run(["import", str(tmp_path), "--vocabulary", str(path)]) == 2
    (tmp_path / "words").write_text("a\nb\n")
    assert app.run(["import", str(path), *named, "--vocabulary", str(tmp_path / "words")]) == 2
    assert "lists 2 different tokens, but the file has 31" in capsys.readouterr().err
