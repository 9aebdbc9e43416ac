"""How far a policy has moved from its reference, on its own samples: what k3 only estimates."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from polyctl.config.schema import Experiment
from polyctl.model.gpt import GPT
from polyctl.rl.loss import divergence
from polyctl.rl.policy import GroupBatch, score
from polyctl.search.batching import Decoding
from polyctl.search.sampling import sample


def drift(
    model: GPT,
    reference: GPT,
    prompts: Sequence[Sequence[int]],
    numbers: Sequence[int],
    experiment: Experiment,
    end: int,
    seed: int,
) -> tuple[float, float, float]:
    """Sums over the tokens of a sample for each prompt: exact divergence, entropy, and their number.

    The samples follow from seed and `numbers`.
    """
    size, device = experiment.eval.batch, model.embedding.weight.device
    decoding = Decoding(experiment.eval.max_tokens, end, batch=size)
    drawn = sample(model, prompts, decoding, n=1, temperature=1.0, seed=seed, numbers=numbers)
    emitted = [[[*one.tokens, *([end] if one.finished else [])] for one in group] for group in drawn]
    kl = entropy = tokens = 0.0
    for start in range(0, len(prompts), size):
        part = slice(start, start + size)
        batch = GroupBatch.of(prompts[part], emitted[part], [[0.0]] * len(emitted[part]), device)
        with torch.no_grad():
            found = score(model, batch)
            kl += float(divergence(found, score(reference, batch), "exact").sum())
        entropy += float(found.entropy_GWL.sum())
        tokens += float(batch.mask_GWL.sum())
    return kl, entropy, tokens
