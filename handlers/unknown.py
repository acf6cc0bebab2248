"""Nothing in the knowledge answers: say politely what the bot is for, or admit not knowing and queue the question."""

from __future__ import annotations

from bot import compose
from bot.context import Context
from bot.records import Reply, Utterance
from bot.router import Router

router = Router()

@router.on("message")
async def out_of_scope(asked: Utterance, ctx: Context) -> Reply | None:
    """Not about anything we are for: a polite word, and nothing is queued."""
    understood = ctx.understood
    known = any(thing.item for thing in understood.things) and not understood.trade
    if understood.asks_bin or known or understood.question_likelihood >= ctx.limits.question:
        return None
    return Reply("fallback", ctx.text("out_of_scope", asked.place), topic="out_of_scope", score=0.0)


@router.on("message")
async def not_known(asked: Utterance, ctx: Context) -> Reply | None:
    """Admit it, queue it, offer a person."""
    reply = Reply("fallback", ctx.text("fallback", asked.place), unanswered=True, score=0.0)
    return compose.remembering(reply, ctx)
