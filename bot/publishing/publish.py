"""Publishing and rolling back: the files are kept, committed where they lie in a repository, and then served."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from bot.errors import LvlinError
from bot.kb.load import load, version_of
from bot.publishing.git import repository_of
from bot.publishing.versions import Version, Versions, content_of, read, restore


def unpublished(folder: Path, versions: Versions) -> bool:
    """Whether a knowledge folder differs from what is published; True where nothing is."""
    published = versions.published()
    return published is None or content_of(read(folder)) != published.content


def publish(folder: Path, versions: Versions, *, examined: str, by: str, note: str, at: datetime) -> Version:
    """Make the knowledge in `folder` the published one. `examined`: the content that passed the gate.

    Raises LvlinError where it was changed since, where somebody else is publishing, or git refuses.
    """
    with versions.locked():
        content, _ = versions.copy(folder)
        if content != examined:
            raise LvlinError("the knowledge was edited while it was examined — publish again")
        return _recorded(folder, versions, content, by=by, note=note, at=at)


def roll_back(
    folder: Path, versions: Versions, to: Version, *, by: str, note: str, at: datetime
) -> tuple[Version, Path | None]:
    """Bring a version's files back into `folder` and publish them as a new version; and where edits that were not
    published are kept, if there were any.

    Raises FaultyFile where this program cannot read that version; LvlinError as `publish` does.
    """
    with versions.locked():
        load(versions.files(to))
        edits = versions.copy(folder)[1] if read(folder) and unpublished(folder, versions) else None
        restore(versions.files(to), folder)
        version = _recorded(folder, versions, to.content, by=by, note=note, at=at, restored=to.number)
        return version, edits


def _recorded(
    folder: Path, versions: Versions, content: str, *, by: str, note: str, at: datetime, restored: int | None = None
) -> Version:
    known = versions.all()
    version = Version(
        number=known[-1].number + 1 if known else 1,
        version=version_of(versions.folder / content),
        content=content,
        at=at,
        by=by,
        note=note,
        restored=restored,
    )
    if repository := repository_of(folder):
        version = replace(version, commit=repository.commit(_message(version), by))
    versions.record(version)
    return version


def _message(version: Version) -> str:
    """The commit's message: what was noted, and which version it is."""
    told = f"知识库回到第{version.restored}版" if version.restored else "发布知识库"
    trailers = f"Knowledge-version: {version.number} {version.version}\nPublished-by: {version.by}"
    return f"{version.note or told}\n\n{trailers}\n"
