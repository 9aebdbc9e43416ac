"""How fast a GPU trains the published model, searches, verifies, and how fast its data is made."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import beam
import bundled
import common
import torch
import training
from parity import step_figures, wall
from profiles import training_steps
from record import Record, Sizes

from polyctl.config.registry import load_registry, override
from polyctl.config.schema import Experiment
from polyctl.data.batch import TrainingBatch
from polyctl.data.stream import StreamSource
from polyctl.data.tokenizers import make_tokenizer
from polyctl.evaluation.accuracy import evaluate_problems
from polyctl.runtime.device import choose_device
from polyctl.runtime.processes import join_processes
from polyctl.search.batching import Decoding
from polyctl.search.beam import beam_search
from polyctl.store.runs import create_run
from polyctl.training.flops import step_flops
from polyctl.training.journal import Journal
from polyctl.training.loader import batches
from polyctl.training.supervised import SupervisedTrainer

STREAM = ("train.source=stream", "train.epochs=0", "train.steps=1000000", "data.valid_size=8")


# -- training --------------------------------------------------------------------------------------


def run_wide(record: Record, sizes: Sizes, device: str) -> None:
    """The bundled model, compiled: its first step, what some steps do, how long kinds take."""
    asked = bundled.experiment(*bundled.FRESH, *sizes.wide)
    small, large = (f"train.batch={batch}" for batch in sizes.wide_batches)
    kinds = {
        "alike": (large,),
        "mixed": (large, "train.mixed_lengths=true", "train.accumulate=6"),
        "alike_small": (small,),
    }
    with bundled.trainer(asked, device) as trainer:
        for name, settings in kinds.items():
            trainer.experiment = override(asked, settings)
            data = bundled.batches(trainer.experiment, 4)
            if name == "alike":
                record.attempt("first", lambda d=data: bundled.first_step(trainer, d[0], wall(device)))
                record.attempt("training", lambda d=data: training_steps(trainer, d, sizes.times, device))
            record.attempt(name, lambda d=data: with_mfu(trainer, d, sizes))


def with_mfu(trainer: SupervisedTrainer, data: Sequence[TrainingBatch], sizes: Sizes) -> dict[str, Any]:
    """Steps on these batches: milliseconds, problems and tokens a second, and the share of the peak."""
    figures = step_figures(trainer, data, sizes.steps, wall(trainer.processes.device.type))
    a_step = sum(step_flops(trainer.experiment.model, trainer.model.tokens, b) for b in data) / len(data)
    rate = a_step / (figures["ms"] / 1e3)
    return {**figures, "flops": a_step, "mfu": rate / trainer.peak if trainer.peak else None}


def run_training(record: Record, sizes: Sizes, device: str) -> None:
    """6 layers, width 512: against the padded loop with one batch, then alone with a larger one."""
    chosen = load_registry().get("d1_degree")
    settings = [*STREAM, "train.eval_problems=8", *sizes.published]
    asked = override(chosen, [*settings, f"train.batch={sizes.peer_batch}"])
    with tempfile.TemporaryDirectory() as folder, join_processes(device) as processes:
        run = create_run(asked, Path(folder))
        with Journal(run.events, main=True) as journal:
            trainer = SupervisedTrainer(asked, run, processes, journal)
            trainer.source.chunk_batches = 4
            warm = trainer.source.chunk(0)
            record.attempt("first", lambda: bundled.first_step(trainer, warm[0], wall(device)))
            record.attempt("alone", lambda: alone(trainer, sizes))
            record.attempt(
                "against_padded",
                lambda: against_padded(trainer, sizes.rounds),
                needs=0 if sizes.rehearse else 15,
            )


def alone(trainer: SupervisedTrainer, sizes: Sizes) -> dict[str, Any]:
    """Steps of the larger batch: milliseconds, tokens, MFU, and the share of a large product's rate."""
    device = trainer.processes.device
    large = override(trainer.experiment, [f"train.batch={sizes.fast_batch}"])
    data = StreamSource(large, chunk_batches=4).chunk(0)
    figures = with_mfu(trainer, data, sizes)
    product = training.product_flops(device, wall(device.type))
    return {
        "batch": sizes.fast_batch,
        **figures,
        "share_of_product": figures["flops"] / (figures["ms"] / 1e3) / product,
        "product_flops": product,
        "memory": torch.cuda.max_memory_allocated() if device.type == "cuda" else None,
    }


def against_padded(trainer: SupervisedTrainer, rounds: int) -> dict[str, Any]:
    """So many rounds of benchmarks/training.py."""
    rows = training.measure(trainer, rounds)
    ratio = common.Spread.range(row["padded"] / row["polyctl"] for row in rows)
    return {
        "batch": trainer.experiment.train.batch,
        "ratio": ratio.to_dict(),
        "tokens_per_second": common.Spread.range(row["tokens"] / row["polyctl"] for row in rows).to_dict(),
        "padded_tokens_per_second": common.Spread.range(
            row["tokens"] / row["padded"] for row in rows
        ).to_dict(),
        "data_share": common.Spread.range(row["data"] / row["polyctl"] for row in rows).to_dict(),
    }


