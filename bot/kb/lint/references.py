"""Names that lead nowhere, and what nothing leads to. The loader has already refused sources, topics, dangers and items
that items and entries name in vain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot import strict_yaml
from bot.kb.entries import Choice, Item
from bot.kb.lint.base import Finding, Linting
from bot.kb.slugs import FACILITY_KINDS, TOPIC_NAMES

_KINDS = f"use one of {', '.join(FACILITY_KINDS)}"


def check_references(linting: Linting) -> Iterator[Finding]:
    """Unknown topics, cities and facilities; topics without an entry; dangers and choices without a use."""
    yield from _topics(linting)
    yield from _cities(linting)
    yield from _facilities(linting)
    yield from _lacking_topics(linting)
    yield from _unused_dangers(linting)
    yield from _choices_of_one_bin(linting)


def _topics(linting: Linting) -> Iterator[Finding]:
    known = {topic.topic for topic in linting.knowledge.topics}
    mend = "use the name of a file in topics/"
    for n, choice in enumerate(linting.knowledge.choices):
        for m, option in enumerate(choice.options):
            if option.topic and option.topic not in known:
                what = f"topic of option '{option.label}' of '{choice.word}' is '{option.topic}'"
                at = (n, "options", m, "topic")
                yield linting.finding("unknown-topic", linting.file("choices.yaml"), at, what, mend, blocks=True)
    for key, danger in linting.knowledge.dangers.items():
        if danger.topic and danger.topic not in known:
            what = f"topic of danger '{key}' is '{danger.topic}'"
            file = linting.file("dangers.yaml")
            yield linting.finding("unknown-topic", file, (key, "topic"), what, mend, blocks=True)


def _cities(linting: Linting) -> Iterator[Finding]:
    for file, n, item in linting.items():
        yield from _unknown_cities(linting, file, ("items", n), f"item '{item.name}'", item.cities)
    for file, n, _, entry in linting.entries():
        yield from _unknown_cities(linting, file, ("entries", n), f"entry '{entry.id}'", entry.cities)
    for code, source in linting.knowledge.sources.items():
        if source.city and source.city not in linting.knowledge.cities:
            what = f"city of source '{code}' is '{source.city}'"
            file = linting.file("sources.yaml")
            yield linting.finding("unknown-city", file, (code, "city"), what, _of_cities(linting), blocks=True)


def _unknown_cities(
    linting: Linting, file: str, at: strict_yaml.Place, what: str, cities: Iterable[str]
) -> Iterator[Finding]:
    for city in cities:
        if city not in linting.knowledge.cities:
            told = f"{what} tells of the city '{city}'"
            place = (*at, "cities", city)
            yield linting.finding("unknown-city", file, place, told, _of_cities(linting), blocks=True)


def _of_cities(linting: Linting) -> str:
    return f"use the name of a file in cities/: {', '.join(linting.knowledge.cities)}"


def _facilities(linting: Linting) -> Iterator[Finding]:
    for at, place in linting.knowledge.places.walk_with_path():
        for n, facility in enumerate(place.facilities):
            if facility.kind not in FACILITY_KINDS:
                what = f"nobody can ask for facility kind '{facility.kind}'"
                spot = (*at, "facilities", n, "kind")
                yield linting.finding("unknown-facility", linting.file("places.yaml"), spot, what, _KINDS)
    for file, n, _, entry in linting.entries():
        if entry.local and entry.local.facility and entry.local.facility not in FACILITY_KINDS:
            what = f"facility '{entry.local.facility}' of '{entry.id}' is unknown"
            where = ("entries", n, "local", "facility")
            yield linting.finding("unknown-facility", file, where, what, _KINDS, blocks=True)


def _lacking_topics(linting: Linting) -> Iterator[Finding]:
    told = {topic.topic for topic in linting.knowledge.topics if topic.entries}
    for slug in TOPIC_NAMES:
        if slug not in told:
            file = linting.file(f"topics/{slug}.yaml")
            what = f"topic '{slug}' has no entry"
            yield linting.finding("no-entry", file, (), what, "write its file, with one entry")


def _unused_dangers(linting: Linting) -> Iterator[Finding]:
    named = {item.danger for item in linting.knowledge.items}
    for key, danger in linting.knowledge.dangers.items():
        if key not in named and not danger.words:
            mend = "name it as `danger:` of an item, give it words, or drop it"
            yield linting.finding("unused", linting.file("dangers.yaml"), (key,), f"danger '{key}' is never told", mend)


def _choices_of_one_bin(linting: Linting) -> Iterator[Finding]:
    items = {word: item for item in linting.knowledge.items for word in item.words}
    for n, choice in enumerate(linting.knowledge.choices):
        if len(_bins(choice, items)) < 2:
            what = f"all cases of '{choice.word}' go into the same bin"
            mend = "make it an item, or add the case that differs"
            yield linting.finding("needless-choice", linting.file("choices.yaml"), (n,), what, mend)


def _bins(choice: Choice, items: dict[str, Item]) -> set[str]:
    """The bins its cases lead to; a case that leads to a topic counts as one of its own."""
    return {
        option.category or (items[option.item].category if option.item else option.topic) for option in choice.options
    }
