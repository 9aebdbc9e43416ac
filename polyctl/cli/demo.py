"""polyctl demo: train, evaluate and decompose once, in about two minutes on a CPU."""

from __future__ import annotations

import typer

from polyctl.cli import output
from polyctl.cli.decompose import decompose
from polyctl.cli.eval import eval_
from polyctl.cli.options import RunsOption
from polyctl.cli.train import train

EXAMPLE = "x^4 + 2x^3 + 3x^2 + 2x + 5"


def demo(runs: RunsOption = None) -> None:
    """Train the experiment `quick` for about a minute, evaluate it, and decompose a polynomial.

    Exit codes: those of train, eval and decompose.
    """
    from polyctl.config.registry import PACKAGED

    output.say("1/3  polyctl train quick")
    train("quick", runs=runs, registry=PACKAGED)
    output.say("\n2/3  polyctl eval quick")
    eval_("quick", runs=runs)
    output.say(f"\n3/3  polyctl decompose --method neural '{EXAMPLE}'")
    try:
        decompose([EXAMPLE], method="neural", model="quick", runs=runs)
    except typer.Exit:
        output.say("this model did not find it; try a longer training (--set train.steps=...)")
    output.say(
        "\nNow try:\n"
        "  polyctl decompose 'your polynomial'      its decompositions, verified exactly\n"
        "  polyctl experiments                      the experiments of the paper, and our own\n"
        "  polyctl train d2_arch_512_l6 --smoke     one of them, in seconds\n"
        "  polyctl eval --beam 30                   the bundled model, with a wider beam\n"
        "  polyctl runs                             what has been trained"
    )
