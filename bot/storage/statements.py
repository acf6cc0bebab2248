"""Every statement of the SQLite engine, as functions on a connection. Times are microseconds, text is already fit.

What writes runs inside the writer's transaction, except `scrub` and `truncate_log`, which stand alone.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bot.errors import NotThere
from bot.records import Asker, ClusterState, Delivery, Lesson, LessonState, Turn, Unanswered
from bot.storage import rows
from bot.storage.contract import MOST_ALIKE, Joins, Keeping, Opening
from bot.storage.rows import DELIVERY_COLUMNS, TURN_COLUMNS, Row, fit, from_micros, to_micros

log = logging.getLogger("lvlin.storage")

PAGE_ROWS = 500
"""Rows an export reads, and retiring changes, at a time."""
SCRUB_BYTES = 256 * 1024 * 1024
"""A database up to this size is rewritten at once when somebody is forgotten (a second or two); a larger one when
`retire` runs next."""


_TURN = ", ".join(TURN_COLUMNS)
_DELIVERY = ", ".join(DELIVERY_COLUMNS)
_INSERT_TURN = (
    f"INSERT INTO turns ({_TURN}) VALUES ({', '.join('?' * len(TURN_COLUMNS))})"
    " ON CONFLICT (channel, message_id) DO NOTHING"
)
_UPDATE_TURN = f"UPDATE turns SET ({_TURN}) = ({', '.join('?' * len(TURN_COLUMNS))}) WHERE seq = ?"
_KEPT_TURN = f"SELECT {_TURN} FROM turns WHERE channel = ? AND message_id = ?"
_KEEP_SESSION = """
    INSERT INTO sessions (session, user, state, at) VALUES (?, ?, ?, ?)
    ON CONFLICT (session) DO UPDATE SET user = excluded.user, state = excluded.state, at = excluded.at
"""
_KEEP_CHAT = """
    INSERT INTO chats (channel, chat, state) VALUES (?, ?, ?)
    ON CONFLICT (channel, chat) DO UPDATE SET state = excluded.state
"""
_KEEP_ADDRESS = """
    INSERT INTO addresses (user, address, until) VALUES (?, ?, ?)
    ON CONFLICT (user) DO UPDATE SET address = excluded.address, until = excluded.until
"""
_KEEP_NONCE = "INSERT OR IGNORE INTO nonces (channel, nonce, digest, at) VALUES (?, ?, ?, ?)"
_INSERT_DELIVERY = f"INSERT INTO deliveries ({_DELIVERY}) VALUES ({', '.join('?' * len(DELIVERY_COLUMNS))})"
_UPDATE_DELIVERY = f"UPDATE deliveries SET ({_DELIVERY}) = ({', '.join('?' * len(DELIVERY_COLUMNS))}) WHERE seq = ?"
_OPENING = f"""
    SELECT nonces.digest, sessions.state, chats.state, {", ".join(f"turns.{column}" for column in TURN_COLUMNS)}
    FROM (SELECT 1)
    LEFT JOIN turns ON turns.channel = ?1 AND turns.message_id = ?2
    LEFT JOIN nonces ON nonces.channel = ?1 AND nonces.nonce = ?3
    LEFT JOIN sessions ON sessions.session = ?4
    LEFT JOIN chats ON chats.channel = ?1 AND chats.chat = ?5
"""
_SPEND = """
    INSERT INTO spent (what, day, used) SELECT ?1, ?2, 1 WHERE ?3 > 0
    ON CONFLICT (what) DO UPDATE SET used = CASE WHEN day = excluded.day THEN used + 1 ELSE 1 END, day = excluded.day
    WHERE day <> excluded.day OR used < ?3
"""
_SETTLE = """
    UPDATE deliveries SET state = :state, reason = :reason,
        sent_at = CASE WHEN :state = 'sent' THEN :at ELSE sent_at END,
        due_at = CASE WHEN :state = 'queued' THEN :due_at ELSE due_at END,
        address = CASE WHEN :state IN ('queued', 'sending') THEN address END
    WHERE delivery_id = :delivery_id
