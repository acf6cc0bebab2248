"""A circuit breaker: what failed again and again is left alone for a while, then tried once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

log = logging.getLogger("lvlin.llm")

FAILURES = 5
"""So many failures in a row open it."""

PAUSE_SECONDS = 30.0
"""For so long nothing is let through; then one call is, and what becomes of it decides."""


class Breaker:
    """Let through with `admits`; each call let through is settled once. `clock`: monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed = 0
        self._opened_at: float | None = None
        self._probing = False

    def admits(self) -> bool:
        """Whether a call may be made now."""
        if self._opened_at is None:
            return True
        if self._probing or self._clock() - self._opened_at < PAUSE_SECONDS:
            return False
        self._probing = True
        return True

    def settle(self, succeeded: bool | None) -> None:
        """What became of a call that was let through; None where nothing can be said of the other side."""
        probed, self._probing = self._probing, False
        if succeeded is None:
            return
        if succeeded:
            self._close()
            return
        self._failed += 1
        if probed or (self._opened_at is None and self._failed >= FAILURES):
            self._opened_at = self._clock()
            log.warning("the language model is left alone for a while", extra={"failures": self._failed})

    def _close(self) -> None:
        if self._opened_at is not None:
            log.info("the language model answers again")
        self._failed, self._opened_at = 0, None
