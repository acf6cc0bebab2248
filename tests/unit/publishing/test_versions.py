"""Kept versions: nothing published is ever lost or changed, and what is served is whole."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.errors import FaultyFile, LvlinError, NotThere
from bot.publishing.versions import INDEX, Version, Versions, content_of, read, restore

AT = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A knowledge folder; what is in it does not matter here."""
    folder = tmp_path / "kb"
    (folder / "items").mkdir(parents=True)
    (folder / "texts.yaml").write_bytes(b"greeting: hi\r\n")
    (folder / "items" / "a.yaml").write_bytes(b"items: []\n")
    (folder / "README.md").write_text("for people")
    return folder


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    return Versions(tmp_path / "data" / "versions")


def kept(versions: Versions, folder: Path, **more: object) -> Version:
    """The folder as the next version."""
    with versions.locked():
        content, _ = versions.copy(folder)
        number = len(versions.all()) + 1
        given = {"number": number, "version": "v", "content": content, "at": AT, "by": "张三", **more}
        version = Version(**given)  # type: ignore[arg-type]
        versions.record(version)
    return version


def test_before_the_first_nothing_is_published(versions: Versions) -> None:
    assert versions.all() == ()
    assert versions.published() is None
    with pytest.raises(NotThere, match="no version 1"):
        versions.numbered(1)


def test_a_version_is_kept_byte_by_byte_and_the_last_is_published(versions: Versions, folder: Path) -> None:
    first = kept(versions, folder, note="第一次")
    (folder / "texts.yaml").write_bytes(b"greeting: hello\n")
    second = kept(versions, folder, restored=1, commit="abc")
    assert versions.all() == (first, second)
    assert (versions.published(), versions.numbered(1)) == (second, first)
    assert dict(read(versions.files(first))) == {"items/a.yaml": b"items: []\n", "texts.yaml": b"greeting: hi\r\n"}
    assert read(versions.files(second)) == read(folder)


def test_an_unchanged_file_is_kept_once(versions: Versions, folder: Path) -> None:
    first = kept(versions, folder)
    (folder / "texts.yaml").write_bytes(b"greeting: hello\n")
    second = kept(versions, folder)
    same = [versions.files(version) / "items/a.yaml" for version in (first, second)]
    assert os.path.samefile(*same)
    assert not os.access(same[0], os.W_OK) or os.geteuid() == 0
    other = [versions.files(version) / "texts.yaml" for version in (first, second)]
    assert not os.path.samefile(*other)


def test_the_same_content_is_the_same_folder(versions: Versions, folder: Path) -> None:
    first, second = kept(versions, folder), kept(versions, folder)
    assert versions.files(first) == versions.files(second)


def test_restoring_brings_the_files_back_and_leaves_all_others(versions: Versions, folder: Path) -> None:
    first = kept(versions, folder)
    before = read(folder)
    (folder / "texts.yaml").write_bytes(b"greeting: hello\n")
    (folder / "items" / "b.yaml").write_bytes(b"items: []\n")
    (folder / "items" / "a.yaml").unlink()
    restore(versions.files(first), folder)
    assert read(folder) == before
    assert (folder / "README.md").read_text() == "for people"
    assert {path.name for path in folder.iterdir()} == {"README.md", "texts.yaml", "items"}


def test_a_file_made_writable_and_changed_in_the_folder_does_not_change_the_kept_one(
    versions: Versions, folder: Path
) -> None:
    first = kept(versions, folder)
    restore(versions.files(first), folder)
    with (folder / "texts.yaml").open("ab") as out:
        out.write(b"# more\n")
    assert content_of(read(versions.files(first))) == first.content != content_of(read(folder))


def test_what_was_begun_and_not_ended_is_no_version(
    versions: Versions, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, content: bytes) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("bot.publishing.versions._write_synced", fail)
    with versions.locked(), pytest.raises(OSError, match="no space"):
        versions.copy(folder)
    assert [path.name for path in versions.folder.iterdir()] == ["lock"]


def test_two_cannot_publish_at_once(versions: Versions) -> None:
    with versions.locked(), pytest.raises(LvlinError, match="somebody else is publishing"), versions.locked():
        pass
    with versions.locked():
        pass


@pytest.mark.parametrize("line", ["{}", "[]", "no json", '{"number": 1, "at": "yesterday"}'])
def test_an_index_that_is_none_is_a_fault_with_its_line(versions: Versions, folder: Path, line: str) -> None:
    kept(versions, folder)
    with (versions.folder / INDEX).open("a") as out:
        out.write(f"{line}\n")
    with pytest.raises(FaultyFile) as raised:
        versions.all()
    assert [(fault.file, fault.line) for fault in raised.value.faults] == [(str(versions.folder / INDEX), 2)]


def test_files_that_are_gone_are_a_fault(versions: Versions, folder: Path) -> None:
    version = kept(versions, folder)
    versions.files(version).rename(versions.folder / "elsewhere")
    with pytest.raises(FaultyFile, match="the files of version 1 are gone"):
        versions.files(version)


def test_content_depends_on_names_and_bytes_alone() -> None:
    assert content_of({"a": b"1", "b": b"2"}) == content_of({"b": b"2", "a": b"1"})
    assert len({content_of(files) for files in ({"a": b"1"}, {"a": b"2"}, {"b": b"1"}, {"a": b"1", "b": b""})}) == 4
