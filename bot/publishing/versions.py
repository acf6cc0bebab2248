"""Kept versions of the knowledge, beside the store: what was published when and by whom, and the files of each.

    knowledge-versions/
      versions.jsonl      one line a version, the last one is published; replaced as a whole, so it is never torn
      <content>/          the files of a version, named by their content and never changed again

A file that did not change is a hard link to the one before, so a version costs what it changed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.errors import Fault, FaultyFile, LvlinError, NotThere

Files = Mapping[str, bytes]
"""Name from the folder → content, of every YAML file."""

INDEX = "versions.jsonl"
_LOCK = "lock"
_NAME = 16


@dataclass(frozen=True, slots=True)
class Version:
    """One publication. `version` is what /readyz shows; `content` names its folder; `restored`: the number of the
    version whose files it brought back; `commit`: in the git repository, where the knowledge lies in one."""

    number: int
    version: str
    content: str
    at: datetime
    by: str
    note: str = ""
    restored: int | None = None
    commit: str | None = None


class Versions:
    """The kept versions in a folder, which need not be there yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self) -> tuple[Version, ...]:
        """Every version, oldest first. Raises FaultyFile for an index that is none."""
        index = self.folder / INDEX
        try:
            lines = index.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return ()
        found = []
        for number, line in enumerate(lines, 1):
            try:
                found.append(_version(json.loads(line)))
            except (ValueError, TypeError, KeyError) as exc:
                what, mend = f"not a version: {exc}", "restore the file from a backup"
                raise FaultyFile([Fault(str(index), number, what, mend)]) from exc
        return tuple(found)

    def published(self) -> Version | None:
        """The version that is served; None before the first is published."""
        return next(reversed(self.all()), None)

    def numbered(self, number: int) -> Version:
        """The version of that number. Raises NotThere."""
        found = {version.number: version for version in self.all()}
        if number not in found:
            raise NotThere(f"there is no version {number} — see lvlin kb history")
        return found[number]

    def files(self, version: Version) -> Path:
        """The folder with the files of a version. Raises FaultyFile where it is gone."""
        folder = self.folder / version.content
        if not folder.is_dir():
            what, mend = f"the files of version {version.number} are gone", f"restore {folder} from a backup"
            raise FaultyFile([Fault(str(self.folder / INDEX), version.number, what, mend)])
        return folder

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else publishes meanwhile. Raises LvlinError where somebody does."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / _LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                raise LvlinError("somebody else is publishing — wait, and try again") from exc
            yield

    def copy(self, source: Path) -> tuple[str, Path]:
        """Keep the files of a knowledge folder as they are now: the name of their content, and where they are kept."""
        files = read(source)
        name = content_of(files)
        kept = self.folder / name
        if not kept.is_dir():
            self._write(files, kept)
        return name, kept

    def record(self, version: Version) -> None:
        """Make a version, whose files are kept, the published one."""
        lines = [json.dumps(_plain(known), ensure_ascii=False) for known in (*self.all(), version)]
        _replace(self.folder / INDEX, "".join(f"{line}\n" for line in lines).encode())

    def _write(self, files: Files, kept: Path) -> None:
        """Write the files into a folder that is whole as soon as it is there."""
        published = self.published()
        before = self.folder / published.content if published else None
        making = self.folder / f"making-{secrets.token_hex(6)}"
        try:
            for name, content in files.items():
                path = making / name
                path.parent.mkdir(parents=True, exist_ok=True)
                if not (before and _linked(before / name, content, path)):
                    _write_synced(path, content)
                    path.chmod(0o444)
            making.rename(kept)
        finally:
            shutil.rmtree(making, ignore_errors=True)
        _sync(self.folder)


def read(folder: Path) -> Files:
    """The YAML files of a knowledge folder, byte by byte; none where there is no folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.yaml"))}


def restore(kept: Path, folder: Path) -> None:
    """Make a knowledge folder hold the YAML files of a kept version, byte by byte, and no others."""
    wanted, there = read(kept), read(folder)
    for name in there.keys() - wanted.keys():
        (folder / name).unlink()
    for name, content in wanted.items():
        if there.get(name) != content:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            _replace(folder / name, content)


def content_of(files: Files) -> str:
    """A name for the content of files: the same for the same names and bytes, whatever program reads them."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode() + files[name])
    return digest.hexdigest()[:_NAME]


def _replace(path: Path, content: bytes) -> None:
    """Replace a file at once: whoever reads it sees the old content or the new."""
    making = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        _write_synced(making, content)
        making.replace(path)
    finally:
        making.unlink(missing_ok=True)
    _sync(path.parent)


def _linked(before: Path, content: bytes, path: Path) -> bool:
    """Whether the file of the version before was the same and could be linked."""
    with suppress(OSError):
        if before.read_bytes() == content:
            os.link(before, path)
            return True
    return False


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def _sync(folder: Path) -> None:
    """Make what was renamed in a folder survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _plain(version: Version) -> dict[str, Any]:
    return {**asdict(version), "at": version.at.isoformat()}


def _version(plain: Mapping[str, Any]) -> Version:
    return Version(**{**plain, "at": datetime.fromisoformat(plain["at"])})
