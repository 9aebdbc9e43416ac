"""Model files: the round trip, and every way in which a file can be wrong."""

import json
import subprocess
import sys

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from polyctl.config.schema import Experiment
from polyctl.errors import FileError
from polyctl.model.serialization import _digest, load_model, save_model
from tests.model.test_gpt import ARCHITECTURES, lively

VOCABULARY = [str(i) for i in range(13)]


def saved(path, architecture="modern"):
    model = lively(architecture)
    experiment = Experiment(name="tiny", model=model.config)
    save_model(path, model, experiment, VOCABULARY, 7, {"loss": 0.5})
    return model, experiment


def rewrite(path, *, tensors=None, sealed=True, **changes):
    """The file with some metadata or tensors changed; `sealed` renews the digest too."""
    with safe_open(path, framework="pt") as file:
        metadata = {**file.metadata(), **changes}
        own = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if sealed:
        metadata["digest"] = _digest(metadata)
    save_file({**own, **(tensors or {})}, path, metadata)


def with_model(experiment, **settings):
    model = experiment.model.model_copy(update=settings)
    return experiment.model_copy(update={"model": model}).model_dump_json()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_round_trip(tmp_path, architecture):
    path = tmp_path / "m.safetensors"
    model, experiment = saved(path, architecture)
    loaded = load_model(path, "cpu")
    assert (loaded.experiment, loaded.vocabulary, loaded.step) == (experiment, tuple(VOCABULARY), 7)
    assert loaded.metrics == {"loss": 0.5}
    assert not loaded.model.training
    ids = torch.randint(13, (2, 9))
    assert torch.equal(loaded.model(ids), model(ids))
    assert all(p.requires_grad for p in loaded.model.parameters())
    assert list(tmp_path.iterdir()) == [path]  # no temporary file stays behind


def test_half_precision_is_half_as_large_and_loads_as_float32(tmp_path):
    model, experiment = saved(tmp_path / "m.safetensors")
    save_model(tmp_path / "half.safetensors", model, experiment, VOCABULARY, 7, {}, half=True)
    loaded = load_model(tmp_path / "half.safetensors", "cpu").model.state_dict()
    with safe_open(tmp_path / "half.safetensors", framework="pt") as file:
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.float16}  # noqa: SIM118
    for name, tensor in model.state_dict().items():
        assert loaded[name].dtype == torch.float32
        torch.testing.assert_close(loaded[name], tensor, atol=1e-3, rtol=1e-3)


def test_a_model_that_contradicts_its_description_is_not_written(tmp_path):
    model = lively("modern")
    with pytest.raises(ValueError, match="describe"):
        save_model(tmp_path / "m", model, Experiment(name="other"), VOCABULARY, 0, {})
    with pytest.raises(ValueError, match="describe"):
        save_model(tmp_path / "m", model, Experiment(name="t", model=model.config), VOCABULARY[1:], 0, {})


def failure(path, message):
    with pytest.raises(FileError, match=message) as caught:
        load_model(path, "cpu")
    assert str(path) in caught.value.message
    assert caught.value.hint


def test_missing_file(tmp_path):
    failure(tmp_path / "none.safetensors", "no model file")
    failure(tmp_path, "no model file")


@pytest.mark.parametrize("content", [b"", b"hello", b"\x80\x02}q\x00." * 99])
def test_not_a_safetensors_file(tmp_path, content):
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    failure(path, "not a safetensors file")


@pytest.mark.parametrize("share", [0.01, 0.5, 0.999])
def test_a_file_cut_short(tmp_path, share):
    path = tmp_path / "m.safetensors"
    saved(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    failure(path, "cut short")


def test_a_foreign_safetensors_file(tmp_path):
    path = tmp_path / "m.safetensors"
    save_file({"weight": torch.zeros(2)}, path)
    failure(path, "not a polyctl model")


def test_a_newer_format(tmp_path):
    path = tmp_path / "m.safetensors"
    saved(path)
    rewrite(path, polyctl_model="2")
    failure(path, "model format 2; this polyctl reads up to 1")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize(
    "settings", [{"layers": 1}, {"layers": 3}, {"width": 32}, {"context_length": 20}, {"heads": 4}]
)
def test_wrong_shapes_never_load_silently(tmp_path, architecture, settings):
    """Even with a description that is sealed again. What leaves no trace in the weights: the next test."""
    path = tmp_path / "m.safetensors"
    _, experiment = saved(path, architecture)
    rewrite(path, experiment=with_model(experiment, **settings), sealed=True)
    if (architecture, *settings) in {("gpt2", "heads"), ("modern", "context_length")}:
        assert load_model(path, "cpu").model.config == experiment.model.model_copy(update=settings)
    else:
        failure(path, "the model it describes")


def test_an_edited_description_does_not_load(tmp_path):
    path = tmp_path / "m.safetensors"
    _, experiment = saved(path, "gpt2")
    rewrite(path, experiment=with_model(experiment, heads=4), sealed=False)
    failure(path, "changed after it was written")


def test_a_tensor_too_many(tmp_path):
    path = tmp_path / "m.safetensors"
    saved(path)
    rewrite(path, tensors={"blocks.0.other": torch.zeros(2)})
    failure(path, "unexpected blocks.0.other")


def test_a_tensor_of_another_shape(tmp_path):
    path = tmp_path / "m.safetensors"
    saved(path)
    rewrite(path, tensors={"norm.weight": torch.zeros(17)})
    failure(path, r"norm.weight has shape \(17,\)")


def test_a_vocabulary_of_another_size(tmp_path):
    path = tmp_path / "m.safetensors"
    saved(path)
    rewrite(path, vocabulary=json.dumps([*VOCABULARY, "new"]))
    failure(path, "embedding.weight has shape")


def test_an_experiment_with_unknown_keys(tmp_path):
    path = tmp_path / "m.safetensors"
    _, experiment = saved(path)
    facts = json.loads(experiment.model_dump_json())
    facts["model"]["experts"] = 8
    rewrite(path, experiment=json.dumps(facts))
    failure(path, "model.experts")


def test_a_model_is_loaded_without_the_compiler(tmp_path):
    """Importing it takes longer than all else."""
    saved(tmp_path / "model.safetensors")
    code = (
        "import sys; from polyctl.model.serialization import load_model; "
        "load_model(sys.argv[1], 'cpu'); print('torch._dynamo' in sys.modules)"
    )
    command = [sys.executable, "-c", code, tmp_path / "model.safetensors"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "False\n"
