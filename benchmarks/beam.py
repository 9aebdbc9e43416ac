"""Beam search of width 30 against Hugging Face generate(num_beams=30): same weights, same beams, one process.

The model is the published form with 6 layers and width 512, with random weights made sharp enough that
scores do not tie. Two sets of answers: all 40 tokens long (end token suppressed; this is what is timed),
and answers that end by themselves (beams compared only). The peer's ways (one problem at a time or in a
batch, attention by torch's kernel or written out) are tried on two problems, and the fastest takes part in
the rounds, which alternate the programs. `--scaling` measures polyctl alone: cost against width and against
problems, as a ratio to linear growth. Prints tables, and a last line of JSON. `--device cuda` has been
written but not been run: beams are compared in float32 there, and the rounds use TF32 on both sides, as
polyctl does. Needs the extra `hf`: `pip install -e '.[hf]'`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import common
import torch

from polyctl.config.schema import ModelConfig
from polyctl.model.gpt import GPT
from polyctl.runtime.device import choose_device
from polyctl.search.batching import Decoding
from polyctl.search.beam import beam_search

if TYPE_CHECKING:
    from transformers import GPT2LMHeadModel

VOCABULARY, PAD, END = 31, 0, 9
WIDTHS, PROBLEMS = (5, 15, 30, 60), (1, 4, 16)
Answers = list[list[tuple[tuple[int, ...], float]]]


def make_model(layers: int, width: int) -> GPT:
    """Random weights, large enough that what a token predicts depends on what came before it."""
    torch.manual_seed(0)
    model = GPT(
        ModelConfig(architecture="gpt2", layers=layers, heads=8, width=width, context_length=350), VOCABULARY
    )
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.mul_(6.0 if name == "head.weight" else 2.5 if parameter.dim() == 2 else 1.0)
            if parameter.dim() == 1:
                parameter.add_(0.05 * torch.randn_like(parameter))
    return model.eval()


def bias_end(model: GPT, bias: float) -> None:
    """Add `bias` to the end token's logit, through a direction of the last norm that no other token reads."""
    with torch.no_grad():
        model.norm.weight[0], model.norm.bias[0] = 0.0, 1.0
        model.head.weight[:, 0] = 0.0
        model.head.weight[END, 0] = bias


def as_gpt2(model: GPT) -> GPT2LMHeadModel:
    """The same network as a transformers model; its Conv1D layers hold transposed matrices."""
    from transformers import GPT2Config, GPT2LMHeadModel  # takes as long as torch, and few need it

    config = model.config
    peer = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=VOCABULARY,
            n_positions=config.context_length,
            n_embd=config.width,
            n_layer=config.layers,
            n_head=config.heads,
            tie_word_embeddings=False,
            bos_token_id=None,
            eos_token_id=END,
            pad_token_id=PAD,
        )
    )
    names = {
        "attention_norm": "ln_1",
        "qkv": "attn.c_attn",
        "attention_project": "attn.c_proj",
        "mlp_norm": "ln_2",
        "expand": "mlp.c_fc",
        "mlp_project": "mlp.c_proj",
    }
    state = {
        "transformer.wte.weight": model.embedding.weight,
        "transformer.wpe.weight": model.positions.weight,
        "transformer.ln_f.weight": model.norm.weight,
        "transformer.ln_f.bias": model.norm.bias,
        "lm_head.weight": model.head.weight,
    }
    for layer, block in enumerate(model.blocks):
        for ours, theirs in names.items():
            module = getattr(block, ours)
            weight = module.weight.T if isinstance(module, torch.nn.Linear) else module.weight
            state[f"transformer.h.{layer}.{theirs}.weight"] = weight
            state[f"transformer.h.{layer}.{theirs}.bias"] = module.bias
    peer.load_state_dict({name: tensor.detach().clone() for name, tensor in state.items()})
    return peer.eval()


