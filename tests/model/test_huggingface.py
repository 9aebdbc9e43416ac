"""GPT-2 directories: what transformers makes of an exported model, and the way back."""

import json
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from polyctl.config.registry import PACKAGED, load_registry
from polyctl.config.schema import DataConfig, Experiment
from polyctl.data.families import draw_problem
from polyctl.data.tokenizers import make_tokenizer
from polyctl.errors import FileError, UsageError
from polyctl.model import huggingface
from polyctl.model.huggingface import export_gpt2, import_gpt2, make_unique
from polyctl.model.serialization import LoadedModel
from polyctl.search.batching import Decoding
from polyctl.search.sampling import greedy
from tests.model.test_gpt import lively

SMALL = DataConfig(tokenizer="prefix", outer_degrees=(2,), inner_degrees=(2,), outer_bound=5, inner_bound=5)
KINDS = {
    "prefix": SMALL,
    "compact": SMALL.model_copy(update={"tokenizer": "compact", "base": 10}),
    "several variables": SMALL.model_copy(
        update={"family": "homogeneous", "target": "outer_inner", "inner_variables": 3, "inners": 2}
    ),
}


def a_model(data: DataConfig = SMALL, architecture: str = "gpt2", **settings: int) -> LoadedModel:
    vocabulary = make_tokenizer(data).vocabulary
    model = lively(architecture, 3, len(vocabulary), **{"context_length": 160, **settings})
    experiment = Experiment(name="tiny", description="A tiny one", data=data, model=model.config)
    return LoadedModel(model, experiment, vocabulary, 7, {"valid_loss": 0.5})


def edit_config(directory, **changes):
    path = directory / "config.json"
    config = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({key: value for key, value in config.items() if value != "absent"}))


@pytest.fixture
def exported(tmp_path):
    export_gpt2(a_model(), tmp_path)
    return tmp_path


# -- what transformers makes of it -----------------------------------------------------------------


@pytest.mark.parametrize("data", KINDS.values(), ids=KINDS)
def test_transformers_computes_and_generates_the_same(data, tmp_path):
    transformers = pytest.importorskip("transformers", reason="the extra hf is not installed")
    ours = a_model(data)
    export_gpt2(ours, tmp_path)
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path)
    reader = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert type(model).__name__ == "GPT2LMHeadModel"
    ids = torch.randint(len(ours.vocabulary), (3, 40), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        torch.testing.assert_close(model(ids).logits, ours.model(ids), rtol=1e-4, atol=1e-4)
    tokenizer = make_tokenizer(data)
    words = make_unique(tokenizer.vocabulary)
    prompts = [tokenizer.encode_prompt(draw_problem(data, 1, i)) for i in range(8)]
    texts = [" ".join(words[i] for i in prompt) for prompt in prompts]
    read = reader(texts, return_tensors="pt", padding=True)
    assert [row[mask > 0].tolist() for row, mask in zip(*read.values(), strict=True)] == prompts
    assert [reader.decode(prompt) for prompt in prompts] == texts
    answers = model.generate(**read, max_new_tokens=30)[:, read["input_ids"].shape[1] :]
    expected = greedy(ours.model, prompts, Decoding(max_tokens=30, end=tokenizer.end, batch=8))
    for answer, hypothesis in zip(answers.tolist(), expected, strict=True):
        given = [*hypothesis.tokens, tokenizer.end] if hypothesis.finished else list(hypothesis.tokens)
        assert answer == given + [tokenizer.pad] * (len(answer) - len(given))


def test_generation_ends_where_the_block_does_and_unknown_words_are_refused(tmp_path):
    transformers = pytest.importorskip("transformers", reason="the extra hf is not installed")
    ours = a_model(context_length=50)
    with torch.no_grad():
        ours.model.head.weight[make_tokenizer(SMALL).end] = -100 * ours.model.norm.bias  # it never ends
    export_gpt2(ours, tmp_path)
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path)
    assert model.generate(torch.tensor([[5, 9]])).shape == (1, 50)
    reader = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert reader("+ P 1 a ⁇")["input_ids"] == make_tokenizer(SMALL).ids("+ P 1 a ⁇")
    assert (reader.pad_token_id, reader.eos_token_id, reader.model_max_length) == (0, 9, 50)
    with pytest.raises(Exception, match="Missing"):
        reader("+ P 1 q ⁇")


