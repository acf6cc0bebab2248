"""From a cold start: one question on the command line, the server until it is ready, and the memory it holds."""

from __future__ import annotations

import resource
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.callbacks import encrypted
from benchmarks.driver import Driver
from benchmarks.site import LVLIN, ROOT, Server, free_port, make_site, questions, serving
from benchmarks.table import Row

ASKS, STARTS, MESSAGES = 7, 5, 2_000
QUESTION = "奶茶杯扔哪个桶"


def run() -> list[Row]:
    """Times and memory."""
    with tempfile.TemporaryDirectory() as place:
        first, again, used = _asked(Path(place))
    with tempfile.TemporaryDirectory() as place:
        _, compiled = _resident(Path(place), 0)
        ready, after = _resident(Path(place), MESSAGES)
    with tempfile.TemporaryDirectory() as place:
        starts = _started(Path(place))
    return [
        Row("lvlin ask, the very first time on a new site (compiles the knowledge)", first, "s"),
        Row(f"lvlin ask, whole process, median of {ASKS}", again, "s", most=0.7),
        Row("the same by processor time", used, "s"),
        Row(f"serve, start to ready, median of {STARTS}", statistics.median(starts), "s", most=2.0),
        Row("resident memory when ready", ready, "MB", most=150),
        Row(f"resident memory after {MESSAGES:,} messages", after, "MB", most=150),
        Row("the same where the server itself had to compile the knowledge", compiled, "MB", most=150),
    ]


def _resident(folder: Path, first: int) -> tuple[float, float]:
    """Resident memory of a site's server in MB: when ready, and after MESSAGES messages numbered from `first`."""
    requests = [callback.request for callback in encrypted(questions(), range(first, first + MESSAGES))]
    with serving(folder) as server:
        ready = server.resident_mb()
        taken = Driver(server.address).closed(requests, 32)
        after = server.resident_mb()
    if not taken.all_taken:
        raise AssertionError(f"not every message was taken: {taken.statuses}")
    return ready, after


def _asked(folder: Path) -> tuple[float, float, float]:
    """Seconds of the first `lvlin ask` on a site, the median of the next ones, that of their processor time."""
    config = make_site(folder, port=0)
    times, used = [], []
    for _ in range(ASKS + 1):
        began, before = time.perf_counter(), _children_seconds()
        subprocess.run(_script("ask", QUESTION, "--config", config), cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - began)
        used.append(_children_seconds() - before)
    return times[0], statistics.median(times[1:]), statistics.median(used[1:])


def _children_seconds() -> float:
    """Processor time of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _script(*arguments: str | Path) -> tuple[str | Path, ...]:
    """The installed `lvlin`, or, where it is not installed, the same as a module."""
    installed = Path(LVLIN[0]).parent / "lvlin"
    return (installed, *arguments) if installed.exists() else (*LVLIN, *arguments)


def _started(folder: Path) -> list[float]:
    """Seconds from the start of the process until it is ready, on a site that was served before."""
    port = free_port()
    config = make_site(folder, port=port)
    times = []
    for _ in range(STARTS + 1):
        server = Server((*LVLIN, "serve", "--config", config), port, folder / "server.log")
        times.append(server.wait_until_ready())
        server.terminate()
    return times[1:]
