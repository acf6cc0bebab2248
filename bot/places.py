"""The tree 街道 → 社区 → 网格 → 小区 → 楼栋: who is where, what is near, whom to ask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.kb.entries import Contact, Facility, Happening, Place

OF_ONE_ESTATE = frozenset(("drop_point", "late_drop", "bulky", "construction"))
"""Kinds of facilities that only those may use for whom they are registered: another estate's are not told."""


@dataclass(frozen=True, slots=True)
class Found:
    """A facility near somebody: where it is registered, and how many levels up the tree one goes to have it below."""

    facility: Facility
    at: Place
    steps: int


@dataclass(frozen=True, slots=True)
class Places:
    """The tree, with ways up. Built once for one version of the knowledge."""

    root: Place
    by_id: dict[str, Place]
    parent: dict[str, str]
    by_chat: dict[str, str]
    _first_estate: str
    _contacts: dict[str, tuple[Contact, ...]]  # of every place, nearest first
    _looked_up: dict[tuple[str, str], tuple[Found, ...]]  # facilities of (place, kind) asked for before

    @staticmethod
    def of(root: Place) -> Places:
        """Index a tree."""
        by_id = {place.id: place for place in root.walk()}
        parent = {child.id: place.id for place in root.walk() for child in place.children}
        by_chat = {chat: place.id for place in root.walk() for chat in place.chats}
        estate = next((found.id for found in root.walk() if found.kind == "estate"), root.id)
        contacts: dict[str, tuple[Contact, ...]] = {}
        for place in root.walk():  # parents first
            contacts[place.id] = (*place.contacts, *contacts.get(parent.get(place.id, ""), ()))
        return Places(root, by_id, parent, by_chat, estate, contacts, {})

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

    def facilities(self, place: str, kind: str) -> tuple[Found, ...]:
        """The facilities of a kind, nearest first: in the place or below it, then level by level in what it lies in."""
        key = (place if place in self.by_id else self.root.id, kind)
        if key not in self._looked_up:
            self._looked_up[key] = self._facilities(place, kind)
        return self._looked_up[key]

    def _facilities(self, place: str, kind: str) -> tuple[Found, ...]:
        allowed = self._allowed(place) if kind in OF_ONE_ESTATE else None
        found: dict[str, list[Found]] = {}
        for steps, around in enumerate(self.upwards(place)):
            for at in around.walk():
                if at.id not in found and (allowed is None or at.id in allowed):
                    found[at.id] = [Found(facility, at, steps) for facility in at.facilities if facility.kind == kind]
        return tuple(near for own in found.values() for near in own)

    def _allowed(self, place: str) -> frozenset[str]:
        """The places whose facilities are meant for who lives in a place: all around it, and all of its own estate."""
        around = list(self.upwards(place))
        own = next((found for found in around if found.kind == "estate"), around[0])
        return frozenset((*(found.id for found in around), *(found.id for found in own.walk())))

    def named(self, found: Place, asker: str) -> str:
        """What to put before a spot in `found`, so that who asks from `asker` knows where it is: the estate and
        building, as far as the asker is not there; "" where nothing is needed."""
        around = {place.id for place in self.upwards(asker)}
        between = [place for place in self.upwards(found.id) if place.id not in around]
        return "".join(place.name for place in reversed(between) if place.kind in ("estate", "building"))

    def contacts(self, place: str) -> tuple[Contact, ...]:
        """Whom to ask, nearest first."""
        return self._contacts[self.home(place)]

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
        return self._first_estate
