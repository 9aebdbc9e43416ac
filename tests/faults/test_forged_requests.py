"""A real server of the dashboard, and requests as other web pages and programs would send them."""

import asyncio
import os
import socket
import subprocess
from pathlib import Path

import pytest

from tests.processes import ending, start_polyctl, wait_for

aiohttp = pytest.importorskip("aiohttp", reason="the extra web is not installed")
pytest.importorskip("textual_serve", reason="the extra web is not installed")

PORT = "{port}"
HOSTS = [
    "evil.example",
    f"evil.example:{PORT}",
    "127.0.0.1",
    "127.0.0.1:1",
    f"127.0.0.1:{PORT}.evil.example",
    f"127.0.0.1.evil.example:{PORT}",
    f"evil.example@127.0.0.1:{PORT}",
    f"127.1:{PORT}",
    f"0.0.0.0:{PORT}",
    f"[::1]:{PORT}",
    f"LOCALHOST.:{PORT}",
    "",
]
ORIGINS = [
    "http://evil.example",
    f"http://evil.example:{PORT}",
    f"https://127.0.0.1:{PORT}",
    "http://127.0.0.1",
    "http://127.0.0.1:1",
    f"http://127.0.0.1:{PORT}.evil.example",
    f"http://127.0.0.1:{PORT}@evil.example",
    f"http://127.0.0.1:{PORT}/",
    f"127.0.0.1:{PORT}",
    "null",
    "file://",
    "",
]
PATHS = [
    "/",
    "/ws",
    "/{wrong}/",
    "/{wrong}/ws",
    "/{short}/",
    "/?token={token}",
    "/static/{token}",
    "/x/{token}/",
    "/{token}x/ws",
]


class Served:
    """The server's process and where it is."""

    def __init__(self, process: subprocess.Popen, port: int, address: str) -> None:
        self.process, self.port, self.address = process, port, address
        self.token = address.rstrip("/").rpartition("/")[2]

    def children(self) -> set[str]:
        """The numbers of the processes that it has started: its sessions."""
        return set(Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split())


def listens(port: int) -> bool:
    """Whether somebody answers there."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    place = tmp_path_factory.mktemp("served")
    process = start_polyctl("tui", "--serve", "--port", str(port), "--runs", "runs", cwd=place)
    address = process.stdout.readline().strip()
    wait_for(lambda: listens(port), "the server to listen", process)
    yield Served(process, port, address)
    process.terminate()
    ending(process)


async def fetch(served: Served, path: str, headers: dict[str, str]) -> int:
    """The status of a GET."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{served.port}{path}", headers=headers) as response,
    ):
        return response.status


async def first_bytes(served: Served, path: str, headers: dict[str, str]) -> bytes | int:
    """What a WebSocket says first, or the status with which it is refused."""
    url = f"http://127.0.0.1:{served.port}{path}"
    async with aiohttp.ClientSession() as session:
        try:
            async with session.ws_connect(url, headers=headers) as websocket:
                return (await websocket.receive()).data
        except aiohttp.WSServerHandshakeError as error:
            return error.status


def test_the_address_has_a_random_token_and_serves_the_dashboard(served):
    assert served.address == f"http://127.0.0.1:{served.port}/{served.token}/"
    assert len(served.token) == 32
    own = f"http://127.0.0.1:{served.port}"
    assert asyncio.run(fetch(served, f"/{served.token}/", {})) == 200
    assert asyncio.run(fetch(served, f"/{served.token}/static/js/textual.js", {"Origin": own})) == 200
    assert isinstance(asyncio.run(first_bytes(served, f"/{served.token}/ws", {"Origin": own})), bytes | str)
    wait_for(lambda: not served.children(), "the end of the session")


def test_forged_requests_are_refused_and_start_nothing(served):
    own = f"http://127.0.0.1:{served.port}"
    page, websocket = f"/{served.token}/", f"/{served.token}/ws"
    forged = []
    for host in HOSTS:
        forged += [(fetch, page, {"Host": host}), (first_bytes, websocket, {"Host": host, "Origin": own})]
    for origin in ORIGINS:
        forged += [(fetch, page, {"Origin": origin}), (first_bytes, websocket, {"Origin": origin})]
    forged.append((first_bytes, websocket, {}))
    for path in PATHS:
        tokens = {"token": served.token, "wrong": "x" * 32, "short": served.token[:-1]}
        forged.append((first_bytes if "ws" in path else fetch, path.format(**tokens), {"Origin": own}))
    assert len(forged) == 58
    served_anyway = []
    for ask, path, headers in forged:
        sent = {name: value.replace(PORT, str(served.port)) for name, value in headers.items()}
        status = asyncio.run(ask(served, path, sent))
        if status not in (400, 403):
            served_anyway.append((path, sent, status))
    assert served_anyway == []
    assert served.children() == set()


def test_a_session_ends_with_a_server_that_is_killed(served):
    own = f"http://127.0.0.1:{served.port}"

    async def kill_within_a_session() -> set[str]:
        async with aiohttp.ClientSession() as session:
            url = f"{own}/{served.token}/ws"
            async with session.ws_connect(url, headers={"Origin": own}) as websocket:
                await websocket.receive()
                children = served.children()
                served.process.kill()
                return children

    children = asyncio.run(kill_within_a_session())
    assert children
    wait_for(lambda: not any(os.path.exists(f"/proc/{pid}/fd/0") for pid in children), "the session's end")
