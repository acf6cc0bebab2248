"""Facilities and contacts in words: what was asked for first, in about three short lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import groupby, pairwise

from bot.compose import filled
from bot.context import Context
from bot.kb.entries import Contact, DaysOff, Facility
from bot.local.opening import (
    DayHours,
    Opening,
    closing_in_words,
    day_in_words,
    hours_in_words,
    moment_in_words,
    opening_at,
    opening_on,
    span_in_words,
)
from bot.local.question import Wanted, wanted
from bot.places import Found
from bot.records import Utterance

_SHORT = 120
"""Characters a reply should keep to where the facts allow."""
_MOST_LINES = 3
_MOST_ALIKE = 4
"""Facilities that are alike and named in one line."""
_SAME = (("业委会", "业主委员会"), ("居民委员会", "居委会"), ("村民委员会", "村委会"))
"""Short and long names of the same office."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks what, where and when; `now` is the site's clock, without a zone."""

    asked: Utterance
    ctx: Context
    wanted: Wanted
    now: datetime

    @staticmethod
    def of(asked: Utterance, ctx: Context) -> Asking:
        """What an utterance wants to hear."""
        now = ctx.now.astimezone(ctx.zone).replace(tzinfo=None)
        text = ctx.understood.folded.tight
        return Asking(asked, ctx, wanted(text, now.date(), ctx.index.facts.calendar), now)

    def text(self, key: str, **values: str) -> str:
        """A fixed wording."""
        return self.ctx.text(key, self.asked.place, **values)

    def opening(self, kept: Facility | Contact, now: datetime) -> Opening:
        """Whether it is open at a moment."""
        return opening_at(now, kept.hours, _closed(kept), self.ctx.index.facts.calendar)

    def opening_on(self, day: date, kept: Facility | Contact) -> DayHours:
        """When it opens on a day."""
        return opening_on(day, kept.hours, _closed(kept), self.ctx.index.facts.calendar)


@dataclass(frozen=True, slots=True)
class _Spot:
    """Facilities that differ in nothing but where they are. `opening`: None where their hours are not registered."""

    facility: Facility
    where: str
    opening: Opening | None

    @property
    def is_open(self) -> bool:
        return self.opening is not None and self.opening.is_open


def facilities_text(found: Sequence[Found], instead: Sequence[Found], asking: Asking) -> str:
    """The nearest of these facilities, what was asked of them first; "" where there is none. While none of them is
    open, also the nearest that is: one farther away, or one of another kind that serves `instead`."""
    if not found:
        return ""
    spots = _spots([near for near in found if near.steps == found[0].steps], asking)
    if len(spots) == 1:
        lines = _told_of_one(spots[0], asking)
    else:
        spots.sort(key=lambda spot: asking.wanted.aspect == "now" and not spot.is_open)
        lines = [_told_of_several(spot, asking) for spot in spots[:_MOST_LINES]]
    farther = [near for near in found if near.steps > found[0].steps]
    return "\n".join(_with_more(lines, spots, _spots([*farther, *instead], asking), asking))


def _spots(found: Sequence[Found], asking: Asking) -> list[_Spot]:
    """Equal facilities together, nearest first."""
    alike: dict[tuple[str, Facility], list[str]] = {}
    for near in found:
        rest = near.facility.model_copy(update={"place": ""})
        alike.setdefault((_prefix(near, asking), rest), []).append(near.facility.place)
    return [
        _Spot(rest, prefix + "、".join(places[:_MOST_ALIKE]), asking.opening(rest, asking.now) if rest.hours else None)
        for (prefix, rest), places in alike.items()
    ]


def _prefix(near: Found, asking: Asking) -> str:
    """The estate and building, where the asker is not there and the place does not say it."""
    places = asking.ctx.places
    if any(place.name in near.facility.place for place in places.upwards(near.at.id)):
        return ""
    return places.named(near.at, asking.asked.place)


