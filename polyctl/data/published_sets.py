"""The published test problems by their normal forms, so that they can be excluded where nobody has the files.

`published_digests.npz` has an array for each set. So a training draws the same problems everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from polyctl.errors import did_you_mean

PUBLISHED = "published"  # in data.exclude: all published test problems; published/NAME: those of one set
DIGESTS = Path(__file__).with_name("published_digests.npz")
BYTES = 16  # of a digest


@cache
def published_digests() -> Mapping[str, frozenset[bytes]]:
    """The normal forms of the published test problems, by the name of their set, such as homogeneous_3_2."""
    with np.load(DIGESTS) as arrays:
        return {name: frozenset(map(bytes, array)) for name, array in arrays.items()}


def write_published_digests(digests: Mapping[str, Iterable[bytes]], path: Path = DIGESTS) -> None:
    """Write the normal forms of the problems of each set."""
    arrays: dict[str, Any] = {
        name: np.frombuffer(b"".join(sorted(set(some))), np.uint8).reshape(-1, BYTES)
        for name, some in digests.items()
    }
    np.savez_compressed(path, **arrays)


def is_published(entry: str) -> bool:
    """Whether an entry of data.exclude means published problems rather than a file."""
    return entry == PUBLISHED or entry.startswith(f"{PUBLISHED}/")


def published_set(entry: str) -> frozenset[bytes] | None:
    """The problems that `published` or `published/NAME` means, None for anything else."""
    sets, name = published_digests(), entry.removeprefix(f"{PUBLISHED}/")
    if entry == PUBLISHED:
        return frozenset().union(*sets.values())
    return sets.get(name) if is_published(entry) else None


def published_hint(entry: str) -> str:
    """What to write instead of an entry that names nothing."""
    near = (
        did_you_mean(entry.removeprefix(f"{PUBLISHED}/"), published_digests())
        if is_published(entry)
        else None
    )
    return near or f"correct the path or remove it; {PUBLISHED!r} names the published problems, without files"
