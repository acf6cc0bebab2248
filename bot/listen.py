"""The listening socket: how many connections there may be, how long each may take, and how the last ones end."""

from __future__ import annotations

import asyncio
import errno
import logging
import resource
import socket

from aiohttp import web

from bot.errors import LvlinError

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


class CannotListen(LvlinError):
    """The address is taken or cannot be had; the message says how to mend it."""


class Listener:
    """Serves a web application on one address. aiohttp's complaints go to `log`; there is no access log."""

    def __init__(self, application: web.Application, log: logging.Logger) -> None:
        self._runner = web.AppRunner(
            application,
            access_log=None,
            logger=log,
            keepalive_timeout=IDLE_SECONDS,
            lingering_time=_LINGER_SECONDS,
            shutdown_timeout=DRAIN_SECONDS,
        )
        self._accepting: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Take the address, start the application, accept connections; the port. Raises CannotListen."""
        taken = _bound(host, port)
        try:
            await self._runner.setup()
            assert self._runner.server is not None
            gate = _Gate(self._runner.server, _most_connections())
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

    def __init__(self, server: web.Server, most: int) -> None:
        self._server = server
        self._most = most
        self._room = most

    def __call__(self) -> asyncio.Protocol:
        if self._room <= 0:  # counted only then: counting copies a list
            self._room = self._most - len(self._server.connections)
        if self._room <= 0:
            return _Full()
        self._room -= 1
        made: asyncio.Protocol = self._server()
        return made


class _Full(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


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
        raise CannotListen(f"cannot listen on {host}:{port}: {exc.strerror} — {mend} in config.yaml") from exc
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # inherited by every accepted connection
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STUCK_SECONDS * 1000)
    return listening
