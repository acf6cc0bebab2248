"""What only the SQLite engine can show: its file, its bytes, its failures, and what another process does to it."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import stat
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.errors import NewerSchema, StoreError, StoreUnavailable
from bot.records import ChatState, Delivery, ItemAnswer, Reply, Session, Turn
from bot.storage import sqlite, statements
from bot.storage.contract import Keeping
from bot.storage.migrations import NEWEST, STEPS
from bot.storage.sqlite import SqliteStore

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    before = threading.active_count()
    store = SqliteStore(tmp_path / "lvlin.db")
    await store.start()
    yield store
    await store.stop()
    assert threading.active_count() == before


def turn_with(number: int, **changes: Any) -> Turn:
    turn = Turn(
        f"t{number:06}", f"m{number}", "gateway", "g1", "u_wang", "luyuan", "gateway/g1/wang", NOON, "message", "text",
        f"第{number}个问题", True, Reply("answer", "答案"), 0.5,
    )  # fmt: skip
    return replace(turn, **changes)


async def kept(store: SqliteStore) -> list[Turn]:
    return [turn async for turn in store.turns()]


async def on_writer(store: SqliteStore, run: Callable[[sqlite3.Connection], Any]) -> Any:
    """Do something with the writing connection, outside of any transaction."""
    return await store._write_alone(run)


def pragma(conn: sqlite3.Connection, name: str) -> Any:
    return conn.execute(f"PRAGMA {name}").fetchone()[0]


# The file


async def test_a_new_file_is_private_and_its_folder_is_made(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a" / "b" / "lvlin.db")
    await store.start()
    await store.heartbeat()
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "a" / "b").iterdir()}
    assert modes == {"lvlin.db": 0o600, "lvlin.db-wal": 0o600, "lvlin.db-shm": 0o600}
    await store.stop()
    assert [file.name for file in (tmp_path / "a" / "b").iterdir()] == ["lvlin.db"]


@pytest.mark.parametrize("name", ["a b.db", "100%?#.db", "数据.db"])
async def test_any_file_name_will_do(tmp_path: Path, name: str) -> None:
    store = SqliteStore(tmp_path / name)
    await store.start()
    await store.keep(Keeping(turn_with(1)))
    assert await store.turn_of("gateway", "m1") == turn_with(1)
    await store.stop()
    assert (tmp_path / name).exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("journal_mode", "wal", id="journal"),
        pytest.param("synchronous", 2, id="synchronous-full"),
        pytest.param("secure_delete", 1, id="secure-delete"),
        pytest.param("busy_timeout", 2000, id="busy"),
    ],
)
async def test_the_writer_is_set_up_for_safety(store: SqliteStore, name: str, value: object) -> None:
    assert await on_writer(store, lambda conn: pragma(conn, name)) == value


async def test_the_reader_cannot_write(store: SqliteStore) -> None:
    with pytest.raises(StoreError, match="readonly"):
        await store._read(lambda conn: conn.execute("DELETE FROM turns"))


async def test_the_version_of_sqlite_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = SqliteStore(tmp_path / "lvlin.db")
    with caplog.at_level(logging.INFO, "lvlin.storage"):
        await store.start()
    await store.stop()
    assert [record.__dict__.get("sqlite_version") for record in caplog.records] == [sqlite3.sqlite_version]


async def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "lvlin.db").write_text("not a database " * 100)
    store = SqliteStore(tmp_path / "lvlin.db")
    with pytest.raises(StoreUnavailable, match=r"lvlin\.db"):
        await store.start()
    with pytest.raises(StoreUnavailable, match="not running"):
        await store.heartbeat()
    await store.stop()


async def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable):
        await SqliteStore(tmp_path / "file" / "lvlin.db").start()


# The schema


async def test_a_newer_database_is_refused_and_left_alone(store: SqliteStore, tmp_path: Path) -> None:
    newer = f"UPDATE meta SET value = '{NEWEST + 1}' WHERE name = 'schema'"
    await store._write(lambda conn: conn.execute(newer).rowcount)
    await store.stop()
    before = (tmp_path / "lvlin.db").read_bytes()
    with pytest.raises(NewerSchema, match=f"schema {NEWEST + 1}"):
        await SqliteStore(tmp_path / "lvlin.db").start()
    assert (tmp_path / "lvlin.db").read_bytes() == before


async def test_a_schema_that_is_up_to_date_is_not_written(store: SqliteStore, tmp_path: Path) -> None:
    """A second process (the command line) that only reads must not write beside the server."""
    await store.keep(Keeping(turn_with(1)))
    wal = (tmp_path / "lvlin.db-wal").read_bytes()
    second = SqliteStore(tmp_path / "lvlin.db")
    await second.start()
    assert await kept(second) == [turn_with(1)]
    await second.stop()
    assert (tmp_path / "lvlin.db-wal").read_bytes() == wal


async def test_clusters_of_an_older_schema_keep_their_numbers_and_are_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "STEPS", STEPS[:1])
    older = SqliteStore(tmp_path / "lvlin.db")
    await older.start()
    await older._write(_as_kept_before)
    await older.stop()
    monkeypatch.undo()
    store = SqliteStore(tmp_path / "lvlin.db")
    await store.start()
    found = {c.cluster_id: (c.text, c.people, c.variants) for c in [c async for c in store.unanswered()]}
    assert found == {3: ("神奇球怎么扔", 1, ("神奇球怎么扔",)), 4: ("", 1, ())}
    asked = (("神奇球怎么扔", "神奇球"), ("神奇球怎么丢", "神奇球怎么丢"), ("树", "树"))
    for number, (folded, core) in enumerate(asked):
        turn = replace(turn_with(number), reply=Reply("fallback", unanswered=True), text=folded, user=f"u{number}")
        await store.keep(Keeping(turn, folded=folded, core=core, joins=lambda core, others: 0 if others else None))
    people = {c.cluster_id: c.people for c in [c async for c in store.unanswered()]}
    assert people == {3: 3, 4: 1, 10: 1}, "number 9 was given once"
    assert [asker.user for asker in await store.askers(3, NOON)] == ["u0", "u1"], "nobody knows where the first asked"
    await store.stop()


def _as_kept_before(conn: sqlite3.Connection) -> None:
    """Two clusters, of one nobody's words are left, and the numbers up to 9 given."""
    for number, folded, text in ((3, "神奇球怎么扔", "神奇球怎么扔"), (4, None, ""), (9, "gone", "gone")):
        conn.execute("INSERT INTO unanswered VALUES (?, ?, ?, 1, 1, 1, 'open', NULL)", (number, folded, text))
        asked = "INSERT INTO unanswered_asks (cluster_id, user, text, at) VALUES (?, 'u', ?, 1)"
        conn.execute(asked, (number, text))
    conn.execute("DELETE FROM unanswered WHERE cluster_id = 9")
    conn.execute("DELETE FROM unanswered_asks WHERE cluster_id = 9")


