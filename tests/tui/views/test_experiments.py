"""The registry and started processes as text."""

from pathlib import Path

from polyctl.config.schema import Experiment
from polyctl.tui.launch import Job
from polyctl.tui.views.experiments import (
    JobState,
    directory_options,
    format_experiment,
    format_jobs,
    select_experiments,
)

PLACES = ["--runs", "runs"]


def job(*command: str) -> Job:
    return Job(1, "", 0.0, (*command, *PLACES), Path("log"))


def test_jobs_show_their_command_without_the_common_options():
    states = [
        JobState(job("train", "quick"), True, "step 5"),
        JobState(job("eval", "quick"), False, "error: no"),
        JobState(job("rl", "quick"), False, "saved"),
    ]
    lines = format_jobs(states, PLACES, 120).plain.splitlines()
    assert [line.split(",")[0] for line in lines] == ["▶ running", "✗ crashed", "■ ended"]
    assert lines[0].endswith("ago  train quick  step 5")
    assert "nothing yet" in format_jobs([], PLACES, 120).plain
    assert len(format_jobs(states * 3, PLACES, 120).plain.splitlines()) == 4


def test_a_long_command_is_cut():
    (line,) = format_jobs([JobState(job("train", "x" * 200), True, "step 5")], PLACES, 80).plain.splitlines()
    assert "x…  step 5" in line


def test_options_that_were_given_are_kept():
    assert directory_options(["train"], Path("a"), None) == ["--runs", "a"]
    assert directory_options(["train", "--runs", "b"], Path("a"), Path("c")) == ["--registry", "c"]


def test_a_filter_looks_at_name_paper_family_and_description():
    found = [
        Experiment(name="one", paper="D2"),
        Experiment(name="two", description="a minute"),
    ]
    assert select_experiments(found, "d2") == found[:1]
    assert select_experiments(found, "MINUTE") == found[1:]
    assert select_experiments(found, "") == found
    assert "cost: 5 s" in format_experiment(found[0], "5 s").plain
    assert "c measures it" in format_experiment(found[0], None).plain
