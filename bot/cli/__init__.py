"""The command line `lvlin`: one module per command, imported only when it is called."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping, Sequence

import click

from bot.cli import later
from bot.errors import FaultyFile, LvlinError, NewerSchema, NotThere, StoreError, StoreUnavailable, WrongUsage

FAILED = 1
WRONG = 2

COMMANDS: Mapping[str, tuple[str, str]] = {
    "serve": ("bot.cli.serve:serve", "The webhook server."),
    "ask": ("bot.cli.ask:ask", "One message, or many, through the whole pipeline."),
    "kb": ("bot.cli.kb:kb", "Check, count, try, edit and publish the knowledge."),
    "unanswered": ("bot.cli.unanswered:unanswered", "What nobody could answer, and teaching it."),
    "metrics": ("bot.cli.metrics:metrics", "The figures of a period."),
    "export": ("bot.cli.export:export", "What is stored, as a table."),
    "me": ("bot.cli.person:me", "Everything stored about a resident."),
    "forget": ("bot.cli.person:forget", "Delete what is stored about a resident."),
    "config": ("bot.cli.config:config", "Check config.yaml and the knowledge."),
    "db": ("bot.cli.db:db", "The storage: make, upgrade, back up."),
}
"""Each command: where it is defined, and what it does."""

_MENDS: Mapping[type[LvlinError], str] = {
    StoreUnavailable: "see that the disk has room and that store.url in config.yaml can be written",
    NewerSchema: "use the newer program",
    StoreError: "see the log",
    NotThere: "see that it is spelt right",
    WrongUsage: "see lvlin --help",
}


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, those of later releases last."""
        return [*COMMANDS, *later.names()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, with those that will come under it."""
        if cmd_name not in COMMANDS:
            return later.command(cmd_name) if cmd_name in later.names() else None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        if isinstance(command, click.Group):
            _add_later(command, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command the arguments begin with; a misspelt one is told with the nearest there is."""
        known = self.list_commands(ctx)
        if args[0] not in known and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], known, n=1)
            ctx.fail(f"there is no command '{args[0]}'" + (f" — did you mean '{near[0]}'?" if near else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, from the tables alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, told) for name, (_, told) in COMMANDS.items()])
        with formatter.section("Commands of later releases"):
            formatter.write_dl([(name, later.LATER[name]) for name in later.names()])


def _add_later(group: click.Group, path: str) -> None:
    for name in later.names(path):
        if name not in group.commands:
            group.add_command(later.command(f"{path} {name}"))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["--help"]})
def main() -> None:
    """绿邻 LvLin: answers residents' questions about waste sorting and a green community.

    Every command has --help and --config PATH. Exit status: 0 done, 1 failed, 2 wrong usage or configuration.
    """


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (default: the process's own) and return its exit status; errors go to standard error."""
    try:
        outcome = main.main(args=arguments, prog_name="lvlin", standalone_mode=False, obj=arguments is None)
    except click.Abort:
        return _complain("stopped — nothing more was done", FAILED)
    except click.ClickException as exc:
        return _complain(_usage(exc), exc.exit_code)
    except FaultyFile as exc:
        for fault in exc.faults:
            _complain(str(fault), WRONG)
        return WRONG
    except LvlinError as exc:
        return _complain(_error(exc), WRONG if isinstance(exc, WrongUsage) else FAILED)
    return outcome if isinstance(outcome, int) else 0


def _complain(what: str, status: int) -> int:
    click.echo(f"lvlin: {what}", err=True)
    return status


def _usage(error: click.ClickException) -> str:
    asked = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "lvlin"
    what = "a command is missing" if isinstance(error, click.exceptions.NoArgsIsHelpError) else error.format_message()
    what = " ".join(what.split()).rstrip(".")
    return what if " — " in what else f"{what[0].lower()}{what[1:]} — see {asked} --help"


def _error(error: LvlinError) -> str:
    what = " ".join(str(error).split())
    mend = next((_MENDS[kind] for kind in type(error).__mro__ if kind in _MENDS), "")
    return what if " — " in what or not mend else f"{what} — {mend}"
