"""What the dashboard knows of the runs."""

import shutil
import time
from dataclasses import replace

from polyctl.store.owner import FILE_NAME, Owner
from polyctl.tui.run_list import Listing, RunList, RunRow, RunScanner, explain_no_runs, read_row
from polyctl.tui.views.runs import RunsView, describe_metric, describe_run
from tests.tui.shared import BEGAN, event, make_run

NAMES = ["gamma/20250103-000000", "beta/20250102-000000", "alpha/20250101-000000"]


def scan(scanner: RunScanner) -> list[Listing]:
    return list(scanner.scan(lambda: False))


def listing(root) -> Listing:
    return Listing([read_row(make_run(root, name)) for name in NAMES])


def test_names_come_before_summaries(tmp_path):
    make_run(tmp_path)
    scanner = RunScanner(tmp_path)
    names, whole = scan(scanner)
    assert names.rows[0].summary is None
    assert whole.rows[0].summary.state == "finished"
    (again,) = scan(scanner)
    assert again == whole


def test_only_what_has_changed_is_read_again(tmp_path, monkeypatch):
    for factor in ("SLOW_FACTOR", "IDLE_FACTOR"):
        monkeypatch.setattr(f"polyctl.tui.run_list.{factor}", 0)
    still, live = (make_run(tmp_path, name) for name in NAMES[:2])
    scanner = RunScanner(tmp_path)
    scan(scanner)
    read = []
    monkeypatch.setattr("polyctl.tui.run_list.read_row", lambda run: read.append(run.name) or read_row(run))
    with live.events.open("a") as file:
        file.write("\n")
    scan(scanner)
    assert read == [live.name]
    assert still.name != live.name


def test_a_run_whose_process_has_died_is_looked_at_again(tmp_path):
    lines = [event(0, "run", state="started", step=0, total_steps=9)]
    run = make_run(tmp_path, lines=lines)
    owner = Owner.here()
    (run.path / FILE_NAME).write_text(owner.text())
    scanner = RunScanner(tmp_path)
    assert scan(scanner)[-1].rows[0].summary.state == "running"
    (run.path / FILE_NAME).write_text(replace(owner, pid=2**22 + 1).text())
    assert scan(scanner)[-1].rows[0].summary.state == "crashed"


def test_of_many_runs_only_those_that_run_are_looked_at_each_time(tmp_path, monkeypatch):
    monkeypatch.setattr("polyctl.tui.run_list.SLOW_FACTOR", 0)
    monkeypatch.setattr("polyctl.tui.run_list.IDLE_FACTOR", 1e9)
    now = time.time() - BEGAN
    make_run(tmp_path, NAMES[0])
    live = make_run(tmp_path, NAMES[1], [event(now, "run", step=0), event(now, "step", step=1)])
    scanner = RunScanner(tmp_path)
    scan(scanner)
    make_run(tmp_path, NAMES[2])
    looked = []
    monkeypatch.setattr("polyctl.tui.run_list._stamp_of", lambda run: looked.append(run.name))
    (again,) = scan(scanner)
    assert looked == [live.name]
    assert [row.run.name for row in again.rows] == NAMES[:2]


def test_a_scan_stops_when_it_is_asked_to(tmp_path):
    make_run(tmp_path)
    assert len(list(RunScanner(tmp_path).scan(lambda: True))) == 1  # the names alone


def test_a_root_that_cannot_be_read(tmp_path, monkeypatch):
    def refuse(root):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("polyctl.tui.run_list.list_runs", refuse)
    found = scan(RunScanner(tmp_path))[-1]
    assert found == Listing([], f"{tmp_path} cannot be read: Permission denied")
    runs = RunList(tmp_path)
    runs.update(found)
    assert RunsView().describe(runs, 0) == found.problem


def test_silence_alone_may_have_changed_a_running_run(tmp_path):
    row = read_row(make_run(tmp_path, lines=[event(0, "run", step=0)]))
    running = replace(row.summary, state="running", updated=time.time() - 700)
    assert replace(row, summary=running).may_have_crashed
    assert not replace(row, summary=replace(running, updated=time.time())).may_have_crashed
    assert not RunRow(row.run, None).may_have_crashed


def test_the_newest_run_is_open_until_others_are_chosen(tmp_path):
    runs, found = RunList(tmp_path), listing(tmp_path)
    runs.update(found)
    assert [h.run.name for h in runs.run_logs] == NAMES[:1]
    newest = runs.run_logs[0]
    runs.update(found)
    assert runs.run_logs[0] is newest  # what was read of it is kept
    assert not runs.open(["nothing/20250101-000000"])
    assert runs.open([NAMES[2], "nothing/20250101-000000"])
    runs.update(found)
    assert [h.run.name for h in runs.run_logs] == NAMES[2:]


def test_the_next_run_after_the_last_is_the_first(tmp_path):
    runs = RunList(tmp_path)
    assert runs.next_name() is None
    runs.update(listing(tmp_path))
    assert runs.next_name() == NAMES[1]
    runs.open(NAMES[2:])
    assert runs.next_name() == NAMES[0]


def test_why_no_run_is_open(tmp_path):
    runs = RunList(tmp_path)
    assert runs.explain_none_open() == f"looking for runs in {tmp_path}"
    runs.update(Listing([]))
    assert runs.explain_none_open() == explain_no_runs(tmp_path)
    runs.rows = listing(tmp_path).rows
    assert "choose one in the tab Runs" in runs.explain_none_open()


def test_what_is_wrong_with_a_run_is_part_of_its_row(tmp_path):
    run = make_run(tmp_path)
    assert describe_run(read_row(run)).startswith(f"{run.name}: complete, ")
    run.events.unlink()
    assert describe_run(read_row(run)) == f"{run.name} has written no events yet"
    run.events.mkdir()
    assert "cannot be read" in read_row(run).problem
    assert describe_run(RunRow(run, None)) == "reading"


def test_marks_filter_and_order(tmp_path):
    view, rows = RunsView(), listing(tmp_path).rows
    assert [row.run.name for row in view.select(rows)] == NAMES
    view.next_sort()
    assert [row.run.name for row in view.select(rows)] == NAMES[::-1]
    view.pattern = "BET"
    assert [row.run.name for row in view.select(rows)] == [NAMES[1]]
    view.toggle_mark(NAMES[0])
    view.toggle_mark(NAMES[1])
    view.toggle_mark(NAMES[0])
    assert view.marked == [NAMES[1]]
    runs = RunList(tmp_path)
    runs.update(Listing(rows))
    assert view.describe(runs, 1) == (
        f"1 of 3 runs in {tmp_path}, by run, with 'BET', 1 marked: Enter opens them"
    )
    shutil.rmtree(rows[1].run.path)
    view.drop_gone(rows[:1])
    assert view.marked == []


def test_metrics_are_named_in_words():
    assert describe_metric("valid_loss", 0.13333) == "valid loss 0.1333"
    assert describe_metric("greedy_verified", 1.0) == "greedy verified 100.0%"
    assert describe_metric("pass_at_w", 0.25) == "pass@w 25.0%"
    assert describe_metric("rank_score", 0.5) == "rank score 50.0%"
