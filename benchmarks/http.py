"""Encrypted callbacks, each on a new connection: against a bare aiohttp handler, and their latency at a steady rate.

Both servers are pinned to one processor and idle while the other is driven; the client has another processor.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.callbacks import encrypted
from benchmarks.driver import Driven, Driver
from benchmarks.site import Server, free_port, pinned, questions, serving
from benchmarks.table import Row, percentile

ROUNDS, REQUESTS, CONCURRENT = 7, 2_000, 32
STEADY_RATE, STEADY_SECONDS = 300, 10

_PAUSE_SECONDS = 0.2


def run() -> list[Row]:
    """Rates, their ratio, and latencies."""
    cores = sorted(os.sched_getaffinity(0))
    texts = questions()
    with tempfile.TemporaryDirectory() as place, pinned(cores[-1]):
        folder = Path(place)
        with serving(folder, core=cores[0]) as bot, _bare(folder, core=cores[0]) as bare:
            rounds = [_requests(texts, number, REQUESTS) for number in range(ROUNDS + 1)]
            for server in (bare, bot):
                _measured(server, rounds[0])  # to warm it
            pairs = []
            for requests in rounds[1:]:
                time.sleep(_PAUSE_SECONDS)  # what the other one left to do in the background
                pairs.append((_measured(bare, requests), _measured(bot, requests)))
            steady = Driver(bot.address).open(_requests(texts, ROUNDS + 1, STEADY_RATE * STEADY_SECONDS), STEADY_RATE)
    return [*_compared(pairs), *_latencies(_checked(steady))]


@dataclass(frozen=True, slots=True)
class Round:
    """One round with one server: requests a second, its processor time in microseconds for one of them."""

    per_second: float
    cpu_us: float

    @property
    def share(self) -> float:
        """How busy the server was, 0 to 1. Far below 1 it was not the server that set the pace."""
        return self.per_second * self.cpu_us / 1e6


def _compared(pairs: Sequence[tuple[Round, Round]]) -> list[Row]:
    """`pairs`: the bare handler's and the bot's rounds, side by side."""
    bare, bot = zip(*pairs, strict=True)
    ratio = statistics.median(taken.per_second / handled.per_second for handled, taken in pairs)
    by_cpu = statistics.median(handled.cpu_us / taken.cpu_us for handled, taken in pairs)
    rows = []
    for name, rounds in (("bare handler", bare), ("bot", bot)):
        rate = statistics.median(one.per_second for one in rounds)
        cost, share = statistics.median(one.cpu_us for one in rounds), statistics.median(one.share for one in rounds)
        rows += [
            Row(f"{name}: requests, each on a new connection", rate, "/s"),
            Row(f"{name}: processor time of one, all threads", cost, "us"),
            Row(f"{name}: share of its processor it was busy", 100 * share, "%"),
        ]
    return [
        *rows,
        Row(f"bot's rate of the bare handler's, median of {ROUNDS} rounds side by side", 100 * ratio, "%", least=40),
        Row("the same by processor time", 100 * by_cpu, "%"),
    ]


def _latencies(steady: Driven) -> list[Row]:
    milliseconds = [1000 * seconds for seconds in steady.latencies]
    return [
        Row(f"latency at {STEADY_RATE} messages/s, p50", percentile(milliseconds, 0.5), "ms"),
        Row(f"latency at {STEADY_RATE} messages/s, p99", percentile(milliseconds, 0.99), "ms", most=50),
    ]


@contextmanager
def _bare(folder: Path, core: int) -> Iterator[Server]:
    port = free_port()
    server = Server((sys.executable, "-m", "benchmarks.bare", str(port)), port, folder / "bare.log", core)
    server.wait_until_ready()
    try:
        yield server
    finally:
        server.terminate()


def _requests(texts: Sequence[str], block: int, count: int) -> list[bytes]:
    """`count` requests with numbers no other block has."""
    start = block * 100_000
    return [callback.request for callback in encrypted(texts, range(start, start + count))]


def _measured(server: Server, requests: Sequence[bytes]) -> Round:
    used = server.cpu_seconds()
    driven = _checked(Driver(server.address).closed(requests, CONCURRENT))
    return Round(driven.per_second, 1e6 * (server.cpu_seconds() - used) / len(requests))


def _checked(driven: Driven) -> Driven:
    if not driven.all_taken:
        raise AssertionError(f"not every message was taken: {driven.statuses}")
    return driven
