"""One thing, two bins: where an item, its city variants, the cases of a word and the texts contradict each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from bot.kb.cities import NATIONAL
from bot.kb.entries import Item
from bot.kb.lint.base import Finding, Linting, texts_of
from bot.kb.lint.language import any_of


def check_bins(linting: Linting) -> Iterator[Finding]:
    """Conflicts of category between the cities and the national standard, and within the knowledge."""
    yield from _variants(linting)
    yield from _disputed(linting)
    yield from _reasons(linting)
    yield from _cases(linting)
    yield from _bins_of_one_city(linting)


def _variants(linting: Linting) -> Iterator[Finding]:
    for file, n, item in linting.items():
        for city, category in item.cities.items():
            at = ("items", n, "cities", city)
            if category == item.category:
                what = f"'{item.name}' goes into {category} in {city}, as everywhere"
                yield linting.finding("same-variant", file, at, what, "drop the variant")
            elif "hazardous" in (category, item.category) and not item.disputed:
                what = f"'{item.name}' is {category} in {city} and {item.category} elsewhere, and does not say so"
                mend = "add a clause under disputed:, or give it one bin"
                away = item.category == "hazardous"
                yield linting.finding("hazard-conflict", file, at, what, mend, blocks=away)


def _disputed(linting: Linting) -> Iterator[Finding]:
    """A city that is said to differ, in words only."""
    cities = {key: city for key, city in linting.knowledge.cities.items() if key != NATIONAL}
    for file, n, item in linting.items():
        for key, city in cities.items():
            if (name := city.name) in item.disputed and city.bin_of(item) is None:
                what = f"'{item.name}' says that {name} differs, but has no bin for {key}"
                mend = f"add {key} under cities:, or drop {name} from the clause"
                yield linting.finding("variant-lacks", file, ("items", n, "disputed"), what, mend)


def _reasons(linting: Linting) -> Iterator[Finding]:
    labels = _labels(linting)
    named = _label_of(labels)
    for file, n, item in linting.items():
        for key in ("reason", "prepare"):
            text = getattr(item, key)
            others = {labels[label] for label in named.findall(text)} - {item.category}
            if others and not _names_own(text, item, labels):
                what = f"{key} of '{item.name}' ({item.category}) speaks of {', '.join(sorted(others))}: '{text}'"
                mend = f"give the reason for {item.category}, or correct the category"
                yield linting.finding("reason-of-another-bin", file, ("items", n, key), what, mend)


def _labels(linting: Linting) -> dict[str, str]:
    """Every city's name of a bin → the category."""
    cities = linting.knowledge.cities.values()
    return {found.label: name for city in cities for name, found in city.categories.items()}


def _label_of(labels: Mapping[str, str]) -> re.Pattern[str]:
    """「属有害垃圾」, not 「不属有害垃圾」."""
    return re.compile(rf"(?<![不非])(?:属于|属|归|按|算|是)({any_of(labels).pattern})")


def _names_own(text: str, item: Item, labels: Mapping[str, str]) -> bool:
    own = [label for label, category in labels.items() if category == item.category]
    return f"{{{item.category}}}" in text or any(label in text for label in own)


def _cases(linting: Linting) -> Iterator[Finding]:
    items = {word: item for item in linting.knowledge.items for word in item.words}
    file = linting.file("choices.yaml")
    for n, choice in enumerate(linting.knowledge.choices):
        for m, option in enumerate(choice.options):
            at = (n, "options", m, "category")
            item = items.get(option.item or option.label)
            if item is None or option.category in (None, item.category):
                continue
            what = f"option '{option.label}' of '{choice.word}' goes into {option.category}, "
            what += f"the item '{item.name}' into {item.category}"
            if option.item:
                mend = "drop the category: the item's is told"
                yield linting.finding("case-conflict", file, at, what, mend, blocks=True)
            else:
                mend = f"give the option item: {item.name}, or another label"
                yield linting.finding("case-conflict", file, at, what, mend)


def _bins_of_one_city(linting: Linting) -> Iterator[Finding]:
    """A bin called by one city's name in an answer that other cities get too."""
    cities = linting.knowledge.cities
    calls = {name: frozenset(found.label for found in city.categories.values()) for name, city in cities.items()}
    every = calls.values()
    named = any_of(frozenset().union(*every) - frozenset.intersection(*every))
    compared = any_of((*(city.name for city in cities.values()), "国标", "国家标准", "各地", "各城市"))
    for file, n, _, entry in linting.entries():
        for at, city, text in texts_of(entry):
            if compared.search(text):
                continue  # it tells how others call it
            got_by = {city} if city else set(cities) - set(entry.cities)
            for label in dict.fromkeys(named.findall(text)):
                if foreign := sorted(name for name in got_by if label not in calls[name]):
                    what = f"the answer of '{entry.id}' says {label}, which {', '.join(foreign)} does not call so"
                    mend = "write {food}, {residual} …: the city's own name is filled in"
                    yield linting.finding("city-label", file, ("entries", n, *at), what, mend)
