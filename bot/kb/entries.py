"""The schema of `knowledge/`: what each file may hold. The words for editors stand in knowledge/README.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
Category = Literal["recyclable", "hazardous", "food", "residual", "bulky", "construction", "ewaste", "oil", "drain"]
Mark = Literal["A", "B", "C"]
CalendarDay = Annotated[date, Field(strict=False)]
Day = Literal["daily", "workdays", "weekends", "mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Strict(BaseModel):
    """Frozen, and refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Source(Strict):
    """A regulation, standard or leaflet that is cited. `date` is when it took effect or was published; `city`: it holds
    only there, and is not cited in others."""

    name: Text
    number: str = ""
    date: CalendarDay
    mark: Mark
    city: str = ""


class Item(Strict):
    """A thing to throw away and its bin."""

    name: Text
    category: Category
    aliases: tuple[Text, ...] = ()
    topic: str = ""
    prepare: str = ""
    reason: str = ""
    danger: str = ""
    cities: dict[str, Category] = {}
    disputed: str = ""
    parts: tuple[Text, ...] = ()
    source: str = ""
    valid_from: CalendarDay | None = None
    valid_to: CalendarDay | None = None
    review_by: CalendarDay | None = None

    _lists = field_validator("aliases", "parts", mode="before")(lambda value: _as_tuple(value))

    @property
    def words(self) -> tuple[str, ...]:
        """Its name and aliases."""
        return (self.name, *self.aliases)


class ItemFile(Strict):
    """knowledge/items/*.yaml: items, with the source and review date of those that name none."""

    source: str = ""
    review_by: CalendarDay | None = None
    items: tuple[Item, ...]

    _lists = field_validator("items", mode="before")(lambda value: _as_tuple(value))


class CityAnswer(Strict):
    """What differs in one city."""

    answer: Text
    detail: str = ""
    source: str = ""
    article: str = ""


class Local(Strict):
    """Where an answer that only the site knows comes from: exactly one of these."""

    facility: str = ""
    times: bool = False
    late_drop: bool = False
    contacts: bool = False
    activities: bool = False
    schedule: bool = False

    @model_validator(mode="after")
    def _one(self) -> Local:
        if (
            sum(map(bool, (self.facility, self.times, self.late_drop, self.contacts, self.activities, self.schedule)))
            != 1
        ):
            raise ValueError(
                "names not exactly one source — keep one of facility, times, late_drop, contacts, activities, schedule"
            )
        return self


class Entry(Strict):
    """One answerable question of a topic."""

    id: Slug
    ask: tuple[Text, ...]
    answer: str = ""
    detail: str = ""
    local: Local | None = None
    source: str = ""
    article: str = ""
    mark: Mark = "B"
    cities: dict[str, CityAnswer] = {}
    valid_from: CalendarDay | None = None
    valid_to: CalendarDay | None = None
    review_by: CalendarDay | None = None

    _lists = field_validator("ask", mode="before")(lambda value: _as_tuple(value))

    @model_validator(mode="after")
    def _answers(self) -> Entry:
        if bool(self.answer) == bool(self.local):
            raise ValueError("has neither or both of answer and local — give exactly one of them")
        if self.answer and not self.source:
            raise ValueError("has an answer without a source — name its source (a code of sources.yaml)")
        if not self.ask:
            raise ValueError("has no way of asking — add phrases under ask")
        return self


class Topic(Strict):
    """knowledge/topics/<slug>.yaml."""

    topic: Slug
    entries: tuple[Entry, ...]

    _lists = field_validator("entries", mode="before")(lambda value: _as_tuple(value))


class ChoiceOption(Strict):
    """One case of an ambiguous word: an item by name, or a category where no item fits."""

    label: Text
    item: str = ""
    category: Category | None = None
    topic: str = ""


class Choice(Strict):
    """A word that means several things. Where it is also an item, the answer lists the cases instead of asking."""

    word: Text
    also: tuple[Text, ...] = ()
    question: Text
    options: tuple[ChoiceOption, ...]

    _lists = field_validator("also", "options", mode="before")(lambda value: _as_tuple(value))

    @model_validator(mode="after")
    def _few(self) -> Choice:
        if not 2 <= len(self.options) <= 5:
            raise ValueError("offers not two to five options — keep the most common cases")
        return self

    @property
    def words(self) -> tuple[str, ...]:
        """Every way it is called."""
        return (self.word, *self.also)


class HeadRule(Strict):
    """Unknown items that end so go into that bin, unless they hold one of `unless`."""

    ends: tuple[Text, ...]
    category: Category
    unless: tuple[Text, ...] = ()

    _lists = field_validator("ends", "unless", mode="before")(lambda value: _as_tuple(value))


