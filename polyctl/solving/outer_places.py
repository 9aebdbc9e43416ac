"""Which inner polynomial each variable of an outer polynomial stands for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from polyctl.algebra.names import natural_key, numbered_name, outer_letter
from polyctl.algebra.polynomial import Polynomial, names, variables_used
from polyctl.algebra.reading import read
from polyctl.errors import ParseError, UsageError

_DEFINES = re.compile(r"=|->")
_NAMED = re.compile(r"\s*(\\?[A-Za-z][A-Za-z0-9_]*)\s*:?=(?!=)|\s*([A-Za-z][A-Za-z0-9_]*)\s*:(?![=:])")


def outer_arguments(outer: object, atoms: bool = False) -> tuple[str, ...]:
    """u and v of an outer polynomial that is written g(u, v) = …"""
    if not isinstance(outer, str) or not _DEFINES.search(outer):
        return ()
    try:
        return read(outer, atoms=atoms).main
    except ParseError:
        return ()


def inner_names(inners: Sequence[object], own: Sequence[str]) -> tuple[str, ...]:
    """s and p if all inner polynomials are written as s = … and p = …, by names that no variable has."""
    found = [_NAMED.match(h) if isinstance(h, str) else None for h in inners]
    named = [(match.group(1) or match.group(2)).lstrip("\\") for match in found if match is not None]
    alone = len(named) == len(inners) and len(set(named)) == len(named) and not set(named) & set(own)
    return tuple(named) if alone else ()


def outer_places(
    g: Polynomial,
    inners: int,
    own: Sequence[str],
    arguments: Sequence[str] = (),
    named: Sequence[str] = (),
) -> dict[str, int]:
    """The inner polynomial that each of an outer polynomial's variables stands for.

    Those that the inner polynomials are `named` do, if the outer has them, and arguments only out of them.
    The arguments of g(u, v) = … stand for them in this order. Else numbered ones do, b0 or with another
    letter if f has variables called so (`outer_letter`); or, if there are none, all in natural order. Beside
    arguments and numbered ones f's own variables, `own`, stand for themselves and come last. Raises
    UsageError if they are too many, or if it is not clear what one stands for.
    """
    used, occurring = names(g), {names(g)[place] for place in variables_used(g)}
    numbers = _numbers(used, own)
    left = [name for name in used if name not in numbers]
    count = f"but the number of inner polynomials is {inners}"
    uses = f"the outer polynomial uses {', '.join(used)}, {count}"
    if occurring & set(named) and set(arguments) <= set(named):
        return _places_by_name(named, [n for n in used if n in occurring], inners, own)
    if arguments:
        return _places_of_arguments(arguments, [n for n in used if n in occurring], inners, own)
    if not numbers:
        if len(used) > inners:
            raise UsageError(uses, "give one inner polynomial for each of its variables")
        if inners > 1 and used and len(used) < inners:
            raise UsageError(uses, "write b0 for the first inner polynomial, b1 for the second, and so on")
        return {name: sorted(used, key=natural_key).index(name) for name in used}
    if inners > 1 and None in numbers.values():
        raise UsageError(uses, "write b0 for the first inner polynomial, b1 for the second, and so on")
    places = {name: number or 0 for name, number in numbers.items()}
    if len(set(places.values())) < len(places):
        raise UsageError(
            f"two of {', '.join(used)} stand for the same inner polynomial",
            "call the variables b0, b1, b2 and so on",
        )
    if max(places.values()) >= inners:
        raise UsageError(
            uses, "give one inner polynomial for each: b0 stands for the first, b1 for the second, and so on"
        )
    left = [name for name in left if name in occurring]
    if unknown := [name for name in left if name not in own]:
        raise UsageError(
            f"{', '.join(unknown)} in the outer polynomial: neither an inner polynomial nor a variable of f",
            f"beside {', '.join(numbers)}, write b0 for the first inner polynomial, b1 for the second",
        )
    return places | {name: inners + i for i, name in enumerate(left)}


def _places_of_arguments(
    arguments: Sequence[str], used: Sequence[str], inners: int, own: Sequence[str]
) -> dict[str, int]:
    """The places of g's arguments, in their order, and of f's own variables, which come last."""
    shown = f"g({', '.join(arguments)})"
    if len(arguments) > inners:
        raise UsageError(
            f"{shown} has {len(arguments)} arguments, but the number of inner polynomials is {inners}",
            "give one inner polynomial for each of its arguments",
        )
    numbers = _numbers(arguments, own)
    if any(numbers.get(name) not in (None, place) for place, name in enumerate(arguments)):
        raise UsageError(
            f"the arguments of {shown} are not in the order of their numbers",
            "write g(b0, b1): b0 stands for the first inner polynomial, b1 for the second",
        )
    unlike, hint = f"no argument of {shown}", "name all of its variables as arguments"
    return _places_by_name(arguments, used, inners, own, unlike, hint)


def _places_by_name(
    named: Sequence[str],
    used: Sequence[str],
    inners: int,
    own: Sequence[str],
    unlike: str = "no inner polynomial is called so",
    hint: str = "use the names that the inner polynomials were given",
) -> dict[str, int]:
    left = [name for name in used if name not in named]
    if unknown := [name for name in left if name not in own]:
        raise UsageError(
            f"{', '.join(unknown)} in the outer polynomial: {unlike}, and no variable of f", hint
        )
    places = {name: i for i, name in enumerate(named)}
    return places | {name: inners + i for i, name in enumerate(left)}


def _numbers(used: Sequence[str], own: Sequence[str]) -> dict[str, int | None]:
    """The variables of an outer polynomial that stand for inner ones by their letter, with their numbers."""
    split = {name: parts for name in used if (parts := numbered_name(name)) is not None}
    taken = {parts[0] for name in own if (parts := numbered_name(name)) is not None}
    for letters in ({outer_letter(own), *({"b", "h"} - taken)}, {"b", "h"}):
        found = {name: number for name, (letter, number) in split.items() if letter in letters}
        if found:
            return found
    return {}


def notes_on_outer(places: dict[str, int], inners: int) -> tuple[str, ...]:
    """What was assumed about the variables of an outer polynomial, and which inner ones it does not use."""
    notes = []
    if places and not _numbers(list(places), ()):
        listed = [f"{name} for inner polynomial {place + 1}" for name, place in places.items()]
        notes.append(f"in the outer polynomial, {' and '.join(listed)}".replace(" for", " stands for", 1))
    unused = [str(i + 1) for i in range(inners) if i not in places.values()]
    if unused and places:
        word = "polynomial" if len(unused) == 1 else "polynomials"
        notes.append(f"the outer polynomial does not use inner {word} {', '.join(unused)}")
    return tuple(notes)


def clashes(places: dict[str, int], inners: int, own: Sequence[str]) -> tuple[str, ...]:
    """Which names of inner polynomials are names of f's variables too, and how to tell them apart."""
    clashing = [name for name, place in places.items() if place < inners and name in own]
    if not clashing or not _numbers(list(places), ()):
        return ()
    return (
        f"{' and '.join(clashing)} in the outer polynomial stands for an inner polynomial, not f's variable: "
        f"write {outer_letter(own)}0 for the first inner polynomial to use both",
    )
