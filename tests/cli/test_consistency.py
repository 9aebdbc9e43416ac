"""The same mistake has the same exit code in every command, and the same option the same meaning."""

import io
import sys

import pytest

from polyctl.cli import app
from polyctl.store.runs import list_runs
from tests.cli.helpers import read

PROBLEM = "+ P 1 + * P 2 ^ a P 2 * P 1 ^ a P 4 ⁇ * P 1 ^ a P 2"
MANY = "100000"


@pytest.fixture
def fails(in_an_empty_directory, capsys):
    """Run a command line that fails: with this exit code, and nothing on stdout; returns stderr."""

    def fails(line, code):
        assert app.run(line.split()) == code, line
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("error: ")
        assert "Traceback" not in err
        return err

    return fails


@pytest.mark.parametrize(
    "line",
    [
        "gen nothing",
        "train nothing",
        "rl nothing",
        "experiments show nothing",
        "experiments list nothing",
        "experiments nothing",
        "experiments run nothing",
        "report nothing",
        "import . --experiment nothing",
        "eval nothing --solver exact",
    ],
)
def test_an_experiment_that_does_not_exist(fails, line):
    assert "'nothing'" in fails(line, 2)


@pytest.mark.parametrize(
    "line",
    [
        "runs show nothing",
        "runs list nothing",
        "runs nothing",
        "runs tail nothing",
        "runs rm nothing --yes",
        "runs compare nothing nothing",
        "train --resume nothing",
        "eval nothing",
        "export nothing out",
        "decompose x^4+x+1 --method neural --model nothing",
        "rl smoke --from nothing",
        "tui --plain --run nothing",
    ],
)
def test_a_run_that_does_not_exist(fails, line):
    assert "'nothing'" in fails(line, 3)


@pytest.mark.parametrize(
    "line",
    ["decompose x^4", "train smoke", "eval", "rl smoke", "experiments run smoke", "eval --solver exact"],
)
def test_a_device_that_does_not_exist(fails, line):
    assert "unknown device 'tpu'" in fails(f"{line} --device tpu", 2)


@pytest.mark.parametrize("line", ["decompose -", "verify -"])
@pytest.mark.parametrize("text", ["", "\n \n", "\ufeff\n"])
def test_an_empty_standard_input(fails, monkeypatch, line, text):
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    assert "standard input holds no" in fails(line, 3)


@pytest.mark.parametrize("line", ["verify empty.txt", "eval --solver exact --data empty.txt"])
def test_an_empty_file(fails, tmp_path, line):
    for data in (b"", b"\r\n\r\n", b"\xef\xbb\xbf"):
        (tmp_path / "empty.txt").write_bytes(data)
        assert "empty.txt holds no problems" in fails(line, 3)


@pytest.mark.parametrize(
    "line",
    ["gen smoke --workers", "eval --workers", "experiments run smoke --workers", "train smoke --threads"],
)
def test_more_processes_than_the_machine_bears(fails, line):
    assert "more than 4 for each of" in fails(f"{line} {MANY}", 2)


def test_workers_of_the_data_too(fails):
    assert "train.workers = 1000" in fails("train smoke --set train.workers=1000", 2)
    assert not list_runs()


def test_standard_input_and_files_of_windows(in_an_empty_directory, tmp_path, monkeypatch, capsys):
    text = f"\ufeff{PROBLEM}\r\n\r\n{PROBLEM}\r\n"
    (tmp_path / "problems.txt").write_bytes(text.encode())
    for target in ("-", "problems.txt"):
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))
        assert app.run(["verify", target, "--json"]) == 0
        assert read(capsys)["verified"] == 2
    monkeypatch.setattr(sys, "stdin", io.StringIO("\ufeffx^4 + x^2\r\n"))
    assert app.run(["decompose", "-", "--method", "exact"]) == 0
    assert read(capsys)["input"] == "x^4 + x^2"


def test_quiet_commands_print_results_only(place, capsys):
    for line in (
        "gen smoke --out again --workers 1",
        "train smoke --threads 1",
        "eval smoke --limit 2",
        "rl smoke --smoke --threads 1",
    ):
        assert app.run([*line.split(), "-q"]) == 0
        out, err = capsys.readouterr()
        assert out
        assert err == ""
    assert app.run(["train", "smoke", "-q", "--set", "train.lrr=1"]) == 2
    assert "train.lr?" in capsys.readouterr().err


def test_short_forms(place, capsys):
    assert app.run(["train", "smoke", "-n", "--json"]) == 0
    assert read(capsys)["steps"] == 20
    assert app.run(["gen", "smoke", "-o", "other", "--workers", "1"]) == 0
    assert (place / "other" / "train.txt").is_file()
    assert app.run(["eval", "smoke", "--limit", "1", "-o", "report"]) == 0
    assert list((place / "report").glob("reports/*.json"))


def test_verbose_decompositions_say_what_was_tried(in_an_empty_directory, capsys):
    assert app.run(["decompose", "x^4 + x^2", "-v"]) == 0
    assert "univariate: 1 found in " in capsys.readouterr().err


def test_settings_of_an_evaluation(place, capsys):
    settings = ["--set", "eval.beam=3", "--set", "eval.problems=2"]
    assert app.run(["eval", "smoke", *settings, "--json"]) == 0
    report = read(capsys)
    assert (report["beam"], report["problems"]) == (3, 2)
    assert app.run(["eval", "smoke", *settings, "--beam", "2", "--json"]) == 0
    assert read(capsys)["beam"] == 2
    for setting, hint in (
        ("train.lr=1", "eval.…"),
        ("eval.beem=1", "eval.beam?"),
        ("eval.beam=0", "at least 1"),
    ):
        assert app.run(["eval", "smoke", "--set", setting]) == 2
        assert hint in capsys.readouterr().err
