"""Words by which staff steer the bot in a group: 「安静」 「继续」. Roles come from the signed identity only."""

from __future__ import annotations

import logging
from dataclasses import replace

from bot.context import Context
from bot.records import ChatState, Reply, Role, Utterance
from bot.router import Router

log = logging.getLogger("lvlin.staff")

router = Router()

_PAUSE = frozenset(("安静", "小绿安静", "先安静"))
_RESUME = frozenset(("继续", "小绿继续", "可以继续"))
_MAY_STEER: frozenset[Role] = frozenset(("editor", "approver", "admin"))


@router.on("message")
async def steer(asked: Utterance, ctx: Context) -> Reply | None:
    """Pause or resume the bot in this chat; a resident is refused politely and the attempt is logged."""
    word = ctx.understood.folded.tight
    if asked.chat is None or word not in _PAUSE | _RESUME:
        return None
    if asked.role is None and not asked.mentioned:
        return None
    if asked.role not in _MAY_STEER or not ctx.places.within(asked.place, asked.staff_place):
        log.warning("staff word refused", extra={"channel": asked.channel, "role": asked.role})
        return Reply("answer", ctx.text("staff_refused", asked.place), score=1.0)
    pausing = word in _PAUSE
    chat = replace(ctx.chat or ChatState(), paused=pausing)
    return Reply("answer", ctx.text("paused" if pausing else "resumed", asked.place), score=1.0, chat=chat)


@router.on("message", staff=True)
async def between_people(asked: Utterance, ctx: Context) -> Reply | None:
    """Staff talking to residents in a group without calling the bot are not interrupted."""
    if asked.chat is not None and not asked.mentioned:
        return Reply("silent", reason="staff_talking")
    return None
