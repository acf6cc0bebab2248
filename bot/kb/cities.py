"""What holds in one city: bins that differ, answers of its own, whose rule an answer tells, and what a city lacks."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

from bot import strict_yaml
from bot.kb.entries import City, Entry, Item, Source
from bot.kb.load import Knowledge
from bot.kb.slugs import TOPIC_NAMES

NATIONAL = "national"
"""The city whose file holds for every city without one."""
_BINS = ("recyclable", "hazardous", "food", "residual")
_TOLD = ("prepare", "reason", "disputed")
_AMOUNT = re.compile(r"\d+ *万?元")
_PENALTY = "sort_penalty"
_BY_NAME = 0.25
"""An entry is about a city by name where a larger share of the ways of asking name it."""

Lack = tuple[str, strict_yaml.Place, str, str]
"""A city, where its file should say it, what it lacks, and how to mend it."""


def chosen_city(city: str, knowledge: Knowledge) -> City:
    """The city of that name; the national standard where it has no file."""
    return knowledge.cities.get(city) or knowledge.cities[NATIONAL]


def own_names(city: City, knowledge: Knowledge) -> Callable[[str], str]:
    """How a text calls the bins in a city: other cities' names of them give way to its own, unless it tells them."""
    calls = {
        found.label: city.categories[name].label
        for other in knowledge.cities.values()
        for name, found in other.categories.items()
        if name in _BINS
    }
    pattern = re.compile("|".join(sorted(map(re.escape, calls), key=len, reverse=True)))
    compared = re.compile("|".join(("城市", "各地", *(re.escape(other.name) for other in knowledge.cities.values()))))
    return lambda text: text if compared.search(text) else pattern.sub(lambda found: calls[found[0]], text)


def item_in_city(item: Item, city: City, named: Callable[[str], str]) -> Item:
    """The item with its bin in a city, told with its names of the bins; the reason for another bin is left out."""
    category = city.bin_of(item) or item.category
    told = {"category": category, **{key: named(text) for key in _TOLD if (text := getattr(item, key))}}
    if category != item.category:
        told["reason"] = ""
    return item.model_copy(update=told) if any(getattr(item, key) != value for key, value in told.items()) else item


def entry_in_city(slug: str, entry: Entry, city: City, knowledge: Knowledge) -> tuple[Entry, str]:
    """The entry as it is answered in a city, and the name of the other city whose rule it tells ("" : none).

    A city without an answer of its own gets the national one where the entry tells another city's rule.
    """
    ruling = told_of(entry, knowledge.sources, knowledge.cities)
    abroad = ruling not in ("", city.city)
    for asked in (city, knowledge.cities[NATIONAL]) if abroad else (city,):
        if own := asked.answers.get(f"{slug}/{entry.id}") or entry.cities.get(asked.city):
            told = {
                "answer": own.answer,
                "detail": own.detail or ("" if abroad else entry.detail),
                "source": own.source or entry.source,
                "article": own.article,
            }
            return entry.model_copy(update=told), ""
    return entry, knowledge.cities[ruling].name if abroad else ""


def told_of(entry: Entry, sources: Mapping[str, Source], cities: Mapping[str, City]) -> str:
    """The city whose rule the entry's own answer tells; "" where it holds everywhere, or is asked for by that city's
    name. It tells a city's rule where it names that city alone, or cites it and differs in several others, or gives an
    amount of money.
    """
    named = [slug for slug, city in cities.items() if slug != NATIONAL and city.name in entry.answer]
    if len(named) == 1:
        by_name = sum(cities[named[0]].name in ask for ask in entry.ask)
        return "" if by_name > _BY_NAME * len(entry.ask) else named[0]
    source = sources.get(entry.source)
    if named or source is None or source.city not in cities:
        return ""
    return source.city if len(entry.cities) > 1 or _AMOUNT.search(entry.answer) else ""


def lacking(knowledge: Knowledge) -> Iterator[Lack]:
    """What every city's file should say and does not."""
    groups = _differing(knowledge)
    for slug, city in knowledge.cities.items():
        yield from _bins(slug, city)
        yield from _undecided(slug, city, groups, knowledge)
        yield from _unanswered(slug, city, knowledge)
        if not city.contacts:
            yield slug, (), f"city '{slug}' names no phone for the whole city", "add its hotline under contacts:"


def _bins(slug: str, city: City) -> Iterator[Lack]:
    for name, found in city.categories.items():
        at = ("categories", name)
        if name in _BINS and not found.colour:
            yield slug, at, f"city '{slug}' has no colour of {name}", "add the colour of the bin"
        if not found.prepare:
            yield slug, at, f"city '{slug}' does not say how {name} is put out", "add it as prepare:"


def _differing(knowledge: Knowledge) -> list[list[Item]]:
    """The items on which cities differ, together where all cities take them alike."""
    found: defaultdict[tuple[str | None, ...], list[Item]] = defaultdict(list)
    for item in knowledge.items:
        bins = tuple(city.bin_of(item) for city in knowledge.cities.values())
        if set(bins) - {None, item.category}:
            found[item.category, item.topic, *(name or item.category for name in bins)].append(item)
    return list(found.values())


def _undecided(slug: str, city: City, groups: list[list[Item]], knowledge: Knowledge) -> Iterator[Lack]:
    for group in groups:
        silent = [
            item.name
            for item in group
            if city.bin_of(item) is None and _city_of(item.source, knowledge.sources) != slug
        ]
        if silent:
            what = f"cities differ on {'、'.join(silent)}, and '{slug}' says nothing of them"
            mend = f"list them under items: of the city, by their bin ({group[0].category} is told now)"
            yield slug, ("items",), what, mend


def _city_of(code: str, sources: Mapping[str, Source]) -> str:
    return sources[code].city if code in sources else ""


def _unanswered(slug: str, city: City, knowledge: Knowledge) -> Iterator[Lack]:
    """The entries that tell another city's rule here, a line a topic."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for topic, entry in knowledge.entries():
        if entry_in_city(topic, entry, city, knowledge)[1]:
            found[topic].append(f"{topic}/{entry.id}")
    for topic, names in found.items():
        kind = "fines" if topic == _PENALTY else f"rules ({TOPIC_NAMES.get(topic, topic)})"
        what = f"city '{slug}' has no {kind} of its own: another city's is told for {', '.join(names)}"
        yield slug, ("answers",), what, "add its answer under answers: of the city, or cities: of the entry"