"""
TURNS_PAGE = f"""
    SELECT {_TURN} FROM turns WHERE (received_at, turn_id) > (:after, :after_key) AND received_at < :before
        AND (:places IS NULL OR place IN (SELECT value FROM json_each(:places)))
    ORDER BY received_at, turn_id LIMIT {PAGE_ROWS}
"""
DELIVERIES_PAGE = f"""
    SELECT {_DELIVERY} FROM deliveries WHERE (created_at, delivery_id) > (:after, :after_key) AND created_at < :before
        AND (:places IS NULL OR place IN (SELECT value FROM json_each(:places)))
    ORDER BY created_at, delivery_id LIMIT {PAGE_ROWS}
"""
_WORDS = "text IS NOT NULL OR reply <> '' OR rest IS NOT NULL"  # as in the index turns_words


def page(conn: sqlite3.Connection, *, sql: str, values: Mapping[str, Any]) -> list[Row]:
    """The next PAGE_ROWS rows of TURNS_PAGE or DELIVERIES_PAGE after (`after`, `after_key`), before the time `before`,
    of the JSON list `places` (None: all)."""
    return conn.execute(sql, values).fetchall()


def opening(conn: sqlite3.Connection, *, sought: Sequence[str | None]) -> Opening:
    """What `Store.opening` gives; `sought`: channel, message id, nonce, session, chat."""
    row = conn.execute(_OPENING, sought).fetchone()
    digest, session, chat = row[:3]
    return Opening(
        None if row[3] is None else rows.turn_from(row[3:]),
        digest,
        None if session is None else rows.session_from(session),
        None if chat is None else rows.chat_from(chat),
    )


def kept_turn(conn: sqlite3.Connection, *, channel: str, message_id: str) -> Turn | None:
    """The turn of this message, or None."""
    row = conn.execute(_KEPT_TURN, (channel, message_id)).fetchone()
    return None if row is None else rows.turn_from(row)


def keep(conn: sqlite3.Connection, *, keeping: Keeping) -> Turn:
    """One turn with all it causes, or, if its message is known, nothing: then the earlier turn."""
    turn = keeping.turn
    if not conn.execute(_INSERT_TURN, rows.turn_row(turn)).rowcount:
        earlier = kept_turn(conn, channel=turn.channel, message_id=fit(turn.message_id))
        assert earlier is not None
        return earlier
    reply, at = turn.reply, to_micros(turn.received_at)
    if reply.session is not None:
        conn.execute(_KEEP_SESSION, (fit(turn.session), turn.user, rows.session_text(reply.session), at))
    if reply.chat is not None and turn.chat is not None:
        conn.execute(_KEEP_CHAT, (turn.channel, fit(turn.chat), rows.chat_text(reply.chat)))
    if keeping.address is not None:
        until = None if keeping.address_until is None else to_micros(keeping.address_until)
        conn.execute(_KEEP_ADDRESS, (turn.user, keeping.address, until))
    if keeping.nonce:
        conn.execute(_KEEP_NONCE, (turn.channel, fit(keeping.nonce), keeping.nonce_digest, at))
    for delivery in keeping.deliveries:
        insert_delivery(conn, delivery=delivery, created_at=turn.received_at)
    if reply.unanswered and turn.text is not None:
        _queue_unanswered(conn, keeping)
    _keep_wishes(conn, turn, at)
    return turn


def insert_delivery(conn: sqlite3.Connection, *, delivery: Delivery, created_at: datetime) -> None:
    """Queue a delivery; `created_at` counts where it names no time of its own."""
    conn.execute(_INSERT_DELIVERY, rows.delivery_row(rows.dated(delivery, created_at)))


def _queue_unanswered(conn: sqlite3.Connection, keeping: Keeping) -> None:
    turn = keeping.turn
    assert turn.text is not None
    text, at = fit(turn.text), to_micros(turn.received_at)
    folded = fit(keeping.folded) or text
    core = fit(keeping.core) or folded
    cluster = _cluster_asking(conn, folded, core, keeping.joins)
    if cluster is None:
        new = "INSERT INTO unanswered (text, people, first_at, last_at, state) VALUES (?, 0, ?, ?, 'open')"
        cluster = conn.execute(new, (text, at, at)).lastrowid
    else:
        conn.execute(_ASKED_AGAIN, {"cluster": cluster, "at": at})
    held = [(part, core, cluster) for part in sorted(rows.parts(core))]
    conn.executemany("INSERT OR IGNORE INTO unanswered_parts (part, core, cluster_id) VALUES (?, ?, ?)", held)
    asked = "SELECT text FROM unanswered_asks WHERE cluster_id = ? AND user = ?"
    earlier = {words for (words,) in conn.execute(asked, (cluster, turn.user))}
    until = None if keeping.address_until is None else to_micros(keeping.address_until)
    chat = None if turn.chat is None else fit(turn.chat)
    where = (at, turn.channel, chat, turn.place, folded, core, keeping.address, until)
    if text in earlier:
        conn.execute(_ASK_AGAIN, (*where, cluster, turn.user, text))
        return
    conn.execute(_ASK, (*where, cluster, turn.user, text))
    if not earlier:
        conn.execute("UPDATE unanswered SET people = people + 1 WHERE cluster_id = ?", (cluster,))


_ASK = """
    INSERT INTO unanswered_asks (at, channel, chat, place, folded, core, address, until, cluster_id, user, text)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_ASK_AGAIN = """
    UPDATE unanswered_asks SET (at, channel, chat, place, folded, core, address, until)
        = (max(at, ?), ?, ?, ?, ?, ?, ?, ?),
        told_by = NULL
    WHERE cluster_id = ? AND user = ? AND text = ?
"""
_ASKED_AGAIN = """
    UPDATE unanswered SET first_at = min(first_at, :at), last_at = max(last_at, :at),
        entry = CASE state WHEN 'taught' THEN NULL ELSE entry END,
        state = CASE state WHEN 'taught' THEN 'open' ELSE state END
    WHERE cluster_id = :cluster
"""


