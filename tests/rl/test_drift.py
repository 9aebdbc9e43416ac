"""Drift of a policy on its own samples, against the plain way."""

import pytest
import torch

from polyctl.data.tokenizers import make_tokenizer
from polyctl.model.serialization import load_model
from polyctl.rl.curriculum import ProblemMix
from polyctl.rl.drift import drift
from polyctl.search.batching import Decoding
from polyctl.search.sampling import sample
from tests.rl.helpers import tiny


def test_it_sums_exact_divergences_along_samples(start):
    experiment = tiny()
    tokenizer, model, other = make_tokenizer(experiment.data), *(load_model(start, "cpu").model for _ in "12")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.05)
    mix = ProblemMix(experiment, tokenizer)
    prompts = [tokenizer.encode_prompt(mix.problem(n)) for n in range(11)]
    kl, entropy, tokens = drift(model, other, prompts, range(11), experiment, tokenizer.end, 7)
    decoding = Decoding(experiment.eval.max_tokens, tokenizer.end)
    drawn = sample(model, prompts, decoding, n=1, temperature=1.0, seed=7)
    expected = torch.zeros(3, dtype=torch.float64)
    for prompt, (one,) in zip(prompts, drawn, strict=True):
        emitted = [*one.tokens, *([tokenizer.end] if one.finished else [])]
        with torch.no_grad():
            p, q = (
                m(torch.tensor([[*prompt, *emitted]]))[0].double().log_softmax(-1) for m in (model, other)
            )
        p, q = (x[len(prompt) - 1 : -1] for x in (p, q))
        kls, entropies = (p.exp() * (p - q)).sum(), -(p.exp() * p).sum()
        expected += torch.stack([kls, entropies, torch.tensor(float(len(emitted))).double()])
    assert [kl, entropy, tokens] == pytest.approx(expected.tolist(), rel=1e-3)
    assert kl > 0
    assert drift(other, other, prompts, range(11), experiment, tokenizer.end, 7)[0] == 0
