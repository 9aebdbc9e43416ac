"""What is printed of a search that is ended amid a long step."""

import json

import pytest

from polyctl.algebra.parse import parse
from polyctl.cli.guard import Instead
from polyctl.cli.so_far import SoFar
from polyctl.solving.solve import solve


class Kept:
    """A guard that keeps what would be printed."""

    def limit(self, _, instead):
        self.found: Instead = instead()

    def keep(self, instead):
        self.found = instead()


def followed(text, **options):
    """What would be printed before the first method, and after the last."""
    kept = Kept()
    so_far = SoFar(kept, 7.0, text, 5, **{"as_json": False, **options})
    so_far.begin(None)
    first = kept.found
    solve(parse(text), "exact", on_solution=so_far.add, on_attempt=so_far.add_attempt)
    return first, kept.found


def test_nothing_was_found():
    first, last = followed("x^3 + y^3*z + x*y + z + 1")
    assert first == Instead("none found in 7 s (time limit)\n", "", 1)
    assert last.code == 1
    assert last.out.startswith("none found in 7 s (time limit)\n   proved by")
    assert last.err == ""


def test_an_answer_was_found():
    _, last = followed("x^2*y^2 + x*y", verbose=True)
    assert last.code == 0
    assert "h = x*y" in last.out
    assert "uni-multivariate: 1 found" in last.err
    assert "stopped amid a step by the time limit of 7 s" in last.err


@pytest.mark.parametrize("line", [False, True])
def test_json_lists_what_was_tried(line):
    first, last = followed("x^2*y^2 + x*y", as_json=True, line=line)
    assert json.loads(first.out)["tried"] == []
    record = json.loads(last.out)
    assert record["stopped"] == "time limit"
    assert len(record["solutions"]) >= 1
    assert {"method", "seconds", "found", "note"} == set(record["tried"][0])
    assert (last.out.count("\n") == 1) == line
