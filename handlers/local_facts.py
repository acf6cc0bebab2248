"""What only the site knows: places, hours, contacts, activities. Told from places.yaml, or said to be unregistered."""

from __future__ import annotations

from bot import compose
from bot.context import Context
from bot.kb.entries import Happening, Local
from bot.records import Reply, Utterance
from bot.router import Router

router = Router()

_SHOWN = 3


@router.on("message")
async def tell(asked: Utterance, ctx: Context) -> Reply | None:
    """Answer from the place tree, nearest first."""
    understood = ctx.understood
    if understood.kind != "entry" or not understood.answers(ctx.limits):
        return None
    slug, entry = ctx.index.entries[understood.entry]
    if entry.local is None:
        return None
    text = _fact(entry.local, asked, ctx)
    reply = Reply(
        "answer",
        text or ctx.text("not_registered", asked.place, what=_what(entry.local, ctx)),
        topic=slug,
        entry=understood.entry,
        score=understood.score,
        unanswered=not text,
    )
    return compose.remembering(reply, ctx)


def _fact(local: Local, asked: Utterance, ctx: Context) -> str:
    """What is registered, or "" ."""
    place = ctx.places.home(asked.place)
    if local.facility:
        return compose.facility_text(ctx.places.facilities(place, local.facility))
    if local.times:
        return compose.facility_text(ctx.places.facilities(place, "drop_point"))
    if local.late_drop:
        return compose.facility_text(ctx.places.facilities(place, "late_drop"))
    if local.contacts:
        return compose.contacts_text(ctx.places.contacts(place))
    kind = "activities" if local.activities else "schedule"
    return _dates(ctx.places.happenings(place, kind, ctx.now.astimezone(ctx.zone)))


def _dates(happenings: tuple[Happening, ...]) -> str:
    told = [(f"{_day(found.at)} {found.name}", found.place, found.note) for found in happenings[:_SHOWN]]
    return "\n".join("，".join(filter(None, parts)) for parts in told)


def _day(at: str) -> str:
    """「2026-12-05 09:00」 → 「12月5日9:00」; other wording stays."""
    day, _, clock = at.partition(" ")
    parts = day.split("-")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        return at
    return f"{int(parts[1])}月{int(parts[2])}日{clock.removeprefix('0')}"


def _what(local: Local, ctx: Context) -> str:
    """What is not registered, in words."""
    named = local.facility or next(name for name, wanted in local.model_dump().items() if wanted is True)
    return ctx.text(f"what_{named}")
