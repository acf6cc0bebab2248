"""What commands share: options, days of the site, JSON output, and how settings are read."""

from __future__ import annotations

import getpass
import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click

from bot import logs
from bot.errors import WrongUsage
from bot.settings import Settings, load

Command = TypeVar("Command", bound=Callable[..., Any])

_NICENESS = 10
_FIRST_DAY = date(1970, 1, 1)
_LAST_DAY = date(2100, 12, 31)


class Day(click.ParamType[date]):
    """A day, written as YYYY-MM-DD."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day; fails for anything else, and for days no record can be of."""
        try:
            day = value if isinstance(value, date) else datetime.strptime(value, "%Y-%m-%d").date()
        except ValueError:
            self.fail(f"'{value}' is not a day; write it as 2026-10-31", param, ctx)
        if not _FIRST_DAY <= day <= _LAST_DAY:
            self.fail(f"'{value}' is not between {_FIRST_DAY} and {_LAST_DAY}", param, ctx)
        return day


def config_option(command: Command) -> Command:
    """--config, given to the command as `config_path`."""
    return click.option(
        "--config",
        "config_path",
        type=click.Path(path_type=Path),
        envvar="LVLIN_CONFIG",
        default="config.yaml",
        show_default=True,
        show_envvar=True,
        metavar="PATH",
        help="The settings.",
    )(command)


def json_option(command: Command) -> Command:
    """--json, given as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def period_options(command: Command) -> Command:
    """--from and --to, given as `first_day` and `last_day`; see `period`."""
    last = click.option("--to", "last_day", type=Day(), metavar="YYYY-MM-DD", help="Last day, included.")
    first = click.option("--from", "first_day", type=Day(), metavar="YYYY-MM-DD", help="First day, included.")
    return first(last(command))


def place_option(command: Command) -> Command:
    """--place, given as `place`: the id of a branch of the place tree."""
    return click.option("--place", metavar="ID", help="Only this place and what lies in it.")(command)


def period(first_day: date | None, last_day: date | None, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """The moments from which and before which the days run, both days included; None where a side is open.

    Raises WrongUsage when the last day is before the first.
    """
    if first_day and last_day and last_day < first_day:
        raise WrongUsage(f"--to {last_day} is before --from {first_day} — give the earlier day as --from")
    since = _midnight(first_day, zone) if first_day else None
    until = _midnight(last_day + timedelta(days=1), zone) if last_day else None
    return since, until


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def read_settings(config_path: Path, level: str = "WARNING") -> Settings:
    """The settings, with the log set up so that none of their secrets gets into it. Raises FaultyFile."""
    settings = load(config_path, os.environ)
    logs.configure(level, not sys.stderr.isatty(), settings.secrets())
    return settings


def author(by: str | None) -> str:
    """Who does it: --by, else the user of this machine. Raises WrongUsage for what is no name."""
    try:
        name = by or getpass.getuser()
    except (KeyError, OSError) as exc:
        raise WrongUsage("this machine does not say who you are — name yourself with --by") from exc
    if not name.isprintable() or set("<>") & set(name):
        raise WrongUsage(f"--by {name!r} is no name — leave out <, > and control characters")
    return name


def print_json(value: object) -> None:
    """Print a value as one line of JSON."""
    click.echo(json.dumps(value, ensure_ascii=False))


def give_way() -> None:
    """Let the server on this machine go first from now on; not where the process is not the command line's own."""
    if click.get_current_context().find_root().obj:
        os.nice(_NICENESS)