def search_peer(peer: GPT2LMHeadModel, prompts: Sequence[Sequence[int]], width: int, tokens: int) -> Answers:
    """generate() on prompts padded on the left, which is what it wants."""
    longest = max(len(p) for p in prompts)
    ids = torch.tensor([[PAD] * (longest - len(p)) + list(p) for p in prompts])
    mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in prompts])
    with torch.inference_mode():
        out = peer.generate(
            input_ids=ids.to(peer.device),
            attention_mask=mask.to(peer.device),
            num_beams=width,
            num_return_sequences=width,
            max_new_tokens=tokens,
            do_sample=False,
            length_penalty=0.0,
            early_stopping=False,
            return_dict_in_generate=True,
            output_scores=True,
        )
    rows = out.sequences[:, longest:].tolist()
    cut = [tuple(row[: row.index(END)] if END in row else row) for row in rows]
    found = list(zip(cut, out.sequences_scores.tolist(), strict=True))
    return [found[i * width : (i + 1) * width] for i in range(len(prompts))]


def search_ours(model: GPT, prompts: Sequence[Sequence[int]], width: int, tokens: int) -> Answers:
    """The same with polyctl."""
    found = beam_search(model, prompts, Decoding(tokens, END, batch=len(prompts)), width=width)
    return [[(h.tokens, h.logprob) for h in beam] for beam in found]


def singly(search: Callable[..., Answers]) -> Callable[..., Answers]:
    """The search, one problem at a time."""

    def one_by_one(model: object, prompts: Sequence[Sequence[int]], width: int, tokens: int) -> Answers:
        return [search(model, [p], width, tokens)[0] for p in prompts]

    return one_by_one


def difference(ours: Answers, theirs: Answers) -> float:
    """Largest difference of scores, rank by rank; SystemExit where the beams are not the same.

    Two hypotheses may swap ranks where their scores are equal to float tolerance.
    """
    worst = 0.0
    for problem, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        if {tokens for tokens, _ in one} != {tokens for tokens, _ in other}:
            sys.exit(f"problem {problem}: the beams differ")
        scores = dict(other)
        for (tokens, score), (_, rank_score) in zip(one, other, strict=True):
            worst = max(worst, abs(score - scores[tokens]), abs(score - rank_score))
    if worst > 1e-3:
        sys.exit(f"scores differ by {worst}")
    return worst


def random_prompts(lengths: Sequence[int]) -> list[list[int]]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randint(1, VOCABULARY, (n,), generator=generator).tolist() for n in lengths]


def timed(work: Callable[[], Answers], device: str) -> tuple[float, float, Answers]:
    """(wall seconds, processor seconds, what was found); other programs do not disturb the second."""
    start, cpu_start = time.perf_counter(), time.process_time()
    found = work()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start, time.process_time() - cpu_start, found


