"""What is read: a command line, its standard input, and changes to the files that it finds."""

from __future__ import annotations

import copy
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli
import tomli_w

Operation = tuple[Any, ...]


@dataclass(frozen=True)
class Edit:
    """Changes to one file, found by a pattern in the folder: to its bytes, to what it says, or of its kind.

    `how` is bytes, json, lines (of JSON), toml, safetensors or pickle, whose `operations` are numbers and
    values; or write, remove, folder, link, pipe.
    """

    where: str
    how: str
    operations: tuple[Operation, ...] = ()
    data: bytes = b""

    def __repr__(self) -> str:
        what = self.data[:200] if self.how in ("write", "link") else self.operations
        return f"{self.where} {self.how} {what!r}"


@dataclass(frozen=True)
class Case:
    """An input: what is typed, what is piped in, which files are changed, or a reader that is called."""

    arguments: tuple[str, ...] = ()
    stdin: str = ""
    edits: tuple[Edit, ...] = ()
    call: str = ""
    needs: bool = field(default=False, repr=False)  # a copy of the folder with a run, its data and the like


# -- bytes -----------------------------------------------------------------------------------------


def edit_bytes(data: bytes, operations: tuple[Operation, ...]) -> bytes:
    """The bytes after (kind, place, size, payload) each: places and sizes are fractions of what is there."""
    for kind, place, size, payload in operations:
        at = int(place * len(data))
        end = min(len(data), at + 1 + int(size * size * (len(data) - at)))
        if kind == "insert":
            data = data[:at] + payload + data[at:]
        elif kind == "replace":
            data = data[:at] + payload + data[at + len(payload) :]
        elif kind == "delete":
            data = data[:at] + data[end:]
        elif kind == "cut":
            data = data[:at]
        elif kind == "repeat":
            data = data[:end] + data[at:end] + data[end:]
        elif kind == "flip" and data:
            flipped = data[min(at, len(data) - 1)] ^ (1 << int(size * 7))
            data = data[:at] + bytes([flipped]) + data[at + 1 :]
    return data


# -- values ----------------------------------------------------------------------------------------


def edit_value(value: Any, operations: tuple[Operation, ...]) -> Any:
    """Lists and tables after (kind, place, odd) each: what is at one of their places is changed."""
    value = copy.deepcopy(value)
    for kind, place, value_there in operations:
        odd, places = copy.deepcopy(value_there), _places(value)
        if not places:
            return odd
        holder, key = places[int(place * len(places)) % len(places)]
        if kind == "remove":
            del holder[key]
        elif kind == "rename" and isinstance(holder, dict):
            holder[str(odd)[:60]] = holder.pop(key)
        elif kind == "nest":
            holder[key] = {str(key): holder[key], "x": [holder[key]]}
        else:
            holder[key] = odd
    return value


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in nested lists and tables, as its holder and its key."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        holder = waiting.pop()
        keys: Any = (
            holder if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ()
        )
        for key in keys:
            found.append((holder, key))
            waiting.append(holder[key])
    return found


def _edit_json(data: bytes, operations: tuple[Operation, ...]) -> bytes:
    return json.dumps(edit_value(json.loads(data), operations)).encode()


def _edit_lines(data: bytes, operations: tuple[Operation, ...]) -> bytes:
    """Lines of JSON, of which the place chooses one for each change."""
    lines = data.splitlines()
    for operation in operations:
        at = int(operation[1] * 997) % len(lines)
        lines[at] = _edit_json(lines[at], (operation,))
    return b"\n".join(lines) + b"\n"


def _edit_toml(data: bytes, operations: tuple[Operation, ...]) -> bytes:
    changed = edit_value(tomli.loads(data.decode()), operations)
    try:
        return tomli_w.dumps(changed).encode()
    except (TypeError, AttributeError):  # TOML has no such value
        return repr(changed).encode()


def _edit_safetensors(data: bytes, operations: tuple[Operation, ...]) -> bytes:
    """The description and the table of tensors, or the JSON in the description; its digest is made anew."""
    from polyctl.model.serialization import _digest

    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    inside = {
        name: json.loads(text)
        for name, text in header.get("__metadata__", {}).items()
        if name not in ("digest", "format")
    }
    outer = tuple(one for one in operations if one[2] is None or one[1] < 0.3)
    inner = tuple(one for one in operations if one not in outer)
    changed = edit_value(inside, inner) if inner and inside else inside
    texts = (
        {str(name): json.dumps(value) for name, value in changed.items()} if isinstance(changed, dict) else {}
    )
    if "digest" in header.get("__metadata__", {}):
        try:
            texts["digest"] = _digest(texts)
        except KeyError:
            texts["digest"] = "0" * 64
    if inner:
        header["__metadata__"] = texts
    if outer:
        header = edit_value(header, outer)
    written = json.dumps(header).encode()
    return len(written).to_bytes(8, "little") + written + data[8 + size :]


def _edit_pickle(path: Path, operations: tuple[Operation, ...]) -> None:
    """A dictionary of tensors that torch saved; odd numbers stand for odd tensors."""
    import torch

    tensors = torch.load(path, weights_only=True)
    odd: list[Callable[[Any], Any]] = [
        lambda t: t.double(),
        lambda t: t.to(torch.int8),
        lambda t: t.to(torch.complex64),
        lambda t: t.to_sparse(),
        lambda t: t.reshape(-1),
        lambda t: t.new_zeros(()),
        lambda t: t.new_zeros((0, *t.shape)),
        lambda t: torch.full_like(t, torch.nan),
        lambda t: t.t() if t.dim() == 2 else t[None],
        lambda t: t.new_zeros(1).expand(1 << 20, 1 << 10),
        lambda t: t.bool(),
        lambda t: torch.empty(t.shape, device="meta"),
        lambda t: t.tolist(),
        lambda t: t.bfloat16(),
    ]
    for kind, place, value in operations:
        names = list(tensors)
        if not names:
            break
        name = names[int(place * len(names)) % len(names)]
        tensor = tensors[name]
        if kind == "remove":
            del tensors[name]
        elif kind == "rename":
            tensors[value if isinstance(value, (str, int, float)) else "x"] = tensors.pop(name)
        elif kind == "nest":
            tensors = {"state_dict": tensors, "x": 1}
        elif isinstance(tensor, torch.Tensor):
            tensors[name] = odd[len(repr(value)) % len(odd)](tensor)
        else:
            tensors[name] = value
    torch.save(tensors, path)


_TEXTS = {
    "bytes": edit_bytes,
    "json": _edit_json,
    "lines": _edit_lines,
    "toml": _edit_toml,
    "safetensors": _edit_safetensors,
}


def carry_out(edit: Edit, place: Path) -> None:
    """Change a file in a folder; one that is not there, or not of its format any more, is left alone."""
    if edit.how == "write":
        path = place / edit.where
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(edit.data)
        return
    path = next(iter(sorted(place.glob(edit.where))), None)
    if path is None:
        return
    if edit.how in _TEXTS:
        if path.is_file():
            try:
                changed = _TEXTS[edit.how](path.read_bytes(), edit.operations)
            except (ValueError, RecursionError, TypeError, AttributeError, IndexError):
                return
            path.write_bytes(changed)
        return
    if edit.how == "pickle":
        try:
            _edit_pickle(path, edit.operations)
        except (RuntimeError, ValueError, NotImplementedError, TypeError):
            return
        return
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    if edit.how == "folder":
        path.mkdir()
    elif edit.how == "link":
        path.symlink_to(edit.data.decode())
    elif edit.how == "pipe":
        os.mkfifo(path)
