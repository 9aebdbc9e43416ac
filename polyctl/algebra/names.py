"""Names of variables: Greek letters, the spellings of an index, and the order in which names are sorted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from string import ascii_lowercase, ascii_uppercase

_GREEK_LOWER = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu "
    "nu xi pi rho sigma tau upsilon phi chi psi omega"
)
_GREEK_UPPER = "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
GREEK = dict(zip("αβγδεζηθικλμνξπρστυφχψω", _GREEK_LOWER.split(" "), strict=True)) | dict(
    zip("ΓΔΘΛΞΠΣΥΦΨΩ", _GREEK_UPPER.split(" "), strict=True)
)
GREEK_NAMES = frozenset(GREEK.values())
GREEK_VARIANTS = {f"var{name}": name for name in ("epsilon", "theta", "kappa", "pi", "rho", "sigma", "phi")}
LONGEST_NAME = 60
_OUTER_LETTERS = "bhguvwt"
_NUMBERED = re.compile(r"([A-Za-z])_?([0-9]*)")


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """The sort key under which x2 comes before x10.

    >>> sorted(["x10", "y", "x2"], key=natural_key)
    ['x2', 'x10', 'y']
    """
    parts = re.findall(r"[0-9]+|[^0-9]+", name)
    return tuple((1, int(part), part) if part.isdecimal() else (0, 0, part) for part in parts)


def spellings(names: Sequence[str]) -> dict[str, str]:
    """Each name by its spellings: `x1` may be written x_1, and `x_1` x1, if that is not another name."""
    found = {name: name for name in names}
    for name in names:
        joined = re.sub(r"^([A-Za-z]+)_(?=[0-9])", r"\1", name)
        split = re.sub(r"^([A-Za-z]+)(?=[0-9])", r"\1_", name)
        for other in (joined, split):
            found.setdefault(other, name)
    return found


def outer_letter(names: Iterable[str]) -> str:
    """The letter of an outer polynomial's variables beside variables of these names: b, or one not in use.

    >>> outer_letter(["x", "y"]), outer_letter(["b0", "h"])
    ('b', 'g')
    """
    taken = {numbered[0] for name in names if (numbered := numbered_name(name))}
    letters: list[str] = [*_OUTER_LETTERS, *ascii_lowercase, *ascii_uppercase]
    return next((letter for letter in letters if letter not in taken), letters[0])


def numbered_name(name: str) -> tuple[str, int | None] | None:
    """The letter and the number, or None, of names such as b, b0 and b_0; None for all others."""
    found = _NUMBERED.fullmatch(name)
    return None if found is None else (found[1], int(found[2]) if found[2] else None)


def is_single(name: str) -> bool:
    """Whether a name can stand in a product or power without brackets: x, sin(x + y) and 2, not 1/x or 2^x.

    >>> [is_single(name) for name in ("x_1", "sin(x + y)", "1/x", "x^(1/3)", "(x + 1)^y")]
    [True, True, False, False, False]
    """
    depth = 0
    for character in name:
        depth += (character == "(") - (character == ")")
        if depth == 0 and character in "+-*/^ ":
            return False
    return True
