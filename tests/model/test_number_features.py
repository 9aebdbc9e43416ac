"""What a model sees of a number: its size, its residues, and embeddings that start as waves."""

import pytest
import torch
from pydantic import ValidationError
from torch.nn import functional as F

from polyctl.config.schema import DataConfig, Experiment, ModelConfig
from polyctl.data.tokenizers.base import TokenLayout
from polyctl.model.gpt import GPT
from polyctl.model.number_features import SIZES, NumberFeatures, RatioFeatures, _frequencies, start_as_waves


def features(values, largest=23):
    """The waves themselves, in place of what the matrix makes of them."""
    width = 2 * (SIZES + len(_frequencies(largest)))
    seen = NumberFeatures(largest, width)
    with torch.no_grad():
        seen.matrix.weight.copy_(torch.eye(width))
        return seen(torch.tensor(values))


def ratio_features(values, leading, largest=23):
    """The same of ratios; a negative value is shown with its sign."""
    width = 2 * (SIZES + len(_frequencies(largest)))
    seen = RatioFeatures(largest, width)
    value = torch.tensor(values)
    with torch.no_grad():
        seen.matrix.weight.copy_(torch.eye(width))
        return seen(value.abs(), value < 0, torch.tensor(leading).expand_as(value))


def columns_of(moduli, largest=23):
    """The columns, cosines and sines, of some moduli's residues."""
    found = [SIZES + i for i, (m, _) in enumerate(_frequencies(largest)) if m in moduli]
    return [*found, *(SIZES + len(_frequencies(largest)) + c for c in found)]


def test_the_moduli_are_the_greatest_powers_of_primes_with_all_their_frequencies():
    assert [f for f in _frequencies(9) if f[0] == 7] == [(7, 1), (7, 2), (7, 3)]
    assert {m for m, _ in _frequencies(23)} == {16, 9, 5, 7, 11, 13, 17, 19, 23}
    assert {m for m, _ in _frequencies(2)} == {2}


def test_numbers_alike_modulo_all_moduli_differ_in_size_alone():
    product = 2 * 3 * 5 * 7 * 11  # moduli up to 11: 8, 9, 5, 7, 11
    a, b = features([17, 17 + 8 * 9 * product // 6], largest=11)
    same = [i % (len(a) // 2) >= SIZES for i in range(len(a))]
    torch.testing.assert_close(a[same], b[same])
    assert (a - b).abs().max() > 0.1


@pytest.mark.parametrize("modulus", [2, 3, 5, 7, 9, 16, 23])
def test_any_function_of_a_residue_is_a_linear_map_of_its_waves(modulus):
    columns = [SIZES + i for i, (m, _) in enumerate(_frequencies(modulus)) if m == modulus]
    waves = features([i + modulus for i in range(modulus)], largest=modulus)
    half = waves.shape[1] // 2
    basis = torch.cat((waves[:, columns], waves[:, [half + c for c in columns]], torch.ones(modulus, 1)), 1)
    assert torch.linalg.matrix_rank(basis.double(), rtol=1e-5) == modulus


def test_large_numbers_are_seen_exactly_and_nothing_is_seen_of_zero():
    one, next_one, zero = features([10**12, 10**12 + 1, 0])
    assert (one - next_one).abs().max() > 0.1
    assert not zero.any()
    torch.testing.assert_close(features([10**12 + 1])[0], next_one)


def test_a_ratio_is_seen_as_the_number_it_is():
    torch.testing.assert_close(ratio_features([7 * 12, 7 * 5], 7)[:, :SIZES], features([12, 5])[:, :SIZES])
    units = columns_of({5, 9, 11, 13, 16, 17, 19, 23})
    torch.testing.assert_close(ratio_features([7 * 12, 7 * 5], 7)[:, units], features([12, 5])[:, units])
    assert not ratio_features([7 * 12], 7)[:, columns_of({7})].any()  # 7 has no inverse modulo 7
    assert not ratio_features([0], 7).any()


def test_the_sign_of_a_ratio_shows_in_its_residues():
    plus, minus = ratio_features([30, -30], 7)
    cosines = columns_of({11, 13})[: len(columns_of({11, 13})) // 2]
    sines = columns_of({11, 13})[len(cosines) :]
    torch.testing.assert_close(minus[cosines], plus[cosines])
    torch.testing.assert_close(minus[sines], -plus[sines], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(minus[:SIZES], plus[:SIZES])


def test_features_start_as_large_as_an_embedding():
    torch.manual_seed(0)
    model = GPT(ModelConfig(layers=1, heads=2, width=128, residues=23), TokenLayout(1100, 5))
    seen = model.numbers(torch.arange(1, 500))
    size = model.embedding.weight.square().mean().sqrt().item()
    assert 0.5 < seen.square().mean().sqrt().item() / size < 2


def test_numbers_that_start_as_waves_are_near_their_neighbours():
    torch.manual_seed(0)
    model = GPT(ModelConfig(architecture="modern", layers=1, heads=2, width=64), 1100)
    before = model.embedding.weight.detach().clone()
    start_as_waves(model.embedding, 50, 1000)
    after = model.embedding.weight.detach()
    assert torch.equal(after[:50], before[:50])
    assert torch.equal(after[1050:], before[1050:])
    rows = after[50:1050]
    assert rows.square().mean().sqrt().item() == pytest.approx(0.02, rel=0.05)

    def likeness(distance):
        return F.cosine_similarity(rows[:-distance], rows[distance:]).mean().item()

    assert likeness(1) > likeness(10) + 0.1 > likeness(100) + 0.2
    assert likeness(1) < 0.9  # neighbours stay apart


def test_settings_that_do_not_fit_are_refused():
    terms = DataConfig(tokenizer="terms", base=100)
    with pytest.raises(ValidationError, match="residues = 1 allows no prime"):
        ModelConfig(residues=1)
    with pytest.raises(ValidationError, match="ratios"):
        ModelConfig(ratios=True)
    with pytest.raises(ValidationError, match=r'"terms" needs model\.architecture = "modern"'):
        Experiment(name="x", data=terms, model=ModelConfig(architecture="gpt2"))
    with pytest.raises(ValidationError, match=r'residues = 23 needs data\.tokenizer = "terms"'):
        Experiment(name="x", model=ModelConfig(residues=23))
    assert GPT.of(
        Experiment(name="x", data=terms, model=ModelConfig(residues=23)), 300
    ).tokens == TokenLayout(300, 5, 100)
