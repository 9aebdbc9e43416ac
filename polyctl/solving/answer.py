"""The one way from text to an answer, for the command line, the dashboard and Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from polyctl.solving.request import SolveRequest
from polyctl.solving.solution import Answer, Solution
from polyctl.solving.solve import solve

if TYPE_CHECKING:
    from polyctl.search.hypothesis import Observer
    from polyctl.solving.neural import Neural


def answer(
    request: SolveRequest,
    *,
    on_solution: Callable[[Solution], None] | None = None,
    observe: Callable[[Neural], Observer] | None = None,
) -> Answer:
    """Decompose what is asked for. `observe` gives an observer for the beam of a model once it is loaded.

    Raises ParseError, UsageError, and FileError for a model that is needed and missing.
    """

    def load() -> Neural:
        from polyctl.solving.neural import load_neural

        neural = load_neural(request.model)
        return neural if observe is None else replace(neural, observer=observe(neural))

    return solve(
        request.read(),
        request.method,
        inners=request.inners,
        time_limit=request.time_limit,
        seed=request.seed,
        polish=request.polish,
        neural=load,
        on_solution=on_solution,
    )