def _told_of_one(spot: _Spot, asking: Asking) -> list[str]:
    """What was asked first, then the rest."""
    facility, state = spot.facility, _state(spot.opening, "open", asking)
    named = f"{facility.name}：{spot.where}"
    hours = _hours(facility)
    if asking.wanted.aspect == "phone":
        return [asking.text("reach", who=_who(facility, asking)), _line(named, state)]
    if asking.wanted.aspect in ("now", "hours", "day") and not facility.hours:
        return [_line(named, facility.when, state), asking.text("reach", who=_who(facility, asking))]
    match asking.wanted.aspect:
        case "now":
            return [_line(state), _line(named, hours)]
        case "day":
            return [_line(_on_days(facility, "开", asking)), _line(named, hours)]
        case "hours":
            times = (facility.when, hours) if asking.wanted.pickup else (hours, facility.when)
            told = "，".join(filter(None, times))
            return [_line(f"{facility.name}：{told or state}"), _line(f"在{spot.where}", state if told else "")]
    rest = _line(hours, facility.when)
    return [_line(named, state), *([rest] if rest else [])]


def _told_of_several(spot: _Spot, asking: Asking) -> str:
    """One of several, in a line."""
    facility = spot.facility
    if asking.wanted.aspect == "day" and facility.hours:
        return _line(f"{facility.name}：{spot.where}", _on_days(facility, "开", asking))
    return _line(f"{facility.name}：{spot.where}", _hours(facility), _state(spot.opening, "open", asking))


def _with_more(lines: Sequence[str], spots: Sequence[_Spot], others: Sequence[_Spot], asking: Asking) -> list[str]:
    """The lines, and what else helps: what is open instead, or what goes in; a picture where one is asked for."""
    shut = all(spot.opening is not None and not spot.opening.is_open for spot in spots)
    shut = shut and asking.wanted.aspect != "day"
    more = [_open_instead(spot, asking) for spot in others if shut and spot.is_open][:1]
    if not more and len(spots) == 1:
        more = _takes(spots[0].facility, asking)
        if asking.wanted.aspect not in ("general", "where") and len("\n".join([*lines, *more])) > _SHORT:
            more = []
    photo = spots[0].facility.photo if asking.wanted.photo else ""
    return [*lines, *more, *([f"照片：{photo}"] if photo else [])]


def _open_instead(spot: _Spot, asking: Asking) -> str:
    return f"{spot.facility.name}{_state(spot.opening, 'open', asking)}：{spot.where}。"


def _takes(facility: Facility, asking: Asking) -> list[str]:
    """What goes in, and the note, as one line; none where nothing is registered."""
    takes = filled(facility.takes, asking.asked, asking.ctx).rstrip("。")
    told = takes if not takes or takes.startswith("每户") else f"可投：{takes}"
    line = "。".join(filter(None, (told, facility.note.rstrip("。"))))
    return [f"{line}。"] if line else []


def contacts_text(contacts: Sequence[Contact], asking: Asking) -> str:
    """Those who are asked for, else the 居委会 first: their phones and hours, what was asked first. Who may be called
    all over the city is told where nobody near is asked for by name."""
    chosen = _asked_for(contacts, asking) or _asked_for(asking.ctx.index.city.contacts, asking)
    chosen = chosen or sorted(contacts, key=lambda contact: "居委" not in contact.name)
    return "\n".join(_told_of_contact(contact, asking) for contact in chosen[:_MOST_LINES])


def _asked_for(contacts: Sequence[Contact], asking: Asking) -> list[Contact]:
    asked = _pairs(asking.ctx.understood.folded.tight)
    return _best(contacts, [2 * len(asked & _pairs(who.name)) + len(asked & _pairs(*who.handles)) for who in contacts])


def _told_of_contact(contact: Contact, asking: Asking) -> str:
    phone = f"电话：{contact.phone}" if contact.phone else "电话没有登记"
    hours = hours_in_words(contact.hours)
    aspect = asking.wanted.aspect
    if aspect == "where":
        return _line(f"{contact.name}：{contact.place or '地址没有登记'}", phone, hours, contact.when)
    if aspect == "now" and contact.hours:
        state = _state(asking.opening(contact, asking.now), "staffed", asking)
        return _line(f"{contact.name}：{state}", contact.when, phone)
    if aspect == "day" and contact.hours:
        return _line(f"{contact.name}：{_on_days(contact, '上班', asking)}", contact.when, phone)
    if aspect == "hours" and (contact.hours or contact.when):
        return _line(f"{contact.name}：{'，'.join(filter(None, (hours, contact.when)))}", phone)
    return _line(f"{contact.name}：{contact.phone or '电话没有登记'}", hours, contact.when)


