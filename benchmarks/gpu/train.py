"""Train the bundled model anew on a GPU for some minutes, evaluate it, and bring its weights back in pieces.

    python benchmarks/gpu/train.py --out DIR --data .gpu/data [--minutes 5.5] [--seconds 490]
    python benchmarks/gpu/train.py --out DIR --device cpu --rehearse --data tests/fixtures/published

The training is that of `polyctl train general_wide` with the SETTINGS below, in a process of its own; if it
fails before its first checkpoint, it is started once more without torch.compile. The learning rate comes
down within the minutes. Published problems (--data or POLYCTL_PUBLISHED) are kept out. DIR then holds
weights.safetensors.00 and so on, half precision in pieces of at most 15 MB, events.jsonl, and train.json with
greedy and pass@k on held-out problems of each part, for the trained and the bundled model; collect.py joins
the pieces. It ends within --seconds, whatever happens.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import common
from measure import kill
from record import Record, environment

# on top of the experiment general_wide; echo_factor: how many problems a second a GPU trains on for each that
# the cores make (measure.py has both)
SETTINGS = ("train.precision=bfloat16", "train.compile=auto", "train.echo_factor=1")
TINY = (
    *("model.width=32", "model.layers=2", "model.heads=2", "train.batch=8", "train.warmup=2"),
    *("train.eval_every=1000", "train.eval_problems=2", "data.valid_size=4", "train.workers=1"),
    *("train.precision=float32", "train.steps=4"),
)
PIECE = 15_000_000  # bytes
AFTER = 45.0  # seconds that a training may take beyond its minutes: to start, to validate, to save
CLOSING = 8.0  # seconds kept for the weights
SHORTEST = 40.0  # seconds of a second try
PART_PROBLEMS = 48  # of each part of the mixture
BEAM = 15


# -- the process that trains -----------------------------------------------------------------------


def train_here(options: argparse.Namespace) -> None:
    """Train in this process."""
    import bundled
    import torch

    from polyctl.runtime.processes import join_processes
    from polyctl.store.runs import create_run
    from polyctl.training.supervised import train

    torch.set_num_threads(1)
    folder = common.published(options.data)
    excluded = ["published", *map(str, sorted(folder.glob("*.txt")))]
    tiny = TINY if options.rehearse else ()
    settings = [*SETTINGS, *tiny, f"data.exclude={json.dumps(excluded)}"]
    experiment = bundled.experiment(*settings, *options.set)
    run = create_run(experiment, options.runs)
    said = [0.0]

    def show(event: Any) -> None:
        if event.kind == "step" and time.monotonic() - said[0] < 15:
            return
        if event.kind == "step":
            said[0] = time.monotonic()
        print(json.dumps({"kind": event.kind, **event.to_json()}), flush=True)

    with join_processes(options.device) as processes:
        train(experiment, run, processes, max_minutes=options.minutes, on_event=show)


def start(options: argparse.Namespace, minutes: float, limit: float, *settings: str) -> int | str:
    """The exit code of a training process that runs for these minutes; it is asked to end at its limit."""
    command = [sys.executable, __file__, "--out", str(options.out), "--device", options.device]
    command += ["--minutes", str(minutes), "--data", str(options.data), "--runs", str(options.runs)]
    command += ["--rehearse"] * options.rehearse
    for setting in (*options.set, *settings):
        command += ["--set", setting]
    process = subprocess.Popen(command, start_new_session=True)
    try:
        return process.wait(limit)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)  # it saves its weights then
        try:
            process.wait(CLOSING)
        except subprocess.TimeoutExpired:
            return "killed: its time was over"
        return "ended: its time was over"
    finally:
        kill(process)


def newest_run(folder: Path) -> Path | None:
    """The newest run below a folder that has weights, if there is one."""
    found = sorted(folder.glob("*/*/checkpoints/*.safetensors"), key=lambda path: path.stat().st_mtime)
    return found[-1].parents[1] if found else None


# -- what comes back -------------------------------------------------------------------------------


def write_pieces(weights: Path, out: Path) -> dict[str, Any]:
    """The weights in half precision, in pieces beside train.json; their number and the checksum of all."""
    import torch
    from safetensors import safe_open
    from safetensors.torch import save

    with safe_open(weights, framework="pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    whole = save({n: t.half() if t.dtype == torch.float32 else t for n, t in tensors.items()}, metadata)
    count = -(-len(whole) // PIECE)
    for number in range(count):
        piece = whole[number * PIECE : (number + 1) * PIECE]
        (out / f"weights.safetensors.{number:02}").write_bytes(piece)
    return {
        "pieces": count,
        "bytes": len(whole),
        "sha256": hashlib.sha256(whole).hexdigest(),
        "which": weights.stem,
        "largest": max(float(t.abs().max()) for t in tensors.values()),
    }


def evaluate(weights: Path, record: Record, name: str, options: argparse.Namespace) -> dict[str, int]:
    """Put greedy and pass@k of the mixture's parts, on held-out problems, one by one as time allows."""
    import bundled
    import torch

    from polyctl.config.schema import DataConfig, EvalConfig
    from polyctl.data.families import degree_cells, draw_held_out
    from polyctl.data.tokenizers import make_tokenizer
    from polyctl.evaluation.accuracy import evaluate_problems
    from polyctl.evaluation.summary import summarize
    from polyctl.model.serialization import load_model
    from polyctl.runtime.device import choose_device

    loaded = load_model(weights, choose_device(options.device))
    asked = bundled.experiment()
    tokenizer = make_tokenizer(loaded.experiment.data)
    count, beam = (1, 2) if options.rehearse else (PART_PROBLEMS, BEAM)
    config = EvalConfig(beam=beam, max_tokens=asked.eval.max_tokens, batch=64)
    parts: dict[str, list[DataConfig]] = {}
    for cell, data in degree_cells(asked.data)[:: 8 if options.rehearse else 1]:
        parts.setdefault(cell.rsplit("_", 2)[0], []).append(data)

    def accuracy(problems: list[Any]) -> dict[str, Any]:
        with torch.inference_mode():
            found = summarize(evaluate_problems(loaded.model, tokenizer, problems, config), beam).answered
        return {"problems": len(problems), "greedy": found.greedy_verified, "pass_at": found.pass_at}

    results: dict[str, Any] = {}
    for part, cells in parts.items():
        if record.left < CLOSING:
            break
        share = -(-count // len(cells))
        results[part] = accuracy([p for c in cells for p in draw_held_out(c, asked.seed, "test", share)])
        record.put(**{name: results})
    return {"parts": len(results), "of": len(parts)}


def out_of_time(*_: object) -> None:
    """Ends what runs when the alarm rings."""
    raise TimeoutError("its time was over")


def main() -> None:
    """Train, bring back, evaluate."""
    parser = common.parser(__doc__, settings=[])
    common.add_published(parser)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=5.5)
    parser.add_argument("--seconds", type=float, default=490.0, help="for everything together")
    parser.add_argument("--runs", type=Path, help=argparse.SUPPRESS)  # of the process that trains
    parser.add_argument("--rehearse", action="store_true")
    options = parser.parse_args()
    if options.runs is not None:
        train_here(options)
        return
    common.published(options.data)
    with tempfile.TemporaryDirectory() as folder:
        options.runs = Path(folder)
        train_and_bring_back(options)


