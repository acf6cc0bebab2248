"""How long the event loop stands still while the knowledge is replaced under load."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable
from pathlib import Path

from benchmarks.canary import Canary, canary
from benchmarks.crash import calling
from benchmarks.site import HOST, KNOWLEDGE, free_port, make_site
from benchmarks.table import Row, percentile
from bot import settings as config
from bot.app import App, build

RELOADS = 20
CONNECTIONS, PAUSE_SECONDS = 4, 0.02
"""The load: about 150 messages a second."""

_CALM_SECONDS = 1.0


def run() -> list[Row]:
    """The longest stalls, with and without reloads."""
    with tempfile.TemporaryDirectory() as place:
        knowledge = Path(place) / "knowledge"
        shutil.copytree(KNOWLEDGE, knowledge)
        site = make_site(Path(place), port=free_port(), knowledge=knowledge)
        calm, stalls, versions = asyncio.run(_measured(config.load(site, {}), knowledge))
    waits = [bird.longest for bird in stalls]
    if versions != RELOADS + 1:
        raise AssertionError(f"{versions} versions were served in {RELOADS} reloads")
    return [
        Row("longest stall of the loop under the same load without a reload", 1000 * calm, "ms"),
        Row(f"longest stall of the loop, median of {RELOADS} reloads", 1000 * percentile(waits, 0.5), "ms"),
        Row(f"longest stall of the loop in {RELOADS} reloads", 1000 * max(waits), "ms", most=50),
        Row("the same by processor time of this process", 1000 * max(bird.busiest for bird in stalls), "ms"),
    ]


async def _measured(settings: config.Settings, knowledge: Path) -> tuple[float, list[Canary], int]:
    """The longest stall in calm stretches in seconds, a canary for each reload, how many versions were served."""
    app = await build(settings)
    port = await app.listener.start(HOST, settings.server.port)
    versions = {app.knowledge.version}
    calm, stalls = [], []
    try:
        with calling(port, seed=1, connections=CONNECTIONS, pause=PAUSE_SECONDS) as call:
            await asyncio.to_thread(call.wait_for_more, 100)
            for number in range(RELOADS):
                calm.append((await _stall(asyncio.sleep(_CALM_SECONDS))).longest)
                stalls.append(await _stall(_reloaded(app, knowledge, number)))
                versions.add(app.knowledge.version)
            await asyncio.to_thread(call.stop)
    finally:
        await app.listener.stop()
    return max(calm), stalls, len(versions)


async def _stall(work: Awaitable[object]) -> Canary:
    async with canary() as bird:
        await work
    return bird


async def _reloaded(app: App, knowledge: Path, number: int) -> None:
    """Change a file so that all must be compiled anew, and have it read."""
    texts = knowledge / "texts.yaml"
    await asyncio.to_thread(texts.write_text, texts.read_text("utf-8") + f"# change {number}\n", "utf-8")
    await app.knowledge.reload()
