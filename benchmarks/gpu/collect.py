"""The tables of docs/benchmarks.md from measure.json and train.json, and the trained weights as one file.

    python benchmarks/gpu/collect.py DIR [--weights FILE]

The weights are made float32 again, as model files are; their checksum is compared first. What was not
measured, and why, stands below the tables.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

FIGURES = {
    "ms": "ms",
    "problems_per_second": "problems a second",
    "tokens_per_second": "real tokens a second",
}


def look(found: Any, *names: str) -> Any:
    """What stands under nested names, None if it was not measured."""
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def number(value: Any, digits: int = 2, scale: float = 1.0) -> str:
    """A figure for a table, whole if it is large or a count; a dash if there is none."""
    if not isinstance(value, int | float):
        return "–"
    whole = isinstance(value, int) and scale == 1.0
    value *= scale
    return f"{value:,.0f}" if whole or abs(value) >= 100 else f"{value:.{digits}f}"


def spread(value: Any, digits: int = 2) -> str:
    """Median (range)."""
    if not isinstance(value, dict) or "median" not in value:
        return "–"
    return (
        f"{number(value['median'], digits)} ({number(value['low'], digits)}–{number(value['high'], digits)})"
    )


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table in Markdown."""
    print()
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(row) + " |")


def environment(found: dict[str, Any]) -> str:
    """The card, the versions, the command."""
    gigabytes = number(look(found, "memory"), 0, 1e-9)
    versions = ", ".join(f"{name} {found[name]}" for name in ("torch", "python", "commit") if found.get(name))
    card = f"{look(found, 'card') or 'no GPU'} ({gigabytes} GB), {look(found, 'cores')} cores"
    return f"\n`{look(found, 'command')}`\n{card}, {versions}"


# -- measure.json ----------------------------------------------------------------------------------


def parity(found: dict[str, Any]) -> None:
    """Logits and answers against the processor's."""
    rows = [
        (name, f"{one['relative']:.1e}", f"{one['largest']:.1e}", number(100 * one["same_argmax"]))
        for name, one in (look(found, "logits") or {}).items()
        if isinstance(one, dict)
    ]
    print_table(("logits", "relative difference", "largest", "same likeliest token, %"), rows)
    answers = look(found, "answers") or {}
    shares = [number(look(answers, name), 1, 100) for name in ("same_greedy", "same_first", "same_set")]
    problems, beams = look(answers, "problems"), look(answers, "beams")
    print(
        f"\nOf {problems} problems {shares[0]} % have the same greedy answer; of {beams} beams {shares[1]} %"
    )
    print(f"have the same first answer, {shares[2]} % the same set.")


def steps(found: dict[str, Any], model: str) -> None:
    """Training steps among these figures: a row for each that has milliseconds."""
    rows = [
        (
            key.replace("_", ", "),
            *(number(look(one, figure)) for figure in FIGURES),
            number(look(one, "mfu"), 1, 100),
        )
        for key, one in found.items()
        if isinstance(one, dict) and "ms" in one
    ]
    first = number(look(found, "first", "seconds"), 1)
    print_table((f"training step of the {model} model", *FIGURES.values(), "MFU, %"), rows)
    print(f"\nThe first step takes {first} s.")


def training(found: dict[str, Any]) -> None:
    """6 layers, width 512."""
    alone, padded = look(found, "alone") or {}, look(found, "against_padded") or {}
    print_table(
        ("d1_degree, 6 layers, width 512, bfloat16", "figure"),
        [
            ("batch", number(look(alone, "batch"))),
            ("ms a step", number(look(alone, "ms"))),
            ("real tokens a second", number(look(alone, "tokens_per_second"))),
            ("MFU, %", number(look(alone, "mfu"), 1, 100)),
            ("of a large product's rate, %", number(look(alone, "share_of_product"), 1, 100)),
            ("memory, GB", number(look(alone, "memory"), 1, 1e-9)),
            (f"times the padded loop, batch {look(padded, 'batch')}", spread(look(padded, "ratio"))),
            ("real tokens a second of the padded loop", spread(look(padded, "padded_tokens_per_second"))),
            ("one core's time for a step's data, of the step's", spread(look(padded, "data_share"))),
        ],
    )


def search(found: dict[str, Any], parity_found: dict[str, Any]) -> None:
    """Beams of width 30."""
    together = sorted(int(name.split("_")[1]) for name in found if name.startswith("search_"))
    rows = []
    for n in together:
        one = look(found, f"search_{n}")
        both = look(found, f"verified_{n}")
        rows.append(
            (
                str(n),
                number(look(one, "problems_per_second")),
                number(look(one, "gb_per_second")),
                number(look(one, "memory"), 1, 1e-9),
                number(look(parity_found, f"token_{n}", "ms")),
                number(look(both, "search_problems_per_second")),
                number(look(both, "verified_problems_per_second")),
            )
        )
    print_table(
        (
            *("problems together", "6 layers, width 512: problems a second", "GB/s", "memory, GB"),
            *(
                "bundled model: ms a token",
                "its search: problems a second",
                "with greedy search and verification",
            ),
        ),
        rows,
    )
    peer = look(found, "peer") or {}
    print(f"\n{number(look(peer, 'ratio'))} times Hugging Face, {look(peer, 'problems')} problems.")


