"""What an evaluation keeps of each problem (docs/format.md), written as it comes and read as it grows."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType

from polyctl.errors import FileError
from polyctl.store.files import make_directory
from polyctl.store.owner import Owner
from polyctl.store.places import refuse_links

PARTS = "eval-*.part"  # of evaluations that run, or have died
PART_BYTES = 1 << 26  # written to a part; what comes after it is seen only when the evaluation has ended
PART_SECONDS = 1.0
SLICE_BYTES = 1 << 20
LINE_BYTES = 1 << 23  # a longer line is left out
SILENT_SECONDS = 3600.0  # of a part of another machine, after which it is removed


@dataclass(frozen=True)
class JudgedAnswer:
    """An answer with its verdicts: `status` as given, `completed` with the outer polynomial completed.

    `duplicate_of` is the rank of a better answer with equivalent inner polynomials, the best rank is 0.
    """

    rank: int
    status: str
    completed: str
    logprob: float | None = None
    reason: str = ""
    exact: bool = False
    duplicate_of: int | None = None
    extra_inners: bool = False
    outer: str | None = None
    inner: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, data: object, rank: int) -> JudgedAnswer | None:
        """The answer that a line holds at a rank; None if it is none. What is damaged is left out."""
        if not isinstance(data, dict):
            return None
        logprob, duplicate, outer = data.get("logprob"), data.get("duplicate_of"), data.get("outer")
        inner, status = data.get("inner"), str(data.get("status", "unknown"))
        return cls(
            rank,
            status,
            str(data.get("completed", status)),
            float(logprob) if isinstance(logprob, (int, float)) and not isinstance(logprob, bool) else None,
            str(data.get("reason") or ""),
            data.get("exact") is True,
            duplicate if isinstance(duplicate, int) else None,
            data.get("extra_inners") is True,
            outer if isinstance(outer, str) else None,
            tuple(map(str, inner)) if isinstance(inner, list) else (),
        )

    def right(self, completed: bool = False) -> bool:
        """Whether it counts as solved, as answered or with the outer completed."""
        return (self.completed if completed else self.status) == "verified" and not self.extra_inners


@dataclass(frozen=True)
class Prediction:
    """A problem of an evaluation: f and its known decomposition as text, and what the model answered.

    `known` is (outer or None, inner polynomials); `cell` is "" in files of before.
    """

    index: int
    input: str
    cell: str = ""
    known: tuple[str | None, tuple[str, ...]] | None = None
    error: str | None = None
    greedy: JudgedAnswer | None = None
    beam: tuple[JudgedAnswer, ...] = ()

    @classmethod
    def from_line(cls, line: bytes) -> Prediction | None:
        """The problem of a line; None if it is damaged."""
        try:
            data = json.loads(line)
            index, known, beam = data["index"], data.get("known"), data.get("beam")
            answers = [JudgedAnswer.from_json(one, rank) for rank, one in enumerate(beam or ())]
            return cls(
                int(index),
                str(data["input"]),
                str(data.get("cell") or ""),
                None if known is None else (known.get("outer"), tuple(map(str, known["inner"]))),
                None if data.get("error") is None else str(data["error"]),
                JudgedAnswer.from_json(data.get("greedy"), 0),
                tuple(one for one in answers if one is not None),
            )
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            return None

    def first(self, completed: bool = False) -> int | None:
        """Rank of the first right answer of the beam (0 is the best), or None."""
        return next((one.rank for one in self.beam if one.right(completed)), None)


@dataclass(frozen=True)
class EvaluationFiles:
    """The predictions of one evaluation: the parts of one that has not ended, or the file that it left."""

    name: str
    paths: tuple[Path, ...]
    ended: bool


def list_evaluations(directory: Path) -> list[EvaluationFiles]:
    """The evaluations whose predictions a directory holds, newest first; one that has not ended leads."""
    found = [
        EvaluationFiles(path.stem, (path,), True)
        for path in sorted(directory.glob("eval-*.jsonl"), reverse=True)
    ]
    together: dict[str, list[Path]] = {}
    for path in sorted(directory.glob(PARTS)):
        together.setdefault(path.stem.rpartition("-")[0], []).append(path)
    unfinished = [EvaluationFiles(name, tuple(paths), False) for name, paths in sorted(together.items())]
    return unfinished[::-1] + found


class PartWriter:
    """Predictions of an evaluation as they come, whole lines about once a second, for who looks on.

    Nothing of the evaluation depends on the file: if it cannot be written there is none. It is removed when
    the evaluation has ended, and stays if that dies, until the next one of the same run begins.
    """

    def __init__(self, directory: Path, name: str, rank: int, problems: int) -> None:
        self.path = directory / f"eval-{name}-{rank}.part"
        self._rank, self._problems = rank, problems
        self._lines: list[str] = []
        self._written, self._last = 0, time.monotonic()
        self._descriptor: int | None = None
        self._made = False

    def __enter__(self) -> PartWriter:
        try:
            make_directory(self.path.parent)
            if self._rank == 0:
                _remove_dead(self.path.parent)
            refuse_links(self.path.parent, self.path)
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o666)
        except (OSError, FileError):
            return self
        self._made = True
        self._lines = [json.dumps({"owner": asdict(Owner.here()), "problems": self._problems})]
        self._flush()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._flush()
        self._close()
        if kind is None and self._made:
            with suppress(OSError):
                self.path.unlink()

    def add(self, line: str) -> None:
        """One more prediction, without line end."""
        if self._descriptor is None:
            return
        self._lines.append(line)
        if time.monotonic() - self._last >= PART_SECONDS:
            self._flush()

    def _flush(self) -> None:
        if self._descriptor is None or not self._lines:
            return
        data = ("\n".join(self._lines) + "\n").encode()
        self._lines, self._last = [], time.monotonic()
        self._written += len(data)
        try:
            whole = self._written <= PART_BYTES and os.write(self._descriptor, data) == len(data)
        except OSError:
            whole = False
        if not whole:
            self._close()

    def _close(self) -> None:
        if self._descriptor is not None:
            with suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None


def _remove_dead(directory: Path) -> None:
    """Remove the parts of evaluations that have died; of another machine's, those that are long silent."""
    for path in directory.glob(PARTS):
        with suppress(OSError):
            owner = _owner(path)
            alive = None if owner is None else owner.alive
            if alive is False or (alive is None and time.time() - path.stat().st_mtime > SILENT_SECONDS):
                path.unlink()


