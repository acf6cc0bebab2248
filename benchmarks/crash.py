"""Kill the server at random moments under load, and see whether it kept every message it had acknowledged.

The same is done to a server made wrong on purpose, which acknowledges before it commits: that must be found out.
"""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.site import LVLIN, ROOT, Server, free_port, make_site
from benchmarks.table import Row, percentile

KILLS, TERMS, CONTROL_KILLS = 50, 20, 5
CONNECTIONS = 24
ACK_FIRST = (sys.executable, "-m", "tests.scenario.ack_first")
"""The command line of the server that acknowledges before it commits."""

_KEPT = "SELECT channel, message_id, reply, count(*) FROM turns GROUP BY channel, message_id"
_FEWEST_BETWEEN, _MOST_BETWEEN = 20, 600
_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the messages. `changed`: acknowledged with another reply than the one that was kept."""

    acknowledged: int
    lost: int
    twice: int
    changed: int
    refused: int
    sound: bool  # whether the database passes SQLite's own check


@dataclass(frozen=True, slots=True)
class Outcome:
    """A whole run: its verdict, the seconds of each restart until ready, and the SIGTERMs with their exit statuses."""

    verdict: Verdict
    ready: tuple[float, ...]
    drained: tuple[float, ...]
    exits: frozenset[int]


def run() -> list[Row]:
    """Losses of the real server, and of the one made wrong."""
    real = endure(kills=KILLS, terms=TERMS, seed=1)
    wrong = endure(kills=CONTROL_KILLS, terms=0, seed=1, command=ACK_FIRST).verdict
    found = real.verdict
    return [
        Row(f"messages acknowledged around {KILLS} kill -9 and {TERMS} SIGTERM", found.acknowledged),
        Row("of these lost", found.lost, most=0),
        Row("of these kept twice", found.twice, most=0),
        Row("of these kept with another reply than was sent", found.changed, most=0),
        Row("messages refused", found.refused, most=0),
        Row("database sound afterwards (1: yes)", int(found.sound), least=1),
        Row("restart to ready under load, median", percentile(real.ready, 0.5), "s"),
        Row("restart to ready under load, longest", max(real.ready), "s", most=2.0),
        Row("SIGTERM to the end of the process, longest", max(real.drained), "s", most=10.0),
        Row("highest exit status after SIGTERM", max(map(abs, real.exits)), most=0),
        Row(f"control that acknowledges first: lost in {CONTROL_KILLS} kill -9", wrong.lost, least=1),
    ]


def endure(*, kills: int, terms: int, seed: int, command: Sequence[str] = LVLIN) -> Outcome:
    """Serve under load, end the server by so many SIGKILL and SIGTERM, each time start it again; then judge."""
    draw = random.Random(seed)
    ends = draw.sample([Served.kill] * kills + [Served.terminate] * terms, kills + terms)
    with tempfile.TemporaryDirectory() as place:
        folder, port = Path(place), free_port()
        serve = (*command, "serve", "--config", str(make_site(folder, port=port)))
        served = Served(lambda: Server(serve, port, folder / "server.log"))
        try:
            with calling(port, seed) as call:
                for end in ends:
                    call.wait_for_more(draw.randint(_FEWEST_BETWEEN, _MOST_BETWEEN))
                    end(served)
                    served.start()
                call.wait_for_more(_FEWEST_BETWEEN)
            served.terminate()
        finally:
            served.server.kill()
        verdict = judge(folder / "lvlin.db", call.told)
    return Outcome(verdict, tuple(served.ready[1:]), tuple(served.drained), frozenset(served.exits))


class Served:
    """A server that is ended and started again, and what that took."""

    def __init__(self, make: Callable[[], Server]) -> None:
        self._make = make
        self.ready: list[float] = []
        self.drained: list[float] = []
        self.exits: set[int] = set()
        self.start()

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        self.server = self._make()
        self.ready.append(self.server.wait_until_ready())

    def kill(self) -> None:
        """End it by SIGKILL."""
        self.server.kill()

    def terminate(self) -> None:
        """End it by SIGTERM."""
        status, seconds = self.server.terminate()
        self.exits.add(status)
        self.drained.append(seconds)


class Call:
    """A caller process, and what it has told so far."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.told: list[Mapping[str, object]] = []
        self._process = process
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def wait_for_more(self, count: int) -> None:
        """Wait until so many more messages were told. Raises TimeoutError."""
        with self._news:
            aim = len(self.told) + count
            if not self._news.wait_for(lambda: len(self.told) >= aim, _PATIENCE_SECONDS):
                raise TimeoutError("the caller tells nothing more")

    def stop(self) -> None:
        """Let it finish what is under way."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(_PATIENCE_SECONDS)
        self._thread.join(_PATIENCE_SECONDS)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                with self._news:
                    self.told.append(json.loads(line))
                    self._news.notify_all()


@contextmanager
def calling(port: int, seed: int, *, connections: int = CONNECTIONS, pause: float = 0.0) -> Iterator[Call]:
    """A caller at work in a process of its own; when the block ends, it has stopped."""
    command = (
        sys.executable, "-m", "benchmarks.caller", str(port),
        "--seed", str(seed), "--connections", str(connections), "--pause", str(pause),
    )  # fmt: skip
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    call = Call(process)
    try:
        yield call
        call.stop()
    finally:
        process.kill()
        process.wait()


def judge(database: Path, told: Sequence[Mapping[str, object]]) -> Verdict:
    """Compare what a caller was told with what stands in the file."""
    address = f"file:{database}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as conn:
        rows = conn.execute(_KEPT).fetchall()
        sound = conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    kept = {(channel, message_id): reply for channel, message_id, reply, _ in rows}
    acknowledged = [((one["channel"], one["id"]), one["text"]) for one in told if "text" in one]
    distinct = {message for message, _ in acknowledged}
    return Verdict(
        acknowledged=len(distinct),
        lost=len(distinct - kept.keys()),
        twice=sum(count > 1 for *_, count in rows),
        changed=len({message for message, text in acknowledged if kept.get(message, text) != text}),
        refused=len(told) - len(acknowledged),
        sound=sound,
    )
