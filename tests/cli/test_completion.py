"""Completion in the shell, as the scripts that --show-completion prints ask for it."""

import os
import sys

import pytest

from polyctl.config.registry import load_registry
from polyctl.config.schema import Experiment
from polyctl.store.runs import Run, create_run
from tests.processes import POLYCTL, run_program


@pytest.fixture
def complete(in_an_empty_directory, tmp_path):
    """What bash offers for a command line that ends in these words; the last one is being typed."""

    def complete(*words: str) -> list[str]:
        line = {"COMP_WORDS": " ".join(["polyctl", *words]), "COMP_CWORD": str(len(words))}
        environment = {**os.environ, **line, "_POLYCTL_COMPLETE": "complete_bash"}
        done = run_program(POLYCTL, env=environment, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.split()

    return complete


@pytest.fixture
def run(in_an_empty_directory) -> Run:
    return create_run(Experiment(name="mine"))


def test_commands_and_options(complete):
    assert complete("exp") == ["export", "experiments"]
    assert complete("runs", "r") == ["rm"]
    assert complete("train", "--res") == ["--resume"]
    assert complete("decompose", "--method", "n") == ["neural", "numeric"]
    assert complete("eval", "--device", "c") == ["cpu", "cuda"]
    assert complete("eval", "--checkpoint", "") == ["best", "last", "average"]
    assert complete("eval", "--solver", "") == ["all", "exact", "neural", "numeric"]
    assert complete("rl", "quick", "--algo", "b") == ["bgrpo", "boost"]
    assert complete("import", "x", "--experiment", "qui") == ["quick"]


@pytest.mark.parametrize("command", ["train", "gen", "rl", "experiments show", "experiments run", "report"])
def test_names_of_experiments(complete, command):
    assert complete(*command.split(), "d2_heads_") == ["d2_heads_4", "d2_heads_8", "d2_heads_16"]


@pytest.mark.parametrize("command", ["eval", "runs", "runs show", "export", "decompose --model"])
def test_names_of_runs(complete, run, command):
    assert complete(*command.split(), "mi") == ["mine", run.name]


def test_names_of_single_runs(complete, run):
    assert complete("runs", "rm", "mi") == [run.name]


def test_the_bundled_run_is_offered_where_it_can_be_used(complete, monkeypatch, tmp_path):
    bundled = create_run(Experiment(name="general"), tmp_path / "elsewhere")
    bundled.checkpoint("best").write_bytes(b"")
    monkeypatch.setenv("POLYCTL_SHIPPED", str(bundled.path))
    assert complete("eval", "gen") == ["general", bundled.name]
    assert complete("runs", "gen") == complete("runs", "list", "gen") == []


def test_all_of_a_group_is_offered(complete, run):
    offered = complete("runs", "")
    assert {"list", "show", "tail", "mine", run.name} <= set(offered)
    assert {"run", *load_registry().names()} <= set(complete("experiments", ""))


def test_the_places_that_stand_before_are_looked_at(complete, tmp_path):
    other = create_run(Experiment(name="there"), tmp_path / "other")
    assert complete("runs", "show", "--runs", "other", "th") == ["there", other.name]
    (tmp_path / "own.toml").write_text("[experiment.zz_own]\n")
    assert complete("train", "--registry", "own.toml", "zz") == ["zz_own"]


def test_what_is_broken_offers_nothing(complete, tmp_path):
    (tmp_path / "experiments.toml").write_text("[experiment")
    assert complete("train", "q") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_shown(shell):
    done = run_program([*POLYCTL, "--show-completion", shell])
    assert done.returncode == 0
    assert "_POLYCTL_COMPLETE" in done.stdout


def test_no_heavy_library_is_loaded_to_complete():
    program = (
        "import sys\nfrom polyctl.cli.app import main\ntry: main()\n"
        "finally: print(' '.join(sys.modules), file=sys.stderr)"
    )
    line = {"COMP_WORDS": "polyctl train d2", "COMP_CWORD": "2", "_POLYCTL_COMPLETE": "complete_bash"}
    done = run_program([sys.executable, "-c", program], env={**os.environ, **line})
    assert "d2_heads_4" in done.stdout
    assert {"torch", "numpy", "sympy", "textual", "flint"}.isdisjoint(done.stderr.split())
