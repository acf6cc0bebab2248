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
from pathlib import Path

from benchmarks.callbacks import encrypted
from benchmarks.driver import Driven, Driver
from benchmarks.site import Server, free_port, pinned, questions, serving
from benchmarks.table import Row, percentile

ROUNDS, REQUESTS, CONCURRENT = 7, 2_000, 32
STEADY_RATE, STEADY_SECONDS = 300, 10


def run() -> list[Row]:
    """Rates, their ratio, and latencies."""
    cores = sorted(os.sched_getaffinity(0))
    texts = questions()
    with tempfile.TemporaryDirectory() as place, pinned(cores[-1]):
        folder = Path(place)
        with serving(folder, core=cores[0]) as bot, _bare(folder, core=cores[0]) as bare:
            rounds = [_requests(texts, number, REQUESTS) for number in range(ROUNDS + 1)]
            _driven(bare, rounds[0]), _driven(bot, rounds[0])  # to warm both
            used, began, rates = bot.cpu_seconds(), 0.0, []
            for requests in rounds[1:]:
                handled = _driven(bare, requests)
                taken = _driven(bot, requests)
                rates.append((handled.per_second, taken.per_second))
                began += taken.seconds
            busy = bot.cpu_seconds() - used
            steady = Driver(bot.address).open(_requests(texts, ROUNDS + 1, STEADY_RATE * STEADY_SECONDS), STEADY_RATE)
    latencies = [1000 * seconds for seconds in _checked(steady).latencies]
    return [
        Row("bare aiohttp handler, a new connection each", statistics.median(bare for bare, _ in rates), "/s"),
        Row("encrypted messages kept and answered, a new connection each", statistics.median(bot for _, bot in rates), "/s"),
        Row(
            f"their ratio, median of {ROUNDS} rounds side by side",
            100 * statistics.median(bot / bare for bare, bot in rates), "%", least=40,
        ),
        Row("processor time of one message", 1e6 * busy / (ROUNDS * REQUESTS), "us"),
        Row("share of its processor the server got meanwhile", 100 * busy / began, "%"),
        Row(f"latency at {STEADY_RATE} messages/s, p50", percentile(latencies, 0.5), "ms"),
        Row(f"latency at {STEADY_RATE} messages/s, p99", percentile(latencies, 0.99), "ms", most=50),
    ]  # fmt: skip


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


def _driven(server: Server, requests: Sequence[bytes]) -> Driven:
    time.sleep(0.2)  # what the other one left to do in the background
    return _checked(Driver(server.address).closed(requests, CONCURRENT))


def _checked(driven: Driven) -> Driven:
    if not driven.all_taken:
        raise AssertionError(f"not every message was taken: {driven.statuses}")
    return driven
