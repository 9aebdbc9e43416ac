"""Data sets on disk: train.txt, valid.txt, test_*.txt in the published format, and manifest.json."""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import shutil
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from polyctl.algebra.decomposition import Decomposition
from polyctl.config.as_typed import as_typed
from polyctl.config.schema import DataConfig, Experiment
from polyctl.data.dense import DenseProblem
from polyctl.data.families import Split, degree_cells, draw_problem, split_of
from polyctl.data.manifest import (
    Manifest,
    command_that_continues,
    explain_directory,
    plan_path,
    read_manifest,
    read_plan,
    write_plan,
)
from polyctl.data.problem import Problem
from polyctl.data.published_format import (
    FormatError,
    read_line,
    separator,
    variables_of,
    write_decomposition,
    write_dot_products,
    write_line,
)
from polyctl.data.published_sets import published_hint, published_set
from polyctl.data.tokenizers.prefix import PrefixTokenizer
from polyctl.errors import FileError, UsageError
from polyctl.runtime.pool import noticing_deaths, worker_pool
from polyctl.store.files import explaining, make_directory, open_regular, write_atomic
from polyctl.store.lock import sole_writer
from polyctl.store.places import refuse_links

PART = 4096
DRY = 8 * PART  # indices in a row without a new problem, after which a family counts as exhausted

Progress = Callable[[str, int, int], None]
Notice = Callable[[str], None]


@dataclass(frozen=True)
class _SetPlan:
    """One file to be made: its name, the problems it draws from, their split and how many."""

    name: str
    data: DataConfig
    split: Split
    count: int

    @property
    def part(self) -> int:
        """Indices in a part file: as many as a small set takes, at most PART."""
        return min(PART, max(256, self.count * (2 if self.split == "train" else 32)))