def train_and_bring_back(options: argparse.Namespace) -> None:
    """All of it, with options.runs as the folder of the training's run."""
    record = Record(options.out / "train.json", options.seconds)
    minutes = min(options.minutes, (record.left - AFTER - CLOSING) / 60)
    codes = [start(options, minutes, min(60 * minutes + AFTER, record.left - 2 * CLOSING))]
    again = record.left - AFTER - CLOSING
    if newest_run(options.runs) is None and again > SHORTEST:
        codes.append(start(options, again / 60, record.left - 2 * CLOSING, "train.compile=off"))
    record.put(
        minutes=minutes,
        exits=codes,
        settings=[*SETTINGS, *options.set],
        trained=options.seconds - record.left,
    )
    run = newest_run(options.runs)
    if run is None:
        sys.exit("the training left no weights")
    shutil.copy(run / "events.jsonl", options.out / "events.jsonl")
    weights = run / "checkpoints" / "last.safetensors"  # the learning rate has come down
    record.put(weights=write_pieces(weights, options.out))
    record.put(environment=environment(options.device))
    signal.signal(signal.SIGALRM, out_of_time)
    signal.alarm(max(1, int(record.left) - 2))
    import bundled

    for name, path in (("new", weights), ("bundled", bundled.bundled_run().weights())):
        record.attempt(f"evaluated_{name}", lambda p=path, n=name: evaluate(p, record, n, options))
    signal.alarm(0)
    record.put(seconds=options.seconds - record.left)
    print(json.dumps({name: record.found[name] for name in ("exits", "weights", "seconds")}))


if __name__ == "__main__":
    main()
