"""What residents notice of a publication under load: no message is lost, and the event loop does not stand still.

The server runs in this process, the caller and `lvlin kb publish` in others; each publication is of another content.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks.canary import Canary, canary
from benchmarks.crash import Call, Verdict, calling, judge
from benchmarks.site import HOST, KNOWLEDGE, LVLIN, ROOT, free_port, make_site
from benchmarks.table import Row
from bot import settings as config
from bot.app import App, build
from bot.assembly import kept_versions
from bot.publishing.publish import publish
from bot.publishing.versions import content_of, read

PUBLICATIONS = 8
CONNECTIONS, PAUSE_SECONDS = 12, 0.03
"""The load: somewhat more than 300 messages a second where the machine can."""

_CALM_SECONDS = 10.0


def run() -> list[Row]:
    """Stalls, losses and the rate at which messages were answered meanwhile."""
    with tempfile.TemporaryDirectory() as place:
        knowledge = Path(place) / "knowledge"
        shutil.copytree(KNOWLEDGE, knowledge)
        site = make_site(Path(place), port=free_port(), knowledge=knowledge)
        measured = asyncio.run(_measured(config.load(site, {}), site, knowledge))
        verdict = judge(Path(place) / "lvlin.db", measured.told)
    return measured.rows(verdict)


class _Measured:
    """What came of all publications."""

    def __init__(self) -> None:
        self.calm = 0.0
        self.stalls: list[Canary] = []
        self.seconds: list[float] = []
        self.rates: list[float] = []
        self.told: list[Mapping[str, object]] = []
        self.versions: set[str] = set()

    def rows(self, verdict: Verdict) -> list[Row]:
        waits, wrong = [bird.longest for bird in self.stalls], verdict.lost + verdict.twice + verdict.changed
        busiest = max(bird.busiest for bird in self.stalls)
        return [
            Row("messages a second answered while publishing, median", median(self.rates), "/s", least=300),
            Row("versions served", len(self.versions), least=PUBLICATIONS + 1),
            Row("messages acknowledged", verdict.acknowledged),
            Row("of these lost, kept twice or with another reply", wrong, most=0),
            Row("messages refused", verdict.refused, most=0),
            Row("longest stall of the loop under the same load, not publishing", 1000 * self.calm, "ms"),
            Row(f"longest stall of the loop, median of {PUBLICATIONS} publications", 1000 * median(waits), "ms"),
            Row(f"longest stall of the loop in {PUBLICATIONS} publications", 1000 * max(waits), "ms", most=50),
            Row("the same by processor time of this process", 1000 * busiest, "ms"),
            Row("a publication under load, median", median(self.seconds), "s"),
        ]


async def _measured(settings: config.Settings, site: Path, knowledge: Path) -> _Measured:
    _publish_as_it_is(settings)
    app = await build(settings)
    port = await app.listener.start(HOST, settings.server.port)
    measured = _Measured()
    try:
        with calling(port, seed=1, connections=CONNECTIONS, pause=PAUSE_SECONDS) as call:
            await asyncio.to_thread(call.wait_for_more, 100)
            measured.versions.add(app.knowledge.version)
            async with canary() as bird:
                await asyncio.sleep(_CALM_SECONDS)
            measured.calm = bird.longest
            for number in range(PUBLICATIONS):
                await _one(measured, call, app, site, knowledge, number)
            await asyncio.to_thread(call.stop)
    finally:
        await app.listener.stop()
    measured.told += call.told
    return measured


async def _one(measured: _Measured, call: Call, app: App, site: Path, knowledge: Path, number: int) -> None:
    """Edit, publish, and let the server take it up."""
    began, told = time.perf_counter(), len(call.told)
    async with canary() as bird:
        await asyncio.to_thread(_publish, site, knowledge, number)
        measured.seconds.append(time.perf_counter() - began)
        await app.knowledge.look()
    measured.rates.append((len(call.told) - told) / (time.perf_counter() - began))
    measured.stalls.append(bird)
    measured.versions.add(app.knowledge.version)


def _publish_as_it_is(settings: config.Settings) -> None:
    """A version to compare with, whether or not every frozen question holds at the moment."""
    content = content_of(read(settings.knowledge))
    at = datetime.now(UTC)
    publish(settings.knowledge, kept_versions(settings), examined=content, by="benchmark", note="", at=at)


def _publish(site: Path, knowledge: Path, number: int) -> None:
    with (knowledge / "texts.yaml").open("a", encoding="utf-8") as out:
        out.write(f"# change {number}\n")
    command = (*LVLIN, "kb", "publish", "--by", "benchmark", "--config", str(site))
    subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, check=True)