def kernels(found: dict[str, Any]) -> None:
    """What the GPU did in ten training steps of the bundled model and ten tokens of its beam."""
    profiles = {"training": look(found, "wide", "training"), "beam": look(found, "profile", "beam")}
    rows = []
    for name, one in profiles.items():
        times = look(one, "times") or 1
        rows.append(
            (
                name,
                number(look(one, "seconds"), 2, 1e3 / times),
                number(look(one, "kernels"), 0, 1 / times),
                number(look(one, "busy_share"), 1, 100),
                number(look(one, "problems_per_second")),
            )
        )
    print_table(("ten times", "ms each", "kernels each", "busy, %", "problems a second"), rows)
    for name, one in profiles.items():
        top = look(one, "top") or []
        print_table(
            (f"kernels of {name}", "calls", "ms"),
            [(f"`{k['name']}`", str(k["calls"]), number(k["ms"])) for k in top],
        )


def data(found: dict[str, Any]) -> None:
    """How fast the mixture is made."""
    rows = [
        (*name.split("_"), number(look(one, "problems_per_second")))
        for name, one in found.items()
        if isinstance(one, dict)
    ]
    print_table(("mixture", "worker processes", "problems a second"), rows)


def failures(found: Any, name: str) -> list[str]:
    """What was not measured, and the last line of its error."""
    if not isinstance(found, dict):
        return []
    if isinstance(text := found.get("error") or found.get("left_out"), str):
        return [f"{name}: {text.strip().splitlines()[-1]}"]
    ended = found.get("exit")
    own = [f"{name}: exit {ended}"] if "exit" in found and ended != 0 else []
    return own + [line for key, one in found.items() for line in failures(one, f"{name}.{key}")]


# -- train.json ------------------------------------------------------------------------------------


def trained(found: dict[str, Any], events: Path) -> None:
    """The training and both models' accuracy."""
    listed = (
        [json.loads(line) for line in events.read_text(encoding="utf-8").splitlines()]
        if events.exists()
        else []
    )
    last = next((one for one in reversed(listed) if one.get("kind") == "step"), {})
    print(
        f"\n{number(look(last, 'problems_seen'))} problems in {number(look(last, 'elapsed'))} s, "
        f"{number(look(last, 'step'))} steps, loss {number(look(last, 'loss'), 3)}"
    )
    print_table(
        ("validation at step", "loss", "greedy verified, %"),
        [
            (
                number(one["step"]),
                number(one.get("valid_loss"), 4),
                number(one.get("greedy_verified"), 1, 100),
            )
            for one in listed
            if one.get("kind") == "validation"
        ],
    )
    groups = look(found, "new") or {}
    rows = []
    for group, one in groups.items():
        cells = [group, str(one["problems"])]
        for model in ("bundled", "new"):
            had = look(found, model, group)
            most = max(look(had, "pass_at") or {"0": 0}, key=int)
            cells += [number(look(had, "greedy"), 1, 100), number(look(had, "pass_at", most), 1, 100)]
        rows.append(tuple(cells))
    print_table(("held-out", "problems", "bundled: greedy", "pass@15", "new: greedy", "pass@15"), rows)


def join(folder: Path, said: dict[str, Any], target: Path) -> None:
    """The pieces as a model file in float32; SystemExit if they are not what was written."""
    from safetensors import safe_open
    from safetensors.torch import load, save

    whole = b"".join(
        (folder / f"weights.safetensors.{number:02}").read_bytes() for number in range(said["pieces"])
    )
    if hashlib.sha256(whole).hexdigest() != said["sha256"]:
        sys.exit("the pieces are not those that were written: the checksum differs")
    target.write_bytes(whole)
    with safe_open(target, framework="pt") as file:
        metadata = file.metadata()
    target.write_bytes(save({name: tensor.float() for name, tensor in load(whole).items()}, metadata))
    print(f"\n{target}: {target.stat().st_size / 1e6:.1f} MB")


def main() -> None:
    """Print, join."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--weights", type=Path, help="where they go (default: DIR/weights.safetensors)")
    options = parser.parse_args()
    missing: list[str] = []
    if (path := options.folder / "measure.json").exists():
        found = json.loads(path.read_text(encoding="utf-8"))
        print(environment(look(found, "environment") or {}))
        parity(look(found, "parity") or {})
        steps(look(found, "parity", "step") or {}, "bundled")
        steps(look(found, "wide") or {}, "compiled bundled")
        training(look(found, "training") or {})
        search(look(found, "beam") or {}, look(found, "parity") or {})
        kernels(found)
        data(look(found, "data") or {})
        missing += failures(found, "measure")
    if (path := options.folder / "train.json").exists():
        found = json.loads(path.read_text(encoding="utf-8"))
        print(environment(look(found, "environment") or {}))
        trained(found, options.folder / "events.jsonl")
        if "weights" in found:
            join(options.folder, found["weights"], options.weights or options.folder / "weights.safetensors")
        missing += failures(found, "train")
    if missing:
        print("\nNot measured:\n\n" + "\n".join(f"* {line}" for line in missing))


if __name__ == "__main__":
    main()
