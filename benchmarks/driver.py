"""Sends requests, each on a new connection, with as little work of its own as can be: epoll and bare sockets.

asyncio would cost the client as much per connection as the server, and then it is the client that is measured.
"""

from __future__ import annotations

import select
import socket
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

_ANSWER_BYTES = 65_536
_PATIENCE_SECONDS = 30.0


@dataclass(slots=True)
class Driven:
    """What came of it. `latencies` in seconds: from when a request was due to the end of its answer."""

    seconds: float = 0.0
    statuses: Counter[bytes] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    @property
    def all_taken(self) -> bool:
        """Whether every answer was a 200."""
        return set(self.statuses) == {b"200"}


@dataclass(slots=True)
class _Exchange:
    connection: socket.socket
    due: float
    received: bytes = b""


class Driver:
    """Drives one server."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address

    def closed(self, requests: Sequence[bytes], concurrent: int) -> Driven:
        """As fast as it goes, with so many requests under way at any time."""
        return self._drive(requests, [0.0] * len(requests), concurrent)

    def open(self, requests: Sequence[bytes], per_second: float) -> Driven:
        """At a steady rate, whether earlier ones were answered or not."""
        return self._drive(requests, [n / per_second for n in range(len(requests))], len(requests))

    def _drive(self, requests: Sequence[bytes], due: Sequence[float], concurrent: int) -> Driven:
        """`due`: seconds after the beginning, ascending; a request waits longer only for one of `concurrent` places."""
        driven, under_way, sent = Driven(), dict[int, _Exchange](), 0
        began = time.perf_counter()
        with select.epoll() as poll:
            while sent < len(requests) or under_way:
                now = time.perf_counter() - began
                while sent < len(requests) and len(under_way) < concurrent and due[sent] <= now:
                    exchange = self._begun(requests[sent], due[sent] or time.perf_counter() - began)
                    under_way[exchange.connection.fileno()] = exchange
                    poll.register(exchange.connection, select.EPOLLIN)
                    sent += 1
                room = sent < len(requests) and len(under_way) < concurrent
                wait = max(0.0, due[sent] - (time.perf_counter() - began)) if room else _PATIENCE_SECONDS
                ready = poll.poll(wait)
                if not ready and not room:
                    raise TimeoutError("the server does not answer")
                for number, _ in ready:
                    if self._ended(under_way[number]):
                        exchange = under_way.pop(number)
                        exchange.connection.close()
                        driven.latencies.append(time.perf_counter() - began - exchange.due)
                        driven.statuses[exchange.received[9:12]] += 1
        driven.seconds = time.perf_counter() - began
        return driven

    def _begun(self, request: bytes, due: float) -> _Exchange:
        connection = socket.create_connection(self._address)
        connection.sendall(request)
        connection.setblocking(False)
        return _Exchange(connection, due)

    def _ended(self, exchange: _Exchange) -> bool:
        """Read what is there; whether it was the end."""
        try:
            received = exchange.connection.recv(_ANSWER_BYTES)
        except ConnectionError:
            return True
        exchange.received += received
        return not received
