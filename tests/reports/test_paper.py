"""docs/paper.md names every experiment of the paper, with commands that exist."""

import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest

from polyctl.config.registry import PACKAGED, load_registry, override
from polyctl.plans.stages import parse_stages
from polyctl.reports.make_report import PLANS

TEXT = (Path(__file__).parents[2] / "docs" / "paper.md").read_text(encoding="utf-8")
REGISTRY = load_registry(PACKAGED)


def commands(start):
    """The words after `polyctl START` of every command in the text, in its tables and its examples."""
    written = re.findall(rf"`polyctl {start} ([^`]*)`", TEXT) + re.findall(
        rf"(?m)^    polyctl {start} (.*)$", TEXT
    )
    return [shlex.split(command, comments=True) for command in written]


def split(words):
    """(names, options with their values) of a command's words."""
    first = next((i for i, word in enumerate(words) if word.startswith("--")), len(words))
    return words[:first], words[first:]


def test_every_experiment_of_the_paper_has_its_command():
    plans = [split(words) for words in commands("experiments run")]
    named = {
        experiment.name for names, _ in plans if names != ["NAMES"] for experiment in REGISTRY.matching(names)
    }
    wanted = {experiment.name for experiment in REGISTRY.matching() if experiment.paper}
    assert wanted <= named
    for _, options in plans:
        for option, value in pairwise(options):
            if option == "--set":
                override(REGISTRY.get("d1_degree"), [value])
            if option == "--stage":
                assert parse_stages(value)


def test_every_plan_of_the_report_is_named():
    found = [split(words)[0] for words in commands("report")]
    assert {names[0] for names in found if names} >= set(PLANS)
    for names in found:
        assert len(names) < 2
        if names and names[0] not in PLANS:
            assert REGISTRY.matching(names)


@pytest.mark.parametrize("name", [e.name for e in REGISTRY.matching() if e.paper in ("D1", "D2", "example")])
def test_its_cost_is_given(name):
    assert re.search(rf"(?m)^\| `{name}` \|", TEXT)
