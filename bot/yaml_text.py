"""YAML texts changed where a value changed, and nowhere else: comments, order, quotes, line breaks stay byte for byte.

Nothing is dumped anew: the parser says where each value stands, edits are collected against that and made together.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from typing import Any, Literal

import yaml

from bot import strict_yaml
from bot.errors import LvlinError
from bot.strict_yaml import Place

_PLAIN = re.compile(r"[^\W\d_][^\[\]{},#\n]*\Z")
"""Texts that may stand without quotes: none that begins with a digit or a sign."""
_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
"""Words that other readers of YAML do not take for texts."""


@dataclass(frozen=True, slots=True)
class _Child:
    """A key with its value, or an element of a list: from `start` (of the key, of the dash) to the end of its value."""

    key: str | int
    start: int
    after_key: int
    node: _Node

    @property
    def end(self) -> int:
        return self.node.end


@dataclass(frozen=True, slots=True)
class _Node:
    """A value in the text."""

    start: int
    end: int
    kind: Literal["scalar", "list", "mapping"]
    flow: bool
    quoted: bool = False
    children: tuple[_Child, ...] = ()

    def child(self, key: str | int) -> _Child | None:
        return next((child for child in self.children if child.key == key), None)


@dataclass(frozen=True, slots=True)
class _Added:
    """What is added to a mapping (its `key`), or to a list behind the element of number `after` (-1: before all)."""

    key: str | None
    after: int
    value: Any


class YamlText:
    """The text of one file and what is to be changed in it. Places are those of the text as it was given."""

    def __init__(self, text: str, file: str) -> None:
        """Raises LvlinError for a text that strict YAML refuses; `file` is named in errors."""
        document, faults = strict_yaml.parse(text, file)
        if faults:
            raise LvlinError(str(faults[0]))
        self._text = text
        self._file = file
        self._document = document
        self._value = document.value
        self._wanted = copy.deepcopy(document.value)
        self._root = _tree(text)
        self._edits: list[tuple[int, int, str]] = []
        self._dropped: list[Place] = []
        self._removed: dict[Place, set[str | int]] = {}
        self._added: dict[Place, list[_Added]] = {}

    def put(self, place: Place, value: Any) -> None:
        """Write a value at a place: over the one there, or as a new key of the mapping around it.

        Of a list of texts only the elements that differ are written.
        """
        *around, key = place
        _reach(self._wanted, around)[key] = value
        child = self._node(tuple(around)).child(key)
        if child is None:
            self._added.setdefault(tuple(around), []).append(_Added(str(key), -1, value))
        elif child.node.kind == "list" and _texts(value) and _texts(_reach(self._value, place)):
            self._set_list(place, _reach(self._value, place), value)
        elif child.node.kind == "scalar" or child.node.flow:
            self._write(child.node, value)
        else:
            self._edits.append((child.after_key, child.end, f" {rendered(value)}"))

    def remove(self, place: Place) -> None:
        """Take out a key with its value, or an element of a list. Nothing in it may be put as well."""
        self._dropped.append(place)
        self._removed.setdefault(place[:-1], set()).add(place[-1])

    def append(self, place: Place, value: Any) -> None:
        """Add an element at the end of the list at a place, written as its last element is."""
        _reach(self._wanted, place).append(value)
        last = len(self._node(place).children) - 1
        self._added.setdefault(place, []).append(_Added(None, last, value))

    def text(self) -> str:
        """The changed text. Raises LvlinError where it would not hold exactly what is wanted."""
        for place in sorted(self._removed.keys() | self._added.keys(), key=len):
            self._change(place)
        for place in sorted(self._dropped, key=_last_first):
            del _reach(self._wanted, place[:-1])[place[-1]]
        text = self._text
        # Of what is added at one point, the outermost is made first: what is made after it comes before it.
        for start, end, new in sorted(self._edits, key=lambda edit: edit[:2], reverse=True):
            text = text[:start] + new + text[end:]
        self._verify(text)
        return text

    def _verify(self, text: str) -> None:
        document, faults = strict_yaml.parse(text, self._file)
        if faults or document.value != self._wanted:
            why = f": {faults[0]}" if faults else ""
            raise LvlinError(f"{self._file} cannot be changed in place{why} — change it in the file itself")

    def _node(self, place: Place) -> _Node:
        node = self._root
        for key in place:
            child = node.child(key)
            if child is None:
                line = self._document.line(place)
                what = f"{strict_yaml.name(place)} is not there ({self._file}:{line})"
                raise LvlinError(f"{what} — change the file itself")
            node = child.node
        return node

    def _write(self, node: _Node, value: Any) -> None:
        new = rendered(value, quoted=node.quoted)
        bare = node.start == node.end and self._text[: node.start].endswith(":")
        self._edits.append((node.start, node.end, f" {new}" if bare else new))

    def _set_list(self, place: Place, old: Sequence[str], new: Sequence[str]) -> None:
        node = self._node(place)
        for first, last, begin, end in _steps(old, new):
            paired = min(last - first, end - begin)
            for n in range(paired):
                self._write(node.children[first + n].node, new[begin + n])
            if gone := range(first + paired, last):
                self._removed.setdefault(place, set()).update(gone)
            if added := [_Added(None, first + paired - 1, value) for value in new[begin + paired : end]]:
                self._added.setdefault(place, []).extend(added)

    def _change(self, place: Place) -> None:
        """The edits of one mapping or list, for all that is removed from it and added to it."""
        node = self._node(place)
        gone = self._removed.get(place, set())
        kept = [child for child in node.children if child.key not in gone]
        added = self._added.get(place, [])
        if not kept:
            self._empty(place, node, added)
        elif node.flow:
            self._change_flow(node, kept, gone, added)
        else:
            self._change_block(node, kept, gone, added)

    def _empty(self, place: Place, node: _Node, added: Sequence[_Added]) -> None:
        """Nothing that stood there stays."""
        value: Any = {str(one.key): one.value for one in added}
        if node.kind == "list":
            value = [one.value for one in added]
        if node.flow or (place and isinstance(place[-1], int)):
            self._edits.append((node.start, node.end, rendered(value)))
            return
        if not place:
            raise LvlinError(f"nothing would be left in {self._file} — remove the file itself")
        child = self._node(place[:-1]).child(place[-1])
        assert child is not None
        self._edits.append((child.after_key, child.end, f" {rendered(value)}"))

    def _change_flow(
        self, node: _Node, kept: list[_Child], gone: set[str | int], added: Sequence[_Added]
    ) -> None:
        children = node.children
        last = children.index(kept[-1])
        for n, child in enumerate(children[:last]):
            if child.key in gone:
                self._edits.append((child.start, children[n + 1].start, ""))
        if last + 1 < len(children):
            self._edits.append((kept[-1].end, children[-1].end, ""))
        for position, new in _gathered(node, kept, added):
            texts = ", ".join(map(_in_flow, new))
            at = kept[0].start if position is None else position.end
            self._edits.append((at, at, f"{texts}, " if position is None else f", {texts}"))

    def _change_block(
        self, node: _Node, kept: list[_Child], gone: set[str | int], added: Sequence[_Added]
    ) -> None:
        children = node.children
        for n, child in enumerate(children):
            if child.key in gone:
                begins = self._line_start(child.start)
                if self._text[begins : child.start].strip():  # behind a dash, which stays
                    self._edits.append((child.start, children[n + 1].start, ""))
                else:
                    self._edits.append((begins, self._line_end(child.end), ""))
        indent = " " * (children[0].start - self._line_start(children[0].start))
        for position, new in _gathered(node, kept, added):
            at = self._line_start(kept[0].start) if position is None else self._line_end(position.end)
            pattern = kept[-1].node
            lines = "".join(f"{indent}{_in_block(one, indent, pattern)}\n" for one in new)
            if at == len(self._text) and not self._text.endswith("\n"):
                lines = f"\n{lines[:-1]}"
            self._edits.append((at, at, lines))

    def _line_start(self, at: int) -> int:
        return self._text.rfind("\n", 0, at) + 1

    def _line_end(self, at: int) -> int:
        """The beginning of the line after the one a place stands in."""
        found = self._text.find("\n", at)
        return len(self._text) if found < 0 else found + 1


def _steps(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """(from, to, from, to) of every part of the old list that another part of the new one takes the place of."""
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return (step[1:] for step in steps if step[0] != "equal")


def _gathered(
    node: _Node, kept: list[_Child], added: Sequence[_Added]
) -> Iterator[tuple[_Child | None, list[_Added]]]:
    """What is added, by the kept child it comes after (None: before all). A new key comes after all others."""
    places: dict[int, list[_Added]] = {}
    order = {child.key: n for n, child in enumerate(node.children)}
    standing = [order[child.key] for child in kept]
    for one in added:
        limit = len(order) if one.key is not None else one.after
        places.setdefault(sum(at <= limit for at in standing) - 1, []).append(one)
    for n, new in places.items():
        yield (kept[n] if n >= 0 else None), new


def _in_flow(added: _Added) -> str:
    return rendered(added.value) if added.key is None else f"{_key(added.key)}: {rendered(added.value)}"


def _in_block(added: _Added, indent: str, like: _Node) -> str:
    """A key with its value, or an element of a list; a mapping is laid out as the one it stands by."""
    if added.key is not None:
        return _in_flow(added)
    if isinstance(added.value, Mapping) and like.kind == "mapping" and not like.flow:
        return "- " + f"\n{indent}  ".join(f"{_key(name)}: {rendered(inner)}" for name, inner in added.value.items())
    return f"- {rendered(added.value)}"


def rendered(value: Any, *, quoted: bool = False) -> str:
    """A value as YAML on one line, as strict YAML reads it back; texts without quotes where they can be."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)}: {rendered(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(rendered, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, str):
        return str(value)
    return value if not quoted and _is_plain(value) else json.dumps(value, ensure_ascii=False)


