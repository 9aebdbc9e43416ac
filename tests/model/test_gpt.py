"""The transformer: its size, its causality, and cached against uncached passes."""

import pytest
import torch
from torch.nn import functional as F

from polyctl.config.schema import ModelConfig
from polyctl.data.tokenizers.base import FIRST_LIMB, TokenLayout
from polyctl.errors import UsageError
from polyctl.model.gpt import GPT, _leading
from polyctl.model.kv_cache import RolloutCache

ARCHITECTURES = ("gpt2", "modern")


def lively(architecture: str, seed: int = 0, vocabulary: int | TokenLayout = 13, **settings: int) -> GPT:
    """A tiny model whose every weight matters (fresh ones have faint embeddings)."""
    torch.manual_seed(seed)
    config = ModelConfig(
        architecture=architecture, **{"layers": 2, "heads": 2, "width": 16, "context_length": 40, **settings}
    )
    model = GPT(config, vocabulary).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return model


def test_published_form_has_the_published_size():
    config = ModelConfig(architecture="gpt2", layers=6, heads=8, width=512, context_length=350)
    d, per_block = 512, 12 * 512 * 512 + 13 * 512
    with torch.device("meta"):
        count = GPT(config, 31).parameter_count()
    assert count == 6 * per_block + 31 * d + 350 * d + 2 * d + 31 * d
    assert count == pytest.approx(19.1e6, rel=0.005)


def test_modern_form_counts_its_tied_head_once_and_has_no_biases():
    config = ModelConfig(architecture="modern", layers=2, heads=4, width=64)
    model = GPT(config, 300)
    assert model.parameter_count() == 2 * (12 * 64 * 64 + 2 * 64 + 2 * 16) + 300 * 64 + 64
    assert not [name for name, _ in model.named_parameters() if name.endswith("bias")]


def test_published_initialization_scales_the_residual_projections():
    torch.manual_seed(0)
    model = GPT(ModelConfig(architecture="gpt2", layers=8, heads=4, width=128), 31)
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            assert not parameter.any()
        elif parameter.dim() == 1:
            assert (parameter == 1).all()
        else:
            expected = 0.02 / 4 if "project" in name else 0.02
            assert parameter.std().item() == pytest.approx(expected, rel=0.05), name


def test_modern_initialization_scales_with_the_inputs_of_a_matrix():
    torch.manual_seed(0)
    model = GPT(ModelConfig(architecture="modern", layers=8, heads=4, width=128), 31)
    stds = {name: p.std().item() for name, p in model.named_parameters() if p.dim() == 2}
    assert stds.pop("embedding.weight") == pytest.approx(0.02, rel=0.05)
    for name, std in stds.items():
        inputs = 512 if "mlp_project" in name else 128
        depth = 16 if "project" in name else 1
        assert std == pytest.approx((inputs * depth) ** -0.5, rel=0.05), name


def test_published_form_follows_a_plain_formula():
    model = lively("gpt2", layers=1, heads=1)
    block, ids = model.blocks[0], torch.tensor([[3, 1, 4, 1, 5]])
    x = model.embedding.weight[ids[0]] + model.positions.weight[:5]
    q, k, v = F.linear(block.attention_norm(x), block.qkv.weight, block.qkv.bias).chunk(3, dim=-1)
    scores = (q @ k.T / 16**0.5).masked_fill(~torch.ones(5, 5).tril().bool(), -torch.inf)
    x = x + block.attention_project(scores.softmax(-1) @ v)
    u = block.expand(block.mlp_norm(x))
    gelu = 0.5 * u * (1 + torch.erf(u / 2**0.5))
    x = x + block.mlp_project(gelu)
    torch.testing.assert_close(model(ids)[0], model.norm(x) @ model.head.weight.T)


def test_rotary_positions_make_attention_relative():
    model = lively("modern", layers=1)
    query = torch.randn(1, 1, 1, 8).expand(1, 1, 12, 8)
    key = torch.randn(1, 1, 1, 8).expand(1, 1, 12, 8)
    from polyctl.model.gpt import _rotate, _rotation

    rotation = _rotation(torch.arange(12), model.head_size)
    scores = (_rotate(query, rotation) @ _rotate(key, rotation).transpose(-1, -2))[0, 0]
    for offset in range(-11, 12):
        diagonal = scores.diagonal(offset)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal))
    assert scores[0].std() > 0.01


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_no_token_sees_the_future_so_right_padding_needs_no_mask(architecture):
    model = lively(architecture)
    ids = torch.randint(13, (2, 10))
    changed = ids.clone()
    changed[:, 6:] = (changed[:, 6:] + 1) % 13
    torch.testing.assert_close(model(ids)[:, :6], model(changed)[:, :6])
    assert not torch.allclose(model(ids)[:, 6:], model(changed)[:, 6:])


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_head_applied_at_some_positions_equals_the_whole(architecture):
    model, ids = lively(architecture), torch.randint(13, (3, 7))
    positions = torch.tensor([0, 5, 20])
    some = model.logits(model.hidden(ids).flatten(0, 1)[positions])
    torch.testing.assert_close(some, model(ids).flatten(0, 1)[positions])


