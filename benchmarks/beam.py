"""Beam search of width 30 against Hugging Face generate(num_beams=30): same weights, same beams, one process.

The model is the published form with 6 layers and width 512, with random weights made sharp enough that
scores do not tie. Two sets of answers: all 40 tokens long (end token suppressed; this is what is timed),
and answers that end by themselves (beams compared only). Each side is timed one problem at a time and with
all problems in a batch. The peer is the faster of its two ways. Prints a table, and a last line of JSON.
Needs `pip install -e .[bench]`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence

import torch
from transformers import GPT2Config, GPT2LMHeadModel

from polyctl.config import ModelConfig
from polyctl.model.gpt import GPT
from polyctl.search.beam import beam_search

VOCABULARY, PAD, END = 31, 0, 9
Answers = list[list[tuple[tuple[int, ...], float]]]


def make_model(layers: int, width: int) -> GPT:
    """Random weights, large enough that what a token predicts depends on what came before it."""
    torch.manual_seed(0)
    model = GPT(ModelConfig(form="published", layers=layers, heads=8, width=width, block=350), VOCABULARY)
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
    config = model.config
    peer = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=VOCABULARY,
            n_positions=config.block,
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
            input_ids=ids,
            attention_mask=mask,
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
    found = beam_search(model, prompts, width=width, max_tokens=tokens, end=END, batch=len(prompts))
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--problems", type=int, default=3)
    parser.add_argument("--width", type=int, default=30)
    parser.add_argument("--tokens", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument(
        "--threads", type=int, default=1, help="more than one stalls on a machine that is busy"
    )
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    model = make_model(6, 512)
    generator = torch.Generator().manual_seed(1)
    lengths = torch.linspace(150, 260, options.problems).int().tolist()
    prompts = [torch.randint(1, VOCABULARY, (n,), generator=generator).tolist() for n in lengths]

    bias_end(model, 3.0)
    ended = search_ours(model, prompts, options.width, options.tokens)
    ending = difference(ended, search_peer(as_gpt2(model), prompts, options.width, options.tokens))
    lengths_found = [len(tokens) for beam in ended for tokens, _ in beam]

    bias_end(model, -1e4)
    peer = as_gpt2(model)
    ways: dict[str, tuple[Callable[..., Answers], torch.nn.Module]] = {
        "transformers, one problem at a time": (singly(search_peer), peer),
        "transformers, all problems at once": (search_peer, peer),
        "polyctl, one problem at a time": (singly(search_ours), model),
        "polyctl, all problems at once": (search_ours, model),
    }
    seconds = dict.fromkeys(ways, float("inf"))
    cpu_seconds = dict(seconds)  # what other programs on the machine do not disturb
    found: dict[str, Answers] = {}
    for _ in range(options.repeats):
        for name, (search, network) in ways.items():
            start, cpu_start = time.perf_counter(), time.process_time()
            found[name] = search(network, prompts, options.width, options.tokens)
            seconds[name] = min(seconds[name], time.perf_counter() - start)
            cpu_seconds[name] = min(cpu_seconds[name], time.process_time() - cpu_start)
    first = next(iter(found.values()))
    full = max(difference(answers, first) for answers in found.values())

    peers = [name for name in ways if name.startswith("transformers")]
    best_peer, best_peer_cpu = min(seconds[n] for n in peers), min(cpu_seconds[n] for n in peers)
    print(f"{options.problems} problems, width {options.width}, {options.tokens} tokens")
    print(f"threads: {options.threads}")
    print(f"{'seconds a problem':38}{'wall':>8}{'ratio':>8}{'CPU':>8}{'ratio':>8}")
    for name in ways:
        wall, cpu = seconds[name], cpu_seconds[name]
        print(
            f"{name:38}{wall / options.problems:8.2f}{best_peer / wall:8.1f}"
            f"{cpu / options.problems:8.2f}{best_peer_cpu / cpu:8.1f}"
        )
    print(f"same beams; scores differ by at most {max(full, ending):.1e}")
    print(
        f"answers that end by themselves: {min(lengths_found)} to {max(lengths_found)} tokens, same beams too"
    )
    report = {
        "benchmark": "beam",
        "problems": options.problems,
        "width": options.width,
        "tokens": options.tokens,
        "threads": options.threads,
        "seconds_a_problem": {name: seconds[name] / options.problems for name in ways},
        "ratio": best_peer / seconds["polyctl, all problems at once"],
        "ratio_cpu": best_peer_cpu / cpu_seconds["polyctl, all problems at once"],
        "ratio_one_at_a_time": best_peer / seconds["polyctl, one problem at a time"],
        "largest_score_difference": max(full, ending),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
