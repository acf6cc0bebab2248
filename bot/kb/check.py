"""Lint: every fault in the knowledge folder, and what is allowed but should not stay so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from bot import strict_yaml
from bot.errors import Fault, FaultyFile
from bot.kb.cities import lacking
from bot.kb.entries import Choice, Entry, Item, Synonyms
from bot.kb.load import Knowledge, load, placed
from bot.kb.slugs import FACILITY_KINDS, TOPIC_NAMES
from bot.kb.workdays import compile_calendar

Folding = Callable[[Synonyms], Callable[[str], str]]
"""The site's synonyms → how a text is made comparable."""

LONGEST_ANSWER = 160
"""Characters of an answer a resident still reads."""
SHORTEST_PHRASE = 2
"""A shorter way of asking, once folded, would be found everywhere."""
_SOON = timedelta(days=30)
"""How long before a year its working days should be known."""


@dataclass(frozen=True, slots=True)
class Report:
    """What is wrong (the knowledge is refused) and what is questionable, each by file and line."""

    errors: tuple[Fault, ...]
    warnings: tuple[Fault, ...] = ()


def check(folder: Path, today: date, folding: Folding) -> Report:
    """Check the knowledge in `folder`; warnings only where it can be read without a fault."""
    try:
        knowledge = load(folder)
    except FaultyFile as faulty:
        return Report(faulty.faults)
    linting = _Linting(folder, knowledge, today, folding(knowledge.synonyms))
    return Report((), tuple(sorted(linting.warnings(), key=lambda fault: (fault.file, fault.line, fault.what))))


