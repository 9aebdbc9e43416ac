"""Greedy decoding and sampling: hypotheses that grow without competing.

Legend: B problems, W hypotheses a problem, V vocabulary, N steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from polyctl.errors import UsageError
from polyctl.model.gpt import GPT
from polyctl.model.kv_cache import RolloutCache
from polyctl.search.batching import Batch, Decoding, GrammarStates, Queue, inference
from polyctl.search.hypothesis import Hypothesis

# pick(log-probabilities (B, W, V), indices of the problems) -> tokens (B, W)
Pick = Callable[[torch.Tensor, Sequence[int]], torch.Tensor]


def greedy(model: GPT, prompts: Sequence[Sequence[int]], decoding: Decoding) -> list[Hypothesis]:
    """For each prompt the answer whose every token is the likeliest; the same as a beam of width 1."""

    def pick(logp_BWV: torch.Tensor, _: Sequence[int]) -> torch.Tensor:
        return logp_BWV.argmax(-1)

    answers = _roll_out(model, prompts, decoding, 1, pick)
    return [answer[0] for answer in answers]


def sample(
    model: GPT,
    prompts: Sequence[Sequence[int]],
    decoding: Decoding,
    *,
    n: int,
    temperature: float,
    seed: int,
    numbers: Sequence[int] | None = None,
) -> list[list[Hypothesis]]:
    """For each prompt `n` answers drawn at `temperature`, in the order drawn; equal ones may occur.

    `logprob` is the model's own (temperature 1, no grammar). Problem i's draws follow from (seed, numbers[i])
    alone, or (seed, i), whatever stands in the batch beside it. Raises UsageError for bad limits and prompts.
    """
    if n < 1 or not temperature > 0:
        raise UsageError(f"n {n} must be at least 1, and temperature {temperature} above 0")
    generators = [np.random.default_rng([seed, i]) for i in numbers or range(len(prompts))]

    def pick(logp_BWV: torch.Tensor, problems: Sequence[int]) -> torch.Tensor:
        # the largest of log p + Gumbel noise is distributed as p; what has probability zero stays at -inf
        shape = tuple(logp_BWV.shape[-1:])
        noise = np.stack([generators[i].gumbel(size=(n, *shape)) for i in problems])
        noise_BWV = torch.from_numpy(noise.astype(np.float32)).to(logp_BWV.device)
        tokens_BW: torch.Tensor = (logp_BWV / temperature + noise_BWV).argmax(-1)
        return tokens_BW

    return _roll_out(model, prompts, decoding, n, pick)


def _roll_out(
    model: GPT,
    prompts: Sequence[Sequence[int]],
    decoding: Decoding,
    width: int,
    pick: Pick,
) -> list[list[Hypothesis]]:
    results: list[list[Hypothesis]] = [[] for _ in prompts]
    with inference(model):
        queue = Queue(model, prompts, decoding.max_tokens)
        while queue:
            batch = queue.take(decoding.batch)
            rollouts = _Rollouts(batch, width, decoding.end)
            grammar = decoding.grammar
            states = None if grammar is None else GrammarStates(grammar, len(batch.indices), width)
            logits_BV, cache = model.prefill(batch.prompts, RolloutCache)
            logits_BWV = logits_BV[:, None].expand(-1, width, -1)
            while True:
                done_B = rollouts.step(logits_BWV, pick, states)
                if bool(done_B.any()):
                    kept = rollouts.retire(done_B.tolist(), results)
                    if not kept:
                        break
                    cache.keep(kept)
                    if states is not None:
                        states.keep(kept)
                logits_BWV = model.decode(rollouts.tokens_BW, cache)
    return results


class _Rollouts:
    """The growing answers of a batch; those that have ended keep a place until their problem leaves."""

    def __init__(self, batch: Batch, width: int, end: int) -> None:
        device, problems = batch.device, len(batch.indices)
        self.end, self.steps, self.indices = end, 0, list(batch.indices)
        self.limits_B = torch.tensor(batch.limits, device=device)
        self.history_BNW = torch.zeros(problems, max(batch.limits), width, dtype=torch.long, device=device)
        self.tokens_BW = torch.zeros(problems, width, dtype=torch.long, device=device)
        self.lengths_BW = torch.zeros_like(self.tokens_BW)
        self.logprob_BW = torch.zeros(problems, width, device=device)
        self.live_BW = torch.ones(problems, width, dtype=torch.bool, device=device)
        self.finished_BW = torch.zeros_like(self.live_BW)
        self.same_BW = torch.arange(width, device=device).expand(problems, width)

    def step(self, logits_BWV: torch.Tensor, pick: Pick, states: GrammarStates | None) -> torch.Tensor:
        """One more token for every live answer; done_B says which problems have ended."""
        logp_BWV = torch.log_softmax(logits_BWV.float(), dim=-1)
        if states is not None:
            logp_BWV = states.mask(logp_BWV)
        self.tokens_BW = pick(logp_BWV, self.indices)
        logp_BW = logp_BWV.gather(2, self.tokens_BW[:, :, None]).squeeze(2)
        # if nothing is allowed the answer stops as it is, unfinished
        self.live_BW = self.live_BW & (logp_BW > -torch.inf)
        self.logprob_BW = torch.where(self.live_BW, self.logprob_BW + logp_BW, self.logprob_BW)
        ends_BW = self.live_BW & (self.tokens_BW == self.end)
        self.finished_BW = self.finished_BW | ends_BW
        self.live_BW = self.live_BW & ~ends_BW
        self.lengths_BW = self.lengths_BW + self.live_BW
        self.history_BNW[:, self.steps] = self.tokens_BW
        if states is not None:
            states.advance(self.same_BW, self.tokens_BW, self.live_BW)
        self.steps += 1
        return ~self.live_BW.any(1) | (self.steps >= self.limits_B)

    def retire(self, done: list[bool], results: list[list[Hypothesis]]) -> list[int]:
        """Write down the answers of the problems that are done and forget these; the rows that stay."""
        for row, is_done in enumerate(done):
            if is_done:
                tokens = self.history_BNW[row, : self.steps].T.tolist()
                lengths, logprobs = self.lengths_BW[row].tolist(), self.logprob_BW[row].tolist()
                finished = self.finished_BW[row].tolist()
                results[self.indices[row]] = [
                    Hypothesis(tuple(t[:length]), logprob, end)
                    for t, length, logprob, end in zip(tokens, lengths, logprobs, finished, strict=True)
                ]
        kept = [row for row, is_done in enumerate(done) if not is_done]
        kept_B = torch.tensor(kept, dtype=torch.long, device=self.limits_B.device)
        self.indices = [self.indices[row] for row in kept]
        for name in ("limits_B", "history_BNW", "tokens_BW", "lengths_BW"):
            setattr(self, name, getattr(self, name)[kept_B])
        for name in ("logprob_BW", "live_BW", "finished_BW", "same_BW"):
            setattr(self, name, getattr(self, name)[kept_B])
        return kept
