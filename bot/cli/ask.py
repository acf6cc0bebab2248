"""`lvlin ask`: messages through the whole pipeline, without a server."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import click

from bot.asking import Asker, unchanged
from bot.assembly import explained, make_brain, make_turns, nobody_alerted, served_knowledge
from bot.channels.answer import answer_object
from bot.channels.json_body import read_json, write_json
from bot.channels.message_object import read_message
from bot.cli.common import config_option, json_option, print_json, read_settings
from bot.errors import Refused, WrongUsage
from bot.records import Turn
from bot.settings import Settings, Simulator
from bot.storage.memory import MemoryStore

_REASONS: Mapping[str | None, str] = {
    "not_a_question": "不是提问",
    "unsure": "没有把握",
    "recent": "刚在群里答过",
    "cooldown": "刚回复过这位居民",
    "staff_talking": "工作人员正在说话",
    "paused": "已暂停",
    "empty": "没有文字",
    "unsupported": "这类消息不处理",
    "robot": "机器人的消息",
}
_RULES: Mapping[str, str] = {
    "phrase": "说法对上",
    "likely phrase": "说法相近",
    "ambiguous word": "一词多义",
    "the item's topic": "物品所属的主题",
    "several things": "一句问几样",
    "danger words": "危险用语",
    "nothing alike": "没有相近的",
    "name": "名称",
    "sound": "同音",
    "alike": "形近",
    "head": "中心词",
    "first": "词头",
    "inferred": "按同类推断",
}
_THRESHOLDS: Mapping[str, str] = {
    "accept": "回答",
    "scope": "主题答复时像提问",
    "infer": "推断",
    "speak": "群里主动说",
    "question": "像提问",
}


@click.command()
@click.argument("text", required=False)
@click.option("--jsonl", is_flag=True, help="Read message objects from standard input, one a line.")
@click.option("--explain", is_flag=True, help="Tell how the text was understood.")
@click.option("--keep", is_flag=True, help="Keep the turns in the site's storage.")
@click.option("--channel", metavar="NAME", help="The channel to ask on; default: the simulator's.")
@json_option
@config_option
def ask(
    text: str | None, jsonl: bool, explain: bool, keep: bool, channel: str | None, as_json: bool, config_path: Path
) -> int:
    """One message through the whole pipeline; with --jsonl many, each answered before the next is read.

    Nothing is kept unless --keep is given. With --json the answer object is printed. What is answered from is the
    knowledge folder as it is edited; with --keep it is what the server answers from, the published version,
    and the language model is asked where one is configured.
    """
    if jsonl == (text is not None):
        raise WrongUsage("give either TEXT or --jsonl — see lvlin ask --help")
    if jsonl and (explain or as_json):
        raise WrongUsage("--jsonl prints answer objects already — leave out --json and --explain")
    settings = read_settings(config_path)
    name = _channel(settings, channel)
    if text is None:
        return asyncio.run(_answer_lines(settings, name, keep))
    asyncio.run(_answer_text(settings, name, keep, text, explain=explain, as_json=as_json))
    return 0


def _channel(settings: Settings, asked: str | None) -> str:
    if asked is None:
        return next((name for name, given in settings.channels.items() if isinstance(given, Simulator)), "ask")
    if asked not in settings.channels:
        raise WrongUsage(f"there is no channel '{asked}' — use one of {', '.join(settings.channels)}")
    return asked


@asynccontextmanager
async def _asker(settings: Settings, channel: str, keep: bool) -> AsyncIterator[Asker]:
    folder = served_knowledge(settings) if keep else settings.knowledge
    brain = make_brain(settings, folder, datetime.now(settings.site.timezone).date())
    if not keep:
        store = MemoryStore()
        await store.start()
        yield Asker(make_turns(settings, store, lambda: brain, nobody_alerted), channel, unchanged)
        return
    # Only here: what keeps residents unknown and writes to staff takes as long to import as all the rest.
    from bot.app import make_alerts, make_chooser, make_vault
    from bot.storage.engines import open_store

    vault = make_vault(settings)
    kept = open_store(settings.store.path)
    chooser = make_chooser(settings, kept, lambda: datetime.now(UTC))
    await kept.start()
    try:
        alerts = make_alerts(settings, vault, lambda: brain)
        turns = make_turns(settings, kept, lambda: brain, alerts, chooser=chooser)
        yield Asker(turns, channel, vault.pseudonym)
    finally:
        if chooser:
            await chooser.close()
        await kept.stop()


async def _answer_text(
    settings: Settings, channel: str, keep: bool, text: str, *, explain: bool, as_json: bool
) -> None:
    try:
        inbound = read_message({"text": text}, secrets.token_hex(16))
    except Refused as refused:
        raise WrongUsage(f"{refused.why} — ask something shorter") from refused
    async with _asker(settings, channel, keep) as asker:
        turn = await asker.take(inbound)
        found = explained(text, asker.turns) if explain else None
    answer = answer_object(inbound, turn.reply, turn.latency_ms)
    if as_json:
        print_json({"answer": answer, "explain": found} if found else answer)
        return
    click.echo(_words(turn))
    if found:
        click.echo("\n".join(_explanation(found)))


async def _answer_lines(settings: Settings, channel: str, keep: bool) -> int:
    async with _asker(settings, channel, keep) as asker:
        return await _stream(asker, sys.stdin.buffer, sys.stdout.buffer)


async def _stream(asker: Asker, lines: Iterable[bytes], out: BinaryIO) -> int:
    """Answer line by line, each before the next is waited for; 1 if a line could not be read, else 0."""
    status = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            inbound = read_message(read_json(line), secrets.token_hex(16))
        except Refused as refused:
            click.echo(f"lvlin: {refused.why} (<stdin>:{number}) — write one message object a line", err=True)
            status = 1
            continue
        turn = await asker.take(inbound)
        out.write(write_json(answer_object(inbound, turn.reply, turn.latency_ms)) + b"\n")
        out.flush()
    return status


def _words(turn: Turn) -> str:
    if turn.reply.action == "silent":
        return f"（不回复：{_REASONS.get(turn.reply.reason, turn.reply.reason)}）"
    return turn.reply.text


def _explanation(found: Mapping[str, Any]) -> Iterable[str]:
    yield f"规整后：{found['folded'] or '（空）'}"
    yield f"规则：{_rule(found['rule'])}，把握 {found['score']:.3f}，像提问 {found['question_likelihood']:.3f}"
    yield "候选：" if found["candidates"] else "候选：无"
    for candidate in found["candidates"]:
        yield f"  {candidate['score']:.3f}  {candidate['entry']}（{_rule(candidate['rule'])}）"
    limits = "，".join(f"{_THRESHOLDS.get(name, name)} {value:g}" for name, value in found["thresholds"].items())
    yield f"门槛：{limits}"


def _rule(rule: str) -> str:
    name, _, phrase = rule.partition(": ")
    return f"说法：{phrase}" if phrase else _RULES.get(name, name)
