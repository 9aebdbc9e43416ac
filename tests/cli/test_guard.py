"""Commands whose work sticks in a long step: they end some tenths of a second after their time limit."""

import signal
import subprocess
import sys
import textwrap
import time

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="commands are guarded on Linux alone")

STUCK = "sum(itertools.repeat(1, 10**15))"  # hears no signal and asks no budget
HEAD = """
import itertools, signal, sys, os, time
from polyctl.cli import guard
from polyctl.errors import PolyctlError
guard.switch_on()
"""


def begun(body: str, **options) -> subprocess.Popen:
    """A program that is guarded."""
    text = HEAD + textwrap.dedent(body)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", text], text=True, **pipes, **options)


def ended(body: str, given: str = "") -> tuple[int, str, str]:
    """Its exit code and what it writes."""
    process = begun(body)
    out, err = process.communicate(given, timeout=120)
    return process.returncode, out, err


def test_work_that_ends_in_time_has_its_own_output_and_exit_code():
    body = """
    watched = guard.start()
    watched.limit(100.0, lambda: guard.Instead("instead"))
    print("its own")
    raise SystemExit(7)
    """
    assert ended(body) == (7, "its own\n", "")


def test_work_that_is_stuck_is_ended_and_what_was_kept_is_printed():
    body = f"""
    watched = guard.start()
    watched.limit(0.1, lambda: guard.Instead("nothing", "", 1))
    watched.keep(lambda: guard.Instead("so far\\n", "a note\\n", 0))
    {STUCK}
    """
    assert ended(body) == (0, "so far\n", "a note\n")


def test_without_a_limit_it_may_take_as_long_as_it_takes():
    body = """
    watched = guard.start()
    watched.limit(0.1, lambda: guard.Instead("instead"))
    watched.done()
    time.sleep(1.5)
    print("done")
    """
    assert ended(body) == (0, "done\n", "")


def test_the_lines_behind_one_that_is_stuck_are_answered():
    body = f"""
    watched, lines = guard.over_lines(line.strip() for line in sys.stdin)
    for line in lines:
        watched.limit(0.3 if line == "stuck" else 100.0, lambda: guard.Instead(line + " instead\\n", "", 1))
        if line == "stuck":
            {STUCK}
        print(line, flush=True)
    """
    code, out, err = ended(body, "one\ntwo\nstuck\nthree\nstuck\n")
    assert (code, out, err) == (1, "one\ntwo\nstuck instead\nthree\nstuck instead\n", "")


def test_ctrl_c_that_is_not_heard_ends_it_all_the_same():
    body = f"""
    watched = guard.start()
    watched.limit(100.0, lambda: guard.Instead("so far\\n"))
    print("begun", flush=True)
    {STUCK}
    """
    process = begun(body)
    assert process.stdout.readline() == "begun\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "so far\n", "interrupted\n")


HEARS = """
try:
    print("begun", flush=True)
    time.sleep(100)
except KeyboardInterrupt:
    print("heard")
    raise SystemExit(130)
"""


def assert_hears_ctrl_c(body: str) -> None:
    """The work that begins so hears Ctrl-C, and ends as it wants to."""
    process = begun(textwrap.dedent(body) + HEARS)
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "heard\n", "")


def test_ctrl_c_that_is_heard_is_left_to_the_work():
    body = """
    watched = guard.start()
    watched.limit(100.0, lambda: guard.Instead("instead"))
    """
    assert_hears_ctrl_c(body)


def test_ctrl_c_is_heard_though_the_first_process_does_not_wait_yet():
    body = """
    own = guard._First.wait
    guard._First.wait = lambda first: (time.sleep(0.5), own(first))[1]
    guard.start()
    """
    assert_hears_ctrl_c(body)


def test_work_that_is_killed_is_an_error():
    body = """
    try:
        guard.start()
    except PolyctlError as error:
        print(error.message)
        raise SystemExit(error.exit_code)
    os.kill(os.getpid(), signal.SIGKILL)
    """
    assert ended(body) == (3, "the search was ended by SIGKILL\n", "")


def test_nobody_works_on_when_the_first_process_is_killed():
    body = """
    watched = guard.start()
    print(os.getpid(), flush=True)
    time.sleep(100)
    """
    process = begun(body)
    worker = int(process.stdout.readline())
    process.kill()
    process.wait()
    deadline = time.monotonic() + 30
    while _runs(worker):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.communicate()


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_command_that_is_called_from_python_does_not_fork(capsys):
    from polyctl.cli.app import run

    assert run(["verify", "x^4", "--inner", "x^2"]) == 0
    assert "verified" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["decompose", "x^4 + 2x^2 + 3"],
        ["decompose", "--roots", "x^4 + 2x^2 + 3"],
        ["decompose", "--common", "x^4 + 1", "x^6 + x^2"],
        ["verify", "x^4", "--inner", "x^2"],
        ["rewrite", "x^4 + y", "--in", "x^2"],
        ["decompose", "x^4 +"],
        ["decompose", "x^2 + x + 1"],
        ["decompose", "x^4", "--time-limit", "inf"],
        ["decompose", "--roots", "x^4", "--time-limit", "1e400"],
        ["decompose", "--common", "x^4 + 1", "x^6 + x^2", "--time-limit", "inf"],
        ["verify", "x^4", "--inner", "x^2", "--time-limit", "1e10"],
        ["rewrite", "x^4 + y", "--in", "x^2", "--time-limit", "inf"],
    ],
)
def test_guarded_commands_write_what_they_write_unguarded(words, capsys):
    from polyctl.cli.app import run

    code = run(words)
    here = capsys.readouterr()
    program = [sys.executable, "-m", "polyctl", *words]
    found = subprocess.run(program, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (code, here.out)
