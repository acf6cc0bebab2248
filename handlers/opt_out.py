"""「退订」 and 「订阅」: whether a resident wants messages that are no reply."""

from __future__ import annotations

from bot.context import Context
from bot.records import Reply, Utterance
from bot.router import Router

router = Router()

_OUT = frozenset(("退订", "取消订阅", "不要通知我", "别给我发消息"))
_IN = frozenset(("订阅", "恢复订阅", "重新订阅"))


@router.on("message")
async def wish(asked: Utterance, ctx: Context) -> Reply | None:
    """Keep the wish. Posts to a whole group go on, and the reply says so."""
    word = ctx.understood.folded.tight
    if word not in _OUT | _IN or (asked.chat is not None and not asked.mentioned):
        return None
    out = word in _OUT
    return Reply("answer", ctx.text("opted_out" if out else "opted_in", asked.place), score=1.0, notices=not out)