def _who(facility: Facility, asking: Asking) -> str:
    """Whom to ask about a facility: its own contact, else who handles such things, else the usual one."""
    if facility.contact:
        return facility.contact
    contacts = asking.ctx.places.contacts(asking.asked.place)
    thing = _pairs(facility.name)
    best = next(iter(_best(contacts, [len(thing & _pairs(*who.handles)) for who in contacts])), None)
    if best is None:
        return asking.ctx.contact(asking.asked.place)
    return f"{best.name}（{best.phone}）" if best.phone else best.name


def _best(contacts: Sequence[Contact], scores: Sequence[int]) -> list[Contact]:
    """The contacts with the highest score, in their order; none where nobody has any."""
    best = max(scores, default=0)
    return [who for who, score in zip(contacts, scores, strict=True) if best and score == best]


def _pairs(*texts: str) -> set[str]:
    """The pairs of neighbouring characters."""
    found: set[str] = set()
    for text in texts:
        for short, long in _SAME:
            text = text.replace(short, long)
        found.update("".join(pair) for pair in pairwise(text))
    return found


def _on_days(kept: Facility | Contact, verb: str, asking: Asking) -> str:
    """「周六（12月5日）8:30–11:30开」 「元旦（1月1日至3日）不开，周一8:30再开」."""
    days, today = asking.wanted.days, asking.now.date()
    opens = {day: asking.opening_on(day, kept) for day in days}
    groups = [(told, [*group]) for told, group in groupby(days, lambda day: _day_told(opens[day], verb, asking))]
    told = [_days_named(group, days, today, asking.wanted.called) + words for words, group in groups]
    sure = all(found.sure for found in opens.values())
    if not any(found.spans for found in opens.values()):
        after = asking.opening(kept, datetime.combine(days[-1], time.max))
        sure = sure and after.sure
        told += [f"{moment_in_words(after.changes, asking.now)}再{verb}"] if after.changes else []
    return "，".join([*told, *([] if sure else [asking.text("by_notice")])])


def _day_told(hours: DayHours, verb: str, asking: Asking) -> str:
    if hours.spans:
        return "、".join(map(span_in_words, hours.spans)) + verb
    told = hours.why and not (asking.wanted.called and hours.why.startswith(asking.wanted.called))
    return f"不{verb}（{hours.why}）" if told else f"不{verb}"


def _days_named(group: Sequence[date], days: Sequence[date], today: date, called: str) -> str:
    """「周六（12月5日）」 「12月5日至6日」, with what the days are called where all are told at once."""
    first, last = group[0], group[-1]
    dates = f"{first.month}月{first.day}日"
    if last > first:
        dates += f"至{last.day}日" if last.month == first.month else f"至{last.month}月{last.day}日"
    name = called if len(group) == len(days) else ""
    if not name and first == last:
        name = day_in_words(first, today)
    return dates if not name or name == dates else f"{name}（{dates}）"


def _state(opening: Opening | None, kind: str, asking: Asking) -> str:
    """Whether it is open and until when, or when it opens next; `kind`: open, or staffed."""
    if opening is None:
        return asking.text("hours_unknown")
    if opening.is_open and opening.changes is None:
        told = asking.text(f"{kind}_always")
    elif opening.is_open and opening.changes:
        told = asking.text(f"{kind}_until", time=closing_in_words(opening.changes, asking.now))
    else:
        why = f"（{opening.why}）" if opening.why else ""
        opens = moment_in_words(opening.changes, asking.now) if opening.changes else ""
        told = asking.text(f"not_{kind}_until" if opens else f"not_{kind}", why=why, time=opens)
    return told if opening.sure else f"{told}，{asking.text('by_notice')}"


def _hours(facility: Facility) -> str:
    """Its hours; "" where it is always open, which its state says."""
    hours = hours_in_words(facility.hours)
    return "" if hours == "全天" else hours


def _closed(kept: Facility | Contact) -> Sequence[DaysOff]:
    return kept.closed if isinstance(kept, Facility) else ()


def _line(*parts: str) -> str:
    """The parts as one sentence; "" where there is none."""
    told = "，".join(filter(None, parts))
    return f"{told.rstrip('。')}。" if told else ""
