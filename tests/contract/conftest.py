"""The engines every promise of the store is tested on, and records to keep in them."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.storage.contract import Store
from bot.storage.memory import MemoryStore
from bot.storage.sqlite import SqliteStore

MakeStore = Callable[[Path], Store]

ENGINES: dict[str, MakeStore] = {
    "memory": lambda folder: MemoryStore(),
    "sqlite": lambda folder: SqliteStore(folder / "lvlin.db"),
}
DURABLE = ("sqlite",)


@pytest.fixture(params=ENGINES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """A running store of each engine, empty; when the test is over it leaves no thread behind."""
    async for running in _running(ENGINES[request.param](tmp_path)):
        yield running


@pytest.fixture(params=DURABLE)
async def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Callable[[], object]]:
    """A function that stops the store it gave last and opens the same data again (durable engines only)."""
    opened: list[Store] = []
    before = threading.active_count()

    async def open_again() -> Store:
        if opened:
            await opened[-1].stop()
        opened.append(ENGINES[request.param](tmp_path))
        await opened[-1].start()
        return opened[-1]

    yield open_again
    await opened[-1].stop()
    assert threading.active_count() == before


async def _running(store: Store) -> AsyncIterator[Store]:
    before = threading.active_count()
    await store.start()
    yield store
    await store.stop()
    await store.stop()  # idempotent
    assert store.queue_depth == 0
    assert threading.active_count() == before
