"""`lvlin config check`: every fault of config.yaml and of the knowledge it names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from bot.cli.common import config_option, json_option, print_json, read_settings
from bot.errors import Fault, FaultyFile
from bot.kb.load import load
from bot.settings import examine, staff_faults


@click.group()
def config() -> None:
    """Check config.yaml and the knowledge."""


@config.command()
@config_option
@json_option
def check(config_path: Path, as_json: bool) -> None:
    """Name each fault of config.yaml and of the knowledge, with file and line.

    Exit status 0 when there is none, 2 otherwise. With --json a list of {file, line, what, mend}.
    """
    faults = every_fault(config_path)
    if as_json:
        print_json([asdict(fault) for fault in faults])
        click.get_current_context().exit(2 if faults else 0)
    if faults:
        raise FaultyFile(faults)
    settings = read_settings(config_path)
    city = settings.site.city
    if not (settings.knowledge / "cities" / f"{city}.yaml").exists():
        click.echo(f"lvlin: {_no_file(city, settings.knowledge)}", err=True)
    click.echo(f"no faults in {config_path} and the knowledge")


def _no_file(city: str, knowledge: Path) -> str:
    """That a city gets the national standard: no fault, but hardly meant."""
    mend = f"correct site.city, or write {knowledge.name}/cities/{city}.yaml"
    return f"site.city is '{city}', which has no file: the national standard is told, and answers say so — {mend}"


def every_fault(config_path: Path) -> Sequence[Fault]:
    """The faults of a config file, of its knowledge, and of what one says of the other."""
    examined = examine(config_path, os.environ)
    try:
        knowledge = load(examined.knowledge)
    except FaultyFile as exc:
        return (*examined.faults, *exc.faults)
    if examined.settings is None:
        return examined.faults
    return staff_faults(examined.settings, {place.id for place in knowledge.places.walk()})