class LineFile:
    """The lines of a UTF-8 text file by number, read through a memory map; empty lines do not count."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open()

    def _open(self) -> None:
        try:
            with open_regular(self.path) as file:
                size = file.seek(0, 2)
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else None
        except IsADirectoryError:
            raise FileError(*explain_directory(self.path)) from None
        except OSError as error:
            raise FileError(f"cannot read {self.path}: {error.strerror}", "check the path") from None
        data = np.frombuffer(self._map, dtype=np.uint8) if self._map is not None else np.zeros(0, np.uint8)
        ends = np.append(np.flatnonzero(data == ord("\n")), len(data))
        starts = np.append(0, ends[:-1] + 1)
        if size:  # a byte-order mark and other line ends, as on Windows
            starts[0] = 3 if data[:3].tobytes() == BOM_UTF8 else 0
            ends -= (ends > starts) & (data[ends - 1] == ord("\r"))
        filled = ends > starts
        self._starts, self._ends = starts[filled], ends[filled]

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, number: int) -> str:
        assert self._map is not None
        start, end = int(self._starts[number]), int(self._ends[number])
        try:
            return self._map[start:end].decode()
        except UnicodeDecodeError as error:
            line = self._map[:start].count(b"\n") + 1
            raise FileError(f"{self.path}, line {line}: {error}", "the published format is UTF-8") from None

    def __getstate__(self) -> Path:
        return self.path

    def __setstate__(self, path: Path) -> None:
        self.path = path
        self._open()


def write_target(data: DataConfig, decomposition: Decomposition) -> str:
    """The target of a family in the published format."""
    if data.family == "on_singlet":
        return write_dot_products(decomposition.inners[0])
    # of several inners alone the first would be read as the outer
    shown = data.target == "outer_inner" or len(decomposition.inners) > 1
    outer = decomposition.outer if shown else None
    return write_decomposition(Decomposition(outer, decomposition.inners))


@lru_cache
def _make_writer(data: DataConfig) -> PrefixTokenizer:
    return PrefixTokenizer(data)


def write_problem(data: DataConfig, drawn: Problem) -> str:
    """A drawn problem as a line of the published format."""
    if isinstance(drawn, DenseProblem):
        writer = _make_writer(data)
        left, right = (
            writer.text(ids[:-1]) for ids in (writer.encode_prompt(drawn), writer.encode_target(drawn))
        )
        return f"{left} {separator(writer.ring.names())} {right}"
    assert drawn.decomposition is not None
    return write_line(drawn, write_target(data, drawn.decomposition))


def read_problems(
    path: Path, limit: int | None = None, variables: Sequence[str] | None = None, family: str = "file"
) -> list[Problem]:
    """The problems of a file in the published format. Raises FileError with the number of a wrong line.

    Lines whose variables are all among the given ones are read in the ring of the given ones.
    """
    lines = LineFile(path)
    found = []
    for number in range(len(lines) if limit is None else min(limit, len(lines))):
        try:
            line = lines[number]
            fits = variables is not None and set(variables_of(line)) <= set(variables)
            found.append(read_line(line, number, family, variables if fits else None))
        except FormatError as error:
            raise FileError(
                f"{path}, line {number + 1}: {error}",
                "expected: INPUT ⁇ TARGET in prefix notation (docs/format.md)",
            ) from None
    return found


def read_digests(entries: Sequence[str]) -> frozenset[bytes]:
    """The normal forms of all problems that data.exclude names: those of files (glob patterns allowed),
    `published`, or `published/NAME` for one published set.

    Raises FileError for an entry that names nothing.
    """
    digests: set[bytes] = set()
    for entry in entries:
        files, known = matching_files(entry), published_set(entry)
        if files:
            for path in files:
                digests.update(p.digest for p in read_problems(path))
        elif known is not None:
            digests |= known
        else:
            raise FileError(f"data.exclude: no file matches {entry}", published_hint(entry))
    return frozenset(digests)


def matching_files(pattern: str) -> list[Path]:
    """The file of that name, or else those that the pattern matches."""
    base = Path(pattern)
    return [base] if base.is_file() else sorted(Path(base.anchor or ".").glob(str(base).lstrip("/")))


# ---- generation ----------------------------------------------------------------------------------


def generate(
    experiment: Experiment,
    directory: Path,
    *,
    workers: int = 1,
    force: bool = False,
    progress: Progress | None = None,
    notice: Notice | None = None,
) -> Manifest:
    """Make the data set of an experiment; called again after an interruption it continues.

    The result does not depend on the number of workers. Duplicates within a set are dropped by the normal
    form of f; the splits are disjoint by construction. A complete data set of the same parameters is left
    as it is; one of other parameters, finished or not, raises FileError unless `force` is given. FileError,
    too, if another process makes it; `notice` is told of one that died doing so.
    """
    if experiment.data.family == "mixed":
        raise UsageError(
            f"{experiment.name} mixes families, but a data set holds problems of one family",
            f"training draws its problems as it runs: polyctl train {as_typed(experiment.name)}",
        )
    plan = Manifest(
        experiment=experiment.name, seed=experiment.seed, data=experiment.data, counts={}, sha256={}
    )
    known, parts = _same_set(directory, plan, force), directory / "parts"
    if known is not None and not parts.exists():
        return known
    refuse_links(parts)
    make_directory(directory)
    with explaining("make a data set in", directory), sole_writer(directory) as before:
        if before is not None and notice is not None:
            notice(f"taking over {directory} from {before}, which has died")
        known = _same_set(directory, plan, force)  # meanwhile another process may have finished it
        if known is None:
            _begin(plan, directory, force)
            known = _make(plan, directory, workers, progress)
        if _may_remove_parts(known, directory):
            _remove_parts(directory)
    return known


def _same_set(directory: Path, plan: Manifest, force: bool) -> Manifest | None:
    """The complete data set of these parameters; FileError if it has others, unless it may be replaced."""
    if force or not (directory / "manifest.json").exists():
        return None
    known = read_manifest(directory)
    if known.plan() == plan:
        return known
    raise FileError(
        f"{directory} holds a data set with other parameters ({known})",
        "choose another directory with --out, or replace it with --force",
    )


def _may_remove_parts(made: Manifest, directory: Path) -> bool:
    """Whether what lies in parts/ is left over from what was made, and not begun to replace it."""
    with suppress(FileError):
        found = read_plan(directory)
        return found is None or found[0] == made.plan()
    return False


def _remove_parts(directory: Path) -> None:
    """Remove parts/, and last what says what they are parts of."""
    for path in (directory / "parts").glob("*.txt*"):
        path.unlink()
    shutil.rmtree(directory / "parts", ignore_errors=True)


def _begin(plan: Manifest, directory: Path, force: bool) -> None:
    """Go on with the parts of these parameters, if there are some; FileError for parts of others.

    With `force` only parts that were begun with it count, and any others are removed.
    """
    parts = directory / "parts"
    if force:
        with suppress(FileError):
            if read_plan(directory) == (plan, True):
                return
        _remove_parts(directory)
    elif (found := read_plan(directory)) is not None and found[0] != plan:
        raise FileError(
            f"{directory} holds an unfinished data set with other parameters ({found[0]})",
            f"`{command_that_continues(found[0], directory, found[1])}` finishes it; "
            "choose another directory with --out, or replace it with --force",
        )
    parts.mkdir(exist_ok=True)
    if not plan_path(directory).exists():
        write_plan(directory, plan, force)


def _make(plan: Manifest, directory: Path, workers: int, progress: Progress | None) -> Manifest:
    """Make the files in parts/, then put all of them in the place of what was there before."""
    parts = directory / "parts"
    counts, hashes = {}, {}
    excluded = read_digests(plan.data.exclude)
    with noticing_deaths(), worker_pool(workers) as pool:
        for wanted in _list_sets(plan.data):
            lines = _collect(pool, workers, parts, wanted, plan.seed, excluded, progress)
            text = "".join(f"{line}\n" for line in lines).encode()
            write_atomic(parts / wanted.name, text)
            counts[wanted.name] = len(lines)
            hashes[wanted.name] = hashlib.sha256(text).hexdigest()
    manifest = plan.model_copy(update={"counts": counts, "sha256": hashes})
    (directory / "manifest.json").unlink(missing_ok=True)  # no description of a mixture of two sets
    for name in counts:
        os.replace(parts / name, directory / name)
    write_atomic(directory / "manifest.json", json.dumps(manifest.model_dump(), indent=2) + "\n")
    return manifest


def _list_sets(data: DataConfig) -> list[_SetPlan]:
    """The files of a data set; training problems last, since they take longest."""
    several = degree_cells(data)
    tests = [
        _SetPlan("test.txt" if len(several) == 1 else f"test_{name}.txt", cell, "test", data.test_size)
        for name, cell in several
    ]
    return [
        _SetPlan("valid.txt", data, "valid", data.valid_size),
        *tests,
        _SetPlan("train.txt", data, "train", data.train_size),
    ]


def _make_part(path: Path, wanted: _SetPlan, seed: int, start: int) -> Path:
    """Write the problems of a split among a part's indices: digest and line, tab-separated."""
    rows = []
    for index in range(start, start + wanted.part):
        drawn = draw_problem(wanted.data, seed, index)
        digest = drawn.digest
        if split_of(digest) == wanted.split:
            rows.append(f"{digest.hex()}\t{write_problem(wanted.data, drawn)}\n")
    write_atomic(path, "".join(rows))
    return path