def compare(model: GPT, options: argparse.Namespace) -> dict[str, Any]:
    """The two programs in alternating rounds."""
    width, tokens = options.width, options.tokens
    prompts = random_prompts(torch.linspace(150, 260, options.problems).int().tolist())
    bias_end(model, 3.0)
    few = prompts[:: max(1, len(prompts) - 1)]
    ended = search_ours(model, few, width, tokens)
    worst = difference(ended, search_peer(as_gpt2(model).to(options.device), few, width, tokens))
    lengths_found = [len(answer) for beam in ended for answer, _ in beam]

    bias_end(model, -1e4)
    peer = as_gpt2(model).to(options.device)
    trial: dict[tuple[str, str], tuple[float, float]] = {}
    ways: dict[str, Callable[..., Answers]] = {"one at a time": singly(search_peer), "batch": search_peer}
    ours = search_ours(model, few, width, tokens)
    for attention in ("sdpa", "eager"):
        peer.set_attn_implementation(attention)
        for way, search in ways.items():
            wall, cpu, found = timed(lambda run=search: run(peer, few, width, tokens), options.device)
            trial[attention, way] = (cpu if options.device == "cpu" else wall, wall)
            worst = max(worst, difference(ours, found))
    attention, way = min(trial, key=lambda name: trial[name])
    peer.set_attn_implementation(attention)

    programs: dict[str, Callable[[], Answers]] = {
        f"transformers, {attention}, {way}": lambda: ways[way](peer, prompts, width, tokens),
        "polyctl, one at a time": lambda: singly(search_ours)(model, prompts, width, tokens),
        "polyctl, batch": lambda: search_ours(model, prompts, width, tokens),
    }
    if options.device == "cuda":
        torch.set_float32_matmul_precision("high")
    works = {name: lambda _, w=work: timed(w, options.device) for name, work in programs.items()}
    rows = common.in_turn(works, options.rounds)
    if options.device == "cpu":
        for row in rows:
            first, *others = (found for _, _, found in row.values())
            worst = max(worst, *(difference(found, first) for found in others))

    print(f"{options.problems} problems, width {width}, {tokens} tokens, {options.device}")
    print("the peer's ways on 2 problems, times its best:")
    for (kernel, how), (cost, _) in trial.items():
        print(f"  {kernel + ', ' + how:36}{cost / min(trial.values())[0]:6.2f}")
    baseline, *others = programs
    ratios = {
        name: {
            "wall": common.Spread.range(row[baseline][0] / row[name][0] for row in rows),
            "processor": common.Spread.range(row[baseline][1] / row[name][1] for row in rows),
        }
        for name in others
    }
    common.print_table(
        ("times transformers in the same round", "wall", "processor"),
        [(name, one["wall"].text(), one["processor"].text()) for name, one in ratios.items()],
    )
    print(f"same beams; scores differ by at most {worst:.1e}")
    print(
        f"answers that end by themselves: {min(lengths_found)} to {max(lengths_found)} tokens, same beams too"
    )
    fastest = min(row["polyctl, batch"][0] for row in rows)
    reached = bandwidth(model, prompts, tokens, fastest)
    print(f"{options.problems / fastest:.2f} problems a second, {reached:.1f} GB/s")
    return {
        "ratios": {
            name: {clock: spread.to_dict() for clock, spread in one.items()} for name, one in ratios.items()
        },
        "peer": f"{attention}, {way}",
        "largest_score_difference": worst,
    }


def bandwidth(model: GPT, prompts: Sequence[Sequence[int]], tokens: int, seconds: float) -> float:
    """GB/s, where a step reads all weights and the prompts' keys and values once (what is read at least)."""
    config = model.config
    prompt = sum(len(p) for p in prompts) * 2 * config.layers * config.width
    return 4 * (tokens - 1) * (model.parameter_count() + prompt) / seconds / 1e9


def scaling(model: GPT, options: argparse.Namespace) -> dict[str, Any]:
    """Cost against width and against problems, over what linear growth from the first would give."""
    bias_end(model, -1e4)
    cases = {"width": [(w, 4, w) for w in WIDTHS], "problems": [(n, n, options.width) for n in PROBLEMS]}
    report: dict[str, Any] = {}
    for name, sizes in cases.items():
        best = dict.fromkeys((size for size, _, _ in sizes), float("inf"))
        for _ in range(options.rounds):
            for size, problems, width in sizes:
                prompts = random_prompts([200] * problems)
                wall, cpu, _ = timed(
                    lambda p=prompts, w=width: search_ours(model, p, w, options.tokens), options.device
                )
                best[size] = min(best[size], cpu if options.device == "cpu" else wall)
        first = sizes[0][0]
        report[name] = {size: best[size] / best[first] / (size / first) for size in best}
        print(f"{name}, cost over linear: " + ", ".join(f"{n}: {r:.2f}" for n, r in report[name].items()))
    return {"cost_over_linear": report}


def main() -> None:
    parser = common.parser(__doc__, rounds=3, device=True)
    parser.add_argument("--problems", type=int, default=8)
    parser.add_argument("--width", type=int, default=30)
    parser.add_argument("--tokens", type=int, default=40)
    parser.add_argument(
        "--scaling", action="store_true", help="polyctl's cost against width and problems instead"
    )
    parser.add_argument(
        "--threads", type=int, default=1, help="more than one stalls on a machine that is busy"
    )
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = make_model(6, 512).to(choose_device(options.device))
    torch.set_float32_matmul_precision("highest")  # until the beams have been compared
    result = scaling(model, options) if options.scaling else compare(model, options)
    common.finish("beam", **vars(options), **result)


if __name__ == "__main__":
    main()
