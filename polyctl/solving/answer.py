"""The one way from text to an answer, for the command line, the dashboard and Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from polyctl.algebra.reading import Reading
from polyctl.solving.attempt import Attempt
from polyctl.solving.request import ModelRequest, SolveRequest
from polyctl.solving.solution import Answer, Solution
from polyctl.solving.solve import Numeric, solve

if TYPE_CHECKING:
    from polyctl.search.hypothesis import Observer
    from polyctl.solving.neural import Neural


def answer(
    request: SolveRequest,
    *,
    neural: Neural | None = None,
    on_read: Callable[[Reading], None] | None = None,
    on_solution: Callable[[Solution], None] | None = None,
    on_attempt: Callable[[Attempt], None] | None = None,
    observe: Callable[[Neural], Observer] | None = None,
    load_model: Callable[[ModelRequest], Neural] | None = None,
) -> Answer:
    """Decompose what is asked for, with the model of the request, or with `neural` if it is loaded already.

    `on_read` is called when the polynomial has been read and the search begins, `on_solution` with every
    solution as it is found, `on_attempt` with every method as it ends; `observe` with a model once it is
    loaded, to return the observer of its beam; `load_model` loads the model, by default `load_neural`.

    Raises ParseError, UsageError, and FileError for a model that is needed and missing; for one that is named
    even if it would not have been asked.
    """
    if neural is None and request.model.run is not None:
        from polyctl.store.runs import find_run

        find_run(request.model.run, request.model.runs)
    reading = request.read()
    f = reading.polynomial
    if on_read is not None:
        on_read(reading)

    def load() -> Neural:
        if neural is None and not request.model.needed:
            from polyctl.solving.suitability import check_model_may_know

            check_model_may_know(f, request.model)
        if neural is not None:
            found = neural
        elif load_model is not None:
            found = load_model(request.model)
        else:
            from polyctl.solving.neural import load_neural

            found = load_neural(request.model)
        return found if observe is None else replace(found, observer=observe(found))

    found = solve(
        f,
        request.method,
        inners=request.inners,
        time_limit=request.time_limit,
        main=reading.main,
        numeric=Numeric(request.seed, request.polish),
        neural=load,
        on_solution=on_solution,
        on_attempt=on_attempt,
    )
    return replace(found, identities=reading.identities)
