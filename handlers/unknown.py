"""Nothing in the knowledge answers: say politely what the bot is for, or admit not knowing and queue the question."""

from __future__ import annotations

from bot import compose
from bot.context import Context
from bot.records import Reply, Utterance
from bot.router import Router

router = Router()

_OURS = (
    "垃圾", "分类", "扔", "丢", "桶", "回收", "投放", "环保", "绿化", "树", "草", "花", "电池", "有害", "可回收", "干湿", "厨余", "废", "旧",
    "节能", "节水", "节电", "噪", "烟", "排水", "污水", "下水", "装修", "物业", "居委", "志愿", "宠物", "狗", "油", "积分", "大件", "塑料", "小广告",
)  # fmt: skip


@router.on("message")
async def out_of_scope(asked: Utterance, ctx: Context) -> Reply | None:
    """Not about anything we are for: a polite word, and nothing is queued."""
    understood = ctx.understood
    text = understood.folded.tight
    about_us = understood.asks_bin or any(thing.item for thing in understood.things) or any(word in text for word in _OURS)
    if about_us and not (understood.trade and not understood.asks_bin):
        return None
    return Reply("fallback", ctx.text("out_of_scope", asked.place), topic="out_of_scope", score=0.0)


@router.on("message")
async def not_known(asked: Utterance, ctx: Context) -> Reply | None:
    """Admit it, queue it, offer a person."""
    reply = Reply("fallback", ctx.text("fallback", asked.place), unanswered=True, score=0.0)
    return compose.remembering(reply, ctx)