def _cluster_asking(conn: sqlite3.Connection, folded: str, core: str, joins: Joins | None) -> int | None:
    """The cluster a question belongs to: in the same words, about the same, or (open ones) about nearly the same."""
    for column, words in (("folded", folded), ("core", core)):
        same = f"SELECT cluster_id FROM unanswered_asks WHERE {column} = ? ORDER BY cluster_id LIMIT 1"
        if found := conn.execute(same, (words,)).fetchone():
            return int(found[0])
    if joins is None:
        return None
    alike = f"""
        SELECT p.core, p.cluster_id FROM unanswered_parts AS p JOIN unanswered AS u USING (cluster_id)
        WHERE p.part IN (SELECT value FROM json_each(?)) AND u.state = 'open'
        GROUP BY p.core, p.cluster_id ORDER BY count(*) DESC, p.cluster_id, p.core LIMIT {MOST_ALIKE}
    """
    near = conn.execute(alike, (rows.list_text(sorted(rows.parts(core))),)).fetchall()
    place = joins(core, [other for other, _ in near])
    return None if place is None else int(near[place][1])


_CLUSTER = "cluster_id, text, people, first_at, last_at, state, entry"


def unanswered_page(conn: sqlite3.Connection, *, after: Unanswered | None, places: str | None) -> list[Unanswered]:
    """The next PAGE_ROWS clusters after `after`, most people first, then oldest first; `places`: a JSON list."""
    clusters = conn.execute(
        f"SELECT {_CLUSTER} FROM unanswered"
        " WHERE (:people IS NULL OR (-people, first_at, cluster_id) > (-:people, :first_at, :cluster_id))"
        " AND (:places IS NULL OR cluster_id IN (SELECT cluster_id FROM unanswered_asks"
        " WHERE place IN (SELECT value FROM json_each(:places))))"
        " ORDER BY -people, first_at, cluster_id LIMIT :rows",
        {
            "people": after and after.people,
            "first_at": after and to_micros(after.first_at),
            "cluster_id": after and after.cluster_id,
            "places": places,
            "rows": PAGE_ROWS,
        },
    ).fetchall()
    return [_cluster_from(conn, row) for row in clusters]


