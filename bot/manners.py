"""Manners in a group: when the bot stays silent, and why. Silence is a feature; its reason is kept."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from bot.context import Context
from bot.records import ChatState, Reply, SilenceReason, Utterance

_SAID = 8
"""How many of its own last texts the bot remembers in a chat, to know an echo."""
_REMEMBERED = 40
_FORWARDED = re.compile(
    r"^\s*(?:\[(?:聊天记录|链接|视频|图片|动画表情|表情|文件|小程序|位置|红包|名片|语音|转发)[^\]]*\]\s*)+|的聊天记录\s*$|^-{5,}"
)


def before(asked: Utterance, ctx: Context) -> SilenceReason | None:
    """Why this message gets no reply at all, whatever it asks; None if it may."""
    chat = ctx.chat or ChatState()
    if asked.from_robot or _echo(asked, chat):
        return "robot"
    if asked.media in ("image", "other") or _FORWARDED.search(asked.text):
        return "unsupported"
    if not ctx.understood.folded.segments:
        return "empty"
    if asked.role is not None:
        return None
    if chat.paused:
        return "paused"
    talking = chat.staff_at and ctx.now - chat.staff_at < timedelta(minutes=ctx.manners.staff_quiet_minutes)
    if asked.chat and not asked.mentioned and talking:
        return "staff_talking"
    return None


def unasked(reply: Reply, asked: Utterance, ctx: Context) -> SilenceReason | None:
    """Why a reply to somebody who did not call the bot in a group is better not given; None if it may be."""
    if reply.forget or (reply.chat is not None and asked.role is not None):
        return None  # a right, and an order of staff, are obeyed wherever they are said
    if ctx.manners.speak == "mentioned":
        return "unsure"
    if reply.action in ("done", "handoff"):
        return None
    if reply.action != "answer":
        return "not_a_question" if not ctx.understood.asks else "unsure"
    if ctx.manners.speak == "confident" and (reason := _not_sure_enough(reply, asked, ctx)):
        return reason
    chat = ctx.chat or ChatState()
    if reply.entry and _within(chat.answered, reply.entry, ctx.now, ctx.manners.recent_minutes * 60):
        return "recent"
    if _within(chat.replied, asked.user, ctx.now, ctx.manners.cooldown_seconds):
        return "cooldown"
    return None


def _not_sure_enough(reply: Reply, asked: Utterance, ctx: Context) -> SilenceReason | None:
    question = ctx.understood.question_likelihood
    if question < ctx.limits.question:
        return "not_a_question"
    if reply.score * question < ctx.limits.speak or any(item.inferred for item in reply.items):
        return "unsure"
    return None


def _within(seen: Mapping[str, datetime], key: str, now: datetime, seconds: float) -> bool:
    at = seen.get(key)
    return at is not None and now - at < timedelta(seconds=seconds)


def _echo(asked: Utterance, chat: ChatState) -> bool:
    return bool(asked.chat and chat.said and digest(asked.text) in chat.said)


def digest(text: str) -> str:
    """A short digest of a text, to know it again without keeping it."""
    return hashlib.blake2b(text.strip().encode(errors="replace"), digest_size=6).hexdigest()


def remembered(reply: Reply, asked: Utterance, ctx: Context) -> ChatState | None:
    """The state of a group chat after a turn; None where nothing changed."""
    if not asked.chat:
        return None
    chat = reply.chat or ctx.chat or ChatState()
    if asked.role is not None and not asked.mentioned:
        chat = replace(chat, staff_at=ctx.now)
    if reply.action != "silent":
        answered = dict(chat.answered)
        if reply.entry:
            answered[reply.entry] = ctx.now
        replied = {**chat.replied, asked.user: ctx.now}
        chat = replace(
            chat, answered=_latest(answered), replied=_latest(replied), said=(digest(reply.text), *chat.said)[:_SAID]
        )
    return chat if chat != (ctx.chat or ChatState()) else None


def _latest(seen: Mapping[str, datetime]) -> dict[str, datetime]:
    return dict(sorted(seen.items(), key=lambda pair: pair[1])[-_REMEMBERED:])
