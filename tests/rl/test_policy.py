"""The shared-prompt pass and the loss: equal to the plain way, element by element, in float64."""

import numpy as np
import pytest
import torch

from polyctl.rl.loss import divergence, policy_loss
from polyctl.rl.policy import GroupBatch, Scores, score
from tests.rl.helpers import model_of

PROMPTS = [[3, 4, 5, 1], [6, 1], [2, 2, 7, 8, 9, 1]]
TERMS = [[11 * 4 + 3, 11**4 * 9 + 11**3 * 8, 5, 1], [11**4 * 7 + 6, 1], [2, 2, 7, 8, 11**2 * 9, 1]]
EMITTED = [
    [[5, 6, 1], [5, 1], [7, 8, 9, 2, 1]],
    [[4, 4, 4, 4, 4], [1]],  # the first was cut off: no end token; one hypothesis fewer
    [[9, 1], [3, 3, 1], [10, 9, 8, 1]],
]
ADVANTAGES = [[0.9, -0.3, -0.6], [-0.5, 0.5], [0.1, 0.2, -0.3]]
CLIP = {"clip_low": 0.2, "clip_high": 0.3, "kl_weight": 0.05}


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def doubled(batch):
    return GroupBatch(*(t.double() if t.is_floating_point() else t for t in vars(batch).values()))


def prompts_of(architecture):
    """Positions of one token each, or of several."""
    return TERMS if architecture == "terms" else PROMPTS


def make_batch(architecture="modern"):
    return doubled(GroupBatch.of(prompts_of(architecture), EMITTED, ADVANTAGES))


def plain_logp(model, prompt, tokens):
    """One row, prompt and hypothesis together, no sharing."""
    logits = model(torch.tensor([[*prompt, *tokens]]))[0]
    logp = logits.log_softmax(-1)
    at = len(prompt) - 1
    return torch.stack([logp[at + i, token] for i, token in enumerate(tokens)])


def plain_distributions(model, prompt, tokens):
    """Log-probabilities of the whole vocabulary at each token of one row."""
    logp = model(torch.tensor([[*prompt, *tokens]]))[0].log_softmax(-1)
    return logp[len(prompt) - 1 : len(prompt) - 1 + len(tokens)]


@pytest.mark.parametrize("architecture", ["modern", "gpt2", "terms"])
def test_log_probabilities_equal_the_plain_way(architecture):
    model, batch = model_of(architecture), make_batch(architecture)
    found = score(model, batch)
    for g, group in enumerate(EMITTED):
        for w, tokens in enumerate(group):
            expected = plain_logp(model, prompts_of(architecture)[g], tokens)
            torch.testing.assert_close(found.logp_GWL[g, w, : len(tokens)], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["exact", "k3"])
@pytest.mark.parametrize("architecture", ["modern", "gpt2", "terms"])
def test_gradients_equal_the_plain_way(architecture, kind):
    shared, plain = model_of(architecture), model_of(architecture)
    batch = make_batch(architecture)
    old = score(model_of(architecture, seed=1), batch).logp_GWL.detach()
    frozen = model_of(architecture, seed=2)
    found = score(shared, batch)
    kl = divergence(found, score(frozen, batch), kind)
    policy_loss(found.logp_GWL, old, kl, batch, **CLIP, normalizer=7.0).loss.backward()
    total = torch.zeros((), dtype=torch.float64)
    for g, group in enumerate(EMITTED):
        for w, tokens in enumerate(group):
            new = plain_logp(plain, prompts_of(architecture)[g], tokens)
            q, p = (plain_distributions(m, prompts_of(architecture)[g], tokens) for m in (plain, frozen))
            for t in range(len(tokens)):
                ratio = (new[t] - old[g, w, t]).exp()
                advantage = ADVANTAGES[g][w]
                surrogate = torch.minimum(ratio * advantage, ratio.clamp(0.8, 1.3) * advantage)
                gap = p[t, tokens[t]].detach() - new[t]
                k3, exact = gap.exp() - gap - 1, (q[t].exp() * (q[t] - p[t].detach())).sum()
                total = total - surrogate + 0.05 * (k3 if kind == "k3" else exact)
    (total / 7.0).backward()
    for (name, one), other in zip(shared.named_parameters(), plain.parameters(), strict=True):
        if other.grad is None:
            assert one.grad is None or not one.grad.any(), name
        else:
            torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-6, msg=name)


