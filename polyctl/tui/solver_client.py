"""`solve` in a separate process, so that no key ever waits for it and a cancel takes effect immediately.

Exact algebra and the import of torch hold Python's lock for long; in another process that does not matter.
`solver_worker` is what runs there. Lines of JSON go both ways: a request is {"id", "text", "method",
"inners", "width", "limit", "run"}; answers carry the request's id and a kind: solution, beam, done, error;
ready and torch report the state of the process.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

Message = dict[str, Any]


class Solver:
    """The solving process; `tell` is called from a thread with every message of the newest request.

    `request` is that one's number.
    """

    def __init__(self, tell: Callable[[Message], None], runs: Path | None = None) -> None:
        self._tell, self._runs = tell, runs
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self.request = 0
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
            if message.get("id") in (None, self.request):
                self._tell(message)
        code = process.wait()
        with self._lock:
            unexpected = process is self._process
            if unexpected:
                self._process = None
        if unexpected and not self._closed:
            self._tell({"kind": "died", "message": f"the solving process ended with code {code}"})

    def submit(self, text: str, **settings: Any) -> None:
        """Solve `text`; its messages come to `tell`."""
        self.start()
        self.request += 1
        process = self._process
        if process is None or process.stdin is None:
            return
        try:
            process.stdin.write(json.dumps({"id": self.request, "text": text, **settings}) + "\n")
            process.stdin.flush()
        except OSError as error:
            self._tell({"kind": "died", "message": f"the solving process is gone: {error.strerror}"})

    def cancel(self) -> None:
        """Stop the search immediately; a new process is made ready."""
        self.request += 1
        self._end()
        self.start()

    def close(self) -> None:
        """End the process for good."""
        self._closed = True
        self._end()

    def _end(self) -> None:
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
