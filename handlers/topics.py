"""Every other question that the knowledge answers by itself."""

from __future__ import annotations

from bot import compose
from bot.context import Context
from bot.records import Reply, Utterance
from bot.router import Router

router = Router()


@router.on("message")
async def answer(asked: Utterance, ctx: Context) -> Reply | None:
    """Tell the answer of the entry asked for; the things named keep their bins.

    A bin that was only guessed is kept where the answer names it too.
    """
    understood = ctx.understood
    if understood.kind != "entry" or not understood.answers(ctx.limits):
        return None
    slug, entry = ctx.index.entries[understood.entry]
    if entry.local is not None:
        return None
    text, detail = compose.entry_text(understood.entry, asked, ctx)
    told = [compose.item_answer(thing, ctx) for thing in understood.things]
    reply = Reply(
        "answer",
        text,
        topic=slug,
        entry=understood.entry,
        items=tuple(item for item in told if not item.inferred or item.label in text),
        score=understood.score,
        detail=detail,
    )
    return compose.remembering(reply, ctx, item=understood.things[0].name if understood.things else "")
