"""Strict YAML: the one door to PyYAML. Core-schema scalars only, repeated keys refused, every value knows its line.

Plain YAML reads `no` as False, `12:30` as 750 and `010` as 8, and lets a repeated key win in silence. Here a plain
scalar is a text, unless it is `true`/`false`, `null` or `~`, a plain decimal number, or a date.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from bot.errors import Fault

Model = TypeVar("Model", bound=BaseModel)
Place = tuple[str | int, ...]
"""Where a value stands in a document: the keys and positions that lead to it."""

MAX_DEPTH = 24
"""Lists and mappings nested deeper than this are refused."""

_INT = re.compile(r"-?(0|[1-9][0-9]{0,17})\Z")
_FLOAT = re.compile(r"-?(0|[1-9][0-9]{0,17})\.[0-9]{1,18}\Z")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})\Z")
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None}
_UNREADABLE = yaml.reader.Reader.NON_PRINTABLE


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file as plain values, with the line of every one of them. What stands at `faulty` places is None."""

    file: str
    value: Any
    lines: Mapping[Place, int]
    faulty: frozenset[Place] = frozenset()

    def line(self, place: Sequence[str | int]) -> int:
        """The line of the value at `place`, or of the nearest thing around it."""
        at = tuple(place)
        while at and at not in self.lines:
            at = at[:-1]
        return self.lines.get(at, 1)

    def is_faulty(self, place: Place) -> bool:
        """Whether the value at `place`, or one around it, already has a fault."""
        return any(place[:length] in self.faulty for length in range(len(place) + 1))


def parse(text: str, file: str) -> tuple[Document, list[Fault]]:
    """Read YAML text; `file` is only named in faults. Values with a fault are None in the document."""
    if found := _UNREADABLE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        what = f"character U+{ord(found[0]):04X} cannot stand in YAML"
        return Document(file, None, {}), [Fault(file, line, what, "delete it, and save the file as UTF-8 text")]
    reading = _Reading(file)
    try:
        value = reading.document(yaml.parse(text, Loader=_loader()))
    except yaml.MarkedYAMLError as exc:
        what = exc.problem or "not readable as YAML"
        line = min(_line(exc.problem_mark or exc.context_mark), len(text.splitlines()))  # it may be past the end
        reading.faults.append(Fault(file, line, what, "check the indentation, colons and quotes here"))
        value = None
    except _TooDeep:
        value = None
    return Document(file, value, reading.lines, frozenset(reading.faulty)), reading.faults


def _loader() -> type[Any]:
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _line(mark: Any) -> int:
    return mark.line + 1 if mark else 1


class _TooDeep(Exception):
    """The rest of the document is not read: the fault is noted."""


