"""What a model may choose among: the few entries near a message, never such as would lead away from a hazard."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from bot.kb.entries import Choice
from bot.matching.index import Index
from bot.matching.phrases import Hit, topic_of
from bot.matching.things import Thing, known_among
from bot.matching.understand import Understanding, ways_to_read

MOST_OFFERED = 6
"""The most a model is offered: the things named as one, and the entries nearest."""

RULE = "language model"
"""The rule of an understanding that a model chose."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing a resident may have meant: in words, and as the understanding it comes to. `hazardous`: it is about
    things that are hazardous, or of a topic that has dangers."""

    words: str
    understood: Understanding
    hazardous: bool


def offers(understood: Understanding, index: Index, *, about: str = "") -> tuple[Offer, ...]:
    """What a model may choose among for a message, the likeliest first; none where a thing with fixed wording is named.

    Only what the knowledge holds, no inferred thing. Where one reading of the message, or what was talked of before
    (`about`), is hazardous, or a thing stands in it that can become dangerous, only what is hazardous is offered.
    """
    _, hits, found = ways_to_read(understood.folded, index, about=about)
    things = next((reading.things for reading in found if reading.kind == "items"), ())
    if any(thing.item and thing.item.danger for thing in things):
        return ()
    dangerous = frozenset(danger.topic for danger in index.facts.dangers.values() if danger.topic)
    offered = []
    if things and all(thing.item for thing in things):
        offered.append(_of_things(things, understood))
    known = known_among(things, index)
    offered += [_of_entry(hit, known, understood, index, dangerous) for hit in hits[: MOST_OFFERED - len(offered)]]
    hazard = (
        about in dangerous
        or any(index.danger_things.findall(understood.folded.tight))
        or _hazardous(things)
        or _likeliest_topic(understood) in dangerous
        or any(_may_be_hazardous(reading.choice, index) for reading in found if reading.choice)
    )
    return tuple(offer for offer in offered if offer.hazardous or not hazard)


def _of_things(things: tuple[Thing, ...], understood: Understanding) -> Offer:
    words = "、".join(thing.name for thing in things) + "怎么扔"
    meant = replace(understood, kind="items", rule=RULE, things=things, entry="", choice=None)
    return Offer(words, meant, _hazardous(things))


def _of_entry(
    hit: Hit, known: tuple[Thing, ...], understood: Understanding, index: Index, dangerous: Collection[str]
) -> Offer:
    asked = index.entries[hit.entry][1].ask[0]
    words = asked if index.fold(asked).tight == hit.phrase else f"{asked}；{hit.phrase}"
    meant = replace(understood, kind="entry", rule=RULE, things=known, entry=hit.entry, choice=None)
    return Offer(words, meant, hit.topic in dangerous)


def _hazardous(things: Iterable[Thing]) -> bool:
    return any(thing.category == "hazardous" for thing in things)


def _likeliest_topic(understood: Understanding) -> str:
    entries = (candidate.entry for candidate in understood.candidates)
    return next((topic_of(entry) for entry in entries if entry.startswith("topics/")), "")


def _may_be_hazardous(choice: Choice, index: Index) -> bool:
    """Whether a case of an ambiguous word is hazardous."""
    for option in choice.options:
        item = index.item(option.item) if option.item else None
        if (item.category if item else option.category) == "hazardous":
            return True
    return False
