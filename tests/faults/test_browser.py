"""The dashboard's server and pages in a real browser: its own drives it, those of other origins cannot."""

import http.server
import json
import shutil
import subprocess
import threading
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.faults.test_forged_requests import Served, served  # noqa: F401  # a fixture
from tests.processes import wait_for

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium"),
]
# It knows the address with its token, and tries all that a page can do.
PAGE = """
<!doctype html><title>evil</title><script>
const target = "ADDRESS", socket = target.replace("http", "ws") + "ws", found = {};
const tell = (name, value) => { found[name] = String(value); };
const fetched = (name, options) => fetch(target, options).then(
  answer => answer.text().then(text => tell(name, answer.type + " " + text.length)),
  error => tell(name, "refused"),
);
const connected = new Promise(done => {
  const opened = new WebSocket(socket);
  opened.onmessage = event => { tell("socket", "a message"); done(); };
  opened.onopen = () => opened.send(JSON.stringify(["resize", {width: 80, height: 24}]));
  opened.onerror = () => { tell("socket", "refused"); done(); };
});
const framed = new Promise(done => {
  const frame = document.createElement("iframe");
  frame.src = target;
  frame.onload = () => setTimeout(done, 1000);
  document.documentElement.append(frame);
});
Promise.all([
  fetched("cors", {}), fetched("opaque", {mode: "no-cors"}), fetched("posted", {method: "POST", body: "x"}),
  connected, framed,
]).then(() => fetch("/report?" + new URLSearchParams({found: JSON.stringify(found)})));
</script>
"""


class Evil:
    """A server on another port, thus another origin, and what its page reports."""

    def __init__(self, page: str) -> None:
        self.reports: list[dict[str, str]] = []
        reports = self.reports

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = urlsplit(self.path)
                if query.path == "/report":
                    reports.append(json.loads(parse_qs(query.query)["found"][0]))
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(page.encode())

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self._server.server_port}/"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def browse(tmp_path):
    """Opens an address in a browser of its own, which ends with the test."""
    started = []

    def begin(address: str, *options: str) -> subprocess.Popen:
        assert CHROMIUM is not None
        words = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
        ]
        profile = f"--user-data-dir={tmp_path / f'profile{len(started)}'}"
        browser = subprocess.Popen(
            [CHROMIUM, *words, profile, *options, address],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        started.append(browser)
        return browser

    yield begin
    for browser in started:
        browser.terminate()
        browser.communicate(timeout=60)


def test_its_own_page_drives_the_dashboard(served: Served, browse):  # noqa: F811
    browser = browse(served.address, "--remote-debugging-port=0")
    wait_for(served.children, "a session of the dashboard", served.process)
    browser.terminate()
    browser.communicate(timeout=60)
    wait_for(lambda: not served.children(), "the end of the session")


def test_a_page_of_another_origin_cannot(served: Served, browse):  # noqa: F811
    evil = Evil(PAGE.replace("ADDRESS", served.address))
    try:
        browse(evil.address, "--remote-debugging-port=0")
        wait_for(lambda: evil.reports, "the report of the page", served.process)
    finally:
        evil.close()
    (found,) = evil.reports
    assert found == {"cors": "refused", "opaque": found["opaque"], "posted": "refused", "socket": "refused"}
    assert found["opaque"] in ("opaque 0", "refused")
    assert served.children() == set()


def test_a_name_that_is_rebound_to_this_machine_cannot(served: Served, browse):  # noqa: F811
    port = served.port
    address = f"http://evil.example:{port}/{served.token}/"
    browser = browse(address, "--host-resolver-rules=MAP evil.example 127.0.0.1", "--dump-dom")
    shown, _ = browser.communicate(timeout=100)
    assert "textual" not in shown.lower()
    assert "this page does not belong to the dashboard" in shown
    assert served.children() == set()
