"""The listening socket: how many connections there may be, how long each may take, and how the last ones end."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import resource
import socket
from collections.abc import Callable
from typing import Any

from aiohttp import web
from aiohttp.http import HttpProcessingError

from bot.errors import LvlinError

log = logging.getLogger("lvlin.http")

IDLE_SECONDS = 10.0
"""How long a connection may take to send the headers of a request, its first one or a further one."""

STUCK_SECONDS = 15
"""How long an answer may lie unread before its connection is closed."""

DRAIN_SECONDS = 8.0
"""How long requests at work may take to finish when the process is to end."""

_MOST_CONNECTIONS = 1000
_SPARE_FILES = 100
_BACKLOG = 1024
_LINGER_SECONDS = 2.0

Refused = Callable[[int, str], None]
"""Hears the status and the reason of what was refused before it became a request."""


class CannotListen(LvlinError):
    """The address is taken or cannot be had; the message says how to mend it."""


class Listener:
    """Serves a web application on one address, without an access log."""

    def __init__(self, application: web.Application, refused: Refused) -> None:
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=DRAIN_SECONDS)
        self._refused = refused
        self._accepting: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Take the address, start the application, accept connections; the port. Raises CannotListen."""
        taken = _bound(host, port)
        try:
            await self._runner.setup()
            assert self._runner.server is not None
            gate = _Gate(self._runner.server, self._refused, _most_connections())
            self._accepting = await asyncio.get_running_loop().create_server(gate, sock=taken, backlog=_BACKLOG)
        except BaseException:
            taken.close()
            await self._runner.cleanup()
            raise
        bound_to: int = taken.getsockname()[1]
        return bound_to

    async def stop(self) -> None:
        """Accept nothing more, let what is at work finish, stop the application."""
        if self._accepting is not None:
            self._accepting.close()
        await self._runner.cleanup()


class _Gate:
    """Makes the protocol of each new connection while there is room; others are closed at once."""

    def __init__(self, server: web.Server, refused: Refused, most: int) -> None:
        self._server = server
        self._refused = refused
        self._most = most
        self._room = most
        self._loop = asyncio.get_running_loop()

    def __call__(self) -> asyncio.Protocol:
        if self._room <= 0:  # counted only then: counting copies a list
            self._room = self._most - len(self._server.connections)
        if self._room <= 0:
            return _Full()
        self._room -= 1
        return _Connection(self._server, self._refused, self._loop)


class _Full(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


class _Connection(web.RequestHandler):
    """One connection. What is not HTTP is refused as anything else is: by its status alone, and without a traceback."""

    __slots__ = ("_refused",)

    def __init__(self, server: web.Server, refused: Refused, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            server,
            loop=loop,
            access_log=None,  # type: ignore[arg-type]  # none is how aiohttp itself spells it
            logger=log,
            keepalive_timeout=IDLE_SECONDS,
            lingering_time=_LINGER_SECONDS,
        )
        self._refused = refused

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """The answer to what aiohttp could not read, or what a page of ours failed on."""
        if isinstance(exc, HttpProcessingError):
            self._refused(status, f"not HTTP: {type(exc).__name__}")
        else:
            log.error("a page failed", exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("the answer is on its way already")
        response = web.Response(status=status)
        response.force_close()
        return response

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """A body that breaks off while its rest is thrown away is nobody's mistake of ours."""
        if not isinstance(kw.get("exc_info"), web.RequestPayloadError):
            super().log_exception(*args, **kw)


def _most_connections() -> int:
    """As many as there are files to be opened, less those the rest of the program needs."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(_MOST_CONNECTIONS, max(1, soft - _SPARE_FILES))


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listening = socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except OSError as exc:
        taken = exc.errno == errno.EADDRINUSE
        mend = "stop the other program, or set another server.port" if taken else "set server.host and server.port"
        why = exc.strerror if isinstance(exc, socket.gaierror) else os.strerror(exc.errno or 0)
        raise CannotListen(f"cannot listen on {host}:{port}: {why} — {mend} in config.yaml") from exc
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # inherited by every accepted connection
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STUCK_SECONDS * 1000)
    return listening
