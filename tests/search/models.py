"""Tiny random models and a plain beam search to hold the fast one against."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from polyctl.config.schema import ModelConfig
from polyctl.model.gpt import GPT
from polyctl.search.grammar import Grammar
from polyctl.search.hypothesis import Hypothesis

END = 0


class Biased(GPT):
    """A GPT whose end token is likelier than its weights make it."""

    end_bias = 0.0

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        logits = super().logits(hidden)
        return logits + self.end_bias * (torch.arange(logits.shape[-1], device=logits.device) == END)


def tiny(architecture: str = "modern", seed: int = 0, vocabulary: int = 7, end_bias: float = 0.0) -> GPT:
    """A model whose distributions are uneven; a higher `end_bias` makes the end token likelier."""
    torch.manual_seed(seed)
    model = Biased(
        ModelConfig(architecture=architecture, layers=2, heads=2, width=16, context_length=48), vocabulary
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.4 * torch.randn_like(parameter))
    model.end_bias = end_bias
    return model


def prompts_of(lengths: Sequence[int], vocabulary: int = 7, seed: int = 0) -> list[list[int]]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randint(1, vocabulary, (n,), generator=generator).tolist() for n in lengths]


@torch.no_grad()
def next_logp(model: GPT, prompt: Sequence[int], tokens: Sequence[int]) -> torch.Tensor:
    return model(torch.tensor([[*prompt, *tokens]]))[0, -1].float().log_softmax(-1)


def plain_beam(
    model: GPT,
    prompt: Sequence[int],
    width: int,
    max_tokens: int,
    grammar: Grammar | None = None,
    early_stop: bool = True,
) -> tuple[list[Hypothesis], list[list[Hypothesis]]]:
    """One problem, one hypothesis at a time, no cache: the result, and what was live after each step."""
    model.eval()
    if model.config.architecture == "gpt2":
        max_tokens = min(max_tokens, model.config.context_length - len(prompt))
    live: list[tuple[tuple[int, ...], float]] = [((), 0.0)]
    pool: list[Hypothesis] = []
    shown = []
    for _ in range(max_tokens):
        candidates = []
        for tokens, score in live:
            logp = next_logp(model, prompt, tokens)
            allowed = range(len(logp))
            if grammar is not None:
                state = grammar.start()
                for token in tokens:
                    state = grammar.advance(state, token)
                allowed = grammar.allowed(state).nonzero()[0].tolist()
            candidates += [(score + float(logp[t]), tokens, t) for t in allowed]
        candidates = sorted(candidates, key=lambda c: -c[0])[: 2 * width]
        pool += [Hypothesis(tokens, score, True) for score, tokens, t in candidates[:width] if t == END]
        pool = sorted(pool, key=lambda h: -h.logprob)[:width]
        live = [((*tokens, t), score) for score, tokens, t in candidates if t != END][:width]
        shown.append([Hypothesis(tokens, score, False) for tokens, score in live])
        if not live or (early_stop and len(pool) == width and live[0][1] <= pool[-1].logprob):
            break
    return (pool + shown[-1])[:width], shown


def assert_same(found: Sequence[Hypothesis], expected: Sequence[Hypothesis]) -> None:
    assert [h.tokens for h in found] == [h.tokens for h in expected]
    assert [h.finished for h in found] == [h.finished for h in expected]
    torch.testing.assert_close(
        torch.tensor([h.logprob for h in found]),
        torch.tensor([h.logprob for h in expected]),
        rtol=1e-4,
        atol=1e-4,
    )
