"""The listening socket: how many connections there may be, how long each may take, and how the last ones end.

A connection begins plain (see plain_http.py). With its first bytes that are not, it is handed over to aiohttp for good.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import resource
import socket
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, cast

from aiohttp import web
from aiohttp.http import HttpProcessingError

from bot.errors import LvlinError
from bot.plain_http import Answer, Callback, read, written

log = logging.getLogger("lvlin.http")

IDLE_SECONDS = 10.0
"""How long a connection may take to send the headers of a request, its first one or a further one."""

STUCK_SECONDS = 15
"""How long an answer may lie unread before its connection is closed."""

DRAIN_SECONDS = 8.0
"""How long requests at work may take to finish when the process is to end."""

LAST_WORDS_SECONDS = 0.05
"""How long those who are connected when the process is to end may take to say what they came for."""

_MOST_CONNECTIONS = 1000
_SPARE_FILES = 100
_BACKLOG = 1024
_LINGER_SECONDS = 2.0

Call = Callable[[Callback], Awaitable[Answer]]
"""Answers a plain callback; raises nothing."""

Refused = Callable[[int, str], None]
"""Hears the status and the reason of what was refused before it became a request."""


class CannotListen(LvlinError):
    """The address is taken or cannot be had; the message says how to mend it."""


class Listener:
    """Serves callbacks and a web application on one address, without an access log."""

    def __init__(self, application: web.Application, call: Call, refused: Refused) -> None:
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=DRAIN_SECONDS)
        self._call = call
        self._refused = refused
        self._accepting: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Take the address, start the application, accept connections; the port. Raises CannotListen."""
        taken = _bound(host, port)
        loop = asyncio.get_running_loop()
        try:
            await self._runner.setup()
            assert self._runner.server is not None
            self._gate = _Gate(self._runner.server, self._call, self._refused, _most_connections(), loop)
            self._accepting = await loop.create_server(self._gate.newcomer, sock=taken, backlog=_BACKLOG)
        except BaseException:
            taken.close()
            await self._runner.cleanup()
            raise
        bound_to: int = taken.getsockname()[1]
        return bound_to

    async def stop(self) -> None:
        """Accept nothing more, let what is at work finish, stop the application."""
        if self._accepting is not None:
            # Closing it at once would lose what the loop accepted and made no protocol for yet: asyncio fails on those
            # without a word, and their callers would wait until the process ends.
            for listening in self._accepting.sockets:
                asyncio.get_running_loop().remove_reader(listening)
            await self._gate.close()
            self._accepting.close()
        await self._runner.cleanup()


