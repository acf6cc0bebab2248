"""How long an event loop does not get round to anything else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_TICK_SECONDS = 0.001


class Canary:
    """Wakes every millisecond and notes how late that was."""

    def __init__(self) -> None:
        self.longest = 0.0
        """The longest wait beyond what was asked for so far, in seconds."""
        self.busiest = 0.0
        """The most processor time this process used in one wait: a stall that is not the busy machine's fault."""

    async def _sing(self) -> None:
        while True:
            began, used = time.perf_counter(), time.process_time()
            await asyncio.sleep(_TICK_SECONDS)
            self.longest = max(self.longest, time.perf_counter() - began - _TICK_SECONDS)
            self.busiest = max(self.busiest, time.process_time() - used)


@asynccontextmanager
async def canary() -> AsyncIterator[Canary]:
    """A canary on this loop, singing from before the block to after it."""
    bird = Canary()
    task = asyncio.create_task(bird._sing())
    await asyncio.sleep(0)
    try:
        yield bird
        await asyncio.sleep(2 * _TICK_SECONDS)  # a stretch that blocked to the very end of the block is noted, too
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
