"""A thread that owns a resource and works off what an event loop asks of it, many jobs at a time."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Any, Generic, NamedTuple, TypeVar

from bot.errors import StoreUnavailable

log = logging.getLogger("lvlin.storage")

R = TypeVar("R")
J = TypeVar("J")
MOST_AT_ONCE = 500
"""The longest batch: long enough to share one fsync widely, short enough to answer within milliseconds."""


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
    ) -> None:
        self._open = open_
        self._work = work
        self._close = close
        self._queue: SimpleQueue[tuple[J, asyncio.Future[Any]] | None] = SimpleQueue()
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
        self._queue.put((job, answer))
        return answer

    async def stop(self) -> None:
        """Finish what was accepted, close the resource, end the thread. Idempotent."""
        if self._accepting:
            self._accepting = False
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
        while batch := self._next_batch():
            jobs = [job for job, _ in batch]
            try:
                outcomes = self._work(resource, jobs)
            except Exception:
                # A mistake of ours must not end the thread: a dead one looks healthy and answers nobody.
                log.exception("a batch of the store failed", extra={"jobs": len(jobs)})
                outcomes = [Outcome(error=StoreUnavailable("a batch of the store failed")) for _ in jobs]
            self._call(self._answer, [answer for _, answer in batch], outcomes)

    def _next_batch(self) -> list[tuple[J, asyncio.Future[Any]]]:
        """Everything that waits, at most MOST_AT_ONCE; empty when it is time to end."""
        first = self._queue.get()
        if first is None:
            return []
        batch = [first]
        try:
            while len(batch) < MOST_AT_ONCE:
                following = self._queue.get_nowait()
                if following is None:
                    self._queue.put(None)
                    break
                batch.append(following)
        except Empty:
            pass
        return batch

    def _answer(self, answers: Sequence[asyncio.Future[Any]], outcomes: Sequence[Outcome]) -> None:
        self.waiting -= len(answers)
        for answer, outcome in zip(answers, outcomes, strict=True):
            _settle(answer, outcome)

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
