"""One server a database."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.errors import StoreInUse, StoreUnavailable
from bot.storage.lock import lock_path, sole_server


def test_one_at_a_time(tmp_path: Path) -> None:
    store = tmp_path / "data" / "lvlin.db"
    with sole_server(store), pytest.raises(StoreInUse, match=f"process {os.getpid()}"), sole_server(store):
        pytest.fail("a second one was let in")
    with sole_server(store):
        assert lock_path(store).read_text() == f"{os.getpid()}\n"
        assert lock_path(store).stat().st_mode & 0o777 == 0o600


def test_a_lock_file_that_is_there_locks_nothing(tmp_path: Path) -> None:
    store = tmp_path / "lvlin.db"
    lock_path(store).write_text("123456789\n")
    with sole_server(store):
        assert lock_path(store).read_text() == f"{os.getpid()}\n"


def test_another_database_is_another_lock(tmp_path: Path) -> None:
    with sole_server(tmp_path / "a.db"), sole_server(tmp_path / "b.db"):
        assert lock_path(tmp_path / "a.db") != lock_path(tmp_path / "b.db")


def test_it_is_left_when_the_server_fails(tmp_path: Path) -> None:
    store = tmp_path / "lvlin.db"
    with pytest.raises(RuntimeError), sole_server(store):
        raise RuntimeError
    with sole_server(store):
        pass


def test_where_no_file_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = tmp_path / "file" / "x.db"
    with pytest.raises(StoreUnavailable, match="the lock file cannot be opened"), sole_server(store):
        pytest.fail("nothing was locked")
