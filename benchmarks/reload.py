"""How long the event loop stands still while the knowledge is replaced under load."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks.canary import canary
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
    if versions != RELOADS + 1:
        raise AssertionError(f"{versions} versions were served in {RELOADS} reloads")
    return [
        Row("longest stall of the loop under the same load without a reload", 1000 * calm, "ms"),
        Row(f"longest stall of the loop, median of {RELOADS} reloads", 1000 * percentile(stalls, 0.5), "ms"),
        Row(f"longest stall of the loop in {RELOADS} reloads", 1000 * max(stalls), "ms", most=50),
    ]


async def _measured(settings: config.Settings, knowledge: Path) -> tuple[float, list[float], int]:
    """Seconds: the longest stall in calm stretches, that of each reload; and how many versions were served."""
    app = await build(settings)
    port = await app.listener.start(HOST, settings.server.port)
    versions = {app.knowledge.version}
    calm, stalls = [], []
    try:
        with calling(port, seed=1, connections=CONNECTIONS, pause=PAUSE_SECONDS) as call:
            await asyncio.to_thread(call.wait_for_more, 100)
            for number in range(RELOADS):
                calm.append(await _stall(lambda: asyncio.sleep(_CALM_SECONDS)))
                stalls.append(await _stall(lambda number=number: _reloaded(app, knowledge, number)))
                versions.add(app.knowledge.version)
            await asyncio.to_thread(call.stop)
    finally:
        await app.listener.stop()
    return max(calm), stalls, len(versions)


async def _stall(work: Callable[[], Awaitable[object]]) -> float:
    async with canary() as bird:
        await work()
    return bird.longest


async def _reloaded(app: App, knowledge: Path, number: int) -> None:
    """Change a file so that all must be compiled anew, and have it read."""
    texts = knowledge / "texts.yaml"
    await asyncio.to_thread(texts.write_text, texts.read_text("utf-8") + f"# change {number}\n", "utf-8")
    await app.knowledge.reload()
