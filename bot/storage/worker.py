"""A thread that owns a resource and works off what an event loop asks of it, many jobs at a time."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

from bot.errors import StoreUnavailable

log = logging.getLogger("lvlin.storage")

R = TypeVar("R")
J = TypeVar("J")
MOST_AT_ONCE = 500
"""The longest batch: long enough to share one fsync widely, short enough to answer within milliseconds."""


_Asked: TypeAlias = tuple[J, asyncio.Future[Any]]


class Outcome(NamedTuple):
    """What became of one job: its value, or the error it ended in."""

    value: Any = None
    error: Exception | None = None


class Worker(Generic[R, J]):
    """Runs jobs on a thread of its own.

    `open_` makes the resource on the thread, `work` turns a batch of jobs into as many outcomes, `close` ends it.
    All methods are called on one event loop.
    """

    def __init__(
        self,
        name: str,
        open_: Callable[[], R],
        work: Callable[[R, Sequence[J]], Sequence[Outcome]],
        close: Callable[[R], None],
        gather_seconds: float = 0.0,
    ) -> None:
        """`gather_seconds`: how long the first job waits for others to share its batch while nothing is at work."""
        self._open = open_
        self._work = work
        self._close = close
        self._gather_seconds = gather_seconds
        self._gathered: list[_Asked[J]] = []
        self._busy = False  # a batch is handed over and not answered, or about to be handed over
        self._queue: SimpleQueue[list[_Asked[J]] | None] = SimpleQueue()
        # A daemon: a process that forgot to stop its store still ends, and what it was told is kept is on the disk.
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)
        self._accepting = False
        self.waiting = 0
        """Jobs accepted and not answered yet."""

    async def start(self) -> None:
        """Open the resource; raises what opening it raised."""
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._thread.start()
        try:
            await self._opened
        except BaseException:
            self._queue.put(None)  # a start that was cancelled may have opened by now
            await self._ended
            self._thread.join()
            raise
        self._accepting = True

    def ask(self, job: J) -> asyncio.Future[Any]:
        """Queue a job. Raises StoreUnavailable before the start and after the stop."""
        if not self._accepting:
            raise StoreUnavailable("the store is not running")
        answer = self._loop.create_future()
        self.waiting += 1
        self._gathered.append((job, answer))
        if not self._busy:
            self._busy = True
            self._loop.call_later(self._gather_seconds, self._hand_over)
        return answer

    async def stop(self) -> None:
        """Finish what was accepted, close the resource, end the thread. Idempotent."""
        if self._accepting:
            self._accepting = False
            while self._gathered:
                self._hand_over()
            self._queue.put(None)
        if self._thread.is_alive():
            await asyncio.shield(self._ended)
            self._thread.join()

    def _live(self) -> None:
        try:
            resource = self._open()
        except Exception as exc:  # noqa: BLE001 — whatever it is belongs to the caller of start
            self._call(_settle, self._opened, Outcome(error=exc))
        else:
            self._call(_settle, self._opened, Outcome())
            try:
                self._serve(resource)
            finally:
                self._close(resource)
        finally:
            self._call(_settle, self._ended, Outcome())

    def _serve(self, resource: R) -> None:
        while batch := self._queue.get():
            jobs = [job for job, _ in batch]
            try:
                outcomes = self._work(resource, jobs)
            except Exception:
                # A mistake of ours must not end the thread: a dead one looks healthy and answers nobody.
                log.exception("a batch of the store failed", extra={"jobs": len(jobs)})
                outcomes = [Outcome(error=StoreUnavailable("a batch of the store failed")) for _ in jobs]
            self._call(self._answer, [answer for _, answer in batch], outcomes)

    def _hand_over(self) -> None:
        """Give the thread what was gathered, at most MOST_AT_ONCE. One batch at a time: while it is at work the next
        one grows, and the thread is not woken for every job."""
        batch, self._gathered = self._gathered[:MOST_AT_ONCE], self._gathered[MOST_AT_ONCE:]
        if batch:
            self._queue.put(batch)
        else:
            self._busy = False

    def _answer(self, answers: Sequence[asyncio.Future[Any]], outcomes: Sequence[Outcome]) -> None:
        self.waiting -= len(answers)
        for answer, outcome in zip(answers, outcomes, strict=True):
            _settle(answer, outcome)
        self._loop.call_soon(self._hand_over)  # after those just answered, who may ask again

    def _call(self, function: Callable[..., object], *values: object) -> None:
        try:
            self._loop.call_soon_threadsafe(function, *values)
        except RuntimeError:
            log.warning("the event loop ended before the store was stopped")


def _settle(answer: asyncio.Future[Any], outcome: Outcome) -> None:
    if answer.done():  # its asker was cancelled; the work is done all the same
        return
    if outcome.error is None:
        answer.set_result(outcome.value)
    else:
        answer.set_exception(outcome.error)
