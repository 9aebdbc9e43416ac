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
