"""The names of runs, as one types their experiments."""

import pytest

from polyctl.config.as_typed import as_typed, command_that_resumes, command_that_trains
from polyctl.config.registry import PACKAGED, load_experiment
from polyctl.errors import UsageError


@pytest.mark.parametrize(
    ("name", "typed", "command"),
    [
        ("quick", "quick", "train quick"),
        ("quick_smoke", "quick --smoke", "train quick --smoke"),
        ("quick_bgrpo", "quick", "rl quick --algo bgrpo"),
        ("quick_smoke_boost", "quick --smoke", "rl quick --smoke --algo boost"),
        ("smoke", "smoke", "train smoke"),
        ("_smoke", "_smoke", "train _smoke"),
    ],
)
def test_commands_for_the_runs_of_a_name(name, typed, command):
    assert as_typed(name) == typed
    assert command_that_trains(name) == command
    assert command_that_resumes(name) == f"{command} --resume"


@pytest.mark.parametrize(
    ("name", "command"),
    [("quick_smoke", "train quick --smoke"), ("quick_grpo", "rl quick --algo grpo")],
)
def test_the_name_of_a_run_in_the_place_of_an_experiment(name, command):
    with pytest.raises(UsageError) as caught:
        load_experiment(name, registry=PACKAGED)
    hint = f"the experiment is called quick; {name} is what `polyctl {command}` trains"
    assert caught.value.hint == hint
