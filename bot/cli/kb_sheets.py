"""`lvlin kb export`, `kb import` and `kb export-rules`: the knowledge as an Excel file, and back; as rules to paste."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections import Counter, defaultdict
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from bot.asking import Asker, unchanged
from bot.assembly import kept_versions, make_brain, make_turns, nobody_alerted, served_knowledge
from bot.cli.common import config_option, give_way, json_option, print_json, read_settings
from bot.cli.progress import progress
from bot.cli.stored import opened
from bot.errors import WrongUsage
from bot.export import file_in_place
from bot.kb.load import load
from bot.records import Inbound, Reply
from bot.settings import Settings
from bot.sheets import apply, rules
from bot.sheets.compare import REFUSING, Told
from bot.sheets.read import read
from bot.storage.memory import MemoryStore

_READING = "正在读表"


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@config_option
def export_sheets(file: Path, config_path: Path) -> None:
    """Write the knowledge folder as an Excel file FILE, for staff to edit and `kb import` to read back."""
    settings = read_settings(config_path)
    new_workbook(file)
    give_way()
    with progress() as tell:
        tell("正在导出", 0, 1)
        folder = apply.Folder(settings.knowledge, settings.site.city)
        with tempfile.TemporaryDirectory(prefix="lvlin-export-") as made:
            book = Path(made) / "knowledge.xlsx"
            rows = apply.export(folder, book)
            with file_in_place(file) as out:
                out.write(book.read_bytes())
    click.echo(f"导出了{rows}行：{file}\n改好以后：lvlin kb import {file}")


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only tell what would be changed.")
@config_option
@json_option
def import_sheets(file: Path, dry_run: bool, config_path: Path, as_json: bool) -> int:
    """Take the edits of an Excel file that `kb export` made over into the knowledge folder.

    Tells every cell that changes, with its old and new value, and every one that is refused, and why. All or nothing:
    where one cell is refused, or its row was changed in the folder since the export, nothing is written, and the exit
    status is 1. Only what changed is written; all other bytes of the YAML files stay as they are.
    """
    settings = read_settings(config_path)
    give_way()
    with progress() as tell:
        tell(_READING, 0, 2)
        folder = apply.Folder(settings.knowledge, settings.site.city)
        workbook = read(file)
        tell(_READING, 1, 2)
        plan, texts = apply.plan(folder, workbook)
    if texts and not dry_run:
        apply.save(folder, texts)
    files = sorted(texts)
    if as_json:
        told = [asdict(one) for one in plan.told]
        print_json({"written": bool(texts) and not dry_run, "files": files, "cells": told})
        return 1 if plan.refused else 0
    for one in plan.told:
        click.echo(_line(one), err=one.what in REFUSING)
    if workbook.version and workbook.version != folder.knowledge.version:
        click.echo("导出以后知识库改过；表里没动过的行照知识库现在的样子，不受影响。")
    click.echo(_summary(Counter(one.what for one in plan.told), files, settings, dry_run=dry_run))
    return 1 if plan.refused else 0


@click.command("export-rules")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@config_option
def export_rules(file: Path, config_path: Path) -> None:
    """Write rules for WeCom's own 自动回复 as an Excel file FILE: keywords and replies to paste.

    Dangers first, then what most people asked for by the stored turns, then a default order: at most 100 rules, whose
    keywords stand in no other rule. Replies are the bot's own, of the knowledge that is served.
    """
    settings = read_settings(config_path, "ERROR")  # what is warned of while asking is no news
    new_workbook(file)
    give_way()
    with progress() as tell:
        tell("正在整理规则", 0, 1)
        made = asyncio.run(_packed(settings))
        with tempfile.TemporaryDirectory(prefix="lvlin-export-") as folder:
            book = Path(folder) / "rules.xlsx"
            rules.write_rules(book, made)
            with file_in_place(file) as out:
                out.write(book.read_bytes())
    for name, why in made.left_out:
        click.echo(f"没有写 {name}：{why}", err=True)
    click.echo(f"写了{len(made.rules)}条规则：{file}")


async def _packed(settings: Settings) -> rules.Pack:
    folder = served_knowledge(settings)
    knowledge = load(folder)
    brain = make_brain(settings, folder, datetime.now(settings.site.timezone).date())
    store = MemoryStore()
    await store.start()
    asker = Asker(make_turns(settings, store, lambda: brain, nobody_alerted), "rules", unchanged)
    numbers = itertools.count()

    async def ask(question: str) -> Reply:
        name = f"r{next(numbers)}"
        asked = Inbound("message", name, sender=name, text=question, session=name, sent_at=datetime.now(UTC))
        return (await asker.take(asked)).reply

    city = knowledge.cities.get(settings.site.city) or knowledge.cities["national"]
    return await rules.pack(knowledge, city, await _people(settings), ask)


async def _people(settings: Settings) -> dict[str, int]:
    """Entry → how many people were answered from it, but for the simulator; empty where there is no database."""
    if not settings.store.path.is_file():
        return {}
    tried = {name for name, channel in settings.channels.items() if channel.type == "simulator"}
    people: dict[str, set[str]] = defaultdict(set)
    async with opened(settings) as store:
        async for turn in store.turns():
            if turn.reply.entry and turn.channel not in tried:
                people[turn.reply.entry].add(turn.user)
    return {entry: len(users) for entry, users in people.items()}


def new_workbook(file: Path) -> None:
    """Refuse, with WrongUsage, what cannot become a new Excel file: edits of staff are never written over."""
    if file.suffix != ".xlsx":
        raise WrongUsage(f"{file} is no name of an Excel file — let it end in .xlsx")
    if file.exists():
        raise WrongUsage(f"{file} is there already — name another file, or remove it")
    if not file.absolute().parent.is_dir():
        raise WrongUsage(f"there is no folder {file.absolute().parent} — make it first")


def _line(told: Told) -> str:
    """One line of the report: where, what, and for what is refused why and how to mend it."""
    where = f"{told.sheet}!{told.cell}" if told.cell else told.sheet
    if told.what == "changed":
        return f"{where} {told.row} {told.header}：{_difference(told)}"
    if told.what == "added":
        return f"{where} 新加：{told.new}"
    if told.what == "deleted":
        return f"{where} 删除：{told.row}"
    if told.what == "note":
        return f"{where}：{told.why}"
    what = f"冲突：{told.why}" if told.what == "conflict" else told.why
    about = f"{told.header}：" if told.header else ""
    return f"lvlin: {about}{what}{f' ({where})' if where else ''} — {told.mend}"


def _difference(told: Told) -> str:
    """Old → new; of lists what came and what went."""
    if told.old and told.new and (told.came or told.went):
        return " ".join([*(f"减「{word}」" for word in told.went), *(f"加「{word}」" for word in told.came)])
    return f"{_cell(told.old)} → {_cell(told.new)}"


def _cell(text: str) -> str:
    return f"「{text}」" if text else "（空）"


def _summary(counted: Counter[str], files: list[str], settings: Settings, *, dry_run: bool) -> str:
    if refused := counted["refused"] + counted["conflict"]:
        return f"没有写入任何内容：先改好上面{refused}处。"
    if not files:
        return "没有改动。"
    told = f"改{counted['changed']}格，加{counted['added']}行，删{counted['deleted']}行，涉及{'、'.join(files)}"
    if dry_run:
        return f"试运行，什么都没有写。会{told}。"
    served = kept_versions(settings).published() is not None
    after = "要让居民看到，运行 lvlin kb publish。" if served else "还没有发布过，运行中的机器人几秒内就用上。"
    return f"已写入：{told}。{after}"
