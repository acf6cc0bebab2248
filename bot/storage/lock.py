"""One server a database: SQLite before 3.51.3 can damage a file that two processes write back at once."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.errors import StoreInUse, StoreUnavailable


def lock_path(store: Path) -> Path:
    """The lock file of a database: beside it, wherever links to it lie."""
    real = store.resolve()
    return real.with_name(f"{real.name}.lock")


@contextmanager
def sole_server(store: Path) -> Iterator[None]:
    """Be the one server of a database as long as this lasts. Raises StoreInUse, StoreUnavailable.

    The lock is the system's, not the file's being there: it goes with the process, also when that is killed. Commands
    beside the server do not take it.
    """
    path = lock_path(store)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as exc:
        raise StoreUnavailable(f"the lock file cannot be opened ({path}): {exc.strerror}") from exc
    try:
        _take(descriptor, path, store)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path, store: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        holder = os.read(descriptor, 20).decode(errors="replace").strip()
        who = f"process {holder}" if holder else "a process just starting"
        raise StoreInUse(
            f"another server ({who}) works with {store} — stop it first, or give this one a store.url of its own"
        ) from exc
    except OSError as exc:
        raise StoreUnavailable(f"the lock file cannot be locked ({path}): {exc.strerror}") from exc
    os.truncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
