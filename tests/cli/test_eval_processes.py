"""polyctl eval under torchrun: one report, one set of predictions, the same as of one process."""

import json
from pathlib import Path

import pytest

from polyctl.cli import app
from tests.processes import in_two_processes


@pytest.mark.slow
def test_two_processes_evaluate_like_one(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert app.run(["train", "smoke", "--steps", "2", "--device", "cpu"]) == 0
    capsys.readouterr()
    words = ["eval", "smoke", "--device", "cpu", "--json", "--limit", "5", "--no-baseline"]
    shared = json.loads(in_two_processes("-m", "polyctl", *words))
    lines = Path(shared["predictions"]).read_text().splitlines()
    assert [json.loads(line)["index"] for line in lines] == [0, 1, 2, 3, 4]
    assert app.run(words) == 0
    single = json.loads(capsys.readouterr().out)
    assert (shared.pop("processes"), single.pop("processes")) == (2, 1)
    for changing in ("seconds", "predictions"):
        shared.pop(changing), single.pop(changing)
    assert shared == single
