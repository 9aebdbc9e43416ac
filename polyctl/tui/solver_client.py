"""`solve` in a separate process, so that no key ever waits for it and a cancel takes effect immediately.

Exact algebra and the import of torch hold Python's lock for long; in another process that does not matter.
`solver_worker` is what runs there. Lines of JSON go both ways: a request is {"id", "text", "method",
"inners", "main", "width", "limit", "run"}, with "checkpoint" if certain weights of the run are meant;
answers carry the request's id and a kind: solution, beam, done, error or cancelled; ready, loading and loaded
report the state of the process and of its model.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

Message = dict[str, Any]
ENDS = ("done", "error", "cancelled")  # kinds of the last message of a request
PATIENCE_SECONDS = 1.0  # until a process that does not give up its search is ended


class Solver:
    """The solving process; `tell` is called from a thread with every message of the newest request.

    `request` is that one's number.
    """

    def __init__(self, tell: Callable[[Message], None], runs: Path | None = None) -> None:
        self._tell, self._runs = tell, runs
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self.request = 0
        self._ready = False  # whether the process listens to signals
        self._open: dict[int, str] = {}  # requests without a last message, as they were sent
        self._closed = False

    def start(self) -> None:
        """Begin the process; does nothing if it runs already."""
        with self._lock:
            if self._process is not None or self._closed:
                return
            command = [sys.executable, "-m", "polyctl.tui.solver_worker"]
            if self._runs is not None:
                command.append(str(self._runs))
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
                start_new_session=True,  # a Ctrl-C in the terminal is the dashboard's
            )
        threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            message = json.loads(line)
            self._ready |= message["kind"] == "ready"
            if message["kind"] in ENDS:
                self._open.pop(message["id"], None)
            if message.get("id") in (None, self.request):
                self._tell(message)
        code = process.wait()
        with self._lock:
            unexpected = process is self._process
            if unexpected:
                self._process = None
                self._open.clear()
        if unexpected and not self._closed:
            self._tell({"kind": "died", "message": f"the solving process ended with code {code}"})

    def submit(self, text: str, **settings: Any) -> None:
        """Solve `text`; its messages come to `tell`."""
        self.start()
        self.request += 1
        line = json.dumps({"id": self.request, "text": text, **settings}) + "\n"
        self._open[self.request] = line
        self._send(line)

    def _send(self, line: str) -> None:
        process = self._process
        if process is None or process.stdin is None:
            return
        try:
            process.stdin.write(line)
            process.stdin.flush()
        except OSError as error:
            self._tell({"kind": "died", "message": f"the solving process is gone: {error.strerror}"})

    def cancel(self) -> None:
        """Give up the search; nothing more is heard of it.

        The process and its model stay, unless it does not answer within PATIENCE_SECONDS, as in the middle
        of a long multiplication: then another one is started, and asked what was submitted meanwhile.
        """
        self.request += 1
        given_up, process = list(self._open), self._process
        if not given_up or process is None:
            return
        if not self._ready:  # it would take the signal for its end
            self._open.clear()
            self._end()
            self.start()
            return
        process.send_signal(signal.SIGINT)
        timer = threading.Timer(PATIENCE_SECONDS, self._end_if_stuck, args=(process, given_up))
        timer.daemon = True
        timer.start()

    def _end_if_stuck(self, process: subprocess.Popen[str], given_up: list[int]) -> None:
        if process is not self._process or not any(number in self._open for number in given_up):
            return
        self._end()
        waiting = [line for number, line in sorted(self._open.items()) if number == self.request]
        self._open = {self.request: waiting[0]} if waiting else {}
        self.start()
        for line in waiting:
            self._send(line)

    def close(self) -> None:
        """End the process for good."""
        self._closed = True
        self._end()

    def _end(self) -> None:
        with self._lock:
            process, self._process, self._ready = self._process, None, False
        if process is not None:
            process.kill()
            process.wait()