@dataclass(slots=True)
class _Reading:
    """One reading of a file, from the parser's events: PyYAML's own tree builder overflows the C stack when
    nesting is deep, resolves aliases, and reads plain scalars its own way."""

    file: str
    faults: list[Fault] = field(default_factory=list)
    lines: dict[Place, int] = field(default_factory=dict)
    faulty: set[Place] = field(default_factory=set)

    def document(self, events: Iterator[yaml.Event]) -> Any:
        """The value of the only document; None when there is none."""
        value = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    return self._refuse(event, (), "a second document begins", "keep one in a file: remove the ---")
                value = self.value(next(events), events, ())
        return value

    def value(self, event: yaml.Event, events: Iterator[yaml.Event], place: Place) -> Any:
        """The value that begins with `event`; its events are taken from `events`."""
        self.lines[place] = _line(event.start_mark)
        if isinstance(event, yaml.AliasEvent):
            return self._refuse(event, place, "an alias (*name) is used", "write the value out, or put it in quotes")
        opened = self._opened(event, events, place)
        if _tagged(event):
            return self._refuse(event, place, "a tag (!name) is used", "write a plain value, or put it in quotes")
        return opened

    def _opened(self, event: yaml.Event, events: Iterator[yaml.Event], place: Place) -> Any:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, place)
        if len(place) >= MAX_DEPTH:
            self._refuse(event, (), "nested too deeply", f"use at most {MAX_DEPTH} levels")
            raise _TooDeep
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, place)
        return self._mapping(events, place)

    def _refuse(self, event: yaml.Event, place: Place, what: str, mend: str) -> None:
        self._fault(event, what, mend)
        self.faulty.add(place)

    def _fault(self, event: yaml.Event, what: str, mend: str) -> None:
        self.faults.append(Fault(self.file, _line(event.start_mark), what, mend))

    def _sequence(self, events: Iterator[yaml.Event], place: Place) -> list[Any]:
        result: list[Any] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            result.append(self.value(event, events, (*place, len(result))))
        return result

    def _mapping(self, events: Iterator[yaml.Event], place: Place) -> dict[str, Any]:
        result: dict[str, Any] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._key(event, events, place)
            if key is None or key in result:
                self._pass_over(next(events), events, place)
                continue
            result[key] = self.value(next(events), events, (*place, key))
            self.lines[(*place, key)] = _line(event.start_mark)
        return result

    def _key(self, event: yaml.Event, events: Iterator[yaml.Event], place: Place) -> str | None:
        """The key; it has a fault when it stands there already, or is None because it is no text."""
        if not isinstance(event, yaml.ScalarEvent) or _tagged(event):
            self._fault(event, "a key is not a plain text", "use a text as key")
            if isinstance(event, yaml.CollectionStartEvent):
                self._pass_over(event, events, place)
            return None
        key: str = event.value
        if first := self.lines.get((*place, key)):
            self._fault(event, f"key '{key}' stands twice (first in line {first})", "remove or rename one")
        return key

    def _pass_over(self, event: yaml.Event, events: Iterator[yaml.Event], place: Place) -> None:
        """Read what begins with `event` for its faults only."""
        _Reading(self.file, self.faults).value(event, events, (*place, ""))

    def _scalar(self, event: yaml.ScalarEvent, place: Place) -> Any:
        text: str = event.value
        if event.style:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INT.match(text):
            return int(text)
        if _FLOAT.match(text):
            return float(text)
        if found := _DATE.match(text):
            try:
                return date(*map(int, found.groups()))
            except ValueError:
                return self._refuse(event, place, f"'{text}' is not a date", "write an existing day as YYYY-MM-DD")
        return text


def _tagged(event: yaml.Event) -> bool:
    return isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None


def _nothing(place: Place, value: object) -> bool:
    return False


def validate(
    model: type[Model],
    document: Document,
    *,
    context: object = None,
    hidden: Callable[[Place, object], bool] = _nothing,
) -> Model | list[Fault]:
    """Check a document against a model: the object, or every fault with its line.

    `context` goes to the model's validators; values for which `hidden` is true are not shown in a fault. What already
    has a fault in the document gets no second one, so the list may be empty.
    """
    try:
        return model.model_validate(document.value, context=context)
    except ValidationError as exc:
        wrongs = [_Wrong(error, model, document, hidden) for error in exc.errors()]
        return [wrong.fault() for wrong in wrongs if wrong.is_news]


class _Wrong:
    """One of pydantic's errors, told in terms of the file."""

    def __init__(
        self, error: Any, model: type[BaseModel], document: Document, hidden: Callable[[Place, object], bool]
    ) -> None:
        self.error = error
        self.document = document
        self.kind: str = error["type"]
        self.context: Mapping[str, Any] = error.get("ctx", {})
        steps = list(_trace(model, error["loc"]))
        self.place: Place = tuple(part for part, _ in steps if part is not None)
        self.inside = steps[-2][1] if len(steps) > 1 else model
        self.hidden = hidden(self.place, error["input"])

    @property
    def is_news(self) -> bool:
        """Whether it is about more than a value that already has a fault."""
        return self.kind == "extra_forbidden" or not self.document.is_faulty(self.place)

    def fault(self) -> Fault:
        """What was found, and what would be right."""
        what, mend = self._told()
        return Fault(self.document.file, self.document.line(self.place), what, mend)

    def _told(self) -> tuple[str, str]:
        where = name(self.place) or "the file"
        if self.kind == "extra_forbidden":
            return f"unknown key {where}", self._instead()
        if self.kind == "missing":
            return f"{where} is missing", "add it"
        if self.kind == "union_tag_not_found":
            return f"{where}.type is missing", "add it"
        if self.kind == "union_tag_invalid":
            return f"{where}.type is '{self.context['tag']}'", _use(self.context["tag"], self.context["expected_tags"])
        if self.kind in ("value_error", "assertion_error"):
            found, _, mend = str(self.context["error"]).partition(" — ")
            return f"{where} {found}", mend or "correct it"
        return f"{where} is {self._found()}", self._right()

    def _instead(self) -> str:
        known = _keys(self.inside)
        near = difflib.get_close_matches(str(self.place[-1]), known, n=1, cutoff=0.5)
        return f"did you mean '{near[0]}'?" if near else "allowed here: " + ", ".join(known)

    def _found(self) -> str:
        value = self.error["input"]
        if isinstance(value, Mapping):
            return "a mapping"
        if isinstance(value, list | tuple):
            return "a list"
        return _kind(value) if self.hidden or self.kind in _WANT_MAPPING else _shown(value)

    def _right(self) -> str:
        if self.kind == "literal_error":
            return _use("" if self.hidden else str(self.error["input"]), self.context["expected"])
        if told := _RIGHT.get(self.kind):
            return told.format_map(self.context)
        message = str(self.error["msg"])
        return message[0].lower() + message[1:]