async def test_two_processes_may_make_the_schema_at_once(tmp_path: Path) -> None:
    stores = [SqliteStore(tmp_path / "lvlin.db") for _ in range(4)]
    await asyncio.gather(*(store.start() for store in stores))
    await asyncio.gather(*(store.keep(Keeping(turn_with(n))) for n, store in enumerate(stores)))
    assert len(await kept(stores[0])) == 4
    await asyncio.gather(*(store.stop() for store in stores))


async def test_a_step_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = (replace(STEPS[0], statements=(*STEPS[0].statements, "CREATE TABLE turns (again)")),)
    monkeypatch.setattr(sqlite, "STEPS", broken)
    with pytest.raises(StoreUnavailable, match="already exists"):
        await SqliteStore(tmp_path / "lvlin.db").start()
    monkeypatch.undo()
    store = SqliteStore(tmp_path / "lvlin.db")
    await store.start()
    await store.keep(Keeping(turn_with(1)))
    await store.stop()


# Failing and recovering


def limit_pages(conn: sqlite3.Connection, pages: int) -> None:
    conn.execute(f"PRAGMA max_page_count = {pages}").fetchone()


async def test_a_full_disk_keeps_nothing_of_the_batch_and_recovers(store: SqliteStore) -> None:
    await store.keep(Keeping(turn_with(0)))
    pages = await on_writer(store, lambda conn: pragma(conn, "page_count"))
    await on_writer(store, lambda conn: limit_pages(conn, pages))
    batch = [Keeping(turn_with(n, text="长" * 5000)) for n in range(1, 4)]
    failed = await asyncio.gather(*(store.keep(keeping) for keeping in batch), return_exceptions=True)
    assert [type(error) for error in failed] == [StoreUnavailable] * 3
    assert await kept(store) == [turn_with(0)]
    assert store.queue_depth == 0
    await on_writer(store, lambda conn: limit_pages(conn, 1_000_000))
    await asyncio.gather(*(store.keep(keeping) for keeping in batch))
    assert len(await kept(store)) == 4
    await store.heartbeat()