def cluster(conn: sqlite3.Connection, *, cluster_id: int) -> Unanswered | None:
    """The cluster of that number, or None."""
    row = conn.execute(f"SELECT {_CLUSTER} FROM unanswered WHERE cluster_id = ?", (cluster_id,)).fetchone()
    return None if row is None else _cluster_from(conn, row)


def _cluster_from(conn: sqlite3.Connection, row: Row) -> Unanswered:
    number, text, people, first, last, state, entry = row
    said = _variants(conn, number)
    return Unanswered(number, text, said, people, from_micros(first), from_micros(last), state, entry)


def dismiss(conn: sqlite3.Connection, *, cluster_id: int) -> ClusterState | None:
    """Dismiss a cluster unless it is taught; the state it is in now, None where there is none."""
    conn.execute(
        "UPDATE unanswered SET state = 'dismissed' WHERE cluster_id = ? AND state <> 'taught'", (cluster_id,)
    )
    found = conn.execute("SELECT state FROM unanswered WHERE cluster_id = ?", (cluster_id,)).fetchone()
    return None if found is None else found[0]


def askers(conn: sqlite3.Connection, *, cluster_id: int, now: int) -> list[Asker]:
    """What `Store.askers` gives."""
    found = conn.execute(_ASKERS, {"cluster": cluster_id, "now": now}).fetchall()
    latest = {user: (user, *rest) for user, *rest in found}  # the last of each person stands
    first_asked = dict.fromkeys(user for user, *_ in found)
    return [_asker_from(latest[user]) for user in first_asked]


_ASKERS = """
    SELECT k.user, k.channel, k.chat, k.place, k.text, k.at,
        CASE WHEN k.until IS NULL OR k.until > :now THEN k.address END,
        CASE WHEN a.until IS NULL OR a.until > :now THEN a.address END
    FROM unanswered_asks AS k LEFT JOIN addresses AS a USING (user)
    WHERE k.cluster_id = :cluster AND k.told_by IS NULL AND k.channel <> ''
        AND k.user NOT IN (SELECT user FROM opted_out)
    ORDER BY k.at, k.seq
"""


def _asker_from(row: Row) -> Asker:
    user, channel, chat, place, text, at, *addresses = row
    return Asker(user, channel, chat, place, text, from_micros(at), tuple(filter(None, addresses)))


def lessons(
    conn: sqlite3.Connection, *, states: str | None, user: str | None, cluster_id: int | None
) -> list[Lesson]:
    """Lessons, the newest first; `states`: a JSON list."""
    found = conn.execute(
        "SELECT lesson_id, lesson FROM lessons"
        " WHERE (:states IS NULL OR state IN (SELECT value FROM json_each(:states)))"
        " AND (:user IS NULL OR user = :user) AND (:cluster IS NULL OR cluster_id = :cluster)"
        " ORDER BY lesson_id DESC",
        {"states": states, "user": user, "cluster": cluster_id},
    )
    return [rows.lesson_from(number, text) for number, text in found]


def _write_lesson(conn: sqlite3.Connection, lesson: Lesson) -> Lesson:
    """Keep a new lesson, which gets its number, or a kept one as it is now."""
    values = (lesson.cluster_id, lesson.user, lesson.state, to_micros(lesson.at), rows.lesson_text(lesson))
    if lesson.lesson_id:
        change = "UPDATE lessons SET (cluster_id, user, state, at, lesson) = (?, ?, ?, ?, ?) WHERE lesson_id = ?"
        conn.execute(change, (*values, lesson.lesson_id))
        return lesson
    new = conn.execute("INSERT INTO lessons (cluster_id, user, state, at, lesson) VALUES (?, ?, ?, ?, ?)", values)
    return replace(lesson, lesson_id=int(new.lastrowid or 0))


