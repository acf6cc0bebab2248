"""`lvlin db`: the storage."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import click

from bot.cli.common import config_option, json_option, print_json, read_settings
from bot.errors import LvlinError, NotThere
from bot.storage.engines import open_store


@click.group()
def db() -> None:
    """The storage: make, upgrade, back up."""


@db.command()
@config_option
@json_option
def init(config_path: Path, as_json: bool) -> None:
    """Make the database, with all that lies in it; one that is there is upgraded."""
    path = read_settings(config_path).store.path
    made = not path.exists()
    asyncio.run(_migrate(path))
    _tell(as_json, path, "made" if made else "was there already")


@db.command()
@config_option
@json_option
def upgrade(config_path: Path, as_json: bool) -> None:
    """Bring the database to this program's schema, all of it or nothing. Make a backup first."""
    path = _existing(config_path)
    asyncio.run(_migrate(path))
    _tell(as_json, path, "is up to date")


@db.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@config_option
@json_option
def backup(file: Path | None, config_path: Path, as_json: bool) -> None:
    """Copy the database to FILE while work goes on; the copy is consistent and checked.

    FILE must not exist; left out, the copy gets a name with the time, beside the database. The site's secret is not in
    it: keep that somewhere else.
    """
    path = _existing(config_path)
    target = file or path.with_name(f"{path.stem}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}{path.suffix}")
    if target.exists():
        raise BackupExists(f"{target} exists already — name a file that does not")
    if not target.parent.is_dir():
        raise NotThere(f"there is no folder {target.parent} — make it first")
    asyncio.run(_back_up(path, target))
    _tell(as_json, target, "is a copy of the database")


class BackupExists(LvlinError):
    """The file a backup should go to is there already: it is not overwritten."""


def _existing(config_path: Path) -> Path:
    path = read_settings(config_path).store.path
    if not path.is_file():
        raise NotThere(f"there is no database {path} — make it with: lvlin db init")
    return path


async def _migrate(path: Path) -> None:
    store = open_store(path)
    await store.start()
    await store.stop()


async def _back_up(path: Path, target: Path) -> None:
    store = open_store(path)
    await store.start()
    try:
        await store.backup(str(target))
    finally:
        await store.stop()


def _tell(as_json: bool, path: Path, what: str) -> None:
    if as_json:
        print_json({"path": str(path), "bytes": path.stat().st_size, "outcome": what})
    else:
        click.echo(f"{path} {what}")
