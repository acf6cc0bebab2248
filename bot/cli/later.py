"""The commands of later releases: until then they answer that they are not there yet."""

from __future__ import annotations

from collections.abc import Mapping

import click

from bot.errors import WrongUsage

LATER: Mapping[str, str] = {
    "broadcast": "Reminders: write, approve, send and follow them.",
    "report": "Reports as documents, tables and pictures.",
    "demo": "Fill the storage with a simulated community.",
    "activity": "Activities of the community.",
    "quiz": "Quizzes for residents.",
    "ticket": "What residents asked a person to do.",
    "count": "Figures counted by hand.",
    "household": "The register of households.",
    "db restore": "Go back to a backup.",
    "db copy": "Copy everything into another storage.",
}
"""Each command's path, and what it will do."""


def names(group: str = "") -> tuple[str, ...]:
    """The names of the later commands of a group ("": those directly under lvlin)."""
    return tuple(path.rpartition(" ")[2] for path in LATER if path.rpartition(" ")[0] == group)


def command(path: str) -> click.Command:
    """The command at `path`: whatever it is given, it says that it is not there yet."""

    def refuse(**given: object) -> None:
        raise WrongUsage(f"'{path}' comes with a later release — see what there is: lvlin --help")

    return click.Command(
        path.rpartition(" ")[2],
        callback=refuse,
        params=[click.Argument(["given"], nargs=-1, type=click.UNPROCESSED)],
        context_settings={"ignore_unknown_options": True},
        help=f"{LATER[path]} Comes with a later release.",
        short_help=LATER[path],
    )
