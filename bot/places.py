"""The tree 街道 → 社区 → 网格 → 小区 → 楼栋: who is where, what is near, whom to ask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.kb.entries import Contact, Facility, Happening, Hours, Place


@dataclass(frozen=True, slots=True)
class Places:
    """The tree, with ways up. Built once for one version of the knowledge."""

    root: Place
    by_id: dict[str, Place]
    parent: dict[str, str]
    by_chat: dict[str, str]

    @staticmethod
    def of(root: Place) -> Places:
        """Index a tree."""
        by_id = {place.id: place for place in root.walk()}
        parent = {child.id: place.id for place in root.walk() for child in place.children}
        by_chat = {chat: place.id for place in root.walk() for chat in place.chats}
        return Places(root, by_id, parent, by_chat)

    def of_chat(self, channel: str, chat: str | None) -> str:
        """The place a chat belongs to; an unlisted chat, and a private one, belongs to the root."""
        return self.by_chat.get(f"{channel}/{chat}", self.root.id) if chat else self.root.id

    def upwards(self, place: str) -> Iterator[Place]:
        """The place itself, then what it lies in, up to the root."""
        at: str | None = place if place in self.by_id else self.root.id
        while at:
            yield self.by_id[at]
            at = self.parent.get(at)

    def within(self, place: str, branch: str) -> bool:
        """Whether `place` lies in `branch` (or is it); an empty branch covers everything."""
        return not branch or any(found.id == branch for found in self.upwards(place))

    def below(self, branch: str) -> tuple[str, ...]:
        """The ids of `branch` and everything in it; KeyError for an unknown id."""
        return tuple(place.id for place in self.by_id[branch].walk())

    def facilities(self, place: str, kind: str) -> tuple[Facility, ...]:
        """The facilities of a kind nearest to the asker: those in the place or below it, else those of the nearest
        place around it that has any."""
        for around in self.upwards(place):
            found = tuple(f for inner in around.walk() for f in inner.facilities if f.kind == kind)
            if found:
                return found
        return ()

    def contacts(self, place: str) -> tuple[Contact, ...]:
        """Whom to ask, nearest first."""
        return tuple(contact for around in self.upwards(self.home(place)) for contact in around.contacts)

    def happenings(self, place: str, kind: str, now: datetime) -> tuple[Happening, ...]:
        """Activities (`activities`) or care dates (`schedule`) around and below a place, not over, soonest first."""
        home = self.home(place)
        around = {found.id: found for found in (*self.upwards(home), *self.by_id[home].walk())}
        found: Sequence[Happening] = [h for inner in around.values() for h in getattr(inner, kind)]
        today = now.strftime("%Y-%m-%d")
        return tuple(sorted((h for h in found if h.at[:10] >= today or not h.at[:1].isdigit()), key=lambda h: h.at))

    def home(self, place: str) -> str:
        """The place itself; for the root, the first estate below it (a private chat says not where its user lives)."""
        if place in self.by_id and place != self.root.id:
            return place
        return next((found.id for found in self.root.walk() if found.kind == "estate"), self.root.id)


def opening(hours: Sequence[Hours]) -> str:
    """Hours in words: 「每天 7:00–9:00、18:00–20:00」."""
    if not hours:
        return ""
    by_days: dict[str, list[str]] = {}
    for span in hours:
        by_days.setdefault(_days(span), []).append(_span(span))
    return "；".join(f"{days}{'、'.join(spans)}" for days, spans in by_days.items())


def _span(span: Hours) -> str:
    if (span.opens, span.closes) == ("00:00", "24:00"):
        return "全天"
    return f"{span.opens.removeprefix('0')}–{span.closes.removeprefix('0')}"


_DAY_NAMES = {
    "daily": "每天", "workdays": "工作日", "weekends": "双休日", "mon": "周一", "tue": "周二", "wed": "周三",
    "thu": "周四", "fri": "周五", "sat": "周六", "sun": "周日",
}  # fmt: skip


def _days(span: Hours) -> str:
    days = (span.days,) if isinstance(span.days, str) else span.days
    return "、".join(_DAY_NAMES[day] for day in days)
