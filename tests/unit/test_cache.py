"""The compiled knowledge beside the store: read back as written, never trusted when damaged, never in the way."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.kb import cache

PLAIN = {"a": [1, 2.5, None, "电池"], "b": {"c": (b"\x00\xff",)}}


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "made" / "knowledge-1.bin"
    cache.write(path, PLAIN)
    assert cache.read(path) == PLAIN


def test_nothing_written_yet(tmp_path: Path) -> None:
    assert cache.read(tmp_path / "none.bin") is None


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: b"", id="empty"),
        pytest.param(lambda content: content[:10], id="cut-inside-the-digest"),
        pytest.param(lambda content: content[:-1], id="torn"),
        pytest.param(lambda content: content[:40] + b"\x00" + content[41:], id="a-byte-changed"),
        pytest.param(lambda content: content + b"x", id="longer"),
    ],
)
def test_a_damaged_file_is_not_read(tmp_path: Path, damage: object, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "knowledge-1.bin"
    cache.write(path, PLAIN)
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    assert cache.read(path) is None
    assert "damaged" in caplog.text


def test_a_file_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    """A folder of that name stands for any file the system refuses."""
    path = tmp_path / "knowledge-1.bin"
    path.mkdir()
    assert cache.read(path) is None


@pytest.mark.parametrize(("keep", "left"), [pytest.param(1, [3], id="one"), pytest.param(3, [1, 2, 3], id="three")])
def test_older_ones_are_removed(tmp_path: Path, keep: int, left: list[int]) -> None:
    for n in range(4):
        path = tmp_path / f"knowledge-{n}.bin"
        cache.write(path, PLAIN, keep=9)
        os.utime(path, (n, n))
    (tmp_path / "lvlin.db").write_text("another file")
    newest = tmp_path / "knowledge-3.bin"
    cache.write(newest, PLAIN, keep=keep)
    assert sorted(path.name for path in tmp_path.iterdir()) == [*(f"knowledge-{n}.bin" for n in left), "lvlin.db"]


def test_failing_to_write_is_only_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    cache.write(tmp_path / "file" / "knowledge-1.bin", PLAIN)
    assert "not kept" in caplog.text


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bot.kb.cache.os.replace", full)
    cache.write(tmp_path / "knowledge-1.bin", PLAIN)
    assert list(tmp_path.iterdir()) == []
