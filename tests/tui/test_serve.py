"""`polyctl tui --serve`: what a session of textual-serve is, and what goes wrong before there is one."""

import os
import shlex
import socket
import subprocess
import sys

import pytest

from polyctl.cli.app import run
from polyctl.cli.tui import _serve
from polyctl.errors import UsageError


def test_a_session_needs_no_terminal():
    environment = {**os.environ, "TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver"}
    command = [sys.executable, "-m", "polyctl", "tui", "x^4 + 1"]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout.readline() == b"__GANGLION__\n"  # the protocol has begun
        finally:
            process.kill()


def test_the_command_that_is_served():
    serve = pytest.importorskip("polyctl.tui.serve", reason="the extra web is not installed")
    server = serve.GuardedServer(["--runs", "a b", "--", "-x^4"], 8000)
    exec_, python, *words = shlex.split(server.command)
    assert (exec_, python) == ("exec", sys.executable)
    assert words == ["-m", "polyctl", "tui", "--runs", "a b", "--", "-x^4"]
    assert server.host == "127.0.0.1"


def test_a_port_that_is_taken(monkeypatch):
    pytest.importorskip("textual_serve", reason="the extra web is not installed")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} cannot be used") as error:
            _serve(port, [])
    assert "--port" in error.value.hint


def test_without_the_extra(monkeypatch):
    monkeypatch.delitem(sys.modules, "polyctl.tui.serve", raising=False)
    monkeypatch.setitem(sys.modules, "textual_serve.server", None)
    with pytest.raises(UsageError, match="textual-serve is not installed"):
        _serve(8000, [])


def test_allow_jobs_is_about_a_browser(capsys, monkeypatch):
    monkeypatch.delenv("TEXTUAL_DRIVER", raising=False)
    assert run(["tui", "--allow-jobs"]) == 2
    assert "--serve" in capsys.readouterr().err
