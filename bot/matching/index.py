"""Everything matching needs, made from one version of the knowledge and swapped as a whole.

`compile_index` does the work once and gives plain data, kept beside the store; `Index` reads it back in milliseconds.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from bot.kb.cities import chosen_city, entry_in_city, item_in_city, own_names
from bot.kb.entries import Choice, City, Danger, Entry, Inference, Item, Place, Source, Strict, Synonyms
from bot.kb.load import Knowledge, in_force
from bot.kb.workdays import Calendar, compile_calendar
from bot.matching.chatter import ChatterSense, compile_odds
from bot.matching.fold import Fold
from bot.matching.infer import Inferrer, compile_names
from bot.matching.lexicon import Lexicon, compile_words
from bot.matching.phrases import Phrases, compile_phrases, topic_of
from bot.matching.plain import Plain, any_of
from bot.matching.spelling import Spelling, compile_spelling
from bot.matching.votes import Votes, compile_votes

_ITEM_FIELDS = ("name", "category", "topic", "prepare", "reason", "danger", "disputed", "parts", "source")


class Facts(Strict):
    """What is small enough to be read back as it stands: everything but items and phrases.

    `city_known`: the site's city has a file of its own. `foreign`: entry → the other city whose rule it tells, by name.
    """

    version: str
    city: City
    city_known: bool
    foreign: dict[str, str]
    choices: tuple[Choice, ...]
    inference: Inference
    dangers: dict[str, Danger]
    places: Place
    sources: dict[str, Source]
    synonyms: Synonyms
    texts: dict[str, str]
    calendar: Calendar
    entries: dict[str, tuple[str, Entry]]


Keep = Callable[[str, Callable[[], Plain]], Plain]
"""A name that says what it is made of, and what makes it → what was made, now or before."""


def compile_index(
    knowledge: Knowledge, city: str, day: date, keep: Keep = lambda name, make: make()
) -> Plain:
    """The knowledge in force on `day`, for a city (an unknown one gets the national standard), as plain data.

    `keep`: what was learned from the ways of asking is the same in every city and on most days.
    """
    synonyms = knowledge.synonyms
    fold = Fold(synonyms.words, synonyms.emoji, synonyms.fillers)
    chosen = chosen_city(city, knowledge)
    named = own_names(chosen, knowledge)
    items = [item_in_city(item, chosen, named) for item in knowledge.items if in_force(item, day)]
    found = {(slug, entry.id): entry for slug, entry in knowledge.entries() if in_force(entry, day)}
    phrases = {f"topics/{slug}/{name}": [fold(ask).tight for ask in entry.ask] for (slug, name), entry in found.items()}
    told = {(slug, name): entry_in_city(slug, entry, chosen, knowledge) for (slug, name), entry in found.items()}
    entries = {
        f"topics/{slug}/{name}": (slug, entry.model_copy(update={"ask": entry.ask[:1]}))
        for (slug, name), (entry, _) in told.items()
    }
    facts = Facts(
        version=knowledge.version,
        city=chosen,
        city_known=city in knowledge.cities,
        foreign={f"topics/{slug}/{name}": other for (slug, name), (_, other) in told.items() if other},
        choices=knowledge.choices,
        inference=knowledge.inference,
        dangers=knowledge.dangers,
        places=knowledge.places,
        sources=knowledge.sources,
        synonyms=synonyms,
        texts=knowledge.texts,
        calendar=compile_calendar(knowledge.workdays, day),
        entries=entries,
    )
    known = {name: item.category for item in items for word in item.words if (name := fold(word).tight)}
    asked = [phrase for own in phrases.values() for phrase in own]
    chatter = [fold(line).tight for line in knowledge.chatter.lines]
    return {
        "facts": facts.model_dump_json(by_alias=True),
        "day": day.isoformat(),
        "items": [tuple(getattr(item, field) for field in _ITEM_FIELDS) for item in items],
        "words": compile_words(items, knowledge.choices, lambda name: fold(name).tight),
        "names": compile_names(known),
        "spelling": compile_spelling([*asked, *known, *chatter]),
        **keep(f"language-{_digest(phrases, chatter)}", lambda: _learned(phrases, chatter)),
    }


def _learned(phrases: Mapping[str, Sequence[str]], chatter: Sequence[str]) -> Plain:
    """What the folded ways of asking of each entry, and the folded lines of chatter, teach."""
    by_topic: defaultdict[str, list[str]] = defaultdict(list)
    for name, own in phrases.items():
        by_topic[topic_of(name)] += own
    asked = [phrase for own in phrases.values() for phrase in own]
    return {
        "phrases": compile_phrases(phrases),
        "odds": compile_odds(asked, chatter),
        "votes": compile_votes(by_topic, chatter),
    }


def _digest(phrases: Mapping[str, Sequence[str]], chatter: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for name, own in phrases.items():
        digest.update("\0".join((name, *own, "")).encode())
    digest.update("\0".join(chatter).encode())
    return digest.hexdigest()[:16]


class Items:
    """Items by their place, made when first asked for: few of them ever are."""

    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self._rows = rows
        self._made: dict[int, Item] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __call__(self, n: int) -> Item:
        """The item at a place."""
        item = self._made.get(n)
        if item is None:
            item = self._made[n] = Item.model_construct(**dict(zip(_ITEM_FIELDS, self._rows[n], strict=True)))
        return item


class Index:
    """The knowledge in force on one day in one city, ready to be asked. Immutable once made."""

    def __init__(self, plain: Plain) -> None:
        self.facts = Facts.model_validate_json(plain["facts"])
        self.day = date.fromisoformat(plain["day"])
        self.city = self.facts.city
        self.entries = self.facts.entries
        synonyms = self.facts.synonyms
        self.fold = Fold(synonyms.words, synonyms.emoji, synonyms.fillers)
        self.items = Items(plain["items"])
        self.lexicon = Lexicon(plain["words"], self.items, self.facts.choices)
        self.phrases = Phrases(plain["phrases"])
        self.infer = Inferrer(plain["names"], self.facts.inference)
        self.chatter = ChatterSense(plain["odds"])
        self.votes = Votes(plain["votes"])
        self.spelling = Spelling(plain["spelling"])
        dangers = self.facts.dangers.values()
        self.danger_words = any_of(word for danger in dangers for word in danger.words)
        self.danger_things = any_of(thing for danger in dangers for thing in danger.things or ("",))

    @property
    def version(self) -> str:
        """The version of the knowledge."""
        return self.facts.version

    def item(self, name: str) -> Item | None:
        """The item of that name or alias (in any spelling that folds to it), or None."""
        word = self.lexicon.get(self.fold(name).tight)
        return word.item if word else None

    def label(self, category: str) -> str:
        """The city's name of a bin."""
        return next(found.label for name, found in self.city.categories.items() if name == category)