async def test_a_lock_beyond_the_timeout_is_unavailable_and_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.0)
    store = SqliteStore(tmp_path / "lvlin.db")
    await store.start()
    with closing(sqlite3.connect(tmp_path / "lvlin.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked"):
            await store.heartbeat()
        with pytest.raises(StoreUnavailable):
            await store.keep(Keeping(turn_with(1)))
        assert await kept(store) == []  # reading goes on
        other.execute("ROLLBACK")
    await store.keep(Keeping(turn_with(1)))
    assert await kept(store) == [turn_with(1)]
    await store.stop()


async def test_a_failure_of_the_program_does_not_end_the_writer(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(sqlite, "groupby", broken)
    with pytest.raises(StoreUnavailable):
        await store.heartbeat()
    monkeypatch.undo()
    await store.heartbeat()
    assert "a batch of the store failed" in caplog.messages


async def test_a_keep_whose_asker_left_is_done_all_the_same(store: SqliteStore) -> None:
    keeping = asyncio.create_task(store.keep(Keeping(turn_with(1))))
    await asyncio.sleep(0)
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    await store.heartbeat()
    assert await kept(store) == [turn_with(1)]


KEEP_UNTIL_KILLED = """
import asyncio, sys
from bot.storage.contract import Keeping
from bot.storage.sqlite import SqliteStore
from tests.unit.test_sqlite import turn_with

async def keep(store, first):
    for number in range(first, 10**9, 8):
        print((await store.keep(Keeping(turn_with(number)))).message_id, flush=True)

async def main():
    store = SqliteStore(sys.argv[1])
    await store.start()
    await asyncio.gather(*(keep(store, first) for first in range(8)))

asyncio.run(main())
"""


async def test_what_was_kept_survives_kill_9(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KEEP_UNTIL_KILLED, str(tmp_path / "lvlin.db")]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    acknowledged = [await process.stdout.readline() for _ in range(400)]
    process.kill()
    acknowledged += (await process.stdout.read()).splitlines(keepends=True)
    await process.wait()
    store = SqliteStore(tmp_path / "lvlin.db")
    await store.start()
    found = {turn.message_id for turn in await kept(store)}
    await store.stop()
    assert {line.decode().strip() for line in acknowledged if line.endswith(b"\n")} <= found
    assert len(acknowledged) >= 400


async def test_many_keeps_share_a_commit(store: SqliteStore) -> None:
    """One fsync a commit: what makes keeping fast on a slow disk."""
    commits: list[str] = []

    def note(sql: str) -> None:
        if sql == "COMMIT":
            commits.append(sql)

    await on_writer(store, lambda conn: conn.set_trace_callback(note))
    await asyncio.gather(*(store.keep(Keeping(turn_with(n))) for n in range(200)))
    await on_writer(store, lambda conn: conn.set_trace_callback(None))
    assert len(commits) == 1


async def test_a_stopped_start_leaves_no_thread(tmp_path: Path) -> None:
    before = threading.active_count()
    starting = asyncio.create_task(SqliteStore(tmp_path / "lvlin.db").start())
    await asyncio.sleep(0)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert threading.active_count() == before


# The bytes of the file


def bytes_of(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.iterdir()) if file.name.startswith("lvlin.db"))


def words(number: int, user: str) -> Keeping:
    """A question whose every word names its asker, of changing length so that rows move between pages."""
    mark = f"MARK-{user}-" + "话" * (number * 37 % 200)
    reply = Reply(
        "fallback",
        text=mark,
        items=(ItemAnswer(mark, "residual", "干垃圾", inferred=True),),
        record={"item": mark},
        detail=mark,
        unanswered=True,
        session=Session(item=mark, question=mark),
        chat=ChatState(replied={user: NOON}),
    )
    session = f"{number * 7919 % 50}/{user}"
    turn = turn_with(number, user=user, session=session, text=mark, chat=f"g{number % 40}-{user}", reply=reply)
    delivery = Delivery(f"d{number}", "gateway", None, user, "luyuan", mark, mark.encode(), state="sent")
    ended = datetime(2020, 1, 1, tzinfo=UTC)
    return Keeping(turn, f"{number % 90}{mark}", address=mark.encode(), address_until=ended, deliveries=(delivery,))


async def test_no_forgotten_word_is_left_in_the_file(store: SqliteStore, tmp_path: Path) -> None:
    await asyncio.gather(*(store.keep(words(n, f"u_{n % 10:032x}")) for n in range(1500)))
    gone, left = f"u_{3:032x}", f"u_{4:032x}"
    assert f"MARK-{gone}".encode() in bytes_of(tmp_path)
    await store.forget(gone, "u_" + "f" * 32)
    found = bytes_of(tmp_path)
    assert f"MARK-{gone}".encode() not in found
    assert f"MARK-{left}".encode() in found
    # Ids of chats hold the pseudonym only in this test, as keys of their state; nothing else may.
    assert found.count(gone.encode()) == found.count(b"-" + gone.encode())


async def test_no_retired_word_is_left_in_the_file(store: SqliteStore, tmp_path: Path) -> None:
    await asyncio.gather(*(store.keep(words(n, f"u_{n % 10:032x}")) for n in range(300)))
    await store.retire(text_before=NOON + DAY, records_before=NOON - DAY, now=NOON)
    assert b"MARK-" not in bytes_of(tmp_path).replace(b'{"item":"MARK-', b"")  # records stay


async def test_a_large_file_is_rewritten_only_by_retiring(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "SCRUB_BYTES", 0)
    ran: list[str] = []
    await on_writer(store, lambda conn: conn.set_trace_callback(ran.append))
    await store.keep(words(1, "u_wang"))
    await store.forget("u_wang", "u_fresh")
    assert "VACUUM" not in ran
    await store.keep(words(2, "u_li"))
    await store.retire(text_before=NOON + DAY, records_before=NOON - DAY, now=NOON)
    assert ran.count("VACUUM") == 1
    await store.keep(words(3, "u_li"))
    await store.retire(text_before=NOON + DAY, records_before=NOON - DAY, now=NOON)
    assert ran.count("VACUUM") == 1
    await on_writer(store, lambda conn: conn.set_trace_callback(None))


async def test_a_log_that_grew_is_emptied(store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.keep(Keeping(turn_with(1)))
    assert (tmp_path / "lvlin.db-wal").stat().st_size > 0
    monkeypatch.setattr(sqlite, "WAL_BYTES", 0)
    await store.keep(Keeping(turn_with(2)))
    assert (tmp_path / "lvlin.db-wal").stat().st_size == 0
    assert len(await kept(store)) == 2


# Backup


async def test_a_backup_is_a_whole_private_copy_made_while_work_goes_on(store: SqliteStore, tmp_path: Path) -> None:
    await asyncio.gather(*(store.keep(Keeping(turn_with(n))) for n in range(300)))
    copying = asyncio.create_task(store.backup(str(tmp_path / "copy.db")))
    await asyncio.gather(copying, *(store.keep(Keeping(turn_with(n))) for n in range(300, 600)))
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    assert not (tmp_path / "copy.db.part").exists()
    copy = SqliteStore(tmp_path / "copy.db")
    await copy.start()
    turns = await kept(copy)
    await copy.stop()
    assert turns[:300] == [turn_with(n) for n in range(300)]
    assert len(await kept(store)) == 600


async def test_a_backup_overwrites_nothing(store: SqliteStore, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("precious")
    with pytest.raises(StoreError, match="exists"):
        await store.backup(str(tmp_path / "copy.db"))
    assert (tmp_path / "copy.db").read_text() == "precious"
    assert not (tmp_path / "copy.db.part").exists()


async def test_a_damaged_backup_is_refused(store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(path: Path) -> None:
        raise StoreError("the copy is damaged: page 3")

    monkeypatch.setattr(sqlite, "_check", damaged)
    with pytest.raises(StoreError, match="damaged"):
        await store.backup(str(tmp_path / "copy.db"))
    assert not (tmp_path / "copy.db").exists()
    assert not (tmp_path / "copy.db.part").exists()
