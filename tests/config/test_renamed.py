"""Runs and models that older versions wrote still load, with today's names."""

import pytest
import tomli

from polyctl.config.registry import keys, override
from polyctl.config.renamed import DERIVED, RENAMED, stored_experiment, upgrade
from polyctl.config.schema import Experiment
from polyctl.errors import UsageError
from polyctl.model.serialization import load_model
from tests.shared import ROOT

OLD = """
name = "old"
[data]
tokenizer = "terms"
[model]
form = "modern"
block = 96
places = 5
base = 1000
residues = 23
numbers = "waves"
[train]
schedule = "constant_then_decay"
final_lr = 0.0
clip = 2.0
[rl]
width = 7
band = [0.1, 0.5]
clip = 0.25
"""


def test_old_names_and_values_become_new_ones():
    experiment = stored_experiment(tomli.loads(OLD))
    assert experiment.model.context_length == 96
    assert experiment.model.number_init == "fourier"
    assert (experiment.train.schedule, experiment.train.max_grad_norm) == ("wsd", 2.0)
    assert experiment.train.final_lr_ratio == 0.0
    assert (experiment.rl.group_size, experiment.rl.difficulty_band) == (7, (0.1, 0.5))
    assert experiment.rl.max_grad_norm == 0.25


def test_new_names_stay():
    values = Experiment(name="new").model_dump(mode="json")
    assert upgrade(values) == values


def test_every_name_leads_to_a_setting_and_none_is_one_still():
    known = set(keys())
    assert set(RENAMED.values()) <= known
    assert not (RENAMED.keys() | DERIVED.keys()) & known


@pytest.mark.parametrize(
    "config", sorted(ROOT.glob("docs/results/*/*/config.toml")), ids=lambda p: p.parts[-3]
)
def test_stored_runs_load(config):
    values = tomli.loads(config.read_text(encoding="utf-8"))
    assert stored_experiment(values).name == values["name"]


def test_the_bundled_model_loads():
    path = ROOT / "runs" / "general" / "shipped" / "checkpoints" / "best.safetensors"
    loaded = load_model(path, "meta")
    assert loaded.model.tokens.tokens_per_position == 5


def test_an_old_name_is_answered_with_the_new_one():
    with pytest.raises(UsageError) as error:
        override(Experiment(name="x"), ["model.block=90"])
    assert error.value.hint == "model.block is now called model.context_length"
    with pytest.raises(UsageError) as error:
        override(Experiment(name="x"), ["model.places=5"])
    assert error.value.hint == "leave model.places out: it follows from data.tokenizer"
