"""`lvlin unanswered`: what nobody could answer, taught in one step, taken back, or dismissed."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from bot.assembly import make_brain, served_knowledge
from bot.cli.common import (
    author,
    config_option,
    give_way,
    json_option,
    period,
    period_options,
    place_option,
    print_json,
    read_settings,
)
from bot.cli.progress import progress
from bot.cli.stored import branch, opened, site_places
from bot.errors import LvlinError, NotThere, WrongUsage
from bot.export import asked_within, unanswered_record
from bot.learning import told
from bot.learning.desk import asks_of, wording_of
from bot.learning.lessons import UNDO
from bot.learning.notices import Notices, notices_for, sending_channels
from bot.learning.teach import Checked, Draft, Preview, answered, apply, replies_to, take_back
from bot.records import Lesson, LessonKind, Unanswered
from bot.settings import Settings

_LEVEL = "ERROR"
"""What is warned of while questions are asked is no news."""
_STATES = {"open": "未答", "taught": "已教", "dismissed": "不用答"}

by_option = click.option("--by", metavar="NAME", help="Who does it; default: the user of this machine.")


@click.group()
def unanswered() -> None:
    """Teach the bot what it could not answer."""


@unanswered.command("list")
@click.option("--all", "everything", is_flag=True, help="Also what is taught or dismissed.")
@period_options
@place_option
@config_option
@json_option
def list_(
    everything: bool, place: str | None, first_day: date | None, last_day: date | None, config_path: Path, as_json: bool
) -> None:
    """What nobody could answer, most people first: #number, the question, how many people asked, in how many words.

    The days choose what was asked in them, --place what was asked there.
    """
    settings = read_settings(config_path)
    zone = settings.site.timezone
    since, until = period(first_day, last_day, zone)
    places = branch(site_places(settings), place) if place else None
    found = [
        cluster
        for cluster in asyncio.run(_clusters(settings, places))
        if asked_within(cluster, since, until) and (everything or cluster.state == "open")
    ]
    if as_json:
        print_json([unanswered_record(cluster, zone) for cluster in found])
        return
    for cluster in found:
        state = f"  {_STATES[cluster.state]} {cluster.entry or ''}".rstrip() if everything else ""
        words = f"{cluster.people}人  {len(cluster.variants)}种问法  最近 {cluster.last_at.astimezone(zone):%Y-%m-%d}"
        click.echo(f"#{cluster.cluster_id}  {cluster.text or '（文字已删除）'}  {words}{state}")
    if not found:
        click.echo("没有未答的问题。")


@unanswered.command()
@click.argument("number", type=int)
@click.option("--alias", metavar="NAME", help="The same as this item or entry, which the knowledge has.")
@click.option("--category", metavar="BIN", help="A thing that goes into this bin: residual, or 干垃圾.")
@click.option("--answer", metavar="TEXT", help="This is the answer.")
@click.option("--topic", metavar="SLUG", default="", help="With --answer: the topic it belongs to.")
@click.option("--source", metavar="CODE", default="", help="A code of sources.yaml; default: 社区答复.")
@click.option("--not-hazardous", "harmless", is_flag=True, help="You have made sure of it, though it looks hazardous.")
@click.option("--yes", is_flag=True, help="Do not ask: teach it as shown.")
@by_option
@config_option
@json_option
def teach(
    number: int,
    alias: str | None,
    category: str | None,
    answer: str | None,
    topic: str,
    source: str,
    harmless: bool,
    yes: bool,
    by: str | None,
    config_path: Path,
    as_json: bool,
) -> int:
    """Teach the answer to the questions of cluster NUMBER: give one of --alias, --category and --answer.

    Shows what is written and how each question is answered then; asks on a terminal, or needs --yes. It is published
    if it passes the gate; the people who asked are told 30 seconds later, and until then `undo NUMBER` takes it back.
    """
    kind, value = _chosen({"alias": alias, "category": category, "answer": answer})
    if topic and kind != "answer":
        raise WrongUsage("--topic goes with --answer only — leave it out")
    settings = read_settings(config_path, _LEVEL)
    lesson = Lesson(
        number, kind, value, datetime.now(UTC), topic=topic, source=source, harmless=harmless, by=author(by)
    )
    cluster = asyncio.run(_cluster(settings, number))
    give_way()
    with Draft(settings, datetime.now(settings.site.timezone).date()) as draft:
        preview = draft.preview(lesson, cluster)
        if not as_json:
            click.echo("\n".join([f"#{number} {cluster.text}（{cluster.people}人问过）", *told.preview_lines(preview)]))
        if not (yes or (sys.stdin.isatty() and click.confirm("教吗？", err=True))):
            return _came_to(as_json, preview, "没有教：看过认可后，加 --yes 再教。", status=1)
        with progress() as tell:
            checked = draft.check(preview, tell)
    if checked.blocked:
        return _came_to(as_json, preview, told.blocked(number, checked.verdict), verdict=checked.verdict, status=1)
    if checked.changed and not as_json:
        click.echo("\n".join(told.changed_lines(checked)))
    if checked.changed and not (yes or click.confirm("这些答复会变，还教吗？", err=True)):
        return _came_to(as_json, preview, "没有教，知识库没动。", status=1)
    kept, notices = _taught(settings, checked)
    words = "\n".join([f"#{number} 教会了，已经用上。", *told.notice_lines(notices), _undo_hint(number)])
    return _came_to(as_json, preview, words, lesson=kept, notices=notices)


@unanswered.command()
@click.argument("number", type=int)
@by_option
@config_option
@json_option
def undo(number: int, by: str | None, config_path: Path, as_json: bool) -> None:
    """Take back what was taught for cluster NUMBER in the last 30 seconds; nobody is told of it then."""
    settings = read_settings(config_path, _LEVEL)
    who = author(by)
    lesson = asyncio.run(_to_take_back(settings, number))
    asyncio.run(_settle(settings, replace(lesson, state="undoing")))  # first of all nobody is told any more
    try:
        take_back(settings, lesson, by=who, note=f"撤销 #{number}", at=datetime.now(UTC))
    except LvlinError:
        asyncio.run(_settle(settings, replace(lesson, state="failed"), was="undoing"))
        raise
    undone = replace(lesson, state="undone", settled_at=datetime.now(UTC), told=told.undone(number))
    asyncio.run(_settle(settings, undone, was="undoing"))
    if as_json:
        print_json({"cluster_id": number, "state": "open", "undone": lesson.entry})
    else:
        click.echo(undone.told)


@unanswered.command()
@click.argument("number", type=int)
@config_option
@json_option
def dismiss(number: int, config_path: Path, as_json: bool) -> int:
    """Dismiss cluster NUMBER: no answer is wanted. It is counted on, and listed with --all only."""
    settings = read_settings(config_path)

    async def run() -> str | None:
        async with opened(settings) as store:
            return await store.dismiss(number)

    state = asyncio.run(run())
    if state is None:
        raise _not_there(number)
    if as_json:
        print_json({"cluster_id": number, "state": state})
    else:
        click.echo(f"#{number} 不用答了。" if state == "dismissed" else f"#{number} 已经教过，不用再处理。")
    return 0 if state == "dismissed" else 1


def _chosen(given: dict[LessonKind, str | None]) -> tuple[LessonKind, str]:
    told_ = [(kind, value.strip()) for kind, value in given.items() if value is not None]
    if len(told_) != 1:
        raise WrongUsage("give exactly one of --alias, --category and --answer")
    if not told_[0][1]:
        raise WrongUsage(f"--{told_[0][0]} is empty — say what is taught")
    return told_[0]


async def _clusters(settings: Settings, places: Sequence[str] | None) -> list[Unanswered]:
    async with opened(settings) as store:
        return [cluster async for cluster in store.unanswered(places=places)]


async def _cluster(settings: Settings, number: int) -> Unanswered:
    async with opened(settings) as store:
        cluster = await store.cluster(number)
        if cluster is None:
            raise _not_there(number)
        if cluster.state == "taught":
            raise LvlinError(f"#{number} is taught already: {cluster.entry} — see lvlin unanswered list --all")
        if await store.lessons(states=("waiting", "checking", "applying", "undoing"), cluster=number):
            raise LvlinError(f"#{number} is being taught in chat just now — wait for what comes of it")
        return cluster


def _not_there(number: int) -> NotThere:
    return NotThere(f"there is no #{number} — see lvlin unanswered list --all")


def _taught(settings: Settings, checked: Checked) -> tuple[Lesson, Notices]:
    """Publish what passed, keep the lesson, and queue what the askers are told."""
    lesson = checked.preview.lesson
    note = f"教 #{lesson.cluster_id}：{'；'.join(checked.preview.plan.changes)}"
    version = apply(settings, checked, by=lesson.by, note=note, at=datetime.now(UTC))
    return asyncio.run(_kept(settings, checked, version))


async def _kept(settings: Settings, checked: Checked, version: int | None) -> tuple[Lesson, Notices]:
    from bot.app import make_vault  # here: only what is sent needs it

    lesson, at = checked.preview.lesson, datetime.now(UTC)
    brain = make_brain(settings, served_knowledge(settings), at.astimezone(settings.site.timezone).date())
    async with opened(settings) as store:
        askers = await store.askers(lesson.cluster_id, at)
        replies = await replies_to(asks_of(askers), brain, settings)
        notices = notices_for(
            askers,
            replies,
            make_vault(settings),
            wording_of(brain),
            sending=sending_channels(settings),
            at=at,
            due_at=at + UNDO,
        )
        kept = await store.settle_lesson(
            replace(
                lesson,
                state="taught",
                settled_at=at,
                entry=checked.preview.plan.entry,
                before=checked.before,
                after=checked.after,
                version=version,
                notices=tuple(notice.delivery_id for notice in notices.deliveries),
            ),
            None,
            notices=notices.deliveries,
            told=notices.told,
        )
    assert kept is not None, "a new lesson is always kept"
    return kept, notices


async def _to_take_back(settings: Settings, number: int) -> Lesson:
    """The lesson of a cluster that may still be taken back. Raises NotThere, LvlinError."""
    async with opened(settings) as store:
        lesson = next(iter(await store.lessons(states=("taught",), cluster=number)), None)
    if lesson is None or lesson.settled_at is None:
        raise NotThere(f"nothing is taught for #{number} — see lvlin unanswered list --all")
    if datetime.now(UTC) - lesson.settled_at > UNDO:
        back = f"lvlin kb rollback {lesson.version - 1}" if lesson.version else f"edit {lesson.entry} in the knowledge"
        raise LvlinError(
            f"#{number} was taught more than {UNDO.seconds} seconds ago, and who asked may know it — to go back: {back}"
        )
    return lesson


async def _settle(settings: Settings, lesson: Lesson, *, was: Any = "taught") -> None:
    async with opened(settings) as store:
        if await store.settle_lesson(lesson, was) is None:
            raise LvlinError(f"#{lesson.cluster_id} was taken back by somebody else just now — nothing is left to do")


def _undo_hint(number: int) -> str:
    return f"{UNDO.seconds}秒内可以撤销：lvlin unanswered undo {number}"


def _came_to(
    as_json: bool,
    preview: Preview,
    words: str,
    *,
    lesson: Lesson | None = None,
    notices: Notices | None = None,
    verdict: Sequence[str] = (),
    status: int = 0,
) -> int:
    if not as_json:
        click.echo(words)
        return status
    print_json(
        {
            "cluster_id": preview.lesson.cluster_id,
            "state": "taught" if lesson else "open",
            "entry": preview.plan.entry,
            "version": lesson.version if lesson else None,
            "changes": list(preview.plan.changes),
            "answers": list(_answers(preview)),
            "told": notices.reached if notices else 0,
            "closed": notices.closed if notices else 0,
            "mute": notices.mute if notices else 0,
            "uncovered": notices.uncovered if notices else 0,
            "verdict": list(verdict),
            "why": words,
        }
    )
    return status


def _answers(preview: Preview) -> Iterator[dict[str, Any]]:
    for text, reply in preview.answers:
        yield {"say": text, "answered": answered(reply), "entry": reply.entry, "text": reply.text}
