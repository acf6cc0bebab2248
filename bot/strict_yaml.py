"""Strict YAML: the one door to PyYAML. Core-schema scalars only, repeated keys refused, every value knows its line.

Plain YAML reads `no` as False, `12:30` as 750 and `010` as 8, and lets a repeated key win in silence. Here a plain scalar
is a text, unless it is `true`/`false`, `null` or `~`, a plain decimal number, or a date.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from bot.errors import Fault

Model = TypeVar("Model", bound=BaseModel)
Place = tuple[str | int, ...]

_INT = re.compile(r"-?(0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+\Z")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})\Z")
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None}
_MAX_DEPTH = 24


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file as plain values, with the line of every one of them."""

    file: str
    value: Any
    lines: Mapping[Place, int]

    def line(self, place: Sequence[str | int]) -> int:
        """The line of the value at `place`, or of the nearest thing around it."""
        at = tuple(place)
        while at and at not in self.lines:
            at = at[:-1]
        return self.lines.get(at, 1)


def parse(text: str, file: str) -> tuple[Document, list[Fault]]:
    """Read YAML text; `file` is only named in faults. Values with a fault are left out of the document."""
    faults: list[Fault] = []
    lines: dict[Place, int] = {}
    try:
        node = yaml.compose(text, Loader=_loader())
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        problem = exc.problem or "not readable as YAML"
        return Document(file, None, {}), [
            Fault(file, (mark.line if mark else 0) + 1, f"{problem}", "check the indentation, colons and quotes here")
        ]
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        return Document(file, None, {}), [Fault(file, 1, f"not readable as YAML: {exc}", "save the file as UTF-8 text")]
    value = None if node is None else _value(node, (), _Walk(file, faults, lines, set()))
    return Document(file, value, lines), faults


def _loader() -> type[Any]:
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class _Walk:
    file: str
    faults: list[Fault]
    lines: dict[Place, int]
    seen: set[int]

    def fault(self, node: yaml.Node, what: str, mend: str) -> None:
        self.faults.append(Fault(self.file, node.start_mark.line + 1, what, mend))


def _value(node: yaml.Node, place: Place, walk: _Walk) -> Any:
    walk.lines[place] = node.start_mark.line + 1
    if len(place) > _MAX_DEPTH:
        walk.fault(node, "nested too deeply", "flatten it")
        return None
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node, walk)
    if id(node) in walk.seen:
        walk.fault(node, "an alias (*name) is used", "write the value out in full")
        return None
    walk.seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        return [_value(child, (*place, n), walk) for n, child in enumerate(node.value)]
    return _mapping(node, place, walk)


def _mapping(node: yaml.Node, place: Place, walk: _Walk) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            walk.fault(key_node, "a key is not a plain text", "use a text as key")
            continue
        key = key_node.value
        if key in result:
            first = walk.lines[(*place, key)]
            walk.fault(key_node, f"key '{key}' stands twice (first in line {first})", "remove or rename one")
            continue
        result[key] = _value(value_node, (*place, key), walk)
        walk.lines[(*place, key)] = key_node.start_mark.line + 1
    return result


def _scalar(node: yaml.ScalarNode, walk: _Walk) -> Any:
    text: str = node.value
    if node.tag not in _CORE_TAGS:
        walk.fault(node, f"tag {node.tag} is not allowed", "write a plain value")
        return None
    if node.style in ("'", '"', "|", ">"):
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.match(text) and len(text) < 19:
        return int(text)
    if _FLOAT.match(text):
        return float(text)
    if found := _DATE.match(text):
        try:
            return date(*map(int, found.groups()))
        except ValueError:
            walk.fault(node, f"'{text}' is not a date", "write an existing day as YYYY-MM-DD")
            return None
    return text


_CORE_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp")} | {
    "tag:yaml.org,2002:value",
    "tag:yaml.org,2002:merge",
}


def validate(model: type[Model], document: Document, *, value: Any = None, at: Place = ()) -> Model | list[Fault]:
    """Check a document (or `value`, the part of it at `at`) against a model: the object, or every fault with its line."""
    try:
        return model.model_validate(document.value if value is None else value)
    except ValidationError as exc:
        return [_fault(error, model, document, at) for error in exc.errors()]


def _fault(error: Any, model: type[BaseModel], document: Document, at: Place) -> Fault:
    place = (*at, *error["loc"])
    name = _name(tuple(part for part in place if part != "__root__"))
    line = document.line(place)
    kind = error["type"]
    if kind == "extra_forbidden":
        known = _known_keys(model, error["loc"])
        near = difflib.get_close_matches(str(place[-1]), known, n=1, cutoff=0.5)
        mend = f"did you mean '{near[0]}'?" if near else "allowed here: " + ", ".join(known)
        return Fault(document.file, line, f"unknown key {name}", mend)
    if kind == "missing":
        return Fault(document.file, line, f"{name} is missing", "add it")
    if kind in ("value_error", "assertion_error"):
        found, _, mend = str(error["ctx"]["error"]).partition(" — ")
        return Fault(document.file, line, f"{name or document.file}: {found}", mend or "correct it")
    return Fault(document.file, line, f"{name} is {_shown(error['input'])}", _right(error))


def _right(error: Any) -> str:
    message = str(error["msg"])
    if expected := error.get("ctx", {}).get("expected"):
        near = difflib.get_close_matches(str(error["input"]), re.findall(r"'([^']*)'", expected), n=1, cutoff=0.5)
        return f"use {expected}" + (f"; did you mean '{near[0]}'?" if near else "")
    if error["type"] == "string_type":
        return "write a text (in quotes if it looks like a number, a date or true/false)"
    return message[0].lower() + message[1:]


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _name(place: Place) -> str:
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else part)
    return text


def _known_keys(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """The keys allowed where `loc` ends, found by walking the model's fields."""
    current: Any = model
    for part in loc[:-1]:
        current = _step(current, part)
    if isinstance(current, type) and issubclass(current, BaseModel):
        return sorted(field.alias or name for name, field in current.model_fields.items())
    return []


def _step(current: Any, part: str | int) -> Any:
    for candidate in _alternatives(current):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            for name, field in candidate.model_fields.items():
                if part in (name, field.alias):
                    return field.annotation
            if _literal_tag(candidate) == part:
                return candidate
        else:
            arguments = getattr(candidate, "__args__", ())
            if arguments:
                return arguments[-1] if arguments[-1] is not Ellipsis else arguments[0]
    return current


def _alternatives(annotation: Any) -> list[Any]:
    arguments = getattr(annotation, "__args__", ())
    origin = getattr(annotation, "__origin__", None)
    if origin is not None and hasattr(annotation, "__metadata__"):
        return _alternatives(origin)
    if arguments and (origin is None or "Union" in str(origin)):
        return [part for argument in arguments for part in _alternatives(argument)]
    return [annotation]


def _literal_tag(model: type[BaseModel]) -> str | None:
    field = model.model_fields.get("type")
    values = getattr(field.annotation, "__args__", ()) if field else ()
    return values[0] if len(values) == 1 else None
