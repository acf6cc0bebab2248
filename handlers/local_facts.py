"""What only the site knows: places, hours, contacts, activities. Told from places.yaml; what is not registered is said so."""

from __future__ import annotations

from bot import compose
from bot.context import Context
from bot.kb.entries import Happening, Local
from bot.records import Reply, Utterance
from bot.router import Router

router = Router()

FACILITIES = {
    "battery_box": "废旧电池回收箱", "drop_point": "垃圾投放点", "late_drop": "误时投放点", "bulky": "大件垃圾堆放点",
    "construction": "装修垃圾堆放点", "clothes": "旧衣回收箱", "hazardous": "有害垃圾桶（红桶）", "medicine": "过期药收集点",
    "oil_cup": "集油杯领取和废油回收点", "recyclables": "可回收物服务点", "ebike_battery": "电动车旧电池回收", "points": "积分兑换点",
}  # fmt: skip
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
        text or ctx.text("not_registered", asked.place, what=_what(entry.local)),
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
    lines = []
    for happening in happenings[:_SHOWN]:
        lines.append(
            "，".join(filter(None, (f"{_day(happening.at)} {happening.name}", happening.place, happening.note)))
        )
    return "\n".join(lines)


def _day(at: str) -> str:
    """「2026-12-05 09:00」 → 「12月5日9:00」; other wording stays."""
    day, _, clock = at.partition(" ")
    parts = day.split("-")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        return at
    return f"{int(parts[1])}月{int(parts[2])}日{clock.removeprefix('0')}"


def _what(local: Local) -> str:
    if local.facility:
        return FACILITIES.get(local.facility, "这个地方")
    if local.times:
        return "投放时间和地点"
    if local.late_drop:
        return "误时投放点"
    if local.contacts:
        return "联系电话"
    return "近期活动" if local.activities else "养护安排"