# A text that stands where keys and values should may be anything, a secret too: it is not shown.
_WANT_MAPPING = ("model_type", "model_attributes_type", "dict_type")
_RIGHT = {
    "string_type": "write a text (in quotes if it looks like a number, a date or true/false)",
    "string_too_short": "write at least {min_length} character(s)",
    "string_too_long": "write at most {max_length} characters",
    "int_type": "write a whole number",
    "float_type": "write a number",
    "bool_type": "write true or false",
    "date_type": "write a day as YYYY-MM-DD",
    **dict.fromkeys(_WANT_MAPPING, "write keys and values"),
    "tuple_type": "write a list",
    "list_type": "write a list",
    "greater_than_equal": "write at least {ge}",
    "less_than_equal": "write at most {le}",
}


def _use(found: str, expected: str) -> str:
    near = difflib.get_close_matches(found, re.findall(r"'([^']*)'", expected), n=1, cutoff=0.5)
    return f"use {expected}" + (f"; did you mean '{near[0]}'?" if near else "")


def _kind(value: object) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true or false"
    return {int: "a number", float: "a number", date: "a date"}.get(type(value), "a text")


def _shown(value: object) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else text[:39] + "…"


def name(place: Place) -> str:
    """A place in words: items[3].category."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else part)
    return text


def _trace(model: type[BaseModel], loc: Sequence[str | int]) -> Iterator[tuple[str | int | None, Any]]:
    """Follow an error into the model: each part of the way as it stands in the file, with the annotation it leads to.

    A part that only pydantic knows (which branch of a union it tried, that it means a key) stands as None.
    """
    at: Any = model
    for part in loc:
        branches = _alternatives(at)
        if len(branches) > 1:
            at = next((branch for branch in branches if _label(branch) == part), None)
            yield None, at
        elif part == "[key]":
            yield None, at
        else:
            at = _step(branches[0], part)
            yield part, at


def _alternatives(annotation: Any) -> list[Any]:
    """What a value may be: several for a union; None counts only when it is all there is."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _alternatives(get_args(annotation)[0])
    if origin in (Union, UnionType):
        branches = (argument for argument in get_args(annotation) if argument is not NoneType)
        return [part for branch in branches for part in _alternatives(branch)]
    return [annotation]


def _label(branch: Any) -> str | None:
    """The value of `type` that chooses this model in a discriminated union."""
    found = branch.model_fields.get("type") if _is_model(branch) else None
    values = get_args(found.annotation) if found and get_origin(found.annotation) is Literal else ()
    return values[0] if len(values) == 1 else None


def _step(annotation: Any, part: str | int) -> Any:
    """The annotation of what stands at `part` of a model, a mapping, a list or a tuple; None when it is unknown."""
    if _is_model(annotation):
        return next(
            (found.annotation for name, found in annotation.model_fields.items() if part in (name, found.alias)), None
        )
    arguments = get_args(annotation)
    if get_origin(annotation) is dict:
        return arguments[1]
    if get_origin(annotation) is tuple and arguments[-1] is not Ellipsis:
        return arguments[int(part)] if int(part) < len(arguments) else None
    return arguments[0] if arguments and isinstance(part, int) else None


def _keys(annotation: Any) -> list[str]:
    branches = _alternatives(annotation)
    if len(branches) != 1 or not _is_model(branches[0]):
        return []
    return sorted(found.alias or name for name, found in branches[0].model_fields.items())


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
