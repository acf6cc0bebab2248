"""The server made wrong on purpose: a message is acknowledged first and committed a little later.

The crash tests run it as `lvlin` to show that they would find out. Nothing else may.
"""

from __future__ import annotations

import asyncio
import sys

import bot.app
from bot.cli import run
from bot.records import Turn
from bot.storage.contract import Keeping
from bot.storage.sqlite import SqliteStore

LATER_SECONDS = 0.05


class AckFirst(SqliteStore):
    """Says that a turn is kept, then keeps it."""

    _late: set[asyncio.Task[Turn]]

    async def keep(self, keeping: Keeping) -> Turn:
        task = asyncio.create_task(self._keep_later(keeping))
        self._late = {*getattr(self, "_late", ()), task}
        task.add_done_callback(lambda done: self._late.discard(done))
        return keeping.turn

    async def _keep_later(self, keeping: Keeping) -> Turn:
        await asyncio.sleep(LATER_SECONDS)
        return await super().keep(keeping)


if __name__ == "__main__":
    bot.app.open_store = AckFirst
    sys.exit(run())
