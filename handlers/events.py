"""What a platform tells us that is not a message: somebody came, left, pressed a menu button, rated an answer."""

from __future__ import annotations

from bot.context import Context
from bot.records import Reply, Utterance
from bot.router import Router

router = Router()

_GREETED = ("subscribe", "enter_chat", "enter_agent")


@router.on("event")
async def welcome(asked: Utterance, ctx: Context) -> Reply | None:
    """Greet who comes in; a menu button greets with help; who leaves is forgotten, as the platform
    asks; everything else is only kept."""
    if asked.event in _GREETED:
        return Reply("answer", ctx.text("welcome", asked.place), score=1.0)
    if asked.event == "click":
        return Reply("answer", ctx.text("help", asked.place), score=1.0)
    if asked.event == "unsubscribe":
        return Reply("silent", reason="unsupported", forget=True)
    return Reply("silent", reason="unsupported")