def _owner(path: Path) -> Owner | None:
    """Who writes a part."""
    try:
        with path.open("rb") as file:
            return Owner(**json.loads(file.readline(LINE_BYTES))["owner"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


@dataclass(frozen=True)
class Place:
    """Where a line lies: which of the files, from which byte on, and how many of them."""

    file: int
    offset: int
    length: int


@dataclass
class PredictionReader:
    """The lines of an evaluation's files from the front, a slice at a time, as they grow.

    `left_out` counts lines that are damaged or too long, `problems` is how many the evaluation has in all.
    """

    paths: Sequence[Path]
    problems: int | None = None
    left_out: int = 0
    _offsets: dict[int, int] = field(default_factory=dict)

    def read(self) -> tuple[list[tuple[Place, Prediction]], bool]:
        """What the next slice of each file holds, and whether there was anything. Raises OSError."""
        before, found = dict(self._offsets), []
        for number, path in enumerate(self.paths):
            with path.open("rb") as file:
                found += list(self._read(number, file.fileno()))
        return found, before != self._offsets

    def _read(self, number: int, file: int) -> Iterator[tuple[Place, Prediction]]:
        offset = self._offsets.get(number, 0)
        data = os.pread(file, SLICE_BYTES, offset)
        while b"\n" not in data and SLICE_BYTES <= len(data) < LINE_BYTES:
            more = os.pread(file, SLICE_BYTES, offset + len(data))
            if not more:
                return
            data += more
        end = data.rfind(b"\n") + 1
        if end == 0 and len(data) >= LINE_BYTES:  # its own end is read as one more line, a damaged one
            self._offsets[number] = offset + len(data)
            return
        self._offsets[number] = offset + end
        for line in data[:end].split(b"\n")[:-1]:
            if (found := Prediction.from_line(line)) is not None:
                yield Place(number, offset, len(line)), found
            elif not self._is_head(line):
                self.left_out += 1
            offset += len(line) + 1

    def _is_head(self, line: bytes) -> bool:
        """Whether it is the first line of a part, which says how many problems there are."""
        if not line.startswith(b'{"owner"'):
            return False
        with suppress(ValueError, KeyError, TypeError, RecursionError):
            self.problems = int(json.loads(line)["problems"])
        return True

    def fetch(self, place: Place) -> Prediction | None:
        """One problem again, whole; None if its file has gone or changed."""
        try:
            with self.paths[place.file].open("rb") as file:
                return Prediction.from_line(os.pread(file.fileno(), place.length, place.offset))
        except OSError:
            return None
