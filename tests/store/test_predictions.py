"""Predictions of an evaluation, written as they come and read as they grow."""

import json

from polyctl.store import predictions
from polyctl.store.predictions import PartWriter, Prediction, PredictionReader, list_evaluations


def line(index=0, **more) -> str:
    answer = {"rank": 0, "status": "verified", "completed": "verified", "logprob": -0.5, "inner": ["x^2"]}
    known = {"outer": "b^2", "inner": ["x^2"]}
    data = {"index": index, "cell": "2∘2", "input": "x^4", "known": known, "greedy": answer, "beam": [answer]}
    return json.dumps({**data, **more})


def read_all(reader: PredictionReader) -> list:
    found, more = [], True
    while more:
        some, more = reader.read()
        found += some
    return found


def test_lines_are_read_as_they_come(tmp_path):
    with PartWriter(tmp_path / "predictions", "20260101-000000-7", 0, 3) as writer:
        (one,) = list_evaluations(tmp_path / "predictions")
        reader = PredictionReader(one.paths)
        assert not one.ended
        assert read_all(reader) == []
        assert reader.problems == 3
        writer._last = float("-inf")
        writer.add(line(2))
        ((place, found),) = read_all(reader)
        assert (found.index, found.cell, found.known, found.first()) == (2, "2∘2", ("b^2", ("x^2",)), 0)
        assert reader.fetch(place) == found
        writer.add(line(1))
        assert read_all(reader) == []  # not yet written
    assert list_evaluations(tmp_path / "predictions") == []
    assert reader.fetch(place) is None


def test_a_part_stays_if_its_evaluation_dies_until_the_next_begins(tmp_path, monkeypatch):
    try:
        with PartWriter(tmp_path, "20260101-000000-7", 0, 3) as writer:
            writer.add(line())
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    (one,) = list_evaluations(tmp_path)
    assert [found.index for _, found in read_all(PredictionReader(one.paths))] == [0]
    with PartWriter(tmp_path, "20260101-000001-8", 0, 3):
        assert [e.name for e in list_evaluations(tmp_path)] == [
            "eval-20260101-000001-8",
            "eval-20260101-000000-7",
        ]  # the first one's process lives
    monkeypatch.setattr("polyctl.store.owner.process_start", lambda pid: "another")
    with PartWriter(tmp_path, "20260101-000002-9", 0, 3):
        assert [e.name for e in list_evaluations(tmp_path)] == ["eval-20260101-000002-9"]


def test_a_part_has_a_limit_and_a_full_disk_does_no_harm(tmp_path, monkeypatch):
    monkeypatch.setattr(predictions, "PART_BYTES", 1000)
    monkeypatch.setattr(predictions, "PART_SECONDS", 0.0)
    with PartWriter(tmp_path, "20260101-000000-7", 0, 100) as writer:
        for index in range(100):
            writer.add(line(index))
        assert 500 < writer.path.stat().st_size <= 1000
    assert not writer.path.exists()
    blocked = tmp_path / "file"
    blocked.write_text("")
    with PartWriter(blocked / "predictions", "20260101-000000-7", 0, 1) as writer:
        writer.add(line())
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with PartWriter(tmp_path / "link", "20260101-000000-7", 0, 1) as writer:
        writer.add(line())
    assert not (tmp_path / "elsewhere").exists()


def test_processes_have_a_part_each(tmp_path):
    several = [PartWriter(tmp_path, "20260101-000000-7", rank, 2) for rank in range(2)]
    with several[0], several[1]:
        for index, writer in enumerate(several):
            writer.add(line(index))
            writer._flush()
        (found,) = list_evaluations(tmp_path)
        assert [p.index for _, p in read_all(PredictionReader(found.paths))] == [0, 1]


def test_damaged_and_long_lines_are_left_out_and_counted(tmp_path, monkeypatch):
    path = tmp_path / "eval-20260101-000000.jsonl"
    bad = [
        "{",
        "[]",
        "null",
        '{"index": 1}',
        line(known=[]),
        line(index="x"),
        "[" * 100_000,
        line(beam={"a": 1}),
        line(beam=3),
    ]
    path.write_text("\n".join([line(0), *bad, line(5, beam=[None, {"logprob": "x", "status": 3}])]) + "\n")
    (one,) = list_evaluations(tmp_path)
    reader = PredictionReader(one.paths)
    found = [p for _, p in read_all(reader)]
    assert [p.index for p in found] == [0, 0, 5]  # a beam that is no list has no answers
    assert found[2].beam[0].status == "3"
    assert reader.left_out == len(bad) - 1
    monkeypatch.setattr(predictions, "SLICE_BYTES", 64)
    monkeypatch.setattr(predictions, "LINE_BYTES", 1024)
    path.write_text("\n".join([line(0), line(1, input="x" * 5000), line(2), line(3)]) + "\n")
    reader = PredictionReader(one.paths)
    assert [p.index for _, p in read_all(reader)] == [0, 2, 3]
    assert reader.left_out


def test_an_unfinished_line_is_not_read_yet(tmp_path):
    path = tmp_path / "eval-20260101-000000.jsonl"
    path.write_text(line(0) + "\n" + line(1))
    reader = PredictionReader((path,))
    assert [p.index for _, p in read_all(reader)] == [0]
    with path.open("a") as file:
        file.write("\n")
    assert [p.index for _, p in read_all(reader)] == [1]


def test_older_lines_have_no_cell():
    data = json.loads(line())
    del data["cell"], data["known"], data["greedy"]
    found = Prediction.from_line(json.dumps(data).encode())
    assert (found.cell, found.known, found.greedy) == ("", None, None)
