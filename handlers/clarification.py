"""The resident picks one of the offered options, or asks for the detail of the last answer."""

from __future__ import annotations

import re
from datetime import timedelta

from bot import compose
from bot.context import Context
from bot.matching.things import Thing
from bot.matching.understand import understand
from bot.records import Option, Reply, Session, Utterance
from bot.router import Router

router = Router()

_FRESH = timedelta(minutes=30)
_DIGITS = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5}
_NUMBER = re.compile(
    r"^(?:我?(?:选|要|是|问的是|说的是)?)(?:第)?([1-9]|[一二两三四五])(?:个|号|种|项|条)?(?:的|吧|呢|啊)?$"
)
_DETAIL = frozenset(("详细", "详情", "详细点", "更多", "详细说说", "展开"))
_NOT_THAT = re.compile(r"^(?:不对|不是|错了|我说的是|我问的是|我是说|是)+")


@router.on("message")
async def choose(asked: Utterance, ctx: Context) -> Reply | None:
    """Resolve 「2」, 「第二个」 or the words of an option."""
    session = ctx.session
    if session is None or session.at is None or ctx.now - session.at > _FRESH:
        return None
    word = ctx.understood.folded.tight
    if word in _DETAIL and session.detail:
        return Reply("answer", session.detail, topic=session.topic or None, entry=session.entry or None, score=1.0)
    if not session.options:
        return None
    if found := _NUMBER.match(word):
        chosen = _numbered(found.group(1), session.options)
        if chosen is None:
            return Reply(
                "clarify",
                ctx.text("choice_out_of_range", asked.place),
                topic=session.topic or None,
                options=session.options,
            )
        return _answer(chosen, asked, ctx)
    if ctx.understood.kind == "danger":
        return None
    named = _named(word, session.options, ctx)
    return _answer(named, asked, ctx) if named else None


def _numbered(number: str, options: tuple[Option, ...]) -> Option | None:
    n = _DIGITS.get(number) or int(number)
    return options[n - 1] if 1 <= n <= len(options) else None


def _named(word: str, options: tuple[Option, ...], ctx: Context) -> Option | None:
    """The one option whose label the words name."""
    said = _NOT_THAT.sub("", word)
    if len(said) < 2:
        return None
    fitting = [option for option in options if said in ctx.index.fold(option.label).tight]
    return fitting[0] if len(fitting) == 1 else None


def _answer(chosen: Option, asked: Utterance, ctx: Context) -> Reply:
    told = understand(chosen.label, ctx.index)
    if told.kind == "danger":
        return compose.danger_reply(told, asked, ctx)
    category = chosen.category or "residual"
    item = ctx.index.item(chosen.target.removeprefix("items/")) if chosen.target.startswith("items/") else None
    thing = Thing(item.name if item else chosen.label, category, 0.97, "chosen", item)
    answer = compose.item_answer(thing, ctx)
    known = Thing(thing.name, category, 0.97, "chosen", item)
    text = compose.items_text((known,), asked, ctx) if item else compose.case_text(chosen, category, ctx)
    return Reply(
        "answer",
        text,
        topic="waste.item",
        entry=f"items/{thing.name}" if item else None,
        items=(type(answer)(answer.name, answer.category, answer.label, False),),
        score=0.97,
        session=Session(item=thing.name, topic="waste.item", at=ctx.now),
    )