def _key(key: str) -> str:
    return key if _is_plain(key) else json.dumps(key, ensure_ascii=False)


def _is_plain(text: str) -> bool:
    """Whether strict YAML reads the text back as it is, in any place, without quotes."""
    if not _PLAIN.match(text) or text.casefold() in _WORDS or text != text.strip() or not text.isprintable():
        return False
    document, faults = strict_yaml.parse(f"[{text}]", "")
    return not faults and document.value == [text]


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _reach(value: Any, place: Sequence[str | int]) -> Any:
    for key in place:
        value = value[key]
    return value


def _last_first(place: Place) -> tuple[int, ...]:
    """Deeper places before those around them, later elements of a list before earlier ones."""
    return (-len(place), *(-key if isinstance(key, int) else 0 for key in place))


def _tree(text: str) -> _Node:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    events: Iterator[Any] = yaml.parse(text, Loader=loader)
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            return _node(next(events), events, text)
    return _Node(0, 0, "scalar", flow=True)


def _node(event: Any, events: Iterator[Any], text: str) -> _Node:
    start = _at(event.start_mark)
    if isinstance(event, yaml.ScalarEvent):
        end = start + len(text[start : _at(event.end_mark)].rstrip())
        return _Node(start, end, "scalar", flow=True, quoted=event.style in ("'", '"'))
    children: list[_Child] = []
    is_list = isinstance(event, yaml.SequenceStartEvent)
    inner: Any = next(events)
    while not isinstance(inner, yaml.CollectionEndEvent):
        if is_list:
            node = _node(inner, events, text)
            begins = node.start if event.flow_style else text.rfind("-", 0, node.start)
            children.append(_Child(len(children), begins, begins, node))
        else:
            after = text.index(":", _at(inner.end_mark)) + 1
            children.append(_Child(inner.value, _at(inner.start_mark), after, _node(next(events), events, text)))
        inner = next(events)
    end = _at(inner.end_mark) if event.flow_style else (children[-1].end if children else start)
    return _Node(start, end, "list" if is_list else "mapping", bool(event.flow_style), children=tuple(children))


def _at(mark: Any) -> int:
    """Where a mark of the parser stands, in characters from the beginning."""
    index: int = mark.index
    return index
