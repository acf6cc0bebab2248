"""The store in one SQLite file.

One thread owns the connection that writes and commits in groups; another one answers reads; exports and the backup open
read-only connections of their own. What every message needs to know first is read on the event loop itself: a few
lookups by key take less time than waking a thread, and a reader of a write-ahead log waits for no writer. What is
written and read stands in statements.py.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

from sqlite_utils import Database, Migrations

from bot.errors import LvlinError, NewerSchema, StoreError, StoreUnavailable
from bot.records import (
    Asker,
    ClusterState,
    Delivery,
    DeliveryState,
    Lesson,
    LessonState,
    Turn,
    Unanswered,
)
from bot.storage import rows, statements
from bot.storage.contract import Keeping, Opening
from bot.storage.migrations import NEWEST, STEPS
from bot.storage.rows import DELIVERY_COLUMNS, TURN_COLUMNS, Row, fit, to_micros
from bot.storage.worker import Outcome, Worker

log = logging.getLogger("lvlin.storage")

T = TypeVar("T")

BUSY_SECONDS = 2.0
"""How long a lock held by another process is waited for."""
WAL_BYTES = 32 * 1024 * 1024
"""A write-ahead log above this is written back and truncated."""
AUTOCHECKPOINT_PAGES = 4000
"""Pages of 4 KiB in the log after which a commit writes them back."""
CACHE_KIB = 32 * 1024
"""Memory for pages, so that a large batch is not written twice."""
GATHER_SECONDS = 0.002
"""How long a write waits for others to share its commit while none is under way."""
EVER = (-(2**63), 2**63 - 1)
"""The first and the last microsecond a column can hold."""

# What says that nothing at all can be written now, as against one row that cannot.
_UNAVAILABLE = (sqlite3.OperationalError, sqlite3.InternalError, MemoryError, OSError)


class _Job(NamedTuple):
    """Work for a connection. `alone`: it cannot run inside a transaction."""

    run: Callable[[sqlite3.Connection], Any]
    alone: bool = False


class SqliteStore:
    """The engine for one process and one file; a folder that is missing is made, a new file has mode 600."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._writer: Worker[sqlite3.Connection, _Job] = Worker(
            "lvlin-store-writer", self._open_writer, self._write_batch, sqlite3.Connection.close, GATHER_SECONDS
        )
        self._reader: Worker[sqlite3.Connection, _Job] = Worker(
            "lvlin-store-reader", self._open_reader, _read_batch, sqlite3.Connection.close
        )
        self._pages = ThreadPoolExecutor(max_workers=2, thread_name_prefix="lvlin-store-pages")
        self._paging: set[Future[Any]] = set()
        self._glancing: sqlite3.Connection | None = None
        self._running = False
        self._committed_at = float("-inf")

    async def start(self) -> None:
        log.info("sqlite store starts", extra={"sqlite_version": sqlite3.sqlite_version})
        try:
            await self._writer.start()
            await self._reader.start()
            self._glancing = self._open_reader(wait=0.0)
        except BaseException as exc:
            await self.stop()
            if isinstance(exc, sqlite3.Error | OSError):
                raise StoreUnavailable(f"the database cannot be opened ({self._path}): {exc}") from exc
            raise
        self._running = True

    async def stop(self) -> None:
        self._running = False
        while self._paging:
            await asyncio.wait([asyncio.wrap_future(page) for page in self._paging])
        self._pages.shutdown()
        if self._glancing is not None:
            self._glancing.close()
            self._glancing = None
        await self._reader.stop()
        # Last, because the last connection to close writes the log back into the file, and only a writing one can.
        await self._writer.stop()

    async def opening(self, channel: str, message_id: str, *, nonce: str, session: str, chat: str | None) -> Opening:
        sought = (channel, fit(message_id), fit(nonce), fit(session), None if chat is None else fit(chat))
        try:
            return statements.opening(self._glance(), sought=sought)
        except sqlite3.Error:  # locked for a moment, or worse: for the thread that can wait, and says what it was
            return await self._read(partial(statements.opening, sought=sought))

    async def turn_of(self, channel: str, message_id: str) -> Turn | None:
        return await self._read(partial(statements.kept_turn, channel=channel, message_id=fit(message_id)))

    async def keep(self, keeping: Keeping) -> Turn:
        return await self._write(partial(statements.keep, keeping=keeping))

    async def turns(
        self, *, since: datetime | None = None, until: datetime | None = None, places: Sequence[str] | None = None
    ) -> AsyncIterator[Turn]:
        at = TURN_COLUMNS.index("received_at")
        async for row in self._rows(statements.TURNS_PAGE, since, until, places, at=at):
            yield rows.turn_from(row)

    async def unanswered(self, *, places: Sequence[str] | None = None) -> AsyncIterator[Unanswered]:
        last = None
        only = None if places is None else rows.list_text(places)
        while page := await self._page(partial(statements.unanswered_page, after=last, places=only)):
            for cluster in page:
                yield cluster
            last = page[-1]

    async def cluster(self, cluster_id: int) -> Unanswered | None:
        return await self._read(partial(statements.cluster, cluster_id=cluster_id))

    async def dismiss(self, cluster_id: int) -> ClusterState | None:
        return await self._write(partial(statements.dismiss, cluster_id=cluster_id))

    async def askers(self, cluster_id: int, now: datetime) -> list[Asker]:
        return await self._read(partial(statements.askers, cluster_id=cluster_id, now=to_micros(now)))

    async def lessons(
        self, *, states: Sequence[LessonState] | None = None, user: str | None = None, cluster: int | None = None
    ) -> list[Lesson]:
        only = None if states is None else rows.list_text(states)
        return await self._read(partial(statements.lessons, states=only, user=user, cluster_id=cluster))

    async def settle_lesson(
        self,
        lesson: Lesson,
        was: LessonState | None,
        *,
        notices: Sequence[Delivery] = (),
        told: Sequence[str] = (),
    ) -> Lesson | None:
        settle = partial(statements.settle_lesson, lesson=lesson, was=was, notices=tuple(notices), told=tuple(told))
        return await self._write(partial(settle, now=datetime.now(UTC)))

    async def add_delivery(self, delivery: Delivery) -> None:
        await self._write(partial(statements.insert_delivery, delivery=delivery, created_at=datetime.now(UTC)))

    async def due_deliveries(self, now: datetime, limit: int) -> list[Delivery]:
        return await self._read(partial(statements.due_deliveries, now=to_micros(now), limit=limit))

    async def claim_delivery(self, delivery_id: str) -> bool:
        return await self._write(partial(statements.claim, delivery_id=delivery_id))

    async def settle_delivery(
        self,
        delivery_id: str,
        state: DeliveryState,
        *,
        reason: str | None = None,
        at: datetime,
        due_at: datetime | None = None,
    ) -> None:
        outcome = {
            "delivery_id": delivery_id,
            "state": state,
            "reason": None if reason is None else fit(reason),
            "at": to_micros(at),
            "due_at": None if due_at is None else to_micros(due_at),
        }
        await self._write(partial(statements.settle, outcome=outcome))

    async def stuck_deliveries(self) -> list[Delivery]:
        return await self._read(statements.stuck_deliveries)

    async def deliveries(
        self, *, since: datetime | None = None, until: datetime | None = None, places: Sequence[str] | None = None
    ) -> AsyncIterator[Delivery]:
        at = DELIVERY_COLUMNS.index("created_at")
        async for row in self._rows(statements.DELIVERIES_PAGE, since, until, places, at=at):
            yield replace(rows.delivery_from(row), address=None)

    async def address_of(self, user: str, now: datetime) -> bytes | None:
        return await self._read(partial(statements.address_of, user=user, now=to_micros(now)))

    async def stored_about(self, user: str) -> Mapping[str, Any]:
        return await self._read(partial(statements.stored_about, user=user))

    async def forget(self, user: str, fresh: str) -> int:
        turns = await self._write(partial(statements.forget, user=user, fresh=fresh))
        await self._write_alone(partial(statements.scrub, always=False))
        return turns

    async def retire(self, *, text_before: datetime, records_before: datetime, now: datetime) -> int:
        texts, records = to_micros(text_before), to_micros(records_before)
        changed = 0
        # In small portions, so that messages of residents are kept in between.
        for portion in (
            partial(statements.delete_turns, before=records),
            partial(statements.retire_turns, before=texts),
            partial(statements.delete_deliveries, before=records),
            partial(statements.retire_deliveries, before=texts),
        ):
            while count := await self._write(portion):
                changed += count
        changed += await self._write(partial(statements.retire_asks, text_before=texts, records_before=records))
        changed += await self._write(partial(statements.delete_passing, text_before=texts, now=now))
        if changed:
            await self._write_alone(partial(statements.scrub, always=True))
        return changed

    async def spend(self, what: str, day: str, most: int) -> bool:
        return await self._write(partial(statements.spend, what=what, day=day, most=most))

    async def heartbeat(self) -> None:
        await self._write(statements.beat)

    @property
    def last_commit_age(self) -> float:
        return time.monotonic() - self._committed_at

    @property
    def queue_depth(self) -> int:
        return self._writer.waiting

    async def backup(self, path: str) -> None:
        await self._page(partial(_backup, path=Path(path)))

    def _glance(self) -> sqlite3.Connection:
        """The connection for reading on the event loop; it never waits."""
        if self._glancing is None:
            raise StoreUnavailable("the store is not running")
        return self._glancing

    async def _write(self, run: Callable[[sqlite3.Connection], T]) -> T:
        value: T = await self._writer.ask(_Job(run))
        return value

    async def _write_alone(self, run: Callable[[sqlite3.Connection], T]) -> T:
        value: T = await self._writer.ask(_Job(run, alone=True))
        return value

    async def _read(self, run: Callable[[sqlite3.Connection], T]) -> T:
        value: T = await self._reader.ask(_Job(run))
        return value

    async def _page(self, run: Callable[[sqlite3.Connection], T]) -> T:
        """Run on a read-only connection that lives no longer than this call."""
        if not self._running:
            raise StoreUnavailable("the store is not running")
        page = self._pages.submit(self._run_apart, run)
        self._paging.add(page)
        try:
            return await asyncio.wrap_future(page)
        finally:
            self._paging.discard(page)

    def _run_apart(self, run: Callable[[sqlite3.Connection], T]) -> T:
        try:
            with closing(self._open_reader()) as conn:
                return run(conn)
        except (sqlite3.Error, OSError) as exc:
            raise _translated(exc) from exc

    async def _rows(
        self, sql: str, since: datetime | None, until: datetime | None, places: Sequence[str] | None, *, at: int
    ) -> AsyncIterator[Row]:
        """The rows of a paged query in order; column `at` holds the time and the first one the key."""
        values = {
            "after": EVER[0] if since is None else to_micros(since),
            "after_key": "",
            "before": EVER[1] if until is None else to_micros(until),
            "places": None if places is None else rows.list_text(places),
        }
        while page := await self._page(partial(statements.page, sql=sql, values=dict(values))):
            for row in page:
                yield row
            values.update(after=page[-1][at], after_key=page[-1][0])

    def _open_writer(self) -> sqlite3.Connection:
        _make_private_file(self._path)
        conn = sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None, cached_statements=256)
        try:
            _set_up_writer(conn)
            _migrate(conn)
        except BaseException:
            conn.close()
            raise
        return conn

    def _open_reader(self, wait: float = BUSY_SECONDS) -> sqlite3.Connection:
        address = f"file:{quote(str(self._path.absolute()))}?mode=ro"
        return sqlite3.connect(address, uri=True, timeout=wait, isolation_level=None, cached_statements=256)

    def _write_batch(self, conn: sqlite3.Connection, jobs: Sequence[_Job]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for alone, group in groupby(jobs, key=attrgetter("alone")):
            if alone:
                outcomes.extend(_outcome(conn, job) for job in group)
            else:
                outcomes.extend(self._commit(conn, list(group)))
        self._limit_log(conn)
        return outcomes

    def _commit(self, conn: sqlite3.Connection, jobs: Sequence[_Job]) -> list[Outcome]:
        """Run the jobs in one transaction, on disk when this returns."""
        try:
            try:
                outcomes = _in_transaction(conn, jobs, _run_all)
            except _UNAVAILABLE:
                raise
            except Exception:  # noqa: BLE001 — one job cannot be done: find it, and keep the others
                outcomes = _in_transaction(conn, jobs, _run_each)
        except (*_UNAVAILABLE, sqlite3.DatabaseError) as exc:
            log.warning("nothing can be committed", extra={"jobs": len(jobs), "why": str(exc)})
            return [Outcome(error=_translated(exc)) for _ in jobs]
        self._committed_at = time.monotonic()
        return outcomes

    def _limit_log(self, conn: sqlite3.Connection) -> None:
        """Empty a write-ahead log that readers kept growing."""
        try:
            if os.stat(f"{self._path}-wal").st_size > WAL_BYTES:
                statements.truncate_log(conn)
        except (sqlite3.Error, OSError) as exc:
            log.warning("the write-ahead log cannot be emptied", extra={"why": str(exc)})


def _make_private_file(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return


def _set_up_writer(conn: sqlite3.Connection) -> None:
    _use_wal(conn)
    conn.execute("PRAGMA synchronous = FULL")
    conn.execute("PRAGMA secure_delete = ON")
    conn.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    conn.execute(f"PRAGMA wal_autocheckpoint = {AUTOCHECKPOINT_PAGES}")
    conn.execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")


def _use_wal(conn: sqlite3.Connection) -> None:
    """Write ahead. SQLite itself does not wait here when another process is at it, so we do."""
    patience = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            conn.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as exc:
            if exc.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > patience:
                raise
            time.sleep(0.01)


def _migrate(conn: sqlite3.Connection) -> None:
    """Bring the schema up to this program's, all steps or none. Raises NewerSchema."""
    database = Database(conn)
    if (found := _schema_version(database)) > NEWEST:
        raise NewerSchema(f"the database has schema {found}, this program knows {NEWEST} — use the newer program")
    steps = Migrations("lvlin")
    for step in STEPS:
        steps(name=step.name)(partial(_take_step, number=step.number, statements=step.statements))  # type: ignore[type-var]
    if not steps.pending(database):
        return
    # Locked before anything is read: of two processes that start at once, the second finds the work done.
    conn.execute("BEGIN IMMEDIATE")
    try:
        steps.apply(database)
        conn.execute("COMMIT")
    finally:
        _roll_back(conn)


def _schema_version(database: Database) -> int:
    if not database["meta"].exists():
        return 0
    return int(database.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone()[0])


def _take_step(database: Database, *, number: int, statements: Sequence[str]) -> None:
    for statement in statements:
        database.execute(statement)
    database.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('schema', ?)", (str(number),))


def _in_transaction(
    conn: sqlite3.Connection,
    jobs: Sequence[_Job],
    run: Callable[[sqlite3.Connection, Sequence[_Job]], list[Outcome]],
) -> list[Outcome]:
    conn.execute("BEGIN IMMEDIATE")
    try:
        outcomes = run(conn, jobs)
        conn.execute("COMMIT")
    finally:
        _roll_back(conn)
    return outcomes


def _roll_back(conn: sqlite3.Connection) -> None:
    if conn.in_transaction:
        conn.execute("ROLLBACK")


def _run_all(conn: sqlite3.Connection, jobs: Sequence[_Job]) -> list[Outcome]:
    return [Outcome(job.run(conn)) for job in jobs]


def _run_each(conn: sqlite3.Connection, jobs: Sequence[_Job]) -> list[Outcome]:
    return [_run_saved(conn, job) for job in jobs]


def _run_saved(conn: sqlite3.Connection, job: _Job) -> Outcome:
    """Run one job so that it fails alone; what fails everything is raised."""
    conn.execute("SAVEPOINT job")
    try:
        outcome = Outcome(job.run(conn))
    except _UNAVAILABLE:
        raise
    except Exception as exc:  # noqa: BLE001 — whatever is wrong with this job belongs to its asker
        conn.execute("ROLLBACK TO job")
        outcome = Outcome(error=_translated(exc))
    conn.execute("RELEASE job")
    return outcome


def _outcome(conn: sqlite3.Connection, job: _Job) -> Outcome:
    try:
        return Outcome(job.run(conn))
    except Exception as exc:  # noqa: BLE001 — whatever is wrong with this job belongs to its asker
        return Outcome(error=_translated(exc))


def _read_batch(conn: sqlite3.Connection, jobs: Sequence[_Job]) -> list[Outcome]:
    try:
        conn.execute("BEGIN")
        return [_outcome(conn, job) for job in jobs]
    finally:
        _roll_back(conn)


def _translated(error: BaseException) -> LvlinError:
    """The error of ours that says the same."""
    if isinstance(error, LvlinError):
        return error
    kind = StoreUnavailable if isinstance(error, _UNAVAILABLE) or type(error) is sqlite3.DatabaseError else StoreError
    translated = kind(f"{type(error).__name__}: {error}")
    translated.__cause__ = error
    return translated


def _backup(conn: sqlite3.Connection, *, path: Path) -> None:
    """Write, check and sync a copy beside its place, then put it there."""
    draft = path.with_name(f"{path.name}.part")
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    try:
        conn.execute("VACUUM INTO ?", (str(draft),))
        _check(draft)
        _sync(draft)
        os.link(draft, path)
        _sync(path.parent)
    finally:
        draft.unlink()


def _check(path: Path) -> None:
    with closing(sqlite3.connect(path)) as copy:
        (verdict,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
    if verdict != "ok":
        raise StoreError(f"the copy is damaged: {verdict}")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