def settle_lesson(
    conn: sqlite3.Connection,
    *,
    lesson: Lesson,
    was: LessonState | None,
    notices: Sequence[Delivery],
    told: Sequence[str],
    now: datetime,
) -> Lesson | None:
    """What `Store.settle_lesson` does."""
    if was is not None:
        found = conn.execute("SELECT state FROM lessons WHERE lesson_id = ?", (lesson.lesson_id,)).fetchone()
        if found is None or found[0] != was:
            return None
    kept = _write_lesson(conn, lesson)
    if kept.state == "taught":
        closed = "UPDATE unanswered SET state = 'taught', entry = ? WHERE cluster_id = ?"
        conn.execute(closed, (kept.entry, kept.cluster_id))
        conn.execute(
            "UPDATE unanswered_asks SET told_by = ? WHERE cluster_id = ? AND told_by IS NULL"
            " AND user IN (SELECT value FROM json_each(?))",
            (kept.lesson_id, kept.cluster_id, rows.list_text(told)),
        )
        for notice in notices:
            insert_delivery(conn, delivery=notice, created_at=now)
    elif kept.state == "undoing":
        _withdraw_notices(conn, kept)
    elif kept.state == "undone":
        conn.execute("UPDATE unanswered SET state = 'open', entry = NULL WHERE cluster_id = ?", (kept.cluster_id,))
        conn.execute("UPDATE unanswered_asks SET told_by = NULL WHERE told_by = ?", (kept.lesson_id,))
    return kept


def _withdraw_notices(conn: sqlite3.Connection, lesson: Lesson) -> None:
    """What waits to be sent because of a lesson is not sent any more."""
    conn.execute(
        "UPDATE deliveries SET state = 'skipped', reason = ?, address = NULL"
        " WHERE state = 'queued' AND delivery_id IN (SELECT value FROM json_each(?))",
        (rows.TAKEN_BACK, rows.list_text(lesson.notices)),
    )


def _take_back(conn: sqlite3.Connection, lesson_id: int) -> None:
    for kept in conn.execute("SELECT lesson FROM lessons WHERE lesson_id = ?", (lesson_id,)).fetchall():
        lesson = rows.taken_back(rows.lesson_from(lesson_id, kept[0]))
        _write_lesson(conn, lesson)
        if lesson.state == "undoing":
            _withdraw_notices(conn, lesson)


def _keep_wishes(conn: sqlite3.Connection, turn: Turn, at: int) -> None:
    """What a reply leaves to be kept beside the turn: a lesson, one taken back, and whether to be told of anything."""
    reply = turn.reply
    if reply.lesson is not None:
        _write_lesson(conn, reply.lesson)
    if reply.take_back is not None:
        _take_back(conn, reply.take_back)
    if reply.notices is False:
        conn.execute("INSERT OR IGNORE INTO opted_out (user, at) VALUES (?, ?)", (turn.user, at))
    elif reply.notices is True:
        conn.execute("DELETE FROM opted_out WHERE user = ?", (turn.user,))


def _variants(conn: sqlite3.Connection, cluster: int) -> tuple[str, ...]:
    asked = (
        "SELECT text FROM unanswered_asks WHERE cluster_id = ? AND text <> '' GROUP BY text ORDER BY min(at), min(seq)"
    )
    return tuple(text for (text,) in conn.execute(asked, (cluster,)))


def due_deliveries(conn: sqlite3.Connection, *, now: int, limit: int) -> list[Delivery]:
    """Queued deliveries whose time has come, oldest first."""
    due = (
        f"SELECT {_DELIVERY} FROM deliveries WHERE state = 'queued' AND coalesce(due_at, 0) <= ?"
        " ORDER BY created_at, seq LIMIT ?"
    )
    return [rows.delivery_from(row) for row in conn.execute(due, (now, limit))]


def stuck_deliveries(conn: sqlite3.Connection) -> list[Delivery]:
    """Deliveries in state `sending`, oldest first."""
    stuck = f"SELECT {_DELIVERY} FROM deliveries WHERE state = 'sending' ORDER BY created_at, seq"
    return [rows.delivery_from(row) for row in conn.execute(stuck)]


