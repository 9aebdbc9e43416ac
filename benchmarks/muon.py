"""A step of Muon with stacked matrices against torch.optim.Muon, which takes one matrix at a time.

    python benchmarks/muon.py [--rounds 7] [--set model.width=320 --set model.layers=6] [--device cuda]

Both step over the matrices of the experiment's model that polyctl's Muon gets, with the same gradients.
Query, key and value are one matrix to torch and three to polyctl; "polyctl, one" has one as well. Ratios are
taken within a round. Operations are those that compute or copy, each of which is at least one kernel on a
GPU. A table for people, then one line of JSON.
"""

from __future__ import annotations

from typing import Any

import common
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from polyctl.config.registry import load_registry, override
from polyctl.data.tokenizers import make_tokenizer
from polyctl.model.gpt import GPT
from polyctl.runtime.device import choose_device
from polyctl.training.muon import Muon
from polyctl.training.optim import make_optimizer

VIEWS = {
    "view",
    "_unsafe_view",
    "t",
    "transpose",
    "split",
    "split_with_sizes",
    "detach",
    "alias",
    "as_strided",
}
VIEWS |= {"unsqueeze", "squeeze", "slice", "select", "expand", "empty_like", "empty_strided"}


class Counter(TorchDispatchMode):
    """Counts the operations that compute or copy."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += func.overloadpacket.__name__ not in VIEWS
        return func(*args, **(kwargs or {}))


def main() -> None:
    """Measure, print."""
    parser = common.parser(__doc__, rounds=7, device=True, settings=["train.optimizer=muon"])
    parser.add_argument("--experiment", default="general")
    options = parser.parse_args()
    experiment = override(load_registry().get(options.experiment), options.set)
    device, now = choose_device(options.device), common.clock(options.device)
    vocabulary = len(make_tokenizer(experiment.data).vocabulary)

    def stacked() -> Muon:
        torch.manual_seed(0)
        model = GPT.of(experiment, vocabulary).to(device)
        for parameter in model.parameters():
            parameter.grad = torch.randn_like(parameter)
        found = make_optimizer(model, experiment.train).parts[0]
        assert isinstance(found, Muon)
        return found

    ours, one = stacked(), stacked()
    for group in one.param_groups:
        group["blocks"] = 1
    matrices = [p for group in stacked().param_groups for p in group["params"]]
    peer = torch.optim.Muon(matrices, lr=experiment.train.lr, adjust_lr_fn="match_rms_adamw")
    kinds: dict[str, torch.optim.Optimizer] = {"torch": peer, "polyctl, one": one, "polyctl": ours}
    works = {name: lambda _, o=kind: common.seconds(o.step, now) for name, kind in kinds.items()}
    rows = common.in_turn(works, options.rounds, warm=2)
    operations = {}
    for name, kind in kinds.items():
        with Counter() as counter:
            kind.step()
        operations[name] = counter.count
    ratios = {name: common.Spread.range(row["torch"] / row[name] for row in rows) for name in kinds}
    common.print_table(
        (f"{len(matrices)} matrices", "operations", "times torch"),
        [(name, operations[name], ratios[name].text()) for name in kinds],
    )
    figures = {name: {"operations": operations[name], **ratios[name].to_dict()} for name in kinds}
    common.finish("muon", device=str(device), experiment=experiment.name, **figures)


if __name__ == "__main__":
    main()
