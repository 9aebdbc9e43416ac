"""Whether a GPU gives the processor's answers, and how long a step and a token of the bundled model take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import bundled
import common
import torch
from record import Record, Sizes

from polyctl.config.registry import override
from polyctl.data.batch import TrainingBatch
from polyctl.data.tokenizers import make_tokenizer
from polyctl.model.gpt import GPT
from polyctl.runtime.device import choose_device
from polyctl.search.batching import Decoding, inference
from polyctl.search.beam import beam_search
from polyctl.search.sampling import greedy
from polyctl.training.optim import make_optimizer
from polyctl.training.supervised import SupervisedTrainer

THREADS = 4  # of the processor's side
STRIDE = 29  # from one problem to the next, so that few are of all families
COMPILES = 25.0  # seconds that a first compiled step may take
Pairs = list[tuple[list[int], list[int]]]


def run(record: Record, sizes: Sizes, device: str) -> None:
    """All of it."""
    asked = bundled.experiment()
    tokenizer = make_tokenizer(asked.data)
    pairs = [
        (tokenizer.encode_prompt(p), tokenizer.encode_target(p))
        for p in bundled.problems(sizes.parity_problems)
    ]
    here, there = bundled.model("cpu").model, bundled.model(device).model
    choose_device(device)
    torch.set_num_threads(THREADS)
    record.attempt("logits", lambda: logits(here, there, pairs))
    prompts = [prompt for prompt, _ in pairs]
    decoding = Decoding(asked.eval.max_tokens, tokenizer.end, batch=len(prompts))
    record.attempt("answers", lambda: answers(here, there, prompts, decoding, sizes))
    for together in sizes.together:
        record.attempt(f"token_{together}", lambda n=together: token(there, prompts, n, sizes), needs=4)
    record.attempt("step", lambda: steps(record, sizes, device), needs=0.0 if sizes.rehearse else COMPILES)


# -- parity ----------------------------------------------------------------------------------------


def logits(here: GPT, there: GPT, pairs: Pairs) -> dict[str, Any]:
    """How far logits are from the processor's float32, as |difference| / |logits|, by precision."""
    batch = TrainingBatch.of(pairs)
    ids_BT = torch.from_numpy(batch.ids_BT)
    real_BT = torch.arange(ids_BT.shape[1]) < torch.from_numpy(batch.lengths_B)[:, None]
    device = there.embedding.weight.device
    with inference(here), float32_products("highest"):
        wanted = here(ids_BT)[real_BT]
    found: dict[str, Any] = {}
    searched = torch.get_float32_matmul_precision()
    for name, precision, bfloat16 in (
        ("float32", "highest", False),
        ("as searched", searched, False),
        ("bfloat16", searched, True),
    ):
        half = torch.autocast(device.type, torch.bfloat16, enabled=bfloat16)
        with inference(there), float32_products(precision), half:
            got = there(ids_BT.to(device)).float().cpu()[real_BT]
        found[name] = {
            "relative": float((got - wanted).norm() / wanted.norm()),
            "largest": float((got - wanted).abs().max()),
            "same_argmax": float((got.argmax(-1) == wanted.argmax(-1)).float().mean()),
        }
    return found


@contextmanager
def float32_products(precision: str) -> Iterator[None]:
    """Products of float32 matrices in that precision inside."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def answers(
    here: GPT, there: GPT, prompts: Sequence[list[int]], decoding: Decoding, sizes: Sizes
) -> dict[str, Any]:
    """The share of greedy answers, and of a beam's first answers and whole beams, that are the same."""
    some = prompts[:: max(1, len(prompts) // sizes.beam_problems)][: sizes.beam_problems]
    with float32_products("highest"):
        one, ours = greedy(here, prompts, decoding), beam_search(here, some, decoding, width=sizes.width)
    other, theirs = greedy(there, prompts, decoding), beam_search(there, some, decoding, width=sizes.width)
    return {
        "problems": len(prompts),
        "same_greedy": share(a.tokens == b.tokens for a, b in zip(one, other, strict=True)),
        "beams": len(some),
        "same_first": share(a[0].tokens == b[0].tokens for a, b in zip(ours, theirs, strict=True)),
        "same_set": share(
            {h.tokens for h in a} == {h.tokens for h in b} for a, b in zip(ours, theirs, strict=True)
        ),
    }


def share(same: Iterable[bool]) -> float:
    """How many of them are true, as a fraction."""
    listed = list(same)
    return sum(listed) / len(listed)


# -- how long --------------------------------------------------------------------------------------


def token(model: GPT, prompts: Sequence[list[int]], together: int, sizes: Sizes) -> dict[str, Any]:
    """Milliseconds of a token of the beam, without verification."""
    device = model.embedding.weight.device.type
    asked = [prompts[i * STRIDE % len(prompts)] for i in range(together)]
    now = wall(device)
    few, many = sizes.token_steps

    def search(steps: int) -> float:
        # no token is the end, so that every search takes all its steps
        decoding = Decoding(steps, end=-1, batch=together)
        return common.seconds(lambda: beam_search(model, asked, decoding, width=sizes.width), now)

    search(few)
    took = [(search(few), search(many)) for _ in range(2)]
    a_token = min((long - short) / (many - few) for short, long in took)
    return {"ms": 1e3 * a_token, "longest_prompt": max(map(len, asked))}


def wall(device: str) -> Callable[[], float]:
    """The clock, after everything queued on a GPU is done."""
    return common.clock(device) if device == "cuda" else time.perf_counter


def steps(record: Record, sizes: Sizes, device: str) -> dict[str, Any]:
    """Milliseconds of a training step with either optimizer, and seconds of the first one."""
    found: dict[str, Any] = {}
    tiny = sizes.wide if sizes.rehearse else ()
    asked = bundled.experiment(*bundled.FRESH, "train.optimizer=muon", "train.compile=off", *tiny)
    with bundled.trainer(asked, device) as trainer:
        data = {n: bundled.batches(override(asked, [f"train.batch={n}"]), 4) for n in sizes.batches}
        now = wall(device)
        found["first"] = bundled.first_step(trainer, data[sizes.batches[0]][0], now)
        for optimizer in ("adamw", "muon"):
            config = asked.train.model_copy(update={"optimizer": optimizer})
            trainer.optimizer = make_optimizer(trainer.model, config)
            for size in sizes.batches:
                found[f"{optimizer}_{size}"] = step_figures(trainer, data[size], sizes.steps, now)
                record.put(step=found)
    return found


def step_figures(
    trainer: SupervisedTrainer, data: Sequence[TrainingBatch], count: int, now: Callable[[], float]
) -> dict[str, float]:
    """Of steps on these batches, over and over: milliseconds each, problems and real tokens a second."""
    for batch in data:
        trainer.train_on(batch)
    chosen = [data[i % len(data)] for i in range(count)]
    seconds = common.seconds(lambda: [trainer.train_on(batch) for batch in chosen], now)
    return {
        "ms": 1e3 * seconds / count,
        "problems_per_second": sum(len(batch.ids_BT) for batch in chosen) / seconds,
        "tokens_per_second": sum(batch.tokens for batch in chosen) / seconds,
    }