# -- search ----------------------------------------------------------------------------------------


def run_beam(record: Record, sizes: Sizes, device: str) -> None:
    """Random weights of 6 layers, width 512 without verification, the bundled model with it."""
    choose_device(device)
    layers, width, tokens = sizes.search
    model = beam.make_model(layers, width).to(device)
    beam.bias_end(model, -1e4)
    for together in sizes.together:
        record.attempt(f"search_{together}", lambda n=together: search(model, n, tokens, sizes), needs=2)
    record.attempt("peer", lambda: peer(model, sizes.together[0], tokens, sizes), needs=4)
    for together in sizes.together[:2]:
        record.attempt(f"verified_{together}", lambda n=together: verified(n, sizes, device), needs=6)


def search(model: beam.GPT, together: int, tokens: int, sizes: Sizes) -> dict[str, Any]:
    """Problems a second, and the least of GB/s that the memory gives."""
    device = model.embedding.weight.device.type
    prompts = beam.random_prompts(torch.linspace(150, 260, together).int().tolist())
    beam.search_ours(model, prompts, sizes.width, tokens)
    seconds = min(
        common.seconds(lambda: beam.search_ours(model, prompts, sizes.width, tokens), wall(device))
        for _ in range(2)
    )
    reached = beam.bandwidth(model, prompts, tokens, seconds)
    memory = torch.cuda.max_memory_allocated() if device == "cuda" else None
    return {"problems_per_second": together / seconds, "gb_per_second": reached, "memory": memory}


def verified(together: int, sizes: Sizes, device: str) -> dict[str, Any]:
    """Problems a second of a whole evaluation of the bundled model, and of its searches alone."""
    loaded = bundled.model(device)
    tokenizer = make_tokenizer(loaded.experiment.data)
    problems = bundled.problems(sizes.verified)
    config = loaded.experiment.eval.model_copy(update={"beam": sizes.width, "batch": together})
    prompts = [tokenizer.encode_prompt(problem) for problem in problems]
    decoding = Decoding(config.max_tokens, tokenizer.end, batch=together)

    def search_alone() -> None:
        beam_search(loaded.model, prompts, decoding, width=sizes.width)

    search_alone()
    now = wall(device)
    alone = common.seconds(search_alone, now)
    both = common.seconds(lambda: evaluate_problems(loaded.model, tokenizer, problems, config), now)
    count = len(problems)
    return {
        "problems": count,
        "search_problems_per_second": count / alone,
        "verified_problems_per_second": count / both,
    }


def peer(model: beam.GPT, together: int, tokens: int, sizes: Sizes) -> dict[str, Any]:
    """Times Hugging Face's generate in a batch, one round, in TF32 both; how far the scores differ."""
    device = model.embedding.weight.device.type
    prompts = beam.random_prompts(torch.linspace(150, 260, together).int().tolist())
    other = beam.as_gpt2(model).to(device)
    beam.search_peer(other, prompts[:1], sizes.width, 2)
    ours, _, found = beam.timed(lambda: beam.search_ours(model, prompts, sizes.width, tokens), device)
    theirs, _, wanted = beam.timed(lambda: beam.search_peer(other, prompts, sizes.width, tokens), device)
    try:
        differs: object = beam.difference(found, wanted)
    except SystemExit as error:  # in TF32 close scores may change places
        differs = str(error)
    return {"problems": together, "ratio": theirs / ours, "seconds": ours, "score_difference": differs}


# -- data ------------------------------------------------------------------------------------------


def run_data(record: Record, sizes: Sizes, device: str) -> None:
    """Problems a second of the bundled model's mixture, from one worker process and from several."""
    asked = bundled.experiment(f"train.batch={sizes.data_batch}")
    for workers in (1, sizes.workers):
        record.attempt(f"wide_{workers}", lambda n=workers: made(n, asked, sizes), needs=2)


def made(workers: int, asked: Experiment, sizes: Sizes) -> dict[str, Any]:
    """How many problems a second arrive, once each worker has made its first."""
    source = StreamSource(asked, chunk_batches=4)
    stream = batches(source, 0, 1_000_000, workers)
    try:
        for _ in range(4 * workers):
            next(stream)
        began, count = time.perf_counter(), 0
        while time.perf_counter() - began < sizes.data_seconds:
            count += len(next(stream).ids_BT)
        return {"problems_per_second": count / (time.perf_counter() - began)}
    finally:
        stream.close()
