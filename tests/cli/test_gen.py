"""polyctl gen, run as a user runs it."""

import os
import signal

from polyctl.cli.app import run
from tests.cli.helpers import read
from tests.processes import ending, start_polyctl, wait_for


def test_gen_says_what_it_made_and_does_nothing_twice(place, capsys):
    before = (place / "data/smoke/train.txt").stat().st_mtime_ns
    assert run(["gen", "smoke", "--json"]) == 0
    made = read(capsys)
    assert made["counts"] == {"valid.txt": 8, "test.txt": 8, "train.txt": 200}
    assert (place / "data/smoke/train.txt").stat().st_mtime_ns == before
    assert run(["gen", "smoke", "--seed", "9"]) == 3
    assert "--force" in capsys.readouterr().err


def test_sigterm_in_gen_leaves_nothing_behind_and_says_what_is_kept(tmp_path):
    settings = ["--set", "data.train_size=20000", "--set", "data.test_size=5"]
    started = start_polyctl("gen", "d1_degree", "--workers", "1", *settings, cwd=tmp_path)
    parts = tmp_path / "data" / "d1_degree" / "parts"
    wait_for(lambda: list(parts.glob("*.txt.*")), "the first part of the data set", started)
    started.terminate()
    _, err = ending(started)
    assert started.returncode == 130
    assert "run the same command again to continue" in err
    assert "leaked" not in err
    assert "Traceback" not in err


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
    assert err.startswith("interrupted: stopping when the parts at work are made")
    assert list(parts.glob("*.txt.*"))


def test_a_data_set_that_is_not_finished_is_called_that_by_every_command(place, capsys, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("polyctl.data.dataset._read_part", _interrupt)
        assert run(["gen", "smoke", "--workers", "1", "--out", "big", "--set", "data.train_size=150"]) == 130
    finish = "`polyctl gen smoke --set data.train_size=150 --out big` finishes it"
    for line in (
        "gen smoke --workers 1 --out big",
        "train smoke --data big",
        "verify big",
        "eval smoke --data big",
        "eval smoke --solver exact --data big",
        "rl smoke --data big",
    ):
        capsys.readouterr()
        assert run(line.split()) == 3
        err = capsys.readouterr().err
        assert finish in err, line
        assert "unfinished" in err or "big is not finished" in err


def _interrupt(*_):
    raise KeyboardInterrupt


def test_a_directory_in_the_place_of_a_file_of_problems(place, capsys):
    assert run(["eval", "smoke", "--data", "data/smoke"]) == 3
    err = capsys.readouterr().err
    assert "data/smoke is a directory, not a file of problems" in err
    assert "such as data/smoke/test.txt" in err
