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
    Step(
        3,
        "0003_learning",
        (
            # Clusters hold many phrasings now; numbers once given are never given again.
            "ALTER TABLE unanswered RENAME TO unanswered_before",
            """CREATE TABLE unanswered (
                cluster_id INTEGER PRIMARY KEY AUTOINCREMENT,
                text TEXT NOT NULL,
                people INTEGER NOT NULL,
                first_at INTEGER NOT NULL,
                last_at INTEGER NOT NULL,
                state TEXT NOT NULL,
                entry TEXT
            )""",
            """INSERT INTO unanswered
                SELECT cluster_id, text, people, first_at, last_at, state, entry FROM unanswered_before""",
            "DELETE FROM sqlite_sequence WHERE name = 'unanswered'",
            """INSERT INTO sqlite_sequence (name, seq)
                SELECT 'unanswered', seq FROM sqlite_sequence WHERE name = 'unanswered_before'""",
            "ALTER TABLE unanswered_asks ADD COLUMN channel TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE unanswered_asks ADD COLUMN chat TEXT",
            "ALTER TABLE unanswered_asks ADD COLUMN place TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE unanswered_asks ADD COLUMN folded TEXT",
            "ALTER TABLE unanswered_asks ADD COLUMN core TEXT",
            "ALTER TABLE unanswered_asks ADD COLUMN address BLOB",
            "ALTER TABLE unanswered_asks ADD COLUMN until INTEGER",
            "ALTER TABLE unanswered_asks ADD COLUMN told_by INTEGER",
            """UPDATE unanswered_asks SET (folded, core) = (
                SELECT folded, folded FROM unanswered_before AS b WHERE b.cluster_id = unanswered_asks.cluster_id
            ) WHERE text <> ''""",
            "DROP TABLE unanswered_before",
            "CREATE INDEX unanswered_asks_folded ON unanswered_asks (folded) WHERE folded IS NOT NULL",
            "CREATE INDEX unanswered_asks_core ON unanswered_asks (core) WHERE core IS NOT NULL",
            "CREATE INDEX unanswered_asks_until ON unanswered_asks (until) WHERE address IS NOT NULL",
            # Characters and pairs of them in what is asked about: few questions are compared with a new one.
            """CREATE TABLE unanswered_parts (
                part TEXT NOT NULL, core TEXT NOT NULL, cluster_id INTEGER NOT NULL,
                PRIMARY KEY (part, core, cluster_id)
            ) WITHOUT ROWID""",
            "CREATE INDEX unanswered_parts_cluster ON unanswered_parts (cluster_id, core)",
            """INSERT OR IGNORE INTO unanswered_parts (part, core, cluster_id)
                WITH RECURSIVE place(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM place WHERE n < 200),
                    size(length) AS (VALUES (1), (2))
                SELECT substr(core, n, size.length), core, cluster_id FROM unanswered_asks, place, size
                WHERE core <> '' AND n + size.length <= length(core) + 1""",
            """CREATE TABLE lessons (
                lesson_id INTEGER PRIMARY KEY AUTOINCREMENT,
                cluster_id INTEGER NOT NULL,
                user TEXT NOT NULL,
                state TEXT NOT NULL,
                at INTEGER NOT NULL,
                lesson TEXT NOT NULL
            )""",
            "CREATE INDEX lessons_state ON lessons (state)",
            "CREATE INDEX lessons_user ON lessons (user) WHERE user <> ''",
            "CREATE INDEX lessons_cluster ON lessons (cluster_id)",
            "CREATE TABLE opted_out (user TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID",
        ),
    ),
)

NEWEST = STEPS[-1].number
"""The schema version this program writes."""
