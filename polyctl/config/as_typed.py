"""How one types the experiment of a run: --smoke and --algo put their words behind its name."""

from __future__ import annotations

from typing import get_args

from polyctl.config.schema import AlgorithmName

SMALL = "_smoke"


def as_typed(name: str) -> str:
    """The experiment whose runs are called `name`, with --smoke if they are small: `quick --smoke`."""
    base = _without_algorithm(name)[0]
    return f"{base.removesuffix(SMALL)} --smoke" if _is_small(base) else base


def command_that_trains(name: str) -> str:
    """What makes runs of that name: `train quick --smoke`, `rl quick --algo bgrpo`."""
    algorithm = _without_algorithm(name)[1]
    return f"rl {as_typed(name)} --algo {algorithm}" if algorithm else f"train {as_typed(name)}"


def command_that_resumes(name: str) -> str:
    """What continues the newest run of that name."""
    return f"{command_that_trains(name)} --resume"


def _without_algorithm(name: str) -> tuple[str, str]:
    """The name without an algorithm behind it, and that algorithm."""
    base, _, last = name.rpartition("_")
    return (base, last) if base and last in get_args(AlgorithmName) else (name, "")


def _is_small(base: str) -> bool:
    return base.endswith(SMALL) and base != SMALL
