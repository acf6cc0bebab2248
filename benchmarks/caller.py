"""A platform that delivers messages and believes only what it was told: knows nothing of the bot but its address.

python -m benchmarks.caller PORT [--connections N] [--pause SECONDS] [--seed N]

Every acknowledged message is told on standard output, one JSON object a line: its channel, its id and the reply's text,
or the status of a refusal. It goes on until its standard input ends.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import socket
import sys
import threading
import time
from collections import deque

from benchmarks.callbacks import Callback, gateway, said, tencent
from benchmarks.site import HOST, questions

REDELIVERED = 0.02
"""How many messages are delivered once more, at any time from at once to a few hundred messages later."""

_RECENT = 300
_DEADLINE_SECONDS = 5.0
_RETRY_SECONDS = 0.02
_CHANNELS = ("app", "mp", "gateway")


class Broken(OSError):
    """The connection ended before the whole answer had come."""


class Caller:
    """Calls over several connections at once; what was not acknowledged is sent again until it is."""

    def __init__(self, port: int, *, connections: int, pause: float, seed: int) -> None:
        self._port = port
        self._pause = pause
        self._texts = questions(seed)
        self._numbers = itertools.count()
        self._recent: deque[Callback] = deque(maxlen=_RECENT)
        self._telling = threading.Lock()
        self._end = threading.Event()
        draws = [random.Random(seed + n) for n in range(connections)]
        self._threads = [threading.Thread(target=self._call, args=(draw,)) for draw in draws]

    def run(self) -> None:
        """Call until standard input ends."""
        for thread in self._threads:
            thread.start()
        sys.stdin.buffer.read()
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _call(self, draw: random.Random) -> None:
        while not self._end.is_set():
            self._deliver(self._next(draw))
            if self._pause:
                self._end.wait(self._pause)

    def _next(self, draw: random.Random) -> Callback:
        if self._recent and draw.random() < REDELIVERED:
            return draw.choice(tuple(self._recent))
        number = next(self._numbers)
        channel, text = _CHANNELS[number % len(_CHANNELS)], self._texts[number % len(self._texts)]
        callback = gateway(number, text) if channel == "gateway" else tencent(channel, number, text)
        self._recent.append(callback)
        return callback

    def _deliver(self, callback: Callback) -> None:
        while True:
            try:
                status, body = exchange((HOST, self._port), callback.request)
            except OSError:
                status, body = 0, b""
            if status == 200:
                return self._tell(callback, text=said(callback.channel, body))
            if 400 <= status < 500:
                return self._tell(callback, refused=status)
            if self._end.wait(_RETRY_SECONDS):
                return None

    def _tell(self, callback: Callback, **what: object) -> None:
        line = json.dumps({"channel": callback.channel, "id": callback.message_id, **what}, ensure_ascii=False)
        with self._telling:
            print(line, flush=True)


def exchange(address: tuple[str, int], request: bytes) -> tuple[int, bytes]:
    """Status and body of one request on a connection of its own. Raises OSError where the answer is not whole."""
    deadline = time.monotonic() + _DEADLINE_SECONDS
    with socket.create_connection(address, _DEADLINE_SECONDS) as connection:
        connection.sendall(request)
        received = b""
        while part := connection.recv(65_536):
            received += part
            connection.settimeout(max(0.001, deadline - time.monotonic()))
    return answer(received)


def answer(received: bytes) -> tuple[int, bytes]:
    """Status and body of what was received up to the end of a connection. Raises Broken where some of it is missing."""
    head, found, body = received.partition(b"\r\n\r\n")
    status, *headers = head.split(b"\r\n")
    fields = [line.partition(b":") for line in headers]
    lengths = [int(value) for name, _, value in fields if name.lower() == b"content-length"]
    if not found or lengths != [len(body)]:
        raise Broken("the answer broke off")
    return int(status.split()[1]), body


def main() -> None:
    """Read the arguments, call."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.caller")
    parser.add_argument("port", type=int)
    parser.add_argument("--connections", type=int, default=24)
    parser.add_argument("--pause", type=float, default=0.0, help="seconds each connection waits between messages")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    Caller(given.port, connections=given.connections, pause=given.pause, seed=given.seed).run()


if __name__ == "__main__":
    main()
