"""The tutorial, run as it is written, with its experiments shrunk.

The shrunk `rl_quick` lies in an experiments.toml in the parent of the working directory, where polyctl looks
for it, and the tutorial's own experiments.toml in the working directory: no command is changed.
"""

import re
import shlex
from pathlib import Path

import pytest
import tomli_w
import torch

from polyctl.cli import app
from polyctl.config.registry import PACKAGED, load_registry, smoke
from polyctl.config.schema import Experiment
from polyctl.store.runs import list_runs
from tests.processes import run_program

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
EXACT = ("polyctl decompose 'x", "polyctl verify 'x")  # no trained model has a part in what these print


def blocks() -> list[tuple[str, str]]:
    """(language, text) of each fenced block, in order."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def commands(text: str) -> list[tuple[str, list[str]]]:
    """Each command of a console block with the lines of output shown below it."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line.removeprefix("$ "), []))
        else:
            found[-1][1].append(line)
    return found


def shrunk(experiment: Experiment) -> dict:
    """A registry's table for the experiment: its own name, seconds of work."""
    small = smoke(experiment)
    values = small.model_dump(mode="json", exclude_none=True)
    del values["name"]
    return {"experiment": {experiment.name: values}}


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """An empty working directory, above it a registry with rl_quick shrunk."""
    packaged = load_registry(PACKAGED).get("rl_quick")
    (tmp_path / "experiments.toml").write_text(tomli_w.dumps(shrunk(packaged)))
    found = tmp_path / "place"
    found.mkdir()
    monkeypatch.chdir(found)
    for name in ("POLYCTL_RUNS", "POLYCTL_REGISTRY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    torch.set_num_threads(1)
    return found


@pytest.mark.slow
def test_every_command_of_the_tutorial(place, capsys):
    pytest.importorskip("transformers", reason="the extra hf is not installed")
    for language, text in blocks():
        if language == "toml":
            own = place / "experiments.toml"
            own.write_text(text)
            mine = load_registry(own).get("mine")
            own.write_text(tomli_w.dumps(shrunk(mine)))
        elif language == "python":
            exec(text)
        else:
            for command, shown in commands(text):
                check(command, shown, capsys)
    made = {run.experiment for run in list_runs()}
    assert made == {"rl_quick", "rl_quick_bgrpo", "mine", "mine_imported"}


def check(command: str, shown: list[str], capsys) -> None:
    """Run a command; where no model has a part in it, it must print the lines that the tutorial shows."""
    arguments = shlex.split(command)
    if arguments[0] != "polyctl":
        assert run_program(arguments).returncode == 0
        return
    capsys.readouterr()
    code = app.run(arguments[1:])
    out, err = capsys.readouterr()
    refuted, neural = shown[:1] and shown[0].startswith("refuted"), "--method neural" in command
    expected = (1,) if refuted else (0, 1) if neural else (0,)  # a shrunk model need not find anything
    assert code in expected, (command, err)
    if command.startswith(EXACT):
        assert (out + err).splitlines() == shown, command


def test_the_tutorial_goes_from_data_to_export():
    (own,) = [text for language, text in blocks() if language == "toml"]
    assert {language for language, _ in blocks()} == {"console", "toml", "python"}
    written = [
        command for language, text in blocks() if language == "console" for command, _ in commands(text)
    ]
    verbs = {shlex.split(command)[1] for command in written if command.startswith("polyctl")}
    assert verbs >= {"gen", "train", "eval", "verify", "decompose", "rl", "runs", "tui", "export", "import"}
    assert "[experiment.mine]" in own
