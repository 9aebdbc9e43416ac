"""Tables, JSON and progress: what a terminal gets and what a file gets."""

import os
import pty
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from polyctl.cli import output
from tests.processes import PATIENCE


def test_a_table_is_plain_and_unwrapped_outside_a_terminal(capsys):
    output.print_table(("name", "n"), [("a" * 200, 1), ("b", None)], right=("n",))
    assert capsys.readouterr().out.splitlines() == [
        "name" + " " * 198 + "n",
        "a" * 200 + "  1",
        "b" + " " * 201 + "-",
    ]


def test_json_refuses_what_is_not_json(capsys):
    output.print_json({"a": [1, "∘"]})
    assert "∘" in capsys.readouterr().out
    with pytest.raises(ValueError, match="JSON"):
        output.print_json(float("nan"))


def test_progress_is_a_line_now_and_then_outside_a_terminal(capsys, monkeypatch):
    clock = Clock()
    monkeypatch.setattr("polyctl.cli.output.time", clock)
    with output.progress("Working", total=30) as bar:
        for _ in range(3):
            clock.seconds += 6
            bar.advance(5)
        bar.update(0, 8, "the next")
        clock.seconds += 10
        bar.advance()
    lines = ["Working: 10 of 30, 24 s left", "the next: 1 of 8, 70 s left"]
    assert capsys.readouterr().err.splitlines() == lines


class Clock:
    """A clock that is set by hand."""

    seconds = 0.0

    def monotonic(self):
        return self.seconds


def test_progress_is_silent_where_others_tell_it(capsys, monkeypatch):
    monkeypatch.setattr(output, "LINE_SECONDS", 0.0)
    with output.progress("Working", total=3, lines=False) as bar:
        bar.advance()
    assert capsys.readouterr().err == ""


def test_progress_is_silent_outside_a_terminal(capsys):
    with output.progress("Working", total=3) as bar:
        bar.advance()
        bar.update(done=3, total=4, description="Still")
    assert capsys.readouterr() == ("", "")


def on_terminal(program: str, **environment: str) -> str:
    """What a program writes when stdout and stderr are a terminal of 80 columns."""
    parent, child = pty.openpty()
    env = {**os.environ, "COLUMNS": "80", "TERM": "xterm-256color", **environment}
    env = {
        key: value
        for key, value in env.items()
        if key not in ("NO_COLOR", "FORCE_COLOR") or key in environment
    }
    running = subprocess.Popen(
        [sys.executable, "-c", program], stdin=child, stdout=child, stderr=child, env=env
    )
    os.close(child)
    too_late = threading.Timer(PATIENCE, running.kill)  # a program that hangs would never close its terminal
    too_late.start()
    written = b""
    try:
        while chunk := os.read(parent, 1 << 16):
            written += chunk
    except OSError:  # Linux says EIO once the other side is closed
        pass
    os.close(parent)
    code = running.wait(PATIENCE)
    too_late.cancel()
    assert code == 0, written.decode()
    return written.decode()


@pytest.mark.skipif(not Path("/dev/ptmx").exists(), reason="no pseudo-terminals here")
def test_on_a_terminal_there_is_a_bar_and_colour_unless_NO_COLOR():
    program = (
        "from polyctl.cli import output\n"
        "with output.progress('Working', total=3) as bar: bar.advance(3)\n"
        "output.print_table(('name', 'text'), [('a', 'word ' * 40)])\n"
    )
    colourful, plain = on_terminal(program), on_terminal(program, NO_COLOR="1")
    assert "Working" in colourful
    assert "3/3" in colourful
    assert "\x1b[1m" in colourful
    assert "\x1b[3" not in plain
    table = re.sub(r"\x1b\[[\d;]*m", "", plain[plain.rindex("name") :]).splitlines()  # bold is no colour
    assert max(map(len, table)) <= 80
    assert sum(line.count("word") for line in table) == 40
