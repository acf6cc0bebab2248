"""`lvlin kb publish`, `history` and `rollback`: what is served, since when, and back again."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from bot.assembly import kept_versions
from bot.cli.common import author, config_option, give_way, json_option, print_json, read_settings
from bot.cli.progress import progress
from bot.publishing.gate import Compared, Verdict, examine
from bot.publishing.publish import publish as publish_knowledge
from bot.publishing.publish import roll_back, unpublished
from bot.publishing.told import answer_words, difference_words, verdict_lines, version_line
from bot.publishing.versions import Version, content_of, read
from bot.settings import Settings

_LEVEL = "ERROR"
"""What is warned of while frozen questions are asked is no news."""

by_option = click.option("--by", metavar="NAME", help="Who does it; default: the user of this machine.")
note_option = click.option("--note", metavar="TEXT", default="", help="What it is for; stands in the history.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask: the answers may change as shown.")


@click.command()
@by_option
@note_option
@yes_option
@config_option
@json_option
def publish(by: str | None, note: str, yes: bool, config_path: Path, as_json: bool) -> int:
    """Serve the knowledge folder as it is now, if it passes: lint, the frozen questions, no regression.

    Shows which frozen questions get another answer; where some do, asks on a terminal, or needs --yes. Exit status 1,
    and nothing published, where the knowledge has faults, a frozen question fails, or the changes are not accepted.
    """
    settings = read_settings(config_path, _LEVEL)
    who = author(by)
    versions = kept_versions(settings)
    published = versions.published()
    content = content_of(read(settings.knowledge))
    if published and published.content == content:
        return _told(as_json, None, None, f"没有要发布的改动：现在就是第{published.number}版。")
    verdict = _examined(settings, settings.knowledge, versions.files(published) if published else None)
    if not as_json:
        _show(verdict)
    if verdict.blocked:
        return _told(as_json, verdict, None, "没有发布：先改好上面的错误和与预期不符的答复。", status=1)
    if verdict.changed and not _accepted(yes, f"{len(verdict.changed)}句答复会变，发布吗？"):
        why = "没有发布：答复有变化，看过认可后，加 --yes 再发布。"
        return _told(as_json, verdict, None, why, status=1)
    version = publish_knowledge(
        settings.knowledge, versions, examined=content, by=who, note=note, at=datetime.now(UTC)
    )
    done = f"已发布：{version_line(version, settings.site.timezone)}"
    if published is None:
        done += "\n从现在起只用已发布的版本：以后改了知识库，要再运行 lvlin kb publish 才会生效。"
    return _told(as_json, verdict, version, done)


@click.command()
@config_option
@json_option
def history(config_path: Path, as_json: bool) -> None:
    """The published versions, the newest first, and whether the folder holds edits that are not published."""
    settings = read_settings(config_path)
    versions = kept_versions(settings)
    known = versions.all()
    edited = unpublished(settings.knowledge, versions)
    if as_json:
        print_json({"versions": [_plain(version) for version in reversed(known)], "unpublished": edited})
        return
    if not known:
        click.echo("还没有发布过：改了知识库文件夹，马上就用上。")
        return
    for version in reversed(known):
        click.echo(version_line(version, settings.site.timezone))
    if edited:
        click.echo("文件夹里有还没有发布的改动。")


@click.command()
@click.argument("number", type=int)
@by_option
@note_option
@yes_option
@config_option
@json_option
def rollback(number: int, by: str | None, note: str, yes: bool, config_path: Path, as_json: bool) -> int:
    """Go back to version NUMBER: bring its files back into the knowledge folder and publish them as a new version.

    Shows which answers change, and asks on a terminal, or needs --yes. Edits that are not published are kept aside.
    """
    settings = read_settings(config_path, _LEVEL)
    who = author(by)
    versions = kept_versions(settings)
    target, published = versions.numbered(number), versions.published()
    assert published is not None, "a version that is numbered was published"
    if target.content == published.content and not unpublished(settings.knowledge, versions):
        return _told(as_json, None, None, f"不用回退：现在用的就是第{number}版的内容。")
    verdict = _examined(settings, versions.files(target), versions.files(published))
    if not as_json:
        _show(verdict)
    if not _accepted(yes, f"回到第{number}版吗？"):
        return _told(as_json, verdict, None, "没有回退：看过认可后，加 --yes 再回退。", status=1)
    version, edits = roll_back(settings.knowledge, versions, target, by=who, note=note, at=datetime.now(UTC))
    done = f"已回退：{version_line(version, settings.site.timezone)}"
    if edits:
        done += f"\n没有发布过的改动没有丢，保存在 {edits}"
    return _told(as_json, verdict, version, done)


def _examined(settings: Settings, folder: Path, published: Path | None) -> Verdict:
    day = datetime.now(settings.site.timezone).date()
    give_way()
    with progress() as tell:
        return examine(settings, folder, published, day, tell)


def _show(verdict: Verdict) -> None:
    for error in verdict.report.errors:
        click.echo(f"lvlin: {error}", err=True)
    for line in verdict_lines(verdict):
        click.echo(line)


def _accepted(yes: bool, question: str) -> bool:
    return yes or (sys.stdin.isatty() and click.confirm(question, err=True))


def _told(as_json: bool, verdict: Verdict | None, version: Version | None, why: str, *, status: int = 0) -> int:
    if as_json:
        print_json({"published": _plain(version) if version else None, "why": why, **_found(verdict)})
    else:
        click.echo(why)
    return status


def _found(verdict: Verdict | None) -> dict[str, Any]:
    if verdict is None:
        return {"errors": [], "warnings": 0, "asked": 0, "regressions": [], "changed": [], "lapsed": [], "edits": None}
    return {
        "errors": [asdict(error) for error in verdict.report.errors],
        "warnings": len(verdict.report.warnings),
        "asked": len(verdict.compared),
        "regressions": _compared(verdict.regressions),
        "changed": _compared(verdict.changed),
        "lapsed": _compared(verdict.lapsed),
        "edits": asdict(verdict.edits) if verdict.edits is not None else None,
    }


def _compared(found: Iterable[Compared]) -> list[dict[str, Any]]:
    return [
        {
            "dialog": one.after.dialog.name,
            "file": one.after.dialog.file,
            "line": one.after.line,
            "say": one.after.step.say,
            "before": answer_words(one.before.reply) if one.before else None,
            "after": answer_words(one.after.reply),
            "wrong": [difference_words(difference) for difference in one.after.differences],
        }
        for one in found
    ]


def _plain(version: Version) -> dict[str, Any]:
    return {**asdict(version), "at": version.at.isoformat()}
