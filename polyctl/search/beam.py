"""Beam search, batched over problems and hypotheses.

A problem has at most `width` live hypotheses, scored by summed log-probability without length penalty. At
each step the best 2·width of all their continuations are taken. Those among the best `width` of them that are
the end token go to the problem's pool of finished hypotheses, which keeps its best `width`; the best `width`
others become live. A problem ends when its pool is full and no live hypothesis scores higher than the worst
of it (exact, since scores only fall), when nothing is live, or at `max_tokens` tokens with the end token,
with gpt2 also when the context is full. Only if the pool is not full then, live hypotheses fill up the
result, unfinished and after the finished ones. This is Hugging Face's generate(num_beams=width,
do_sample=False, length_penalty=0.0, early_stopping=False), but for what it does with unfinished hypotheses
at the limit.

Legend: B problems, W beam width, C candidates, V vocabulary, N steps, R rows of back-pointers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from polyctl.errors import UsageError
from polyctl.model.gpt import GPT
from polyctl.model.kv_cache import TreeCache
from polyctl.runtime.async_readback import AsyncReadback
from polyctl.search.batching import Batch, Decoding, GrammarStates, Queue, inference
from polyctl.search.hypothesis import BeamStep, Hypothesis, Observer

REFILL = 0.25  # a batch takes in new problems when so much of it has ended; on a GPU it lets go of them then
# what a `_Beams` keeps of each problem that has not ended
_EACH_PROBLEM = (
    *("steps_B", "limits_B", "done_B", "scores_BW", "tokens_BW", "parents_BW"),
    *("pool_scores_BW", "pool_steps_BW", "pool_slots_BW"),
)


def beam_search(
    model: GPT,
    prompts: Sequence[Sequence[int]],
    decoding: Decoding,
    *,
    width: int,
    observer: Observer | None = None,
    keys: Sequence[int] | None = None,
) -> list[list[Hypothesis]]:
    """For each prompt the answers that a beam of `width` finds, best first.

    What has probability zero is never returned. The observer sees steps and results under the key of each
    prompt, or else its index. Raises UsageError for bad limits and prompts.
    """
    if width < 1:
        raise UsageError(f"beam width {width} must be at least 1")
    results: list[list[Hypothesis]] = [[] for _ in prompts]
    queue = Queue(model, prompts, decoding.max_tokens)
    grammar, batch = decoding.grammar, decoding.batch
    keys = range(len(prompts)) if keys is None else keys

    def step(search: _Search, logits_BWV: torch.Tensor) -> None:
        """Extend all hypotheses, show them, and let the problems go that have ended."""
        done = search.done.exchange(search.beams.step(logits_BWV, search.states))
        if observer is not None:
            search.beams.show(observer, keys)
        if done is not None and sum(done) >= (REFILL * len(done) if search.done.steps else 1):
            for index, hypotheses in search.retire(done):
                results[index] = hypotheses
                if observer is not None:
                    observer.result(keys[index], hypotheses)

    def start(some: Batch) -> _Search:
        logits_BV, cache = model.prefill(some.prompts, TreeCache)
        states = None if grammar is None else GrammarStates(grammar, len(some.indices), 1)
        # a grammar's states are on the host, where each step has to arrive
        done = AsyncReadback(0) if grammar is not None else AsyncReadback.on(some.device)
        search = _Search(_Beams(some, width, decoding.end), cache, states, done)
        step(search, logits_BV[:, None])
        return search

    with inference(model):
        search = start(queue.take(batch)) if queue else None
        while search is not None:
            search.cache.reorder(search.beams.parents_BW)
            free = batch - len(search.beams.problems)
            if queue and free >= REFILL * batch:
                search.join(start(queue.take(free)))
            elif not search.beams.problems:
                break
            if search.beams.problems:
                step(search, model.decode(search.beams.tokens_BW, search.cache))
    return results


@dataclass
class _Search:
    """Problems that are searched together, with what the model keeps of them."""

    beams: _Beams
    cache: TreeCache
    states: GrammarStates | None
    done: AsyncReadback  # which problems have ended

    def retire(self, done: list[bool]) -> list[tuple[int, list[Hypothesis]]]:
        """Forget the problems that are done; which prompts they were, and their answers."""
        rows = [row for row, is_done in enumerate(done) if is_done]
        answers = [
            (self.beams.problems[row], found)
            for row, found in zip(rows, self.beams.answers(rows), strict=True)
        ]
        kept = [row for row, is_done in enumerate(done) if not is_done]
        self.beams.keep(kept)
        self.cache.keep(kept)
        if self.states is not None:
            self.states.keep(kept)
        self.done.forget()
        return answers

    def join(self, other: _Search) -> None:
        """Take in problems that have made their first step, behind its own."""
        self.beams.join(other.beams)
        self.cache.join(other.cache)
        if self.states is not None and other.states is not None:
            self.states.join(other.states)
        self.done.forget()


class _Beams:
    """The hypotheses of a batch, as scores and back-pointers; slots with score -inf are empty."""

    def __init__(self, batch: Batch, width: int, end: int) -> None:
        device = batch.device
        problems, longest = len(batch.indices), max(batch.limits)
        self.width, self.end = width, end
        self.problems = list(batch.indices)
        self.shown: dict[int, int] = {}  # the last step of each problem that somebody has seen
        self.rows_B = torch.arange(problems, device=device)  # where each stands in the back-pointers
        self.steps_B = torch.zeros(problems, dtype=torch.long, device=device)
        self.limits_B = torch.tensor(batch.limits, device=device)
        self.done_B = torch.zeros(problems, dtype=torch.bool, device=device)
        # back-pointers of the live hypotheses after each step: the token, the slot before it, and the score
        # up to it; problems that have ended write behind theirs until they leave
        self.token_RNW = torch.zeros(problems, longest + 1, width, dtype=torch.long, device=device)
        self.parent_RNW = torch.zeros_like(self.token_RNW)
        self.score_RNW = torch.zeros_like(self.token_RNW, dtype=torch.float32)
        self.scores_BW = torch.zeros(problems, 1, device=device)
        self.tokens_BW = self.parents_BW = torch.zeros(problems, width, dtype=torch.long, device=device)
        # a finished hypothesis is (score, tokens before its end, slot at that time)
        self.pool_scores_BW = torch.full((problems, width), -torch.inf, device=device)
        self.pool_steps_BW = torch.zeros(problems, width, dtype=torch.long, device=device)
        self.pool_slots_BW = torch.zeros_like(self.pool_steps_BW)

    def step(self, logits_BWV: torch.Tensor, states: GrammarStates | None) -> torch.Tensor:
        """Extend every live hypothesis; done_B says which problems have ended. Those stay as they are."""
        going_B1 = ~self.done_B[:, None]
        logp_BWV = torch.log_softmax(logits_BWV.float(), dim=-1)
        if states is not None:
            logp_BWV = states.mask(logp_BWV)
        total_BC = (self.scores_BW[:, :, None] + logp_BWV).flatten(1)
        vocabulary = logp_BWV.shape[-1]
        best_BC, index_BC = total_BC.topk(min(2 * self.width, total_BC.shape[1]))
        parent_BC, token_BC = index_BC // vocabulary, index_BC % vocabulary
        ends_BC = token_BC == self.end
        self._finish(best_BC, parent_BC, ends_BC & going_B1)

        others_BC = best_BC.masked_fill(ends_BC, -torch.inf)
        scores_BW, order_BW = others_BC.sort(dim=1, descending=True, stable=True)
        self.scores_BW = torch.where(going_B1, self._widen(scores_BW, -torch.inf), self.scores_BW)
        order_BW = self._widen(order_BW, 0)
        self.parents_BW, self.tokens_BW = parent_BC.gather(1, order_BW), token_BC.gather(1, order_BW)
        self.parent_RNW[self.rows_B, self.steps_B] = self.parents_BW
        self.token_RNW[self.rows_B, self.steps_B] = self.tokens_BW
        self.score_RNW[self.rows_B, self.steps_B] = self.scores_BW
        if states is not None:
            states.advance(self.parents_BW, self.tokens_BW, self.scores_BW > -torch.inf)
        self.steps_B = self.steps_B + going_B1[:, 0]
        # an unfilled pool's worst is -inf, as is the best of an empty beam
        ended_B = self.scores_BW[:, 0] <= self.pool_scores_BW[:, -1]
        self.done_B = ended_B | (self.steps_B >= self.limits_B)
        return self.done_B

    def _finish(self, best_BC: torch.Tensor, parent_BC: torch.Tensor, ends_BC: torch.Tensor) -> None:
        """Move the end tokens among the best `width` candidates to the pools."""
        width = self.width
        ended_BW = best_BC[:, :width].masked_fill(~ends_BC[:, :width], -torch.inf)
        merged = torch.cat((self.pool_scores_BW, ended_BW), dim=1)
        scores, order = merged.sort(dim=1, descending=True, stable=True)
        self.pool_scores_BW, order_BW = scores[:, :width], order[:, :width]
        parent_BW = parent_BC[:, :width]
        steps = torch.cat((self.pool_steps_BW, self.steps_B[:, None].expand_as(parent_BW)), dim=1)
        slots = torch.cat((self.pool_slots_BW, parent_BW), dim=1)
        self.pool_steps_BW, self.pool_slots_BW = steps.gather(1, order_BW), slots.gather(1, order_BW)

    def _widen(self, sorted_BC: torch.Tensor, fill: float) -> torch.Tensor:
        """The first `width` columns, filled up if a narrow step had fewer candidates."""
        missing = self.width - sorted_BC.shape[1]
        if missing <= 0:
            return sorted_BC[:, : self.width]
        return torch.nn.functional.pad(sorted_BC, (0, missing), value=fill)

    def answers(self, rows: Sequence[int]) -> list[list[Hypothesis]]:
        """What the problems at these rows have found: finished hypotheses, then live ones up to `width`."""
        return [(finished + live)[: self.width] for finished, live in self._hypotheses(rows)]

    def keep(self, rows: Sequence[int]) -> None:
        """Drop every problem whose row is not among these (ascending)."""
        kept_B = torch.tensor(rows, dtype=torch.long, device=self.rows_B.device)
        self.problems = [self.problems[row] for row in rows]
        for name in ("rows_B", *_EACH_PROBLEM):
            setattr(self, name, getattr(self, name)[kept_B])

    def join(self, other: _Beams) -> None:
        """Take in other problems, behind its own; back-pointers of problems that have left are dropped."""
        steps = max(self.token_RNW.shape[1], other.token_RNW.shape[1])
        for name in ("token_RNW", "parent_RNW", "score_RNW"):
            both = (getattr(beams, name)[beams.rows_B] for beams in (self, other))
            padded = (torch.nn.functional.pad(x, (0, 0, 0, steps - x.shape[1])) for x in both)
            setattr(self, name, torch.cat(tuple(padded)))
        for name in _EACH_PROBLEM:
            setattr(self, name, torch.cat((getattr(self, name), getattr(other, name))))
        self.problems += other.problems
        self.shown |= other.shown
        self.rows_B = torch.arange(len(self.problems), device=self.rows_B.device)

    def show(self, observer: Observer, keys: Sequence[int]) -> None:
        """Show the beams that are wanted, only once if a problem has ended and waits to leave."""
        watched = [row for row, problem in enumerate(self.problems) if observer.wants(keys[problem])]
        steps = {row: int(self.steps_B[row]) for row in watched}
        rows = [row for row in watched if steps[row] > self.shown.get(self.problems[row], 0)]
        for row, (finished, live) in zip(rows, self._hypotheses(rows, each_token=True), strict=True):
            self.shown[self.problems[row]] = steps[row]
            observer.step(BeamStep(keys[self.problems[row]], steps[row], tuple(live), tuple(finished)))

    def _hypotheses(
        self, rows: Sequence[int], each_token: bool = False
    ) -> list[tuple[list[Hypothesis], list[Hypothesis]]]:
        """(finished, live) hypotheses of the problems at these rows, best first, if asked with each token's
        log-probability.

        Everything is read from the device at once: a problem at a time would wait for it a dozen times.
        """
        if not rows:
            return []
        rows_R = torch.tensor(rows, device=self.rows_B.device)
        places_R = self.rows_B[rows_R]
        read = (
            *(self.steps_B[rows_R], self.token_RNW[places_R], self.parent_RNW[places_R]),
            *(self.pool_steps_BW[rows_R], self.pool_slots_BW[rows_R], self.pool_scores_BW[rows_R]),
            # without each token's the sums are not read: a row's number stands in their place
            *(self.scores_BW[rows_R], self.score_RNW[places_R] if each_token else rows_R),
        )
        width = self.width
        found = []
        for steps, tokens, parents, ends_W, slots_W, pool_W, scores_W, sums in zip(
            *(x.cpu().numpy() for x in read), strict=True
        ):
            tree = tokens[:steps], parents[:steps], sums[:steps] if each_token else None
            finished = _trace(*tree, ends_W, slots_W, pool_W, finished=True)
            live = _trace(*tree, np.full(width, steps), np.arange(width), scores_W, finished=False)
            found.append((finished, live))
        return found


def _trace(
    token_NW: NDArray[np.int64],
    parent_NW: NDArray[np.int64],
    sum_NW: NDArray[np.float32] | None,
    steps_W: NDArray[np.int64],
    slots_W: NDArray[np.int64],
    scores_W: NDArray[np.float32],
    *,
    finished: bool,
) -> list[Hypothesis]:
    """Follow back-pointers from (number of tokens, slot of the last one); slots with score -inf are empty.

    `sum_NW` has the log-probability up to each token, if that of each one is asked for.
    """
    steps, width = token_NW.shape
    tokens_WN = np.zeros((width, steps), dtype=np.int64)
    sums_WN = np.zeros((width, steps + 1), dtype=np.float32)
    for n in reversed(range(steps)):
        tokens_WN[:, n] = token_NW[n, slots_W]
        if sum_NW is not None:
            sums_WN[:, n + 1] = sum_NW[n, slots_W]
        slots_W = np.where(steps_W > n, parent_NW[n, slots_W], slots_W)
    with np.errstate(invalid="ignore"):  # empty slots have no finite sums
        each_WN = np.diff(sums_WN)
    return [
        Hypothesis(
            tuple(tokens_WN[w, : steps_W[w]].tolist()),
            score,
            finished,
            () if sum_NW is None else tuple(each_WN[w, : steps_W[w]].tolist()),
        )
        for w, score in enumerate(scores_W.tolist())
        if score > -np.inf
    ]