def claim(conn: sqlite3.Connection, *, delivery_id: str) -> bool:
    """queued → sending; False if it was not queued."""
    claim = (
        "UPDATE deliveries SET state = 'sending', attempts = attempts + 1 WHERE delivery_id = ? AND state = 'queued'"
    )
    return conn.execute(claim, (delivery_id,)).rowcount == 1


def settle(conn: sqlite3.Connection, *, outcome: Mapping[str, Any]) -> None:
    """Write an outcome: delivery_id, state, reason, at, due_at. Raises NotThere for an unknown delivery."""
    if not conn.execute(_SETTLE, outcome).rowcount:
        raise NotThere(f"no delivery {outcome['delivery_id']}")


def address_of(conn: sqlite3.Connection, *, user: str, now: int) -> bytes | None:
    """The sealed address of a user, unless it has expired."""
    found = conn.execute(
        "SELECT address FROM addresses WHERE user = ? AND (until IS NULL OR until > ?)", (user, now)
    ).fetchone()
    return None if found is None else found[0]


def stored_about(conn: sqlite3.Connection, *, user: str) -> dict[str, Any]:
    """What `Store.stored_about` gives."""
    turns = conn.execute(f"SELECT {_TURN} FROM turns WHERE user = ? ORDER BY received_at, turn_id", (user,))
    sessions = conn.execute("SELECT session, state FROM sessions WHERE user = ? ORDER BY session", (user,))
    deliveries = conn.execute(
        f"SELECT {_DELIVERY} FROM deliveries WHERE user = ? ORDER BY created_at, delivery_id", (user,)
    )
    asks = conn.execute(
        "SELECT cluster_id, text, at, chat FROM unanswered_asks WHERE user = ? ORDER BY at, seq", (user,)
    )
    opted_out = conn.execute("SELECT at FROM opted_out WHERE user = ?", (user,)).fetchone()
    addresses = conn.execute("SELECT until FROM addresses WHERE user = ?", (user,))
    return rows.stored_about(
        user,
        turns=[rows.turn_from(row) for row in turns],
        sessions={session: rows.session_from(state) for session, state in sessions},
        deliveries=[rows.delivery_from(row) for row in deliveries],
        asks=[(cluster, text, from_micros(at), chat) for cluster, text, at, chat in asks],
        addresses=[None if until is None else from_micros(until) for (until,) in addresses],
        chats=[(channel, chat, rows.chat_from(state)) for channel, chat, state in _chats_naming(conn, user)],
        lessons=lessons(conn, states=None, user=user, cluster_id=None),
        opted_out=None if opted_out is None else from_micros(opted_out[0]),
    )


def _chats_naming(conn: sqlite3.Connection, user: str) -> list[Row]:
    return conn.execute(
        "SELECT channel, chat, state FROM chats WHERE instr(state, ?) ORDER BY channel, chat", (user,)
    ).fetchall()


def forget(conn: sqlite3.Connection, *, user: str, fresh: str) -> int:
    """Forget a user; the number of their turns."""
    conn.execute(
        "DELETE FROM sessions WHERE user = ?1 OR session IN (SELECT session FROM turns WHERE user = ?1)", (user,)
    )
    conn.execute("DELETE FROM addresses WHERE user = ?", (user,))
    conn.execute("DELETE FROM opted_out WHERE user = ?", (user,))
    for lesson in lessons(conn, states=None, user=user, cluster_id=None):
        _write_lesson(conn, replace(lesson, user=fresh))
    for channel, chat, state in _chats_naming(conn, user):
        left = rows.without_user(rows.chat_from(state), user)
        conn.execute(_KEEP_CHAT, (channel, chat, rows.chat_text(left)))
    _change_deliveries(conn, "user = ?", (user,), partial(rows.forgotten_delivery, fresh=fresh))
    _forget_asks(conn, user, fresh)
    turns = _change_turns(conn, "user = ?", (user,), partial(rows.forgotten_turn, fresh=fresh))
    conn.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('scrub', 'due')")
    return turns


