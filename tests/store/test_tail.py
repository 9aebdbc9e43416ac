"""Reading from the end of a growing file."""

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyctl.store import tail as tail_module
from polyctl.store.tail import Tail


def line(i: int, **more) -> bytes:
    return json.dumps({"v": 1, "time": 1.0, "kind": "step", "step": i, **more}).encode() + b"\n"


def steps(events) -> list[int]:
    return [e["step"] for e in events if e["kind"] == "step"]


def back(tail: Tail, size: int) -> list:
    found: list = []
    while not tail.at_start:
        found = tail.earlier(size).events + found
    return found


@pytest.fixture
def path(tmp_path):
    return tmp_path / "events.jsonl"


def test_the_end_first_then_backwards_then_what_is_appended(path):
    path.write_bytes(b"".join(map(line, range(100))))
    tail = Tail(path)
    assert tail.later().events == []
    assert steps(tail.earlier(200).events) == [97, 98, 99]
    with path.open("ab") as file:
        file.write(line(100) + line(101))
    assert steps(tail.later().events) == [100, 101]
    assert tail.later().events == []


@given(
    st.lists(st.integers(0, 300), max_size=12),
    st.integers(1, 400),
    st.integers(0, 30),
)
@settings(max_examples=150, deadline=None)
def test_backwards_gives_every_line_once_whatever_the_pieces(tmp_path_factory, paddings, size, partial):
    path = tmp_path_factory.mktemp("tail") / "events.jsonl"
    path.write_bytes(
        b"".join(line(i, pad="x" * p) for i, p in enumerate(paddings)) + line(999)[: -1 - partial][:60]
    )
    tail = Tail(path, line_bytes=250)
    tail.later()
    found = back(tail, size)
    short = [i for i, p in enumerate(paddings) if len(line(i, pad="x" * p)) - 1 <= 250]
    assert steps(found) == short
    assert sum(e["kind"] == "long" for e in found) == len(paddings) - len(short)


@given(st.lists(st.integers(0, 300), max_size=12), st.integers(1, 400))
@settings(max_examples=150, deadline=None)
def test_forwards_gives_every_line_once_whatever_the_pieces(tmp_path_factory, paddings, size):
    path = tmp_path_factory.mktemp("tail") / "events.jsonl"
    path.write_bytes(b"")
    tail = Tail(path, line_bytes=250)
    tail.later()
    path.write_bytes(b"".join(line(i, pad="x" * p) for i, p in enumerate(paddings)))
    found, more = [], True
    while more:
        batch = tail.later(size)
        found, more = found + batch.events, batch.more
    short = [i for i, p in enumerate(paddings) if len(line(i, pad="x" * p)) - 1 <= 250]
    assert steps(found) == short
    assert sum(e["kind"] == "long" for e in found) == len(paddings) - len(short)


def test_an_unfinished_last_line_is_not_yet_written(path):
    path.write_bytes(line(0) + line(1)[:10])
    tail = Tail(path)
    tail.later()
    assert steps(back(tail, 50)) == [0]
    assert tail.later().events == []
    with path.open("ab") as file:
        file.write(line(1)[10:])
    assert steps(tail.later().events) == [1]


def test_broken_lines_are_counted_and_shown(path):
    path.write_bytes(line(0) + b'{"kind": 7}\n' + b"[bold]not json[/]\n" + b"\xff\xfe\n\n" + line(1))
    tail = Tail(path)
    tail.later()
    batch = tail.earlier()
    assert batch.broken == 3
    assert steps(batch.events) == [0, 1]
    assert "[bold]not json" in batch.events[2]["message"]


def test_a_line_over_the_cap_is_left_out_and_takes_no_memory(path):
    path.write_bytes(line(0))
    tail = Tail(path)
    tail.later()
    with path.open("ab") as file:
        file.write(line(1, pad="x" * 3_000_000) + line(2))
    found = []
    for _ in range(5):
        found += tail.later(1 << 19).events
        assert len(tail._rest) <= 1 << 20
    found += [e for _ in range(5) for e in tail.later(1 << 19).events]
    assert steps(found) == [2]
    assert [e["message"] for e in found if e["kind"] == "long"]


def test_truncation_and_replacement_begin_anew(path):
    path.write_bytes(b"".join(map(line, range(50))))
    tail = Tail(path)
    tail.later()
    path.write_bytes(line(7))
    assert tail.later().reset
    assert steps(back(tail, 1000)) == [7]
    other = path.with_name("other")
    other.write_bytes(b"".join(map(line, range(100, 200))))
    os.replace(other, path)
    assert tail.later().reset
    assert steps(back(tail, 1000)) == list(range(100, 200))


def test_truncated_and_grown_past_the_old_end(path):
    path.write_bytes(line(0))
    tail = Tail(path)
    tail.later()
    path.write_bytes(b"".join(map(line, range(10, 40))))
    assert tail.later().reset
    assert steps(back(tail, 64)) == list(range(10, 40))


def test_thinned_steps_leave_all_other_lines(path):
    other = json.dumps({"kind": "eval", "step": -1}).encode() + b"\n"
    path.write_bytes(b"".join(line(i) + other * (i == 50) + b"{\n" * (i == 70) for i in range(100)))
    tail = Tail(path)
    tail.later()
    batch = tail.earlier(every=10)
    assert tail.at_start
    assert [e["kind"] for e in batch.events].count("eval") == batch.broken == 1
    assert 10 <= len(steps(batch.events)) <= 12


def test_a_file_that_comes_and_goes(path):
    tail = Tail(path)
    assert tail.later().missing
    path.write_bytes(line(3))
    assert not tail.later().missing
    assert steps(back(tail, 10)) == [3]
    path.unlink()
    batch = tail.later()
    assert batch.missing
    assert batch.reset


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=300), st.integers(1, 40), st.integers(1, 300))
def test_lines_from_the_end_are_the_finished_lines_reversed(tmp_path_factory, data, block, limit):
    path = tmp_path_factory.mktemp("lines") / "file"
    data = data.replace(b"\x00", b"\n")
    path.write_bytes(data)
    before, tail_module.BLOCK_BYTES = tail_module.BLOCK_BYTES, block
    try:
        assert list(tail_module.newest_lines(path, 1000)) == data.split(b"\n")[-2::-1]
        newest = data[-limit:].split(b"\n")[(len(data) > limit) : -1]
        assert list(tail_module.newest_lines(path, limit)) == newest[::-1]
    finally:
        tail_module.BLOCK_BYTES = before