class _Gate:
    """Who is connected, who is waited for, and what is at work for them."""

    def __init__(
        self, server: web.Server, call: Call, refused: Refused, most: int, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.call = call
        self.closing = False
        self._server = server
        self._refused = refused
        self._most = most
        self._loop = loop
        self._inside: set[asyncio.Protocol] = set()
        self._waiting: dict[_Plain, float] = {}  # until when; in the order of that
        self._looking: asyncio.TimerHandle | None = None
        self._at_work: set[asyncio.Task[None]] = set()

    def newcomer(self) -> _Plain:
        """The protocol of a new connection."""
        return _Plain(self)

    def enter(self, connection: _Plain) -> bool:
        """Let a new connection in, if there is room."""
        if len(self._inside) >= self._most:
            return False
        self._inside.add(connection)
        self.wait_for(connection)
        return True

    def leave(self, connection: asyncio.Protocol) -> None:
        """A connection ended."""
        self._inside.discard(connection)
        self._waiting.pop(connection, None)  # type: ignore[call-overload]

    def wait_for(self, connection: _Plain) -> None:
        """Close the connection if it says nothing for IDLE_SECONDS."""
        until = self._loop.time() + IDLE_SECONDS
        self._waiting[connection] = until
        if self._looking is None:
            self._looking = self._loop.call_at(until, self._close_the_silent)

    def heard(self, connection: _Plain) -> None:
        """It said something."""
        self._waiting.pop(connection, None)

    def set_to_work(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin what `close` is to wait for; `done` ends that."""
        task = self._loop.create_task(work)
        self._at_work.add(task)
        return task

    def done(self, task: asyncio.Task[None]) -> None:
        """The task is as good as done."""
        self._at_work.discard(task)

    def hand_over(self, connection: _Plain, transport: asyncio.Transport, said: bytes) -> None:
        """Let aiohttp have the connection, and what was said on it."""
        other = _Any(self._server, self._refused, self, self._loop)
        self._inside.discard(connection)
        self._inside.add(other)
        transport.set_protocol(other)
        other.connection_made(transport)
        other.data_received(said)

    async def close(self) -> None:
        """Serve or close whoever is connected, also where the loop has not got round to them yet."""
        self.closing = True
        await asyncio.sleep(LAST_WORDS_SECONDS)
        for connection in [*self._waiting]:
            connection.close()
        if self._looking is not None:
            self._looking.cancel()
        if self._at_work:
            _, late = await asyncio.wait(self._at_work, timeout=DRAIN_SECONDS)
            for task in late:
                task.cancel()

    def _close_the_silent(self) -> None:
        now = self._loop.time()
        self._looking = None
        for connection, until in [*self._waiting.items()]:
            if until > now:
                self._looking = self._loop.call_at(until, self._close_the_silent)
                return
            connection.close()


class _Plain(asyncio.Protocol):
    """A connection as long as what comes on it is plain: one callback after the other."""

    __slots__ = ("_early", "_gate", "_task", "_transport")

    _transport: asyncio.Transport

    def __init__(self, gate: _Gate) -> None:
        self._gate = gate
        self._task: asyncio.Task[None] | None = None
        self._early = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if not self._gate.enter(self):
            transport.close()

    def data_received(self, data: bytes) -> None:
        if self._task is not None:  # the next callback comes before the answer to this one: let it wait
            self._early += data
            self._transport.pause_reading()
            return
        self._gate.heard(self)
        callback = read(data)
        if callback is None:
            self._gate.hand_over(self, self._transport, data)
        else:
            self._task = self._gate.set_to_work(self._serve(callback))

    def pause_writing(self) -> None:
        """It asks and asks, and reads no answer."""
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._gate.leave(self)

    def close(self) -> None:
        """End the connection."""
        self._gate.heard(self)
        self._transport.close()

    async def _serve(self, callback: Callback) -> None:
        stays = False
        try:
            answer = await self._gate.call(callback)
            stays = callback.stays and answer.status == 200 and not self._gate.closing
            if not self._transport.is_closing():
                self._transport.write(written(answer, stays=stays))
        finally:
            assert self._task is not None
            self._gate.done(self._task)
            self._task = None
            if stays:
                self._go_on()
            else:
                self._transport.close()

    def _go_on(self) -> None:
        if self._transport.is_closing():
            return
        self._gate.wait_for(self)
        if self._early:
            early, self._early = self._early, b""
            self._transport.resume_reading()
            self.data_received(early)


class _Any(web.RequestHandler):
    """A connection in aiohttp's hands.

    What is not HTTP is refused as anything else is: by its status alone, and without a traceback."""

    __slots__ = ("_gate", "_refused")

    def __init__(self, server: web.Server, refused: Refused, gate: _Gate, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            server,
            loop=loop,
            access_log=None,  # type: ignore[arg-type]  # none is how aiohttp itself spells it
            logger=log,
            keepalive_timeout=IDLE_SECONDS,
            lingering_time=_LINGER_SECONDS,
        )
        self._refused = refused
        self._gate = gate

    def connection_lost(self, exc: BaseException | None) -> None:
        """It ended."""
        self._gate.leave(self)
        super().connection_lost(exc)

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
