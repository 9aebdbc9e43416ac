"""What can be asked of polyctl: a polynomial, how to decompose it, and with which model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from polyctl.algebra.budget import Budget
from polyctl.algebra.polynomial import Polynomial, degree, names, variables_used
from polyctl.algebra.printing import plain
from polyctl.algebra.questions import with_carets
from polyctl.algebra.reading import Reading, read
from polyctl.algebra.tokens import POWER_HINT
from polyctl.errors import UsageError, did_you_mean
from polyctl.solving.methods import DEFAULT_SECONDS, select_methods
from polyctl.store.evaluation_report import CheckpointName

ATOMS_SECONDS = 1.0  # to write f in fewer of them


@dataclass(frozen=True)
class ModelRequest:
    """Which model to search with, and how: by default the bundled one, or else that of the newest run.

    `runs` is the directory of runs; `beam` defaults to the width that the model was evaluated with. With
    `samples` so many answers are drawn at `temperature` instead. If the model is `needed`, it is an error
    that there is none. Its best weights are taken, or else the last, unless a `checkpoint` is named.
    """

    run: str | None = None
    runs: Path | None = None
    device: str = "auto"
    beam: int | None = None
    grammar: bool = False
    needed: bool = False
    samples: int = 0
    temperature: float = 0.7
    checkpoint: CheckpointName | None = None


@dataclass(frozen=True)
class SolveRequest:
    """A polynomial, as text or parsed, and how to decompose it; the time limit is in seconds.

    `main` names the variables that are decomposed, the others being parameters; with none each is tried.
    With `atoms` functions and quotients in the text are variables, as few as their identities allow.

    Raises UsageError for an unknown method, for `polish` without a model's answers to polish, and for a time
    limit or a number of inner polynomials that is too small.
    """

    f: str | Polynomial
    variables: Sequence[str] | None = None
    main: Sequence[str] = ()
    method: str = "auto"
    inners: int | None = None
    time_limit: float = DEFAULT_SECONDS
    seed: int = 0
    polish: bool = False
    model: ModelRequest = ModelRequest()
    atoms: bool = False

    def __post_init__(self) -> None:
        select_methods(self.method)
        if self.polish and self.method == "exact":
            raise UsageError("polish needs a model's answers", "use the method neural or auto")
        if self.inners is not None and self.inners < 1:
            raise UsageError(f"{self.inners} inner polynomials are too few", "ask for 1 or more")
        if self.time_limit < 0:
            raise UsageError(f"a time limit of {self.time_limit} seconds", "give 0 or more")

    def read(self) -> Reading:
        """The polynomial and its main variables: those asked for, or those of `f(x) = ...` if f has others.

        Raises ParseError, and UsageError if its degree is below 2.
        """
        found = self.f if isinstance(self.f, Polynomial) else read(self.f, self.variables, atoms=self.atoms)
        reading = found if isinstance(found, Reading) else Reading(found)
        if self.atoms and not self.main and not reading.main:
            reading = _in_fewer_atoms(reading)
        f = reading.polynomial
        unknown = [name for name in self.main if name not in names(f)]
        if unknown:
            raise UsageError(
                f"{unknown[0]} is not a variable of f",
                did_you_mean(unknown[0], names(f), f"they are {', '.join(names(f))}"),
            )
        if degree(f) < 1 and reading.identities:
            value = f"f is the constant {plain(f)}, with {', '.join(reading.identities)}"
            raise UsageError(value, "give one that varies")
        if degree(f) < 2:
            meant = with_carets(self.f) if isinstance(self.f, str) and self.variables is None else None
            raise UsageError(
                f"a polynomial of degree {max(degree(f), 0)} has no decomposition",
                "give one of degree 2 or more" if meant is None else f"do you mean {meant}? {POWER_HINT}",
            )
        occurring = {names(f)[i] for i in variables_used(f)}
        main = tuple(self.main) or reading.main
        return replace(reading, main=main if set(main) < occurring else ())


def _in_fewer_atoms(reading: Reading) -> Reading:
    from polyctl.solving.atoms import with_fewer_atoms

    f, identities = with_fewer_atoms(reading.polynomial, Budget.of(ATOMS_SECONDS))
    return replace(reading, polynomial=f, identities=identities)