def test_the_loss_equals_its_twin_in_numpy():
    rng = np.random.default_rng(0)
    batch = make_batch()
    new, old, reference = (rng.normal(-1, 0.5, tuple(batch.mask_GWL.shape)) for _ in range(3))
    gaps = reference - new
    kls = np.exp(gaps) - gaps - 1
    found = policy_loss(*map(torch.from_numpy, (new, old, kls)), batch, **CLIP, normalizer=11.0)
    loss = kl = clipped = 0.0
    for g, group in enumerate(EMITTED):
        for w, tokens in enumerate(group):
            for t in range(len(tokens)):
                ratio, advantage = np.exp(new[g, w, t] - old[g, w, t]), ADVANTAGES[g][w]
                bound = min(max(ratio, 0.8), 1.3) * advantage
                clipped += bound < ratio * advantage
                gap = reference[g, w, t] - new[g, w, t]
                k3 = np.exp(gap) - gap - 1
                kl += k3
                loss += -min(ratio * advantage, bound) + 0.05 * k3
    assert float(found.loss) == pytest.approx(loss / 11.0, rel=1e-6)
    assert float(found.kl_sum) == pytest.approx(kl, rel=1e-6)
    assert float(found.clipped) == clipped
    assert clipped > 0


def test_masked_places_change_nothing():
    model, batch = model_of(), make_batch()
    changed = GroupBatch(
        batch.prompt_GP, batch.lengths_G, torch.where(batch.mask_GWL > 0, batch.tokens_GWL, 9),
        batch.mask_GWL, batch.advantage_GW,
    )  # fmt: skip
    one, other = score(model, batch), score(model, changed)
    torch.testing.assert_close(one.logp_GWL, other.logp_GWL)
    assert not one.logp_GWL[batch.mask_GWL == 0].any()


def test_padding_of_prompts_is_not_seen():
    model = model_of()
    alone = doubled(GroupBatch.of(PROMPTS[1:2], EMITTED[1:2], ADVANTAGES[1:2]))
    together = score(model, make_batch()).logp_GWL[1, :2]
    torch.testing.assert_close(score(model, alone).logp_GWL[0, :2], together[:, :5], rtol=1e-6, atol=1e-7)


def test_the_ratio_of_an_unchanged_model_is_one_and_its_gradient_is_the_policy_gradient():
    model, batch = model_of(), make_batch()
    scores = score(model, batch)
    logp, kl = scores.logp_GWL, divergence(scores, score(model_of(), batch), "exact")
    found = policy_loss(logp, logp.detach(), kl, batch, **CLIP, normalizer=1.0)
    assert float(found.kl_sum) == pytest.approx(0.0, abs=1e-9)
    assert float(found.clipped) == 0.0
    (gradient,) = torch.autograd.grad(found.loss, logp)
    torch.testing.assert_close(gradient, -batch.advantage_GW[:, :, None] * batch.mask_GWL)


def test_entropy_equals_its_definition():
    model, batch = model_of(), make_batch()
    found = score(model, batch).entropy_GWL[0, 0, 0]
    p = model(torch.tensor([PROMPTS[0]]))[0, -1].softmax(-1).detach().numpy()
    assert float(found) == pytest.approx(-(p * np.log(p)).sum(), rel=1e-5)


def test_only_the_exact_divergence_sees_probability_that_no_hypothesis_has():
    """It leaves the emitted token's probability alone and moves between the others."""
    batch = make_batch()
    one = score(model_of(), batch)
    emitted_N = batch.tokens_GWL[one.wanted_GWL][:, None]
    others_NV = torch.ones_like(one.logp_NV, dtype=torch.bool).scatter(1, emitted_N, False)
    logits_NV = torch.where(others_NV, 3 * one.logp_NV, -torch.inf).log_softmax(-1)
    rest_N1 = torch.log1p(-one.logp_NV.gather(1, emitted_N).exp())
    moved_NV = torch.where(others_NV, logits_NV + rest_N1, one.logp_NV)
    torch.testing.assert_close(moved_NV.exp().sum(-1), torch.ones(len(moved_NV)).double())
    moved = Scores(one.logp_GWL, one.entropy_GWL, moved_NV, one.wanted_GWL)
    assert not divergence(moved, one, "k3").any()
    exact = divergence(moved, one, "exact")
    assert (exact[one.wanted_GWL] > 1e-3).all()
    assert not exact[~one.wanted_GWL].any()
