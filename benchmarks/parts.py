"""Parts of a message's way, each by itself: opening and sealing per channel, and keeping. See crypto.py, store.py."""

from __future__ import annotations

import asyncio
import tempfile
from functools import partial
from pathlib import Path

from benchmarks import crypto, store
from benchmarks.table import Row
from bot.storage.sqlite import SqliteStore

_KEEPERS = 100
_KEEPS = 20_000


def run() -> list[Row]:
    """Microseconds to open and to seal for each channel, and keeps a second."""
    rows = []
    for name, channel, request in crypto.channels():
        inbound = channel.open(request, crypto.NOW)
        opening = crypto.best_us(partial(channel.open, request, crypto.NOW), 500)
        sealing = crypto.best_us(partial(channel.seal, inbound, crypto.REPLY, crypto.NOW), 500)
        rows.append(Row(f"{name}: open and seal one message", opening + sealing, "us"))
    kept = asyncio.run(_kept())
    rows.append(Row(f"SQLite, synchronous FULL: keeps with {_KEEPERS} at once", kept.per_second, "/s"))
    rows.append(Row("SQLite: processor time of one keep", kept.cpu_us, "us"))
    return rows


async def _kept() -> store.Figures:
    with tempfile.TemporaryDirectory() as place:
        engine = SqliteStore(Path(place) / "lvlin.db")
        await engine.start()
        try:
            return await store.run(engine, _KEEPERS, [store.question(number) for number in range(_KEEPS)])
        finally:
            await engine.stop()
