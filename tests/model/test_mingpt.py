"""Checkpoints of the published system, against a plain minGPT."""

import pickle

import pytest
import torch
from torch import nn

from polyctl.config.registry import PACKAGED, load_experiment
from polyctl.data.tokenizers import make_tokenizer
from polyctl.errors import FileError, UsageError
from polyctl.model.mingpt import import_mingpt

LAYERS, HEADS, WIDTH, LENGTH = 2, 4, 32, 40
SIMPLE = load_experiment("d1_degree", (f"model.heads={HEADS}", "model.dropout=0.1"), registry=PACKAGED)
EXTENDED = load_experiment("example_on", (f"model.heads={HEADS}",), registry=PACKAGED)


def a_state(vocabulary: int) -> dict[str, torch.Tensor]:
    """Random weights under minGPT's names."""
    torch.manual_seed(1)
    state = {
        "tok_emb.weight": torch.randn(vocabulary, WIDTH),
        "pos_emb": torch.randn(1, LENGTH, WIDTH),
        "head.weight": torch.randn(vocabulary, WIDTH) / 4,
        "ln_f.weight": torch.rand(WIDTH) + 0.5,
        "ln_f.bias": torch.randn(WIDTH) / 4,
    }
    sizes = {
        **dict.fromkeys(("attn.key", "attn.query", "attn.value", "attn.proj"), (WIDTH, WIDTH)),
        "mlp.0": (4 * WIDTH, WIDTH),
        "mlp.2": (WIDTH, 4 * WIDTH),
    }
    for layer in range(LAYERS):
        for name in ("ln1", "ln2"):
            state[f"blocks.{layer}.{name}.weight"] = torch.rand(WIDTH) + 0.5
            state[f"blocks.{layer}.{name}.bias"] = torch.randn(WIDTH) / 4
        for name, size in sizes.items():
            state[f"blocks.{layer}.{name}.weight"] = torch.randn(size) / size[1] ** 0.5
            state[f"blocks.{layer}.{name}.bias"] = torch.randn(size[0]) / 4
        state[f"blocks.{layer}.attn.mask"] = torch.ones(LENGTH, LENGTH).tril()[None, None]
    return state


def logits(state: dict[str, torch.Tensor], ids: torch.Tensor) -> torch.Tensor:
    """What minGPT computes with these weights."""

    def linear(name: str, x: torch.Tensor) -> torch.Tensor:
        return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]

    def norm(name: str, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.layer_norm(x, (WIDTH,), state[f"{name}.weight"], state[f"{name}.bias"])

    x = state["tok_emb.weight"][ids] + state["pos_emb"][0, : len(ids)]
    for layer in range(LAYERS):
        at, inside = f"blocks.{layer}", norm(f"blocks.{layer}.ln1", x)
        heads = []
        for q, k, v in zip(
            *(linear(f"{at}.attn.{kind}", inside).chunk(HEADS, -1) for kind in ("query", "key", "value")),
            strict=True,
        ):
            scores = (q @ k.T / q.shape[-1] ** 0.5).masked_fill(
                state[f"{at}.attn.mask"][0, 0, : len(ids), : len(ids)] == 0, -torch.inf
            )
            heads.append(scores.softmax(-1) @ v)
        x = x + linear(f"{at}.attn.proj", torch.cat(heads, -1))
        u = linear(f"{at}.mlp.0", norm(f"{at}.ln2", x))
        x = x + linear(f"{at}.mlp.2", u * (1 + torch.erf(u / 2**0.5)) / 2)
    return norm("ln_f", x) @ state["head.weight"].T


def saved(state, tmp_path):
    path = tmp_path / "model.pt"
    torch.save(state, path)
    return path


def test_the_logits_are_those_of_mingpt(tmp_path):
    state = a_state(31)
    loaded = import_mingpt(saved(state, tmp_path), SIMPLE)
    config = loaded.experiment.model
    assert (config.layers, config.heads, config.width, config.context_length) == (
        LAYERS,
        HEADS,
        WIDTH,
        LENGTH,
    )
    assert (config.architecture, config.gelu, config.dropout) == ("gpt2", "erf", 0.1)
    ids = torch.randint(31, (LENGTH,))
    with torch.no_grad():
        torch.testing.assert_close(loaded.model(ids[None])[0], logits(state, ids), rtol=2e-5, atol=2e-5)


def test_the_larger_vocabulary_is_put_in_our_order(tmp_path):
    own = make_tokenizer(EXTENDED.data).vocabulary
    theirs = sorted(token for token in own if token not in ("a19", "a20"))
    assert len(theirs) == 174
    state = a_state(174)
    path = saved(state, tmp_path)
    model = import_mingpt(path, EXTENDED, theirs).model
    words = [theirs[i] for i in torch.randint(174, (20,))]
    with torch.no_grad():
        expected = logits(state, torch.tensor([theirs.index(word) for word in words]))
        found = model(torch.tensor([[own.index(word) for word in words]]))[0]
    torch.testing.assert_close(found[:, [own.index(word) for word in theirs]], expected, rtol=2e-5, atol=2e-5)
    assert torch.equal(found[:, own.index("a19")], found[:, 0])
    with pytest.raises(UsageError, match="174 tokens, but example_on has 176") as error:
        import_mingpt(path, EXTENDED)
    assert "--vocabulary" in error.value.hint
    with pytest.raises(UsageError, match="lists 173 different tokens, but the file has 174"):
        import_mingpt(path, EXTENDED, [*theirs[:-1], theirs[0]])
    with pytest.raises(UsageError, match="has no token 'w'"):
        import_mingpt(path, EXTENDED, [*theirs[:-1], "w"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pos_emb": None}, "has no pos_emb"),
        ({"blocks.1.mlp.2.bias": None}, r"lacks blocks\.1\.mlp\.2\.bias"),
        ({"blocks.0.attn.query.weight": torch.zeros(3, 3)}, "has the shape"),
        ({"blocks.0.mlp.0.weight": torch.zeros(3, 3)}, "has the shape"),
        ({"head.weight": torch.zeros(30, 32)}, "different numbers of tokens"),
        ({"extra": torch.zeros(1)}, "does not have: extra"),
        ({"tok_emb.weight": torch.zeros(31)}, "has no tok_emb.weight with 2 dimensions"),
    ],
)
def test_another_state_dict_is_refused(tmp_path, changes, words):
    state = {k: v for k, v in {**a_state(31), **changes}.items() if v is not None}
    with pytest.raises(FileError, match=words):
        import_mingpt(saved(state, tmp_path), SIMPLE)


def test_what_is_no_state_dict_is_refused(tmp_path):
    with pytest.raises(FileError, match="there is no"):
        import_mingpt(tmp_path / "absent.pt", SIMPLE)
    (tmp_path / "text.pt").write_text("x^2")
    with pytest.raises(FileError, match="damaged"):
        import_mingpt(tmp_path / "text.pt", SIMPLE)
    (tmp_path / "code.pt").write_bytes(pickle.dumps(print, protocol=2))
    with pytest.raises(FileError, match="damaged or holds more than tensors"):
        import_mingpt(tmp_path / "code.pt", SIMPLE)
    with pytest.raises(FileError, match="not a dictionary of tensors"):
        import_mingpt(saved([1, 2], tmp_path), SIMPLE)
    seven = SIMPLE.model_copy(update={"model": SIMPLE.model.model_copy(update={"heads": 7})})
    with pytest.raises(UsageError, match="not a multiple") as error:
        import_mingpt(saved(a_state(31), tmp_path), seven)
    assert "model.heads" in error.value.hint
