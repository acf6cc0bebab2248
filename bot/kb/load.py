"""Read the knowledge folder: all of it, or every fault in it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel

from bot import strict_yaml
from bot.errors import Fault, FaultyFile
from bot.kb.entries import (
    Category,
    Chatter,
    Choice,
    City,
    CityAnswer,
    Danger,
    Entry,
    Inference,
    Item,
    ItemFile,
    Place,
    Source,
    Strict,
    Synonyms,
    Text,
    Topic,
    Workdays,
)
from bot.kb.wording import TEXTS, wrong_placeholder

_SCHEMA = b"2"
"""Part of the version: raise it when entries.py changes its meaning."""

Loaded = TypeVar("Loaded", bound=BaseModel)


class Knowledge(Strict):
    """Everything in the folder, checked. `version` is a digest of its content; `lines` says where a name stands."""

    version: str
    items: tuple[Item, ...]
    topics: tuple[Topic, ...]
    choices: tuple[Choice, ...]
    inference: Inference
    dangers: dict[str, Danger]
    places: Place
    cities: dict[str, City]
    sources: dict[str, Source]
    synonyms: Synonyms
    chatter: Chatter
    texts: dict[str, str]
    workdays: Workdays
    lines: dict[str, tuple[str, int]]

    def entries(self) -> Iterator[tuple[str, Entry]]:
        """(slug, entry) of every entry of every topic."""
        for topic in self.topics:
            for entry in topic.entries:
                yield topic.topic, entry


class _Sources(Strict):
    sources: dict[str, Source]


class _Choices(Strict):
    choices: tuple[Choice, ...]


class _Dangers(Strict):
    dangers: dict[str, Danger]


class _Texts(Strict):
    texts: dict[str, Text]


def load(folder: Path) -> Knowledge:
    """The knowledge in `folder`. Raises FaultyFile with every fault."""
    return load_with_lines(folder)[0]


def load_with_lines(folder: Path) -> tuple[Knowledge, Mapping[str, strict_yaml.Document]]:
    """As `load`, and the lines of every file, by its name as faults show it."""
    files = _read(folder)
    reading = _Reading(folder, files, _digest(files))
    return reading.finish(), reading.documents


def version_of(folder: Path) -> str:
    """The version that `load` would give, without parsing. Raises FaultyFile where the folder cannot be read."""
    return _digest(_read(folder))


def _read(folder: Path) -> dict[str, str]:
    if not folder.is_dir():
        raise FaultyFile(
            [Fault(str(folder), 1, "the knowledge folder does not exist", "name it under `knowledge:` in config.yaml")]
        )
    faults: list[Fault] = []
    files: dict[str, str] = {}
    for path in sorted(folder.rglob("*.yaml")):
        name = path.relative_to(folder).as_posix()
        try:
            files[name] = path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, OSError) as exc:
            faults.append(Fault(str(path), 1, f"cannot be read: {exc}", "save it as UTF-8 text"))
    if faults:
        raise FaultyFile(faults)
    return files


def _digest(files: Mapping[str, str]) -> str:
    digest = hashlib.sha256(_SCHEMA)
    for name, text in files.items():
        digest.update(f"{name}\0{len(text)}\0{text}".encode())
    return digest.hexdigest()[:16]


class _Reading:
    """One reading of the folder, collecting faults."""

    def __init__(self, folder: Path, files: Mapping[str, str], version: str) -> None:
        self.folder = folder
        self.files = files
        self.version = version
        self.faults: list[Fault] = []
        self.lines: dict[str, tuple[str, int]] = {}
        self.documents: dict[str, strict_yaml.Document] = {}
        self.own_answers: dict[str, frozenset[str]] = {}

    def finish(self) -> Knowledge:
        sources = self._one("sources.yaml", _Sources, "sources")
        dangers = self._one("dangers.yaml", _Dangers, "dangers")
        choices = self._one("choices.yaml", _Choices, "choices")
        inference = self._one("inference.yaml", Inference)
        synonyms = self._one("synonyms.yaml", Synonyms)
        chatter = self._one("chatter.yaml", Chatter)
        texts = self._one("texts.yaml", _Texts, "texts")
        places = self._one("places.yaml", Place)
        workdays = self._one("workdays.yaml", Workdays) if "workdays.yaml" in self.files else Workdays()
        cities = self._cities()
        items = self._items()
        topics = self._topics()
        self._unknown_files()
        cited = {**(sources.sources if sources else {}), **self._city_sources(cities, sources)}
        if sources and dangers:
            self._references(items, topics, cited, dangers.dangers)
            self._city_references(cities, items, cited)
        if choices:
            self._choice_items(choices.choices, items)
        if places:
            self._unique_places(places)
            self._facility_texts(places)
        if sources and workdays and workdays.source and workdays.source not in cited:
            self._fault("workdays.yaml", 1, f"source is '{workdays.source}'", "use a code of sources.yaml")
        if texts:
            self._wordings(texts.texts)
        self._placeholders(items, topics, dangers.dangers if dangers else {})
        self._city_texts(cities)
        if (
            self.faults
            or sources is None
            or dangers is None
            or choices is None
            or inference is None
            or synonyms is None
            or chatter is None
            or texts is None
            or places is None
            or workdays is None
        ):
            raise FaultyFile(sorted(self.faults, key=lambda fault: (fault.file, fault.line)))
        return Knowledge(
            version=self.version,
            items=tuple(items),
            topics=tuple(topics),
            choices=choices.choices,
            inference=inference,
            dangers=dangers.dangers,
            places=places,
            cities=cities,
            sources=cited,
            synonyms=synonyms,
            chatter=chatter,
            texts=texts.texts,
            workdays=workdays,
            lines=self.lines,
        )

    def _shown(self, name: str) -> str:
        return f"{self.folder.name}/{name}"

    def _fault(self, name: str, line: int, what: str, mend: str) -> None:
        self.faults.append(Fault(self._shown(name), line, what, mend))

    def _document(self, name: str) -> strict_yaml.Document:
        document, faults = strict_yaml.parse(self.files[name], self._shown(name))
        self.faults.extend(faults)
        self.documents[document.file] = document
        return document

    def _line(self, name: str, *place: str | int) -> int:
        """The line of what stands at a place of a file that was read."""
        return self.documents[self._shown(name)].line(place)

    def _one(self, name: str, model: type[Loaded], wrap: str = "") -> Loaded | None:
        """A file that must exist; `wrap`: the whole file is the value of that field of the model."""
        if name not in self.files:
            self._fault(name, 1, "the file is missing", "restore it")
            return None
        document = self._document(name)
        value = document.value
        if wrap:
            document = strict_yaml.Document(
                document.file, {wrap: _listed(value)}, {(wrap, *place): line for place, line in document.lines.items()}
            )
        return self._checked(model, document)

    def _checked(self, model: type[Loaded], document: strict_yaml.Document) -> Loaded | None:
        if document.value is None:
            if not self.faults or self.faults[-1].file != document.file:
                self.faults.append(Fault(document.file, 1, "the file is empty", "fill it, or remove it"))
            return None
        found = strict_yaml.validate(model, document)
        if isinstance(found, list):
            self.faults.extend(found)
            return None
        return found

    def _under(self, folder: str) -> list[str]:
        return [name for name in self.files if name.startswith(folder + "/")]

    def _cities(self) -> dict[str, City]:
        cities = {}
        for name in self._under("cities"):
            document = self._document(name)
            if city := self._checked(City, document):
                if city.city != Path(name).stem:
                    self._fault(
                        name,
                        document.line(("city",)),
                        f"city is '{city.city}'",
                        f"name it as the file: {Path(name).stem}",
                    )
                cities[city.city] = city
        if "national" not in cities and not self.faults:
            self._fault(
                "cities/national.yaml", 1, "the file is missing", "restore it: it is the standard for unknown cities"
            )
        return cities

    def _city_sources(self, cities: Mapping[str, City], shared: _Sources | None) -> dict[str, Source]:
        """What the files of cities cite of their own: each holds in its city only."""
        found: dict[str, Source] = {}
        for slug, city in cities.items():
            for code, source in city.sources.items():
                if code in found or (shared and code in shared.sources):
                    self._in_city(slug, ("sources", code), f"source '{code}' stands twice", "keep it in one place")
                found[code] = source.model_copy(update={"city": slug})
        return found

    def _city_references(self, cities: Mapping[str, City], items: list[Item], cited: Mapping[str, Source]) -> None:
        by_name = {item.name: item for item in items}
        for slug, city in cities.items():
            if city.source not in cited:
                self._in_city(slug, ("source",), f"source is '{city.source}'", "use a code of sources.yaml")
            named: set[str] = set()
            for category, names in city.items.items():
                for n, name in enumerate(names):
                    at = ("items", category, n)
                    if name not in by_name:
                        self._in_city(slug, at, f"'{name}' is no item", "use the name of an item, not an alias")
                    elif name in named or slug in by_name[name].cities:
                        self._in_city(slug, at, f"the bin of '{name}' stands twice", "keep it here, or at the item")
                    named.add(name)
            for key, answer in city.answers.items():
                self._city_answer(slug, key, answer, cited)

    def _city_answer(self, slug: str, key: str, answer: CityAnswer, cited: Mapping[str, Source]) -> None:
        at = ("answers", key)
        if f"topics/{key}" not in self.lines:
            self._in_city(slug, at, f"'{key}' is no entry", "name it topic/id, as in topics/")
        elif slug in self.own_answers[key]:
            self._in_city(slug, at, f"the answer of '{key}' stands twice", "keep it here, or at the entry")
        if answer.source and answer.source not in cited:
            self._in_city(slug, at, f"source of '{key}' is '{answer.source}'", "use a code of sources.yaml")

    def _city_texts(self, cities: Mapping[str, City]) -> None:
        for slug, city in cities.items():
            texts = {("answers", key): own.answer + own.detail for key, own in city.answers.items()}
            for at, text in texts.items():
                if wrong := wrong_placeholder(text, _ANSWERS):
                    self._in_city(slug, at, f"the answer of '{at[1]}' {wrong}", _braces(_ANSWERS))

    def _in_city(self, slug: str, at: strict_yaml.Place, what: str, mend: str) -> None:
        name = f"cities/{slug}.yaml"
        self._fault(name, self._line(name, *at), what, mend)

    def _items(self) -> list[Item]:
        items: list[Item] = []
        for name in self._under("items"):
            document = self._document(name)
            found = self._checked(ItemFile, document)
            for n, item in enumerate(found.items if found else ()):
                line = document.line(("items", n))
                self._claim_words(item, name, line)
                items.append(
                    item.model_copy(
                        update={
                            "source": item.source or (found.source if found else ""),
                            "review_by": item.review_by or (found.review_by if found else None),
                        }
                    )
                )
        return items

    def _claim_words(self, item: Item, name: str, line: int) -> None:
        for word in item.words:
            key = f"items/{word}"
            if key in self.lines:
                file, first = self.lines[key]
                self._fault(name, line, f"item '{word}' stands already in {file}:{first}", "keep it in one place")
            self.lines[key] = (self._shown(name), line)

    def _topics(self) -> list[Topic]:
        topics: list[Topic] = []
        asked: dict[str, tuple[str, int]] = {}
        for name in self._under("topics"):
            document = self._document(name)
            topic = self._checked(Topic, document)
            if topic is None:
                continue
            if topic.topic != Path(name).stem:
                self._fault(
                    name,
                    document.line(("topic",)),
                    f"topic is '{topic.topic}'",
                    f"name it as the file: {Path(name).stem}",
                )
            for n, entry in enumerate(topic.entries):
                key = f"topics/{topic.topic}/{entry.id}"
                line = document.line(("entries", n))
                if key in self.lines:
                    self._fault(name, line, f"id '{entry.id}' stands twice", "ids are unique in a file; rename one")
                self.lines[key] = (self._shown(name), line)
                self.own_answers[f"{topic.topic}/{entry.id}"] = frozenset(entry.cities)
                for m, phrase in enumerate(entry.ask):
                    self._claim_phrase(asked, phrase, name, document.line(("entries", n, "ask", m)))
            topics.append(topic)
        return topics

    def _claim_phrase(self, asked: dict[str, tuple[str, int]], phrase: str, name: str, line: int) -> None:
        if phrase in asked:
            file, first = asked[phrase]
            self._fault(name, line, f"phrase '{phrase}' stands already in {file}:{first}", "keep it in one entry")
        asked[phrase] = (self._shown(name), line)

    def _references(
        self, items: list[Item], topics: list[Topic], sources: Mapping[str, Source], dangers: Mapping[str, Danger]
    ) -> None:
        slugs = {topic.topic for topic in topics}
        for item in items:
            file, line = self.lines[f"items/{item.name}"]
            if item.source not in sources:
                self.faults.append(
                    Fault(file, line, f"source of '{item.name}' is '{item.source}'", "use a code of sources.yaml")
                )
            if item.danger and item.danger not in dangers:
                self.faults.append(
                    Fault(file, line, f"danger of '{item.name}' is '{item.danger}'", "use a key of dangers.yaml")
                )
            if item.topic and item.topic not in slugs:
                self.faults.append(
                    Fault(file, line, f"topic of '{item.name}' is '{item.topic}'", "use the name of a file in topics/")
                )
        for topic in topics:
            for entry in topic.entries:
                used = [entry.source, *(variant.source for variant in entry.cities.values())]
                for code in filter(None, used):
                    if code not in sources:
                        file, line = self.lines[f"topics/{topic.topic}/{entry.id}"]
                        self.faults.append(
                            Fault(file, line, f"source of '{entry.id}' is '{code}'", "use a code of sources.yaml")
                        )

    def _choice_items(self, choices: tuple[Choice, ...], items: list[Item]) -> None:
        known = {word for item in items for word in item.words}
        for n, choice in enumerate(choices):
            for m, option in enumerate(choice.options):
                line = self._line("choices.yaml", n, "options", m)
                named = f"option '{option.label}' of '{choice.word}'"
                if option.item and option.item not in known:
                    mend = f"add the item '{option.item}', or give a category"
                    self._fault("choices.yaml", line, f"{named} names no item", mend)
                elif not option.item and option.category is None and not option.topic:
                    mend = "give it an item, a category or a topic"
                    self._fault("choices.yaml", line, f"{named} leads nowhere", mend)

    def _wordings(self, texts: Mapping[str, str]) -> None:
        for key in sorted(TEXTS.keys() - texts.keys()):
            self._fault("texts.yaml", 1, f"the wording '{key}' is missing", "restore it")
        for key, text in texts.items():
            line = self._line("texts.yaml", key)
            if key not in TEXTS:
                self._fault("texts.yaml", line, f"unknown wording '{key}'", "remove it, or correct the key")
            elif wrong := wrong_placeholder(text, TEXTS[key]):
                self._fault("texts.yaml", line, f"the wording '{key}' {wrong}", _braces(TEXTS[key]))

    def _placeholders(self, items: list[Item], topics: list[Topic], dangers: Mapping[str, Danger]) -> None:
        """Answers may name the city's bins and the site's contact, nothing else."""
        for item in items:
            for text in (item.prepare, item.reason):
                self._check_braces(f"items/{item.name}", text)
        for topic in topics:
            for entry in topic.entries:
                variants = [text for variant in entry.cities.values() for text in (variant.answer, variant.detail)]
                for text in (entry.answer, entry.detail, *variants):
                    self._check_braces(f"topics/{topic.topic}/{entry.id}", text)
        for key, danger in dangers.items():
            if wrong := wrong_placeholder(danger.text, _ANSWERS):
                line = self._line("dangers.yaml", key, "text")
                self._fault("dangers.yaml", line, f"the text of '{key}' {wrong}", _braces(_ANSWERS))

    def _check_braces(self, name: str, text: str) -> None:
        if "{" not in text and "}" not in text:
            return
        if wrong := wrong_placeholder(text, _ANSWERS):
            file, line = self.lines[name]
            self.faults.append(Fault(file, line, f"a text of '{name}' {wrong}", _braces(_ANSWERS)))

    def _unique_places(self, root: Place) -> None:
        seen: set[str] = set()
        chats: dict[str, str] = {}
        for at, place in root.walk_with_path():
            if place.id in seen:
                self._in_places((*at, "id"), f"place id '{place.id}' stands twice", "ids are unique; rename one")
            seen.add(place.id)
            for n, chat in enumerate(place.chats):
                if chat in chats:
                    what = f"chat '{chat}' belongs to {chats[chat]} and {place.id}"
                    self._in_places((*at, "chats", n), what, "keep it under one place")
                chats[chat] = place.id

    def _facility_texts(self, root: Place) -> None:
        for at, place in root.walk_with_path():
            for n, facility in enumerate(place.facilities):
                if wrong := wrong_placeholder(facility.takes, _ANSWERS):
                    what = f"takes of '{facility.name}' {wrong}"
                    self._in_places((*at, "facilities", n, "takes"), what, _braces(_ANSWERS))

    def _in_places(self, at: strict_yaml.Place, what: str, mend: str) -> None:
        self._fault("places.yaml", self._line("places.yaml", *at), what, mend)

    def _unknown_files(self) -> None:
        known = {"sources", "dangers", "choices", "inference", "synonyms", "chatter", "texts", "places", "workdays"}
        folders = {"items", "topics", "cities", "dialogs"}
        for name in self.files:
            folder, _, rest = name.rpartition("/")
            if (folder in folders and rest) or (not folder and Path(name).stem in known):
                continue
            self._fault(name, 1, "the file has no meaning here", "see knowledge/README.md for the files and folders")


_ANSWERS = frozenset((*get_args(Category), "contact"))


def _braces(allowed: frozenset[str]) -> str:
    return "allowed here: " + ", ".join(f"{{{name}}}" for name in sorted(allowed))


def _listed(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value



def in_force(thing: Item | Entry, today: date) -> bool:
    """Whether an item or entry is valid on a day (both ends included)."""
    return (thing.valid_from is None or thing.valid_from <= today) and (
        thing.valid_to is None or today <= thing.valid_to
    )
