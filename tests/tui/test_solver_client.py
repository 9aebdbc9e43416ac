"""The solving process, for real."""

import queue
import subprocess
import sys
import time

import pytest

from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.parse import parse
from polyctl.solving.judge import judge
from polyctl.solving.solution import Candidate
from polyctl.tui.solver_client import Solver
from polyctl.tui.solver_worker import describe
from polyctl.tui.views.solutions import format_solutions


def test_a_request_an_error_and_a_cancel(tmp_path):
    said: queue.Queue = queue.Queue()
    solver = Solver(said.put, tmp_path)

    def until(kind: str) -> list[dict]:
        found = []
        while not found or found[-1]["kind"] != kind:
            found.append(said.get(timeout=60))
        return found

    try:
        solver.start()
        until("ready")
        solver.submit("x^4 + 2x^3 + 3x^2 + 2x + 5", method="exact")
        found = until("done")
        (solution,) = [m for m in found if m["kind"] == "solution"]
        assert solution["status"] == "verified"
        assert solution["inners"] == ["x^2 + x"]
        assert [s["inners"] for s in found[-1]["solutions"]] == [["x^2 + x + 1"]]  # simplified
        solver.submit("x^4 + )", method="exact")
        error = until("error")[-1]
        assert error["position"] == 6
        solver.submit("x^4 + 1", method="neural")
        assert "no model has been trained" in until("done")[-1]["tried"][0][3]
        solver.submit("x^4 + 1", method="neural", run="quick/none")
        assert "no run 'quick/none'" in until("error")[-1]["message"]
        solver.submit("a x^4 + 2 a x^2 + 1", method="exact", main=["x"])
        assert until("done")[-1]["forms"] == []
        solver.submit("x^6", method="exact", main=["y"])
        assert "y is not a variable of f" in until("error")[-1]["message"]
        solver.submit("x^12 + x^6", method="exact")
        assert "complete chains, by degree" in until("done")[-1]["forms"][0]
        solver.submit("(x+1)^400 + x y", method="exact")
        solver.cancel()
        solver.submit("x^2 + 2x", method="exact")
        assert until("done")[-1]["id"] == solver.request
        first = solver._process
        solver.cancel()
        assert solver._process is first, "nothing is searched that could be given up"
        solver._process.kill()
        assert "ended with code -9" in until("died")[-1]["message"]
    finally:
        solver.close()
    assert solver._process is None


def stuck(tmp_path, said, monkeypatch, program: str) -> Solver:
    """A client of a process that is not the solver."""
    started = subprocess.Popen
    monkeypatch.setattr(
        "polyctl.tui.solver_client.subprocess.Popen",
        lambda command, **more: started([sys.executable, "-c", program], **more),
    )
    return Solver(said.put, tmp_path)


ECHO = """
import json, signal, sys, time
stuck = {stuck}
def cancelled(*_):
    global stuck
    if not stuck:
        print(json.dumps({{"kind": "cancelled", "id": number}}), flush=True)
number = 0
signal.signal(signal.SIGINT, cancelled)
print(json.dumps({{"kind": "ready"}}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    number = request["id"]
    if request["text"] == "last":
        print(json.dumps({{"kind": "done", "id": number}}), flush=True)
    else:
        time.sleep(1 if not stuck else 1000)
"""


@pytest.mark.parametrize("deaf", [True, False])
def test_only_a_process_that_does_not_give_up_is_replaced(tmp_path, monkeypatch, deaf):
    said: queue.Queue = queue.Queue()
    solver = stuck(tmp_path, said, monkeypatch, ECHO.format(stuck=deaf))
    try:
        solver.start()
        assert said.get(timeout=60)["kind"] == "ready"
        first = solver._process
        solver.submit("first")
        time.sleep(0.3)
        solver.cancel()
        solver.submit("last")
        while (message := said.get(timeout=60))["kind"] != "done":
            assert message["kind"] == "ready"
        assert message["id"] == solver.request
        assert (solver._process is not first) == deaf
    finally:
        solver.close()


def test_a_cancel_in_the_midst_of_a_search_keeps_the_process(tmp_path):
    said: queue.Queue = queue.Queue()
    solver = Solver(said.put, tmp_path)
    try:
        solver.start()
        while said.get(timeout=60)["kind"] != "ready":
            pass
        first = solver._process
        hard = "(x*y + z)^3 + (x + w)^3*y^3 + x^2*w^4 + z^5*y + 7x*y*z*w"
        solver.submit(hard, method="numeric", limit=60.0)
        time.sleep(1.5)
        solver.cancel()
        solver.submit("x^2 + 2x", method="exact")
        while (message := said.get(timeout=60))["kind"] != "done":
            pass
        assert message["id"] == solver.request
        assert solver._process is first
    finally:
        solver.close()


def test_a_refuted_answer_shows_the_difference():
    f = parse("x^4 + x")
    g, h = parse("b^2", ["b"]), parse("x^2")
    said = describe(judge(f, Candidate(Decomposition(g, (h,)), "beam", -1.0)))
    assert said["status"] == "refuted"
    assert "f - g(h) = x" in said["proof"]
    assert said["weak"] is False


def test_a_column_takes_the_room_that_the_other_leaves():
    row = {"status": "verified", "weak": False, "complexity": 3, "number": 0, "source": "exact"}

    def cut(outer: str, inner: str) -> tuple[int, int]:
        _, ((_, cells),) = format_solutions([{**row, "outer": outer, "inners": [inner]}], 80)
        return len(str(cells[2])), len(str(cells[3]))

    assert cut("b" * 40, "x") == (40, 1)
    assert cut("b" * 90, "x") == (53, 1)
    assert cut("b", "x" * 90) == (1, 53)
    assert cut("b" * 90, "x" * 90) == (27, 27)