def _change_turns(conn: sqlite3.Connection, which: str, values: Sequence[Any], change: Callable[[Turn], Turn]) -> int:
    found = conn.execute(f"SELECT seq, {_TURN} FROM turns WHERE {which}", values).fetchall()
    changed = [(*rows.turn_row(change(rows.turn_from(row))), seq) for seq, *row in found]
    conn.executemany(_UPDATE_TURN, changed)
    return len(changed)


def _change_deliveries(
    conn: sqlite3.Connection, which: str, values: Sequence[Any], change: Callable[[Delivery], Delivery]
) -> int:
    found = conn.execute(f"SELECT seq, {_DELIVERY} FROM deliveries WHERE {which}", values).fetchall()
    changed = [(*rows.delivery_row(change(rows.delivery_from(row))), seq) for seq, *row in found]
    conn.executemany(_UPDATE_DELIVERY, changed)
    return len(changed)


def _forget_asks(conn: sqlite3.Connection, user: str, fresh: str) -> None:
    asked = "SELECT cluster_id, max(at) FROM unanswered_asks WHERE user = ? GROUP BY cluster_id"
    clusters = conn.execute(asked, (user,)).fetchall()
    conn.execute("DELETE FROM unanswered_asks WHERE user = ?", (user,))
    for cluster, at in clusters:
        # One row without words stays: a person asked.
        conn.execute(
            "INSERT INTO unanswered_asks (cluster_id, user, text, at) VALUES (?, ?, '', ?)", (cluster, fresh, at)
        )
        _reword_cluster(conn, cluster)


def _reword_cluster(conn: sqlite3.Connection, cluster: int) -> None:
    """Let a cluster say only what somebody who asked still stands for."""
    left = "SELECT core FROM unanswered_asks WHERE cluster_id = ?1 AND core IS NOT NULL"
    conn.execute(f"DELETE FROM unanswered_parts WHERE cluster_id = ?1 AND core NOT IN ({left})", (cluster,))
    variants = _variants(conn, cluster)
    if not variants:
        conn.execute("UPDATE unanswered SET text = '' WHERE cluster_id = ?", (cluster,))
        return
    (text,) = conn.execute("SELECT text FROM unanswered WHERE cluster_id = ?", (cluster,)).fetchone()
    if text not in variants:
        conn.execute("UPDATE unanswered SET text = ? WHERE cluster_id = ?", (variants[0], cluster))


def retire_turns(conn: sqlite3.Connection, *, before: int) -> int:
    """Blank the words of at most PAGE_ROWS turns received before; their number."""
    which = f"received_at < ? AND ({_WORDS}) LIMIT {PAGE_ROWS}"
    return _change_turns(conn, which, (before,), rows.retired_turn)


def delete_turns(conn: sqlite3.Connection, *, before: int) -> int:
    """Delete at most PAGE_ROWS turns received before; their number."""
    return _delete_portion(conn, "turns", "received_at < ?", before)


def retire_deliveries(conn: sqlite3.Connection, *, before: int) -> int:
    """Blank the words of at most PAGE_ROWS settled deliveries to users created before; their number."""
    which = (
        f"created_at < ? AND user IS NOT NULL AND text <> '' AND state NOT IN ('queued', 'sending') LIMIT {PAGE_ROWS}"
    )
    return _change_deliveries(conn, which, (before,), rows.retired_delivery)


def delete_deliveries(conn: sqlite3.Connection, *, before: int) -> int:
    """Delete at most PAGE_ROWS settled deliveries created before; their number."""
    return _delete_portion(conn, "deliveries", "created_at < ? AND state NOT IN ('queued', 'sending')", before)


def _delete_portion(conn: sqlite3.Connection, table: str, which: str, before: int) -> int:
    portion = f"SELECT seq FROM {table} WHERE {which} LIMIT {PAGE_ROWS}"
    return conn.execute(f"DELETE FROM {table} WHERE seq IN ({portion})", (before,)).rowcount


