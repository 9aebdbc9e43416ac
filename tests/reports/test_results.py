"""docs/results.md says what its commands print, from the runs that lie beside it."""

import re
import shlex
from pathlib import Path

import pytest

from polyctl.cli import app
from polyctl.config.registry import PACKAGED
from polyctl.store.runs import list_runs

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"(?s)<!-- polyctl (report [^>]*?) -->\n(.*?)<!-- end -->", TEXT)


@pytest.mark.parametrize(("command", "shown"), BLOCKS, ids=[command for command, _ in BLOCKS])
def test_each_block_is_what_its_command_prints(command, shown, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("POLYCTL_REGISTRY", str(PACKAGED))
    assert app.run(shlex.split(command)) == 0
    assert shown == capsys.readouterr().out


def test_there_are_three_experiments_and_every_run_is_shown():
    assert len(BLOCKS) >= 3
    runs = list_runs(ROOT / "docs" / "results")
    assert len(runs) >= 3
    for run in runs:
        assert run.name in TEXT
        assert list(run.reports.glob("eval-*.json"))
