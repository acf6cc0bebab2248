"""`lvlin metrics`: the figures of a period."""

from __future__ import annotations

import asyncio
import sys
from datetime import date
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from bot.cli.common import config_option, json_option, period, period_options, place_option, print_json, read_settings
from bot.cli.stored import branch, opened, site_places, told
from bot.errors import WrongUsage
from bot.export import sink
from bot.kb.slugs import ALL_NAMES
from bot.metrics import FIELDS, LEAST_INSIDE, LEAST_PUBLIC, Figure, Scope, Sums, figures
from bot.places import Places
from bot.settings import Settings, Simulator

_WIDE = 240
"""Columns of a table that nobody looks at on a terminal."""


@click.command()
@click.option("--format", "kind", type=click.Choice(("table", "csv")), default="table", show_default=True)
@click.option("--channel", metavar="NAME", help="Only this channel; the only way to count a simulator's turns.")
@click.option("--public", is_flag=True, help=f"Hide cells of fewer than {LEAST_PUBLIC} people, not {LEAST_INSIDE}.")
@period_options
@place_option
@json_option
@config_option
def metrics(
    kind: str,
    channel: str | None,
    public: bool,
    first_day: date | None,
    last_day: date | None,
    place: str | None,
    as_json: bool,
    config_path: Path,
) -> None:
    """The figures of a period: people and questions, by topic, place and week; how they were answered, how fast."""
    settings = read_settings(config_path)
    if channel is not None and channel not in settings.channels:
        raise WrongUsage(f"there is no channel '{channel}' — use one of {', '.join(settings.channels)}")
    places = site_places(settings)
    scope = Scope(
        zone=settings.site.timezone,
        first=first_day,
        last=last_day,
        least=LEAST_PUBLIC if public else LEAST_INSIDE,
        place=place,
        channel=channel,
        skipped=frozenset(name for name, given in settings.channels.items() if isinstance(given, Simulator)),
        staff=_staff(settings),
        topic_names=ALL_NAMES,
        place_names={found.id: found.name for found in places.by_id.values()},
    )
    found = asyncio.run(_figures(settings, scope, branch(places, place)))
    if as_json:
        print_json([figure.record() for figure in found])
    elif kind == "csv":
        _print_csv(found)
    else:
        _print_table(found, places)


def _staff(settings: Settings) -> frozenset[str]:
    """Pseudonyms of staff, who are not counted as residents."""
    if not settings.staff:
        return frozenset()
    from bot.app import make_vault  # here: a site without staff needs none of it

    vault = make_vault(settings)
    return frozenset(vault.pseudonym(member.channel, member.user) for member in settings.staff)


async def _figures(settings: Settings, scope: Scope, places: tuple[str, ...] | None) -> list[Figure]:
    since, until = period(scope.first, scope.last, scope.zone)
    sums = Sums(scope)
    async with opened(settings) as store:
        async for turn in told(store.turns(since=since, until=until, places=places), "turns"):
            sums.add(turn)
    return figures(sums)


def _print_csv(found: list[Figure]) -> None:
    with sink("csv", sys.stdout.buffer, "figures", FIELDS) as to:
        for figure in found:
            to.write(figure.record())


def _print_table(found: list[Figure], places: Places) -> None:
    table = Table()
    for column in ("指标", "数值", "起止", "地点", "说明"):
        table.add_column(column, overflow="fold")
    for figure in found:
        days = f"{figure.first}—{figure.last}" if figure.first else ""
        where = places.by_id[figure.place].name if figure.place in places.by_id else figure.place or "全部"
        table.add_row(figure.name, figure.shown(), days, where, figure.note or "")
    Console(width=None if sys.stdout.isatty() else _WIDE).print(table)
