"""`lvlin me` and `lvlin forget`: a resident's rights, exercised by staff on their behalf."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from bot.cli.common import config_option, json_option, print_json, read_settings
from bot.cli.stored import opened
from bot.errors import WrongUsage
from bot.settings import Settings

_PSEUDONYM = re.compile(r"u_[0-9a-f]{32}")


@click.command()
@click.argument("user")
@config_option
@json_option
def me(user: str, config_path: Path, as_json: bool) -> None:
    """Everything stored about USER: <channel>:<platform id>, or a pseudonym."""
    settings = read_settings(config_path)
    pseudonym = _pseudonym(settings, user)
    stored = asyncio.run(_stored_about(settings, pseudonym))
    if as_json:
        print_json(stored)
    else:
        click.echo("\n".join(_summary(stored, settings.site.timezone)))


@click.command()
@click.argument("user")
@config_option
@json_option
def forget(user: str, config_path: Path, as_json: bool) -> None:
    """Delete what is stored about USER: <channel>:<platform id>, or a pseudonym. Nothing is asked, nothing comes back.

    Counts stay: the rows remain, without words, under a pseudonym that leads nowhere.
    """
    settings = read_settings(config_path)
    pseudonym = _pseudonym(settings, user)
    turns = asyncio.run(_forget(settings, pseudonym))
    if as_json:
        print_json({"user": pseudonym, "turns": turns})
    else:
        click.echo(f"已清空{turns}次对话的文字，不能再对应到本人；人次统计不变。")


def _pseudonym(settings: Settings, user: str) -> str:
    """The pseudonym of a resident named either way. Raises WrongUsage for an unknown channel."""
    if _PSEUDONYM.fullmatch(user):
        return user
    channel, colon, platform_id = user.partition(":")
    if not colon or not platform_id:
        raise WrongUsage(f"'{user}' names nobody — write <channel>:<platform id>, or a pseudonym (u_…)")
    if channel not in settings.channels:
        raise WrongUsage(f"there is no channel '{channel}' — use one of {', '.join(settings.channels)}")
    from bot.app import make_vault  # here: a pseudonym needs none of it

    return make_vault(settings).pseudonym(channel, platform_id)


async def _stored_about(settings: Settings, pseudonym: str) -> Mapping[str, Any]:
    async with opened(settings) as store:
        return await store.stored_about(pseudonym)


async def _forget(settings: Settings, pseudonym: str) -> int:
    from bot.vault import random_pseudonym  # here: showing what is stored needs no cryptography

    async with opened(settings) as store:
        return await store.forget(pseudonym, random_pseudonym())


def _summary(stored: Mapping[str, Any], zone: ZoneInfo) -> Iterator[str]:
    turns = stored["turns"]
    yield f"假名：{stored['user']}"
    yield (
        f"对话{len(turns)}次，会话状态{len(stored['sessions'])}条，主动消息{len(stored['deliveries'])}条，"
        f"待答问题{len(stored['unanswered'])}条，回信地址{len(stored['addresses'])}个"
    )
    for turn in turns:
        at = datetime.fromisoformat(turn["received_at"]).astimezone(zone)
        said, replied = (
            _one_line(turn["text"] or "") or "（未存文字）",
            _one_line(turn["reply"]["text"]) or "（无回复）",
        )
        yield f"{at:%Y-%m-%d %H:%M} {turn['channel']} {said} → {replied}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