@dataclass(frozen=True, slots=True)
class _Linting:
    folder: Path
    knowledge: Knowledge
    today: date
    fold: Callable[[str], str]
    documents: dict[str, strict_yaml.Document] = field(default_factory=dict)

    def warnings(self) -> Iterator[Fault]:
        yield from self._items()
        yield from self._entries()
        yield from self._same_words()
        yield from self._same_phrases()
        yield from self._choices()
        yield from self._lacking_topics()
        yield from self._unused_dangers()
        yield from self._unknown_facilities()
        yield from self._unknown_years()
        yield from self._cities()

    def _items(self) -> Iterator[Fault]:
        """Expired items; and review dates, told once where the whole file shares one."""
        shared: set[str] = set()
        for item in self.knowledge.items:
            file, line = self.knowledge.lines[f"items/{item.name}"]
            yield from self._expired(f"item '{item.name}'", item, file, line)
            document = self._document(file)
            own = self._own_review(document, item)
            if own is None and file in shared:
                continue
            if own is None:
                shared.add(file)
                yield from self._review("the file", item.review_by, file, document.line(("review_by",)))
            else:
                yield from self._review(f"item '{item.name}'", own, file, line)

    def _own_review(self, document: strict_yaml.Document, item: Item) -> date | None:
        """The review date of an item that differs from its file's."""
        return item.review_by if item.review_by != document.value.get("review_by") else None

    def _entries(self) -> Iterator[Fault]:
        for slug, n, entry in self._numbered():
            file, line = self.knowledge.lines[f"topics/{slug}/{entry.id}"]
            yield from self._expired(f"entry '{entry.id}'", entry, file, line)
            if entry.answer or entry.review_by:  # what places.yaml answers needs no review of its own
                yield from self._review(f"entry '{entry.id}'", entry.review_by, file, line)
            yield from self._length(entry, file, line)
            yield from self._phrases(file, n, entry)

    def _numbered(self) -> Iterator[tuple[str, int, Entry]]:
        """(slug, place in its file, entry) of every entry."""
        for topic in self.knowledge.topics:
            for n, entry in enumerate(topic.entries):
                yield topic.topic, n, entry

    def _expired(self, what: str, thing: Item | Entry, file: str, line: int) -> Iterator[Fault]:
        if thing.valid_to and thing.valid_to < self.today:
            mend = "remove it, or give it a later valid_to"
            yield Fault(file, line, f"{what} is valid to {thing.valid_to} only and not answered any more", mend)

    def _review(self, what: str, review_by: date | None, file: str, line: int) -> Iterator[Fault]:
        if review_by is None:
            yield Fault(file, line, f"{what} has no review_by", "add the day by which to check it again")
        elif review_by < self.today:
            yield Fault(file, line, f"{what} was to be reviewed by {review_by}", "check it, then set a later review_by")

    def _length(self, entry: Entry, file: str, line: int) -> Iterator[Fault]:
        for city, answer in [("", entry.answer), *((name, own.answer) for name, own in entry.cities.items())]:
            if len(answer) > LONGEST_ANSWER:
                where = f" for {city}" if city else ""
                what = f"the answer of '{entry.id}'{where} has {len(answer)} characters"
                yield Fault(file, line, what, f"keep to {LONGEST_ANSWER}; put the rest under detail")

    def _phrases(self, file: str, n: int, entry: Entry) -> Iterator[Fault]:
        for m, phrase in enumerate(entry.ask):
            size = len(self.fold(phrase))
            if size < SHORTEST_PHRASE:
                line = self._document(file).line(("entries", n, "ask", m))
                what = "is empty" if not size else "is a single character"
                yield Fault(file, line, f"phrase '{phrase}' {what} once folded", "write it out, or drop it")

    def _same_phrases(self) -> Iterator[Fault]:
        seen: dict[str, tuple[str, Entry]] = {}
        for slug, n, entry in self._numbered():
            file, _ = self.knowledge.lines[f"topics/{slug}/{entry.id}"]
            for m, phrase in enumerate(entry.ask):
                folded = self.fold(phrase)
                first_slug, first = seen.setdefault(folded, (slug, entry))
                if folded and first is not entry:
                    line = self._document(file).line(("entries", n, "ask", m))
                    what = f"phrase '{phrase}' reads the same as one of {first_slug}/{first.id}"
                    yield Fault(file, line, what, "keep it in one entry")

    def _same_words(self) -> Iterator[Fault]:
        """Words of items that cannot be told apart, from another item's or from an ambiguous word."""
        ambiguous = {
            self.fold(word): choice for choice in self.knowledge.choices for word in (choice.word, *choice.also)
        }
        seen: dict[str, Item] = {}
        for item in self.knowledge.items:
            file, line = self.knowledge.lines[f"items/{item.name}"]
            for word in item.words:
                folded = self.fold(word)
                first = seen.setdefault(folded, item)
                if not folded:
                    yield Fault(file, line, f"'{word}' is empty once folded", "write it out, or drop it")
                elif first is not item:
                    what = f"'{word}' of item '{item.name}' reads the same as a word of '{first.name}'"
                    yield Fault(file, line, what, "keep it at one item")
                if word != item.name and folded in ambiguous:
                    what = f"alias '{word}' of item '{item.name}' is the ambiguous word '{ambiguous[folded].word}'"
                    yield Fault(file, line, what, "drop the alias, or the word in choices.yaml")

    def _choices(self) -> Iterator[Fault]:
        items = {word: item for item in self.knowledge.items for word in item.words}
        for n, choice in enumerate(self.knowledge.choices):
            if len(_bins(choice, items)) < 2:
                what = f"all cases of '{choice.word}' go into the same bin"
                yield self._in("choices.yaml", (n,), what, "make it an item, or add the case that differs")

    def _lacking_topics(self) -> Iterator[Fault]:
        told = {topic.topic for topic in self.knowledge.topics if topic.entries}
        for slug in TOPIC_NAMES:
            if slug not in told:
                yield self._in(
                    f"topics/{slug}.yaml", (), f"topic '{slug}' has no entry", "write its file, with one entry"
                )

    def _unused_dangers(self) -> Iterator[Fault]:
        named = {item.danger for item in self.knowledge.items}
        for key, danger in self.knowledge.dangers.items():
            if key not in named and not danger.words:
                mend = "name it as `danger:` of an item, give it words, or drop it"
                yield self._in("dangers.yaml", (key,), f"danger '{key}' is never told", mend)

    def _unknown_facilities(self) -> Iterator[Fault]:
        mend = f"use one of {', '.join(FACILITY_KINDS)}"
        for at, place in placed(self.knowledge.places):
            for n, facility in enumerate(place.facilities):
                if facility.kind not in FACILITY_KINDS:
                    what = f"nobody can ask for facility kind '{facility.kind}'"
                    yield self._in("places.yaml", (*at, "facilities", n, "kind"), what, mend)
        for slug, entry in self.knowledge.entries():
            if entry.local and entry.local.facility and entry.local.facility not in FACILITY_KINDS:
                file, line = self.knowledge.lines[f"topics/{slug}/{entry.id}"]
                yield Fault(file, line, f"facility '{entry.local.facility}' of '{entry.id}' is unknown", mend)

    def _unknown_years(self) -> Iterator[Fault]:
        """Years whose working days are asked for soon and were not announced when the calendar was made."""
        calendar = compile_calendar(self.knowledge.workdays, self.today)
        for year in sorted({self.today.year, (self.today + _SOON).year} - set(calendar.known)):
            mend = "upgrade the package holidays, or write the year into this file"
            yield self._in("workdays.yaml", (), f"the days off and make-up workdays of {year} are not known", mend)

    def _cities(self) -> Iterator[Fault]:
        for city, at, what, mend in lacking(self.knowledge):
            yield self._in(f"cities/{city}.yaml", at, what, mend)

    def _in(self, name: str, at: strict_yaml.Place, what: str, mend: str) -> Fault:
        """A fault at a place in a file named from the folder; line 1 where there is no such file."""
        file = f"{self.folder.name}/{name}"
        line = self._document(file).line(at) if (self.folder / name).exists() else 1
        return Fault(file, line, what, mend)

    def _document(self, shown: str) -> strict_yaml.Document:
        """The lines of a file, named as in faults."""
        if shown not in self.documents:
            text = (self.folder / shown.partition("/")[2]).read_text(encoding="utf-8")
            self.documents[shown], _ = strict_yaml.parse(text, shown)
        return self.documents[shown]


def _bins(choice: Choice, items: Mapping[str, Item]) -> set[str]:
    """The bins its cases lead to; a case that leads to a topic counts as one of its own."""
    return {
        option.category or (items[option.item].category if option.item else option.topic) for option in choice.options
    }
