"""The schema as numbered steps. A step that was released is never edited: what changes is a new step at the end."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One change of the schema, made in one transaction together with the record that it was made."""

    number: int
    name: str
    statements: tuple[str, ...]


STEPS = (
    Step(
        1,
        "0001_start",
        (
            "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
            """CREATE TABLE turns (
                seq INTEGER PRIMARY KEY,
                turn_id TEXT NOT NULL,
                message_id TEXT NOT NULL,
                channel TEXT NOT NULL,
                chat TEXT,
                user TEXT NOT NULL,
                place TEXT NOT NULL,
                session TEXT NOT NULL,
                received_at INTEGER NOT NULL,
                kind TEXT NOT NULL,
                media TEXT NOT NULL,
                text TEXT,
                mentioned INTEGER NOT NULL,
                action TEXT NOT NULL,
                topic TEXT,
                entry TEXT,
                items TEXT NOT NULL,
                score REAL NOT NULL,
                reply TEXT NOT NULL,
                reason TEXT,
                unanswered INTEGER NOT NULL,
                record TEXT,
                rest TEXT,
                latency_ms REAL NOT NULL,
                UNIQUE (channel, message_id)
            )""",
            "CREATE INDEX turns_time ON turns (received_at, turn_id)",
            "CREATE INDEX turns_user ON turns (user)",
            # Only the turns that still hold words: retiring finds them without reading years of blank ones.
            """CREATE INDEX turns_words ON turns (received_at)
                WHERE text IS NOT NULL OR reply <> '' OR rest IS NOT NULL""",
            """CREATE TABLE sessions (
                session TEXT PRIMARY KEY, user TEXT NOT NULL, state TEXT NOT NULL, at INTEGER NOT NULL
            ) WITHOUT ROWID""",
            """CREATE TABLE chats (
                channel TEXT NOT NULL, chat TEXT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (channel, chat)
            ) WITHOUT ROWID""",
            "CREATE TABLE addresses (user TEXT PRIMARY KEY, address BLOB NOT NULL, until INTEGER) WITHOUT ROWID",
            """CREATE TABLE nonces (
                channel TEXT NOT NULL, nonce TEXT NOT NULL, digest TEXT NOT NULL, at INTEGER NOT NULL,
                PRIMARY KEY (channel, nonce)
            ) WITHOUT ROWID""",
            """CREATE TABLE deliveries (
                seq INTEGER PRIMARY KEY,
                delivery_id TEXT NOT NULL UNIQUE,
                channel TEXT NOT NULL,
                chat TEXT,
                user TEXT,
                place TEXT NOT NULL,
                text TEXT NOT NULL,
                address BLOB,
                broadcast_id TEXT,
                options TEXT NOT NULL,
                link TEXT,
                state TEXT NOT NULL,
                reason TEXT,
                attempts INTEGER NOT NULL,
                due_at INTEGER,
                created_at INTEGER NOT NULL,
                sent_at INTEGER,
                read_at INTEGER,
                answered_at INTEGER
            )""",
            "CREATE INDEX deliveries_time ON deliveries (created_at, delivery_id)",
            "CREATE INDEX deliveries_user ON deliveries (user) WHERE user IS NOT NULL",
            "CREATE INDEX deliveries_words ON deliveries (created_at) WHERE user IS NOT NULL AND text <> ''",
            "CREATE INDEX deliveries_due ON deliveries (coalesce(due_at, 0)) WHERE state = 'queued'",
            "CREATE INDEX deliveries_stuck ON deliveries (created_at) WHERE state = 'sending'",
            """CREATE TABLE unanswered (
                cluster_id INTEGER PRIMARY KEY AUTOINCREMENT,
                folded TEXT UNIQUE,
                text TEXT NOT NULL,
                people INTEGER NOT NULL,
                first_at INTEGER NOT NULL,
                last_at INTEGER NOT NULL,
                state TEXT NOT NULL,
                entry TEXT
            )""",
            """CREATE TABLE unanswered_asks (
                seq INTEGER PRIMARY KEY,
                cluster_id INTEGER NOT NULL,
                user TEXT NOT NULL,
                text TEXT NOT NULL,
                at INTEGER NOT NULL
            )""",
            "CREATE INDEX unanswered_asks_cluster ON unanswered_asks (cluster_id, user)",
            "CREATE INDEX unanswered_asks_user ON unanswered_asks (user)",
            "CREATE TABLE heartbeat (one INTEGER PRIMARY KEY, beats INTEGER NOT NULL)",
        ),
    ),
    Step(
        2,
        "0002_language_model",
        (
            "ALTER TABLE turns ADD COLUMN chosen_by TEXT",
            "CREATE TABLE spent (what TEXT PRIMARY KEY, day TEXT NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID",
        ),
    ),
)

NEWEST = STEPS[-1].number
"""The schema version this program writes."""
