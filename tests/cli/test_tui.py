"""polyctl tui, as a user runs it."""

import subprocess
import sys

import pytest

from polyctl.cli import app
from tests.tui.shared import make_run


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("POLYCTL_RUNS", raising=False)


def test_plain_without_runs(capsys):
    assert app.run(["tui", "--plain"]) == 0
    out = capsys.readouterr().out
    assert [line for line in out.splitlines() if line.isupper() and line.isalpha()] == [
        "DECOMPOSE",
        "RUNS",
        "RUN",
        "BEAM",
        "EXPERIMENTS",
        "PROBLEMS",
    ]
    assert out.count("no runs in runs yet; `polyctl train quick` makes one") == 4
    assert "model: none" in out


def test_plain_runs_and_run(tmp_path, capsys):
    run = make_run(tmp_path / "runs")
    other = make_run(tmp_path / "runs", "broken/20250101-000000")
    other.config_path.write_text("[red")
    other.events.unlink()
    other.events.mkdir()
    assert app.run(["tui", "--plain", "--screen", "runs"]) == 0
    out = capsys.readouterr().out
    assert f"{run.name}: finished, step 60 of 60, loss 0.1167, verified 100.0%" in out
    assert "events.jsonl cannot be read" in out
    assert app.run(["tui", "--plain", "--screen", "run", "--run", "quick"]) == 0
    out = capsys.readouterr().out
    assert "loss, train: now 0.1167, first 7, lowest 0.1167, highest 7" in out
    assert "90.0% @10 100%" in out
    assert app.run(["tui", "--plain", "--screen", "beam"]) == 0
    assert "verified   x^2" in capsys.readouterr().out
    assert app.run(["tui", "--plain", "--screen", "run", "--run", "broken"]) == 0
    assert "is not TOML" in capsys.readouterr().out


def test_plain_is_short_unless_a_screen_is_named(tmp_path, capsys):
    for number in range(60):
        make_run(tmp_path / "runs", f"quick/20250101-{number:06d}", [])
    assert app.run(["tui", "--plain"]) == 0
    out = capsys.readouterr().out
    assert "more lines: polyctl tui --plain --screen runs" in out
    assert out.count("quick/20250101-") < 40
    assert app.run(["tui", "--plain", "--screen", "runs"]) == 0
    assert capsys.readouterr().out.count("quick/20250101-") >= 60


def test_mistakes(capsys):
    assert app.run(["tui", "--screen", "rnu"]) == 2
    assert app.run(["tui"]) == 2
    assert "polyctl tui --plain" in capsys.readouterr().err
    assert app.run(["tui", "--plain", "--screen", "run", "--run", "none"]) == 3


def test_nothing_heavy_is_imported():
    """The dashboard never imports torch; neither help nor the tabs as text need Textual or flint."""
    code = (
        "import sys; from polyctl.cli import app; app.run(sys.argv[1:]); "
        "print(sorted({'torch', 'textual', 'flint', 'sympy'} & sys.modules.keys()))"
    )
    for arguments in (["tui", "--help"], ["tui", "--plain"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
        )
        assert done.stdout.splitlines()[-1] == "[]"


def test_the_text_dump_imports_no_textual():
    code = "import sys, polyctl.tui.text_dump; print('textual' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
