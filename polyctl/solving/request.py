"""What can be asked of polyctl: a polynomial, how to decompose it, and with which model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import Polynomial, degree
from polyctl.errors import UsageError
from polyctl.solving.methods import DEFAULT_SECONDS, select_methods


@dataclass(frozen=True)
class ModelRequest:
    """Which model to search with, and how: by default the bundled one, or else that of the newest run.

    `runs` is the directory of runs; `beam` defaults to the width that the model was evaluated with. If the
    model is `needed`, it is an error that there is none.
    """

    run: str | None = None
    runs: Path | None = None
    device: str = "auto"
    beam: int | None = None
    grammar: bool = False
    needed: bool = False


@dataclass(frozen=True)
class SolveRequest:
    """A polynomial, as text or parsed, and how to decompose it; the time limit is in seconds.

    Raises UsageError for an unknown method, and for `polish` without a model's answers to polish.
    """

    f: str | Polynomial
    variables: Sequence[str] | None = None
    method: str = "auto"
    inners: int | None = None
    time_limit: float = DEFAULT_SECONDS
    seed: int = 0
    polish: bool = False
    model: ModelRequest = ModelRequest()

    def __post_init__(self) -> None:
        select_methods(self.method)
        if self.polish and self.method == "exact":
            raise UsageError("polish needs a model's answers", "use the method neural or auto")

    def read(self) -> Polynomial:
        """The polynomial. Raises ParseError, and UsageError if its degree is below 2."""
        f = parse(self.f, self.variables) if isinstance(self.f, str) else self.f
        if degree(f) < 2:
            raise UsageError(
                f"a polynomial of degree {max(degree(f), 0)} has no decomposition",
                "give one of degree 2 or more",
            )
        return f
