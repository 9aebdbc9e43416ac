"""The dashboard in a browser: textual-serve, for those only who know its address.

A web page anywhere can send requests to this machine. So the address holds a random token, and a request with
the Host or Origin of another page is refused.
"""

from __future__ import annotations

import logging
import secrets
import shlex
import sys
from collections.abc import Sequence

from aiohttp import web
from aiohttp.typedefs import Handler
from textual_serve.server import Server

from polyctl.errors import UsageError

HOST = "127.0.0.1"
HEADERS = {"Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY"}


class GuardedServer(Server):
    """A server of the dashboard that answers its own page alone; `address` is what to open."""

    def __init__(self, options: Sequence[str], port: int) -> None:
        # without a shell between, so that a session can see when the server has ended
        command = "exec " + shlex.join([sys.executable, "-m", "polyctl", "tui", *options])
        super().__init__(command, host=HOST, port=port, title="polyctl")
        self._token = secrets.token_urlsafe(24)
        self._hosts = {f"{name}:{port}" for name in (HOST, "localhost")}
        if port == 80:  # browsers leave it out
            self._hosts |= {HOST, "localhost"}
        self.address = f"{self.public_url}/{self._token}/"

    async def _make_app(self) -> web.Application:
        outer = web.Application(middlewares=[self._guard])
        outer.on_response_prepare.append(_add_headers)
        outer.add_subapp(f"/{self._token}", await super()._make_app())
        return outer

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not self._own(request):
            raise web.HTTPForbidden(text="this page does not belong to the dashboard")
        token = request.path.strip("/").partition("/")[0]
        if not secrets.compare_digest(token.encode(), self._token.encode()):
            raise web.HTTPForbidden(text="open the address that `polyctl tui --serve` has printed")
        return await handler(request)

    def _own(self, request: web.Request) -> bool:
        """Whether host and origin are the server's; a browser names the origin of every WebSocket."""
        hosts, origins = request.headers.getall("Host", []), request.headers.getall("Origin", [])
        socket = request.headers.get("Upgrade", "").lower() == "websocket"
        return (
            len(hosts) == 1
            and hosts[0] in self._hosts
            and (len(origins) == 1 if socket else len(origins) <= 1)
            and all(origin in {f"http://{host}" for host in self._hosts} for origin in origins)
        )

    async def on_startup(self, app: web.Application) -> None:
        """Say where it is."""
        print(self.address, flush=True)
        print("open this address in a browser on this machine; Ctrl-C ends it", file=sys.stderr, flush=True)

    def initialize_logging(self) -> None:
        """Log warnings only: the requests hold the token."""
        logging.basicConfig(level=logging.WARNING)


def serve(options: Sequence[str], port: int) -> None:
    """Serve `polyctl tui OPTIONS` until Ctrl-C. Raises UsageError if the port cannot be used."""
    try:
        GuardedServer(options, port).serve()
    except OSError as error:
        raise UsageError(f"port {port} cannot be used: {error.strerror}", "choose another: --port") from error


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
