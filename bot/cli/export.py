"""`lvlin export`: what is stored, as a table."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from zoneinfo import ZoneInfo

import click

from bot.cli.common import config_option, json_option, period, period_options, place_option, read_settings
from bot.cli.stored import branch, opened, site_places, told
from bot.errors import WrongUsage
from bot.export import (
    DELIVERY_FIELDS,
    FORMATS,
    TURN_FIELDS,
    UNANSWERED_FIELDS,
    Row,
    asked_within,
    delivery_record,
    file_in_place,
    sink,
    turn_record,
    unanswered_record,
    write_all,
)
from bot.storage.contract import Store

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Which rows are wanted: since <= time < until, of some places (None: all)."""

    since: datetime | None
    until: datetime | None
    places: tuple[str, ...] | None
    zone: ZoneInfo


Rows = Callable[[Store, _Chosen], AsyncIterator[Row]]


@click.group()
def export() -> None:
    """What is stored, as a table: JSON lines, CSV or Excel.

    Users are pseudonyms, times those of the site. Cells of CSV and Excel are never formulas.
    """


def _options(command: Command) -> Command:
    kind = click.option("--format", "kind", type=click.Choice(FORMATS), help="Default: jsonl.")
    out = click.option(
        "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Default: standard output."
    )
    return kind(out(period_options(json_option(config_option(command)))))


@export.command()
@_options
@place_option
def turns(place: str | None, **given: Any) -> None:
    """Every turn: what was asked and what came back."""
    _export("turns", TURN_FIELDS, _turns, place=place, **given)


@export.command()
@_options
@place_option
def deliveries(place: str | None, **given: Any) -> None:
    """Every message sent unasked, and what became of it."""
    _export("deliveries", DELIVERY_FIELDS, _deliveries, place=place, **given)


@export.command()
@_options
def unanswered(**given: Any) -> None:
    """Questions nobody could answer, most people first; the days choose those asked in them."""
    _export("unanswered", UNANSWERED_FIELDS, _unanswered, place=None, **given)


def _later(name: str, what: str) -> None:
    def refuse(**_: object) -> None:
        raise WrongUsage(f"'export {name}' comes with a later release — see what there is: lvlin export --help")

    export.add_command(
        click.Command(
            name,
            callback=refuse,
            params=[click.Argument(["given"], nargs=-1, type=click.UNPROCESSED)],
            context_settings={"ignore_unknown_options": True},
            help=f"{what} Comes with a later release.",
        )
    )


_later("participation", "Who took part in what.")
_later("broadcasts", "Reminders.")


async def _turns(store: Store, chosen: _Chosen) -> AsyncIterator[Row]:
    async for turn in store.turns(since=chosen.since, until=chosen.until, places=chosen.places):
        yield turn_record(turn, chosen.zone)


async def _deliveries(store: Store, chosen: _Chosen) -> AsyncIterator[Row]:
    async for delivery in store.deliveries(since=chosen.since, until=chosen.until, places=chosen.places):
        yield delivery_record(delivery, chosen.zone)


async def _unanswered(store: Store, chosen: _Chosen) -> AsyncIterator[Row]:
    async for cluster in store.unanswered():
        if asked_within(cluster, chosen.since, chosen.until):
            yield unanswered_record(cluster, chosen.zone)


def _export(
    title: str,
    fields: tuple[str, ...],
    rows: Rows,
    *,
    place: str | None,
    kind: str | None,
    output: Path | None,
    as_json: bool,
    first_day: date | None,
    last_day: date | None,
    config_path: Path,
) -> None:
    if as_json and kind not in (None, "jsonl"):
        raise WrongUsage(f"--json and --format {kind} exclude each other — give one of them")
    kind = kind or "jsonl"
    settings = read_settings(config_path)
    zone = settings.site.timezone
    since, until = period(first_day, last_day, zone)
    places = branch(site_places(settings), place) if place else None

    async def run() -> None:
        async with opened(settings) as store:
            with _target(output, kind) as out, sink(kind, out, title, fields) as to:
                found = rows(store, _Chosen(since, until, places, zone))
                await write_all(told(found, title, quiet=out.isatty()), to)

    asyncio.run(run())


@contextmanager
def _target(output: Path | None, kind: str) -> Iterator[BinaryIO]:
    """Where the export goes: a file that is there when it is complete, or standard output."""
    if output:
        if not output.absolute().parent.is_dir():
            raise WrongUsage(f"there is no folder {output.absolute().parent} — make it first")
        with file_in_place(output) as out:
            yield out
        return
    if kind == "xlsx" and sys.stdout.isatty():
        raise WrongUsage("an Excel file cannot be shown here — name a file with -o")
    yield sys.stdout.buffer
