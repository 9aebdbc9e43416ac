"""`polyctl tui --serve`: what a session of textual-serve is, and what goes wrong before there is one."""

import os
import shlex
import socket
import subprocess
import sys
from types import ModuleType

import pytest

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


def test_the_command_that_is_served(monkeypatch):
    served = []

    class Server:
        def __init__(self, command, **places):
            served.append((shlex.split(command), places))

        def serve(self):
            with socket.socket() as taken, socket.socket() as other:
                taken.bind(("127.0.0.1", 0))
                other.bind(taken.getsockname())

    module = ModuleType("textual_serve.server")
    module.Server = Server
    monkeypatch.setitem(sys.modules, "textual_serve", ModuleType("textual_serve"))
    monkeypatch.setitem(sys.modules, "textual_serve.server", module)
    with pytest.raises(UsageError, match="port 8000 cannot be used") as error:
        _serve(8000, ["--runs", "a b", "--", "-x^4"])
    assert "--port" in error.value.hint
    (command, places) = served[0]
    assert command[1:] == ["-m", "polyctl", "tui", "--runs", "a b", "--", "-x^4"]
    assert places["host"] == "127.0.0.1"