def retire_asks(conn: sqlite3.Connection, *, text_before: int, records_before: int) -> int:
    """Blank old unanswered texts and delete older ones; the number of rows changed."""
    aging = "SELECT DISTINCT cluster_id FROM unanswered_asks WHERE (at < ? AND text <> '') OR at < ?"
    clusters = conn.execute(aging, (text_before, records_before)).fetchall()
    changed = conn.execute("DELETE FROM unanswered_asks WHERE at < ?", (records_before,)).rowcount
    changed += conn.execute(
        "UPDATE unanswered_asks SET text = '', folded = NULL, core = NULL WHERE at < ? AND text <> ''", (text_before,)
    ).rowcount
    changed += _retire_lessons(conn, text_before, records_before)
    for (cluster,) in clusters:
        _reword_cluster(conn, cluster)
        _recount_cluster(conn, cluster)
    return changed


def _retire_lessons(conn: sqlite3.Connection, text_before: int, records_before: int) -> int:
    """Blank what old lessons came to, which names what residents said, and delete older ones; the rows changed."""
    settled = "state NOT IN ('waiting', 'checking', 'applying', 'undoing')"
    changed = conn.execute(f"DELETE FROM lessons WHERE at < ? AND {settled}", (records_before,)).rowcount
    old = conn.execute(f"SELECT lesson_id, lesson FROM lessons WHERE at < ? AND {settled}", (text_before,)).fetchall()
    aging = [lesson for row in old if (lesson := rows.lesson_from(*row)).told]
    for lesson in aging:
        _write_lesson(conn, replace(lesson, told=""))
    return changed + len(aging)


def _recount_cluster(conn: sqlite3.Connection, cluster: int) -> None:
    conn.execute(
        "UPDATE unanswered SET people = (SELECT count(DISTINCT user) FROM unanswered_asks WHERE cluster_id = ?1)"
        " WHERE cluster_id = ?1",
        (cluster,),
    )
    conn.execute("DELETE FROM unanswered WHERE cluster_id = ? AND people = 0", (cluster,))


def delete_passing(conn: sqlite3.Connection, *, text_before: int, now: datetime) -> int:
    """Delete what is kept only for a while: addresses, nonces, and sessions, which hold words."""
    yesterday = to_micros(now - timedelta(days=1))
    return (
        conn.execute("DELETE FROM addresses WHERE until <= ?", (to_micros(now),)).rowcount
        + conn.execute(
            "UPDATE unanswered_asks SET address = NULL WHERE until <= ? AND address IS NOT NULL", (to_micros(now),)
        ).rowcount
        + conn.execute("DELETE FROM nonces WHERE at < ?", (yesterday,)).rowcount
        + conn.execute("DELETE FROM sessions WHERE at < ?", (text_before,)).rowcount
    )


def scrub(conn: sqlite3.Connection, *, always: bool) -> None:
    """Rewrite the file, so that no deleted word is left in it.

    secure_delete alone does not do it: when SQLite moves rows to another page it leaves copies in the unused part of
    the old one. A file larger than SCRUB_BYTES is rewritten only when `always` and somebody was forgotten.
    """
    due = conn.execute("SELECT 1 FROM meta WHERE name = 'scrub'").fetchone() is not None
    size = conn.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").fetchone()[0]
    try:
        if size <= SCRUB_BYTES or (always and due):
            conn.execute("VACUUM")
            conn.execute("DELETE FROM meta WHERE name = 'scrub'")
        truncate_log(conn)
    except sqlite3.OperationalError as exc:
        log.warning("the file cannot be rewritten now, the next retiring will", extra={"why": str(exc)})


def spend(conn: sqlite3.Connection, *, what: str, day: str, most: int) -> bool:
    """Spend one of `most` on that day; False when they are used up."""
    return conn.execute(_SPEND, (what, day, most)).rowcount == 1


def beat(conn: sqlite3.Connection) -> None:
    """Write the test row."""
    conn.execute("INSERT INTO heartbeat (one, beats) VALUES (1, 1) ON CONFLICT (one) DO UPDATE SET beats = beats + 1")


def truncate_log(conn: sqlite3.Connection) -> None:
    """Write the log back into the file and empty it, as far as readers let go of it."""
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