def test_the_card_shows_how_it_is_used(exported, capsys):
    pytest.importorskip("transformers", reason="the extra hf is not installed")
    (code,) = re.findall(r"```python\n(.*?)```", (exported / "README.md").read_text(), re.DOTALL)
    exec(code.replace('"."', repr(str(exported))))
    assert set(capsys.readouterr().out.split()) <= set(make_tokenizer(SMALL).vocabulary)


def test_what_transformers_saves_again_is_read_back(exported, tmp_path_factory):
    transformers = pytest.importorskip("transformers", reason="the extra hf is not installed")
    again = tmp_path_factory.mktemp("again")
    transformers.AutoModelForCausalLM.from_pretrained(exported).save_pretrained(again)
    transformers.AutoTokenizer.from_pretrained(exported).save_pretrained(again)
    first, second = import_gpt2(exported), import_gpt2(again)
    assert (second.experiment, second.step, second.metrics) == (first.experiment, 7, {"valid_loss": 0.5})
    assert_same_weights(second.model, first.model)


def test_a_plain_gpt2_of_transformers_is_read_with_an_experiment(tmp_path):
    transformers = pytest.importorskip("transformers", reason="the extra hf is not installed")
    size = {"n_layer": 1, "n_head": 2, "n_embd": 16, "n_positions": 30}
    torch.manual_seed(1)
    config = transformers.GPT2Config(vocab_size=len(a_model().vocabulary), **size)
    theirs = transformers.GPT2LMHeadModel(config).eval()  # its head is tied to its embedding
    theirs.save_pretrained(tmp_path)
    with pytest.raises(UsageError, match="does not say which problems") as error:
        import_gpt2(tmp_path)
    assert "--experiment" in error.value.hint
    read = import_gpt2(tmp_path, a_model().experiment)
    assert (read.experiment.data, read.step) == (SMALL, 0)
    assert read.experiment.model.model_dump(include={"layers", "heads", "width", "context_length"}) == {
        "layers": 1,
        "heads": 2,
        "width": 16,
        "context_length": 30,
    }
    ids = torch.randint(31, (2, 20))
    with torch.inference_mode():
        torch.testing.assert_close(read.model(ids), theirs(ids).logits, rtol=1e-4, atol=1e-4)


# -- there and back --------------------------------------------------------------------------------


def assert_same_weights(one, other):
    state, expected = one.state_dict(), other.state_dict()
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[name], expected[name]) for name in expected)


@pytest.mark.parametrize("data", KINDS.values(), ids=KINDS)
def test_round_trip(data, tmp_path):
    ours = a_model(data)
    files = export_gpt2(ours, tmp_path / "new" / "place")
    assert {p.name for p in (tmp_path / "new" / "place").iterdir()} == set(files)
    read = import_gpt2(tmp_path / "new" / "place")
    assert read.experiment == ours.experiment
    assert (read.vocabulary, read.step, read.metrics) == (ours.vocabulary, 7, {"valid_loss": 0.5})
    assert not read.model.training
    assert_same_weights(read.model, ours.model)


def test_tokens_of_the_same_name_become_different_words():
    assert make_unique(["1", "a", "1", "1"]) == ["1", "a", "1'", "1''"]


# -- mistakes --------------------------------------------------------------------------------------


def test_the_modern_form_has_no_equal(tmp_path):
    with pytest.raises(UsageError, match="modern architecture") as error:
        export_gpt2(a_model(architecture="modern"), tmp_path / "x")
    assert "model.architecture=gpt2" in error.value.hint
    assert not (tmp_path / "x").exists()


