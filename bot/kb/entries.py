"""The schema of `knowledge/`: what each file may hold. The words for editors stand in knowledge/README.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
Category = Literal["recyclable", "hazardous", "food", "residual", "bulky", "construction", "ewaste", "oil", "drain"]
Mark = Literal["A", "B", "C"]
CalendarDay = Annotated[date, Field(strict=False)]
Day = Literal["daily", "workdays", "weekends", "holidays", "mon", "tue", "wed", "thu", "fri", "sat", "sun"]


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


class Hours(Strict):
    """When something is open. Workdays are those of the calendar, weekends the Saturdays and Sundays off, holidays the
    statutory ones; a closing time that is not after the opening is one of the next day."""

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

    @model_validator(mode="after")
    def _long_enough(self) -> Hours:
        if self.opens in (self.closes, "24:00"):
            raise ValueError(f"is never open — all day is from \"00:00\" to \"24:00\", not from \"{self.opens}\"")
        return self


class DaysOff(Strict):
    """Days in a row, both ends included: a holiday, or a time in which something stays closed. `name`: of the holiday,
    or why it is closed."""

    name: Text
    first: CalendarDay = Field(alias="from")
    last: CalendarDay = Field(alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> DaysOff:
        if self.last < self.first:
            raise ValueError("ends before it begins — give the first day as from, the last as to")
        return self

    @property
    def days(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1


class Workdays(Strict):
    """knowledge/workdays.yaml: what the built-in calendar of working days does not know. `known`: years that are
    written here whole; of the others, `off` and `work` correct the calendar. `source`: the notice they are from."""

    source: str = ""
    known: tuple[int, ...] = ()
    off: tuple[DaysOff, ...] = ()
    work: tuple[CalendarDay, ...] = ()

    _lists = field_validator("known", "off", "work", mode="before")(lambda value: _as_tuple(value))

    @model_validator(mode="after")
    def _sourced(self) -> Workdays:
        if (self.known or self.off or self.work) and not self.source:
            raise ValueError("has days without a source — name the notice they are taken from (a code of sources.yaml)")
        return self


class Facility(Strict):
    """A place where something can be done: a battery box, a drop-off point … `when`: words beside the hours; `closed`:
    days on which it is not open."""

    kind: Slug
    name: Text
    place: Text
    hours: tuple[Hours, ...] = ()
    when: str = ""
    closed: tuple[DaysOff, ...] = ()
    takes: str = ""
    contact: str = ""
    photo: str = ""
    note: str = ""

    _lists = field_validator("hours", "closed", mode="before")(lambda value: _as_tuple(value))


class Contact(Strict):
    """Whom to ask. `place`: where they sit; `when`: words beside the hours; `for`: what they handle."""

    name: Text
    phone: str = ""
    place: str = ""
    hours: tuple[Hours, ...] = ()
    when: str = ""
    handles: tuple[str, ...] = Field(default=(), alias="for")

    _lists = field_validator("hours", "handles", mode="before")(lambda value: _as_tuple(value))


class City(Strict):
    """knowledge/cities/<city>.yaml. `items`: bins of things on which cities differ; `answers`: topic/entry → what is
    answered here; `sources`: of this city, cited here; `contacts`: whom everybody in the city may call. What stands at
    an item, or at an entry, under its own `cities` is not repeated."""

    city: Slug
    name: Text
    standard: Text
    source: Text
    categories: dict[Category, CityCategory]
    items: dict[Category, tuple[Text, ...]] = {}
    answers: dict[str, CityAnswer] = {}
    sources: dict[str, Source] = {}
    contacts: tuple[Contact, ...] = ()

    _lists = field_validator("contacts", mode="before")(lambda value: _as_tuple(value))

    @field_validator("items", mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        return {name: _as_tuple(listed) for name, listed in value.items()} if isinstance(value, dict) else value

    @field_validator("categories")
    @classmethod
    def _all(cls, value: dict[str, CityCategory]) -> dict[str, CityCategory]:
        lacking = [name for name in Category.__args__ if name not in value]  # type: ignore[attr-defined]
        if lacking:
            raise ValueError(f"lacks {', '.join(lacking)} — add a label for each")
        return value

    def bin_of(self, item: Item) -> Category | None:
        """The bin of a thing, where the city's file or the item says it for this city."""
        named = next((category for category, names in self.items.items() if item.name in names), None)
        return named or item.cities.get(self.city)


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
