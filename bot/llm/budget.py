"""How many calls may be made: so many a minute, and so many a day of the site, counted across restarts."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from datetime import date

from bot.errors import StoreUnavailable
from bot.storage.contract import Store

SPENT = "language model calls"
"""What the store counts them under."""

_MINUTE = 60.0


class Budget:
    """Spends calls. `today`: the day at the site; `clock`: monotonic seconds."""

    def __init__(
        self,
        store: Store,
        *,
        a_minute: int,
        a_day: int,
        today: Callable[[], date],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._a_minute = a_minute
        self._a_day = a_day
        self._today = today
        self._clock = clock
        self._lately: deque[float] = deque()

    async def spend(self) -> bool:
        """Spend one call; False where there is none left, or where it cannot be counted."""
        now = self._clock()
        while self._lately and now - self._lately[0] >= _MINUTE:
            self._lately.popleft()
        if len(self._lately) >= self._a_minute:
            return False
        self._lately.append(now)
        try:
            return await self._store.spend(SPENT, self._today().isoformat(), self._a_day)
        except StoreUnavailable:
            return False  # the turn, which cannot be kept either, says so
