"""What only the site knows: places, hours, contacts, activities. Told from places.yaml, or said to be unregistered."""

from __future__ import annotations

import re
from datetime import date, timedelta

from bot import compose
from bot.context import Context
from bot.kb.entries import Happening, Local
from bot.local.opening import weekday_in_words
from bot.local.words import Asking, contacts_text, facilities_text
from bot.records import Reply, Utterance
from bot.router import Router

router = Router()

_SHOWN = 3
_FRESH = timedelta(minutes=30)
"""How long a question that names nothing is taken to be about what was told last."""
_MORE = 0.8
"""How sure it is that such a question is about that: not enough to speak unasked."""
_INSTEAD = {"drop_point": "late_drop", "late_drop": "drop_point"}
"""Kinds that serve while the other is shut."""
_DAYS = (
    r"(?:现在|今天|今晚|明天|后天|周末|双休日|节假日|放假|元旦|春节|过年|清明|五一|端午|中秋|国庆"
    r"|(?:下|这)?(?:周|星期|礼拜)[一二三四五六日天末])"
)
_NAMES_NOTHING = re.compile(
    r"(?:那|那么|它|这个|那个|那里|那边|请问)*"
    rf"(?:{_DAYS}+呢?|{_DAYS}*(?:还|都|也)?"
    r"(?:开着|开门|开放|关门|开|关|有人|上班|营业|能[扔投放去]|在哪里|在哪儿|在哪|哪里|怎么走|怎么去|地址|位置|电话|联系"
    r"|几点|什么时候|到几点|时间|关了|电话多少|电话是多少|联系电话|联系方式|找谁)+(?:吗|么|呢|啊|不|没|没有|了|多少|是多少)*)"
)
"""A question for hours, place or phone, and nothing else."""


@router.on("message")
async def tell_more(asked: Utterance, ctx: Context) -> Reply | None:
    """「几点关」「电话多少」 after an answer about a place: more of the same place."""
    session = ctx.session
    if session is None or session.at is None or ctx.now - session.at > _FRESH or session.options:
        return None
    if session.entry not in ctx.index.entries or not _NAMES_NOTHING.fullmatch(ctx.understood.folded.tight):
        return None
    return _answer(session.entry, _MORE, asked, ctx)


@router.on("message")
async def tell(asked: Utterance, ctx: Context) -> Reply | None:
    """Answer from the place tree, nearest first."""
    understood = ctx.understood
    if understood.kind != "entry" or not understood.answers(ctx.limits):
        return None
    return _answer(understood.entry, understood.score, asked, ctx)


def _answer(name: str, score: float, asked: Utterance, ctx: Context) -> Reply | None:
    """What the site says to a local entry; None for one that the knowledge itself answers."""
    slug, entry = ctx.index.entries[name]
    if entry.local is None:
        return None
    text = _fact(entry.local, asked, ctx)
    reply = Reply(
        "answer",
        text or ctx.text("not_registered", asked.place, what=_what(entry.local, ctx)),
        topic=slug,
        entry=name,
        score=score,
        unanswered=not text,
    )
    return compose.remembering(reply, ctx)


def _fact(local: Local, asked: Utterance, ctx: Context) -> str:
    """What is registered, or "" ."""
    place = ctx.places.home(asked.place)
    if local.contacts:
        return contacts_text(ctx.places.contacts(place), Asking.of(asked, ctx))
    if local.activities or local.schedule:
        now = ctx.now.astimezone(ctx.zone)
        return _dates(ctx.places.happenings(place, "activities" if local.activities else "schedule", now), now.date())
    kind = local.facility or ("drop_point" if local.times else "late_drop")
    instead = ctx.places.facilities(place, _INSTEAD[kind]) if kind in _INSTEAD else ()
    return facilities_text(ctx.places.facilities(place, kind), instead, Asking.of(asked, ctx))


def _dates(happenings: tuple[Happening, ...], today: date) -> str:
    told = [(f"{_day(found.at, today)} {found.name}", found.place, found.note) for found in happenings[:_SHOWN]]
    return "\n".join("，".join(filter(None, parts)) for parts in told)


def _day(at: str, today: date) -> str:
    """「2026-12-05 09:00」 → 「12月5日（周六）9:00」; other wording stays."""
    written, _, clock = at.partition(" ")
    try:
        day = date.fromisoformat(written)
    except ValueError:
        return at
    return f"{day.month}月{day.day}日（{weekday_in_words(day, today)}）{clock.removeprefix('0')}"


def _what(local: Local, ctx: Context) -> str:
    """What is not registered, in words."""
    named = local.facility or next(name for name, wanted in local.model_dump().items() if wanted is True)
    return ctx.text(f"what_{named}")
