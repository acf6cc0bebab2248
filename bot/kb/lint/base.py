"""What every check is given, and what it finds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from bot import strict_yaml
from bot.errors import Fault
from bot.kb.entries import Entry, Item
from bot.kb.load import Knowledge


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. `rule`: the check's name. `blocks`: residents would get a wrong answer, none, or one that nobody
    can stand behind, so this is not published; else it is a warning."""

    rule: str
    fault: Fault
    blocks: bool


@dataclass(frozen=True, slots=True)
class Linting:
    """The knowledge to be checked. `fold` makes a text comparable; `documents` by the name that faults show; `covered`:
    the entries that a frozen question is answered from, as topics/<slug>/<id> (None: nobody asked)."""

    folder: Path
    knowledge: Knowledge
    documents: Mapping[str, strict_yaml.Document]
    today: date
    fold: Callable[[str], str]
    covered: frozenset[str] | None = None

    def items(self) -> Iterator[tuple[str, int, Item]]:
        """(file, place in its list, item) of every item."""
        counted: Counter[str] = Counter()
        for item in self.knowledge.items:
            file, _ = self.knowledge.lines[f"items/{item.name}"]
            yield file, counted[file], item
            counted[file] += 1

    def entries(self) -> Iterator[tuple[str, int, str, Entry]]:
        """(file, place in its list, slug, entry) of every entry of every topic."""
        for topic in self.knowledge.topics:
            for n, entry in enumerate(topic.entries):
                file, _ = self.knowledge.lines[f"topics/{topic.topic}/{entry.id}"]
                yield file, n, topic.topic, entry

    def file(self, name: str) -> str:
        """A file of the folder as faults show it."""
        return f"{self.folder.name}/{name}"

    def finding(
        self, rule: str, file: str, at: strict_yaml.Place, what: str, mend: str, *, blocks: bool = False
    ) -> Finding:
        """A finding at a place in a file (as faults show it); at line 1 where there is no such file."""
        document = self.documents.get(file)
        return Finding(rule, Fault(file, document.line(at) if document else 1, what, mend), blocks)


def texts_of(entry: Entry) -> Iterator[tuple[strict_yaml.Place, str, str]]:
    """(where it stands in the entry, city or "", text) of every answer of an entry."""
    if entry.answer:
        yield ("answer",), "", entry.answer
    for city, own in entry.cities.items():
        yield ("cities", city, "answer"), city, own.answer
