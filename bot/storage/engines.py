"""Which engine keeps what: the one place that knows them by name."""

from __future__ import annotations

from pathlib import Path

from bot.storage.contract import Store
from bot.storage.sqlite import SqliteStore


def open_store(url_path: Path) -> Store:
    """The store of a site, not started yet; `url_path` is the database file, `settings.store.path`."""
    return SqliteStore(url_path)
