"""The solving process, for real."""

import queue

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
        first = solver._process
        solver.submit("(x+1)^400 + x y", method="exact")
        solver.cancel()
        assert first.poll() is not None
        until("ready")
        solver.submit("x^2 + 2x", method="exact")
        assert until("done")[-1]["id"] == solver.request
        solver._process.kill()
        assert "ended with code -9" in until("died")[-1]["message"]
    finally:
        solver.close()
    assert solver._process is None


def test_a_refuted_answer_shows_the_difference():
    f = parse("x^4 + x")
    g, h = parse("b^2", ["b"]), parse("x^2")
    said = describe(judge(f, Candidate(Decomposition(g, (h,)), "beam", -1.0)))
    assert said["status"] == "refuted"
    assert "f - g(h) = x" in said["proof"]
    assert said["weak"] is False


def test_a_column_takes_the_room_that_the_other_leaves():
    row = {"status": "verified", "complexity": 3, "number": 0, "outer": "b" * 60, "inners": ["x"]}

    def cut(outer: str, inner: str) -> tuple[int, int]:
        ((_, cells),) = format_solutions([{**row, "outer": outer, "inners": [inner]}], 80)
        return len(str(cells[2])), len(str(cells[3]))

    assert cut("b" * 40, "x") == (40, 1)
    assert cut("b" * 90, "x") == (47, 1)
    assert cut("b", "x" * 90) == (1, 47)
    assert cut("b" * 90, "x" * 90) == (24, 24)
