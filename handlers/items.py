"""What goes into which bin: things of the knowledge, inferred ones, ambiguous words, dangerous goods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot import compose
from bot.context import Context
from bot.matching.things import Thing
from bot.records import Alert, Reply, Utterance
from bot.router import Router

router = Router()


@router.on("message")
async def dangerous(asked: Utterance, ctx: Context) -> Reply | None:
    """Dangerous goods in a dangerous state: fixed wording, and staff are alerted."""
    understood = ctx.understood
    if understood.kind != "danger":
        return None
    return compose.danger_reply(understood, asked, ctx)


@router.on("message")
async def clarify(asked: Utterance, ctx: Context) -> Reply | None:
    """Ask back where a word means several things."""
    choice = ctx.understood.choice
    if ctx.understood.kind != "choice" or choice is None:
        return None
    reply = compose.clarify(choice, ctx)
    return compose.remembering(reply, ctx, item=choice.word)


@router.on("message")
async def sort(asked: Utterance, ctx: Context) -> Reply | None:
    """Say the bin of each thing asked for."""
    understood = ctx.understood
    if understood.kind != "items" or not understood.answers(ctx.limits):
        return None
    things = understood.things
    if any(thing.inferred and thing.score < ctx.limits.infer for thing in things):
        things = tuple(thing for thing in things if not thing.inferred or thing.score >= ctx.limits.infer)
        if not things or len(understood.things) == 1:
            return None
    if understood.choice:
        return _listed(things[0], asked, ctx)
    return compose.remembering(
        Reply(
            "answer",
            compose.items_text(things, asked, ctx),
            topic="waste.item",
            entry=f"items/{things[0].name}" if not things[0].inferred else None,
            items=tuple(compose.item_answer(thing, ctx) for thing in things),
            score=understood.score,
            unanswered=any(thing.inferred for thing in things),
            alert=_alert_if_named(things, asked, ctx),
        ),
        ctx,
        item=things[0].name,
    )


def _alert_if_named(things: Sequence[Thing], asked: Utterance, ctx: Context) -> Alert | None:
    """Staff hear of things that no bin may take: gas tanks, fireworks, ammunition."""
    for thing in things:
        danger = ctx.index.facts.dangers.get(thing.item.danger) if thing.item else None
        if danger and danger.named == "alert":
            return Alert(ctx.text("danger_alert", asked.place, what=thing.name), asked.place)
    return None


def _listed(default: Thing, asked: Utterance, ctx: Context) -> Reply:
    """A word with a default: the answer lists the cases, the word itself first."""
    choice = ctx.understood.choice
    assert choice is not None
    if default.item and choice.word in default.item.words:
        default = replace(default, name=choice.word)
    told = compose.cases(choice, ctx)
    others = [
        Thing(option.label, category, default.score, "case")
        for option, category in told
        if category != default.category
    ]
    items = [compose.item_answer(default, ctx)]
    items += [
        compose.known_case(thing, ctx) for thing in {thing.category: thing for thing in reversed(others)}.values()
    ]
    reply = Reply(
        "answer",
        compose.listed_text(choice, asked, ctx),
        topic="waste.item",
        entry=f"items/{default.item.name if default.item else default.name}",
        items=tuple(items[:3]),
        score=ctx.understood.score,
    )
    return compose.remembering(reply, ctx, item=default.name)
