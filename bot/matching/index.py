"""Everything matching needs, built from one version of the knowledge and swapped as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from bot.kb.entries import City, Danger, Entry, Item
from bot.kb.load import Knowledge, in_force
from bot.matching.chatter import ChatterSense
from bot.matching.fold import Fold
from bot.matching.infer import Inferrer
from bot.matching.lexicon import Lexicon
from bot.matching.phrases import Phrases


@dataclass(frozen=True, slots=True)
class Index:
    """The knowledge in force on one day in one city, ready to be asked."""

    knowledge: Knowledge
    city: City
    day: date
    fold: Fold
    lexicon: Lexicon
    phrases: Phrases
    infer: Inferrer
    chatter: ChatterSense
    entries: dict[str, tuple[str, Entry]]  # topics/<slug>/<id> → slug, entry
    items: dict[str, Item]  # name → item
    dangers: tuple[tuple[str, Danger], ...]

    def category(self, item: Item) -> str:
        """The item's category in the site's city."""
        return item.cities.get(self.city.city, item.category)

    def label(self, category: str) -> str:
        """The city's name of a bin."""
        return next(found.label for name, found in self.city.categories.items() if name == category)


def build(knowledge: Knowledge, city: str, day: date) -> Index:
    """Build the index of the knowledge in force on `day`; an unknown city gets the national standard."""
    fold = Fold(knowledge.synonyms.words, knowledge.synonyms.emoji, knowledge.synonyms.fillers)
    items = [item for item in knowledge.items if in_force(item, day)]
    chosen = knowledge.cities.get(city, knowledge.cities["national"])
    entries = {
        f"topics/{slug}/{entry.id}": (slug, entry) for slug, entry in knowledge.entries() if in_force(entry, day)
    }
    phrases = {key: [fold(phrase).tight for phrase in entry.ask] for key, (_, entry) in entries.items()}
    known = {
        fold(word).tight: item.cities.get(chosen.city, item.category) for item in items for word in item.words
    }
    return Index(
        knowledge=knowledge,
        city=chosen,
        day=day,
        fold=fold,
        lexicon=Lexicon(items, knowledge.choices),
        phrases=Phrases(phrases),
        infer=Inferrer({name: category for name, category in known.items() if name}, knowledge.inference),
        chatter=ChatterSense(
            (phrase for own in phrases.values() for phrase in own),
            (fold(line).tight for line in knowledge.chatter.lines),
        ),
        entries=entries,
        items={item.name: item for item in items},
        dangers=tuple(sorted(knowledge.dangers.items())),
    )
