"""The methods by name, in the order in which they are tried: the one table of them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, get_args

from polyctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from polyctl.solvers.outcome import Outcome

Kind = Literal["exact", "neural", "numeric"]
Choice = Literal["auto", "exact", "neural", "numeric"]  # "auto" is all of them
DEFAULT_SECONDS = 10.0


class ModelUnavailable(Exception):
    """There is no model to ask, it cannot be read, or it has no tokens for f; says why."""


@dataclass(frozen=True)
class Method:
    """A way to find decompositions: its name, its kind, and its function (f, budget) -> Outcome.

    The function is written "module:name" and loaded when it is first tried, so that an exact answer does not
    wait for numpy or torch. The neural method has none: it is a model's (`polyctl.solving.neural`).
    """

    name: str
    kind: Kind
    function: str = ""

    def load(self) -> Callable[..., Outcome]:
        """The function."""
        module, _, name = self.function.partition(":")
        found: Any = getattr(import_module(module), name)
        return found  # type: ignore[no-any-return]


_EXACT = "polyctl.solvers.exact"
METHODS = (
    Method("univariate", "exact", f"{_EXACT}.univariate:univariate"),
    Method("uni-multivariate", "exact", f"{_EXACT}.uni_multivariate:uni_multivariate"),
    Method("parameters", "exact", f"{_EXACT}.parametric:parametric"),
    Method("blocks of variables", "exact", f"{_EXACT}.blocks:by_blocks"),
    Method("multi-univariate (separable)", "exact", f"{_EXACT}.multi_univariate:multi_univariate"),
    Method("root grouping", "exact", f"{_EXACT}.binary_forms:by_root_grouping"),
    Method("linear symmetries", "exact", f"{_EXACT}.linear_symmetries:by_linear_symmetries"),
    Method("restriction and lifting", "exact", f"{_EXACT}.restriction:by_restriction"),
    Method("differential forms", "exact", f"{_EXACT}.differential_forms:by_differential_forms"),
    Method("recursion", "exact", f"{_EXACT}.recursive:by_recursion"),
    Method("divisors", "exact", f"{_EXACT}.factors:by_divisors"),
    Method("factorisation", "exact", f"{_EXACT}.factors:by_factorisation"),
    Method("neural", "neural"),
    Method("numeric", "numeric", "polyctl.solvers.numeric.solver:by_least_squares"),
)
CHOICES: tuple[Choice, ...] = get_args(Choice)


def select_methods(choice: str) -> tuple[Method, ...]:
    """The methods that a choice stands for. Raises UsageError for one that does not exist."""
    if choice not in CHOICES:
        raise UsageError(f"method {choice!r} is not one of {', '.join(CHOICES)}", "use auto")
    return tuple(m for m in METHODS if choice in ("auto", m.kind))