def test_a_directory_with_files_is_kept_unless_forced(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(FileError, match="not empty"):
        export_gpt2(a_model(), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["letter.txt"]
    export_gpt2(a_model(), tmp_path, force=True)
    assert (tmp_path / "letter.txt").read_text() == "dear"
    assert import_gpt2(tmp_path).step == 7
    with pytest.raises(FileError, match="cannot be written"):
        export_gpt2(a_model(), tmp_path / "letter.txt")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model_type": "llama"}, "model_type is 'llama'"),
        ({"activation_function": "relu"}, "activation_function = 'relu'"),
        ({"layer_norm_epsilon": 1e-6}, "layer_norm_epsilon"),
        ({"n_inner": 17}, "n_inner = 17"),
        ({"vocab_size": 30}, "has 30 tokens, but tiny has 31"),
    ],
)
def test_another_model_is_refused(exported, changes, words):
    edit_config(exported, **changes)
    with pytest.raises(UsageError, match=words):
        import_gpt2(exported)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"n_layer": "absent"}, "lacks 'n_layer'"),
        ({"n_head": 3}, "multiple"),
        ({"n_embd": 32}, "has shape"),
        ({"n_layer": 3}, r"lacks transformer\.h\.2"),
        ({"n_layer": 1}, r"does not have: transformer\.h\.1"),
        ({"n_embd": None}, "valid integer"),
        ({"polyctl": {"experiment": {"name": "x", "sed": 3}}}, r"polyctl\.experiment\.sed"),
        ({"polyctl": {"step": "many"}}, r"polyctl\.step"),
        ({"polyctl": 7}, "does not understand"),
    ],
)
def test_files_that_contradict_each_other_are_refused(exported, changes, words):
    edit_config(exported, **changes)
    with pytest.raises(FileError, match=words):
        import_gpt2(exported)


def test_other_tokens_are_refused(exported):
    path = exported / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    tokenizer["model"]["vocab"] |= {"N": 16, "P": 15}
    path.write_text(json.dumps(tokenizer))
    with pytest.raises(UsageError, match="token 'N' has number 16, but in tiny it has 15"):
        import_gpt2(exported)
    for model in ({"vocab": [["N", 0.5]]}, None):
        path.write_text(json.dumps({"model": model}))
        with pytest.raises(FileError, match="has no vocabulary"):
            import_gpt2(exported)


def test_missing_and_damaged_files(exported):
    weights = exported / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-10])
    with pytest.raises(FileError, match="damaged"):
        import_gpt2(exported)
    weights.unlink()
    with pytest.raises(FileError, match="there is no") as error:
        import_gpt2(exported)
    assert "save_pretrained" in error.value.hint
    for content in ("{", "[]"):
        (exported / "config.json").write_text(content)
        with pytest.raises(FileError, match="JSON"):
            import_gpt2(exported)
    with pytest.raises(FileError, match="there is no"):
        import_gpt2(exported / "nowhere")


def test_masks_that_old_versions_saved_are_no_weights(exported):
    weights = exported / "model.safetensors"
    save_file({**load_file(weights), "transformer.h.0.attn.bias": torch.ones(1)}, weights)
    assert_same_weights(import_gpt2(exported).model, a_model().model)


def test_every_vocabulary_of_the_registry_can_be_written_with_spaces_between():
    for data in {experiment.data for experiment in load_registry(PACKAGED).matching()}:
        tokenizer = make_tokenizer(data)
        words = make_unique(tokenizer.vocabulary)
        assert len(set(words)) == len(words)
        assert all(word.split() == [word] for word in words)
        for special in (
            words[tokenizer.pad],
            words[tokenizer.end],
        ):  # found anywhere in a text, even in words
            assert [word for word in words if special in word] == [special]


def test_metrics_in_a_description_are_numbers():
    with pytest.raises(FileError, match=r"polyctl\.metrics\.a"):
        huggingface._read_description({"polyctl": {"metrics": {"a": "x"}}}, Path("config.json"))