def _collect(
    pool: ProcessPoolExecutor,
    workers: int,
    parts: Path,
    wanted: _SetPlan,
    seed: int,
    excluded: frozenset[bytes],
    progress: Progress | None,
) -> list[str]:
    """The first `count` distinct lines of a set, parts made in parallel and merged in order."""
    lines: list[str] = []
    seen: set[bytes] = set(excluded)
    dry = 0
    for path in _parts_in_order(pool, workers, parts, wanted, seed):
        before = len(lines)
        for key, line in _read_part(path):
            if key not in seen and len(lines) < wanted.count:
                seen.add(key)
                lines.append(line)
        if progress is not None:
            progress(wanted.name, len(lines), wanted.count)
        dry = dry + wanted.part if len(lines) == before else 0
        if len(lines) == wanted.count or dry >= DRY:
            break
    return lines


def _read_part(path: Path) -> Iterator[tuple[bytes, str]]:
    """Digest and line of each problem of a part. Raises FileError."""
    try:
        with explaining("read", path), path.open(encoding="utf-8") as file:
            for row in file:
                digest, _, line = row.rstrip("\n").partition("\t")
                yield bytes.fromhex(digest), line
    except ValueError as error:
        raise FileError(
            f"{path} is damaged: {error}", "remove it; the same command makes it again"
        ) from error


def _parts_in_order(
    pool: ProcessPoolExecutor, workers: int, parts: Path, wanted: _SetPlan, seed: int
) -> Iterator[Path]:
    """Paths of parts 0, 1, 2, …, each made if it is not there, a few ahead at a time."""
    pending: dict[int, Future[Path]] = {}
    made, number = 0, 0
    try:
        while True:
            while made < number + 2 * workers:
                path = parts / f"{wanted.name}.{made:06d}"
                if not path.exists():
                    pending[made] = pool.submit(_make_part, path, wanted, seed, made * wanted.part)
                made += 1
            if number in pending:
                wait([pending[number]], return_when=FIRST_COMPLETED)
                pending.pop(number).result()
            yield parts / f"{wanted.name}.{number:06d}"
            number += 1
    finally:
        for future in pending.values():
            future.cancel()