def test_dropout_acts_in_training_only():
    model = GPT(ModelConfig(architecture="gpt2", layers=1, heads=2, width=16, dropout=0.5), 9)
    ids = torch.randint(9, (2, 6))
    assert not torch.equal(model.train()(ids), model(ids))
    assert torch.equal(model.eval()(ids), model(ids))
    modern = GPT(ModelConfig(architecture="modern", layers=1, heads=2, width=16, dropout=0.5), 9).train()
    assert torch.equal(modern(ids), modern(ids))


def test_a_sequence_longer_than_the_block_is_refused():
    with pytest.raises(ValueError, match="41 tokens exceed the context length of 40"):
        lively("gpt2")(torch.zeros(1, 41, dtype=torch.long))


def test_an_odd_head_size_is_a_user_error():
    with pytest.raises(UsageError, match="even head size"):
        GPT(ModelConfig(architecture="modern", heads=4, width=12), 9)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_gradients_reach_every_weight(architecture):
    model = lively(architecture).train()
    model(torch.randint(13, (2, 8))).square().mean().backward()
    idle = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert idle == []


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_half_precision_stays_near_single(architecture):
    model, ids = lively(architecture), torch.randint(13, (2, 9))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = model(ids)
    assert half.dtype == torch.bfloat16
    assert (half.float() - model(ids)).abs().max() < 0.5 * model(ids).std()


def test_a_position_also_shows_the_number_that_its_limbs_make():
    model = lively("modern", vocabulary=TokenLayout(16, 5, 10), residues=7)
    plain = lively("modern", vocabulary=TokenLayout(16, 5))
    plain.load_state_dict(model.state_dict(), strict=False)
    term = 3 + 16 * 4 + 16**2 * (FIRST_LIMB + 1) + 16**3 * (FIRST_LIMB + 0) + 16**4 * (FIRST_LIMB + 9)
    alone = 16**4 * FIRST_LIMB  # a number 0 shows nothing
    found = model.embed(torch.tensor([term, 5, alone])) - plain.embed(torch.tensor([term, 5, alone]))
    torch.testing.assert_close(found[0], model.numbers(torch.tensor(109)))
    assert found[0].abs().max() > 0.01
    assert not found[1:].any()


@torch.no_grad()
def test_a_position_of_several_tokens_is_their_sum_through_the_matrices_of_their_places():
    model = lively("modern", vocabulary=TokenLayout(10, 5))
    e, m = model.embedding.weight, model.places
    found = model.embed(torch.tensor([7, 40_327]))
    torch.testing.assert_close(found[0], e[7])
    torch.testing.assert_close(found[1], e[7] + m[0](e[2]) + m[1](e[3]) + m[3](e[4]))


@torch.no_grad()
def test_each_prompt_has_a_leading_number_of_its_own():
    value = torch.tensor([[0, 5, 7, 0, 9, 0, 0, 0, 3, 4, 0]])
    ends = torch.tensor([[0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]], dtype=torch.bool)
    found = _leading(value, ends)
    assert found[value > 0].tolist() == [5, 5, 5, 3, 3]
    for part in (slice(0, 6), slice(6, None)):
        alone = _leading(value[:, part], ends[:, part])
        assert alone[value[:, part] > 0].tolist() == found[:, part][value[:, part] > 0].tolist()


@torch.no_grad()
def test_prompts_of_several_tokens_a_position_are_searched_as_they_are_trained_on():
    model = lively("modern", vocabulary=TokenLayout(10, 5, 4), residues=5, ratios=True)
    limbs = [10**2 * (FIRST_LIMB + 1) + 10**3 * (FIRST_LIMB + 2), 10**4 * (FIRST_LIMB + 3)]
    prompts, answer = [[12_345, limbs[1] + 42, 7, 1], [90_002, limbs[0] + 31, limbs[1], 4, 1]], [3, 8]
    logits_BV, cache = model.prefill(prompts, RolloutCache)
    steps = [logits_BV, *(model.decode(torch.full((2, 1), token), cache)[:, 0] for token in answer)]
    for row, prompt in enumerate(prompts):
        whole = model(torch.tensor([[*prompt, *answer]]))[0, len(prompt) - 1 :]
        torch.testing.assert_close(torch.stack([logits[row] for logits in steps]), whole)