class MaterialRule(Strict):
    """Unknown items that begin with or hold a material go into that bin, unless they hold one of `unless`."""

    category: Category
    starts: tuple[Text, ...] = ()
    contains: tuple[Text, ...] = ()
    unless: tuple[Text, ...] = ()

    _lists = field_validator("starts", "contains", "unless", mode="before")(lambda value: _as_tuple(value))


class Inference(Strict):
    """knowledge/inference.yaml. `hazard`: words whose presence allows only hazardous, or no answer; `hazard_except`:
    harmless names that hold one of them."""

    heads: tuple[HeadRule, ...] = ()
    materials: tuple[MaterialRule, ...] = ()
    hazard: tuple[Text, ...] = ()
    hazard_except: tuple[Text, ...] = ()

    _lists = field_validator("heads", "materials", "hazard", "hazard_except", mode="before")(
        lambda value: _as_tuple(value)
    )


class Danger(Strict):
    """Fixed safe wording. It applies where one of `words` and one of `things` stand together in a message; `named`:
    also where an item that refers to it is asked for by name (`tell` it, or `alert` staff as well)."""

    text: Text
    alert: bool = False
    named: Literal["", "tell", "alert"] = ""
    topic: str = ""
    words: tuple[Text, ...] = ()
    things: tuple[Text, ...] = ()

    _lists = field_validator("words", "things", mode="before")(lambda value: _as_tuple(value))


class CityCategory(Strict):
    """How a city calls a bin, its colour, and how things are put out."""

    label: Text
    colour: str = ""
    prepare: str = ""


class City(Strict):
    """knowledge/cities/<city>.yaml."""

    city: Slug
    name: Text
    standard: Text
    source: Text
    categories: dict[Category, CityCategory]

    @field_validator("categories")
    @classmethod
    def _all(cls, value: dict[str, CityCategory]) -> dict[str, CityCategory]:
        lacking = [name for name in Category.__args__ if name not in value]  # type: ignore[attr-defined]
        if lacking:
            raise ValueError(f"lacks {', '.join(lacking)} — add a label for each")
        return value


class Hours(Strict):
    """When something is open."""

    days: Day | tuple[Day, ...] = "daily"
    opens: str = Field(alias="from")
    closes: str = Field(alias="to")

    _lists = field_validator("days", mode="before")(lambda value: _as_tuple(value))

    @field_validator("opens", "closes")
    @classmethod
    def _clock(cls, value: str) -> str:
        if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00", value):
            raise ValueError(f"is '{value}' — write a time as \"07:00\"")
        return value


class Facility(Strict):
    """A place where something can be done: a battery box, a drop-off point …"""

    kind: Slug
    name: Text
    place: Text
    hours: tuple[Hours, ...] = ()
    when: str = ""
    takes: str = ""
    contact: str = ""
    photo: str = ""
    note: str = ""

    _lists = field_validator("hours", mode="before")(lambda value: _as_tuple(value))


class Contact(Strict):
    """Whom to ask."""

    name: Text
    phone: str = ""
    hours: str = ""
    handles: tuple[str, ...] = Field(default=(), alias="for")

    _lists = field_validator("handles", mode="before")(lambda value: _as_tuple(value))


class Happening(Strict):
    """An activity, or a line of the care schedule."""

    name: Text
    at: Text
    place: str = ""
    note: str = ""


class Place(Strict):
    """A node of the tree 街道 → 社区 → 网格 → 小区 → 楼栋."""

    id: Slug
    name: Text
    kind: Literal["street", "community", "grid", "estate", "building"]
    households: int | None = Field(default=None, ge=0)
    residents: int | None = Field(default=None, ge=0)
    about: str = ""
    chats: tuple[str, ...] = ()
    facilities: tuple[Facility, ...] = ()
    contacts: tuple[Contact, ...] = ()
    activities: tuple[Happening, ...] = ()
    schedule: tuple[Happening, ...] = ()
    children: tuple[Place, ...] = ()

    _lists = field_validator("chats", "facilities", "contacts", "activities", "schedule", "children", mode="before")(
        lambda value: _as_tuple(value)
    )

    def walk(self) -> Iterator[Place]:
        """This place and all below it, parents first."""
        return (place for _, place in self.walk_with_path())

    def walk_with_path(self, at: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Place]]:
        """The same, each with where it stands in the file."""
        yield at, self
        for n, child in enumerate(self.children):
            yield from child.walk_with_path((*at, "children", n))


class Synonyms(Strict):
    """knowledge/synonyms.yaml: word → plain word, fillers that may be dropped, emoji → word."""

    words: dict[str, str] = {}
    fillers: tuple[Text, ...] = ()
    emoji: dict[str, str] = {}

    _lists = field_validator("fillers", mode="before")(lambda value: _as_tuple(value))


class Chatter(Strict):
    """knowledge/chatter.yaml: lines that must stay unanswered."""

    lines: tuple[Text, ...]

    _lists = field_validator("lines", mode="before")(lambda value: _as_tuple(value))


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
