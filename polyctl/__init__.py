"""polyctl finds hidden structure in polynomials: f = g(h1, ..., hm), proved exactly.

>>> import polyctl
>>> print(polyctl.decompose("x^4 + 2x^3 + 3x^2 + 2x + 5").best.outer)
b^2 + 4
"""

TYPE_CHECKING = False  # as of `typing`, whose import a Ctrl-C could meet before `__main__` answers it
if TYPE_CHECKING:
    from polyctl.algebra.polynomial import Polynomial
    from polyctl.algebra.verify import Verdict
    from polyctl.solvers.exact.common import Common
    from polyctl.solvers.exact.rewriting import Rewriting
    from polyctl.solving.api import (
        common,
        complete,
        compose,
        decompose,
        load_model,
        parse,
        rewrite,
        verify,
    )
    from polyctl.solving.solution import Answer, Solution

__version__ = "0.1.0"
__all__ = [
    "Answer",
    "Common",
    "Polynomial",
    "Rewriting",
    "Solution",
    "Verdict",
    "common",
    "complete",
    "compose",
    "decompose",
    "load_model",
    "parse",
    "rewrite",
    "verify",
]
_HOMES = {  # loaded when they are first used: `import polyctl` loads nothing else
    "Answer": "polyctl.solving.solution",
    "Common": "polyctl.solvers.exact.common",
    "Polynomial": "polyctl.algebra.polynomial",
    "Rewriting": "polyctl.solvers.exact.rewriting",
    "Solution": "polyctl.solving.solution",
    "Verdict": "polyctl.algebra.verify",
}


if not TYPE_CHECKING:  # else a type checker would believe that every name exists

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module 'polyctl' has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(_HOMES.get(name, "polyctl.solving.api")), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
