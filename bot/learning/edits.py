"""Edits of the knowledge's files where something is taught: a word more in a list, an entry more at the end.

All other bytes stay as they are. The parser says where things stand; nothing is dumped anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

import yaml

from bot.errors import LvlinError

TAUGHT = "items/taught.yaml"
"""The file that holds things taught."""

_HEAD = """\
# 工作人员教会的东西（「教 #12 = 干垃圾」，lvlin unanswered teach）。可以改，也可以移到别的文件去。
items:
"""
_PLAIN = re.compile(r"[一-鿿][一-鿿A-Za-z0-9，。、；：？！（）「」]*|[a-z][a-z0-9_-]*(?<!\bno)|20\d\d-\d\d-\d\d")
_WORDS_YAML_READS_OTHERWISE = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))


def with_item(text: str | None, item: Mapping[str, str | Sequence[str]]) -> str:
    """A file of items with one more at its end; None: the file is not there yet."""
    line = "{" + ", ".join(f"{key}: {_value(value)}" for key, value in item.items() if value) + "}"
    if text is None:
        return f"{_HEAD}  - {line}\n"
    return _appended(text, "items", [line])


def with_entry(text: str, entry: Mapping[str, str | Sequence[str]]) -> str:
    """A file of a topic with one more entry at its end. Raises LvlinError for a file that is written otherwise."""
    return _appended(text, "entries", [f"{key}: {_value(value)}" for key, value in entry.items() if value])


def with_words(text: str, listed: str, named: tuple[str, str], key: str, words: Sequence[str]) -> str:
    """A file with more words in the list `key` of the item or entry that is `named`, (name, 奶茶杯) or (id, pour), in
    the list `listed`. Raises LvlinError where it is not there."""
    own = next((node for node in _listed(text, listed) if _scalar(node, named[0]) == named[1]), None)
    if own is None:
        raise LvlinError(f"{named[0]} '{named[1]}' is not in the file — see lvlin kb check")
    there = next((value for name, value in own.value if name.value == key), None)
    if there is None:
        return _with_key(text, own, f"{key}: {_value(words)}")
    if there.flow_style or not there.value:
        return _with_flow_words(text, there, words)
    first, last = there.value[0], there.value[-1]
    indent = " " * _column(text, text.rfind("-", 0, first.start_mark.index))
    return _with_lines(text, _end(text, last), [f"{indent}- {_value(word)}" for word in words])


def _appended(text: str, listed: str, lines: Sequence[str]) -> str:
    nodes = _listed(text, listed)
    if not nodes:
        raise LvlinError(f"the list '{listed}' is empty — see lvlin kb check")
    indent = " " * _column(text, text.rfind("-", 0, nodes[0].start_mark.index))
    told = [f"{indent}{'- ' if n == 0 else '  '}{line}" for n, line in enumerate(lines)]
    return _with_lines(text, _end(text, nodes[-1]), told)


def _listed(text: str, listed: str) -> list[yaml.MappingNode]:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    found = next((value for key, value in pairs if key.value == listed), None)
    if not isinstance(found, yaml.SequenceNode) or found.flow_style:
        raise LvlinError(f"'{listed}' is not written as one thing a line — write it so, with dashes")
    return [node for node in found.value if isinstance(node, yaml.MappingNode)]


def _scalar(node: yaml.MappingNode, key: str) -> str | None:
    return next((value.value for name, value in node.value if name.value == key), None)


def _with_key(text: str, own: yaml.MappingNode, pair: str) -> str:
    if own.flow_style:
        end = _end(text, own.value[-1][1])
        return f"{text[:end]}, {pair}{text[end:]}"
    name, value = own.value[0]
    return _with_lines(text, _end(text, value), [" " * _column(text, name.start_mark.index) + pair])


def _with_flow_words(text: str, there: yaml.SequenceNode, words: Sequence[str]) -> str:
    told = ", ".join(_value(word) for word in words)
    if not there.value:
        end = there.end_mark.index - 1
        return f"{text[:end]}{told}{text[end:]}"
    end = _end(text, there.value[-1])
    return f"{text[:end]}, {told}{text[end:]}"


def _with_lines(text: str, end: int, lines: Sequence[str]) -> str:
    """The text with lines after the one in which `end` is."""
    at = text.find("\n", end)
    told = "".join(f"{line}\n" for line in lines)
    return f"{text}\n{told}" if at < 0 else text[: at + 1] + told + text[at + 1 :]


def _end(text: str, node: yaml.Node) -> int:
    """Where a value ends, without what follows it."""
    if not isinstance(node, yaml.CollectionNode) or node.flow_style or not node.value:
        return len(text[: node.end_mark.index].rstrip())
    last = node.value[-1]
    return _end(text, last[1] if isinstance(last, tuple) else last)


def _column(text: str, at: int) -> int:
    return at - (text.rfind("\n", 0, at) + 1)


def _value(value: str | Sequence[str]) -> str:
    """A text, quoted where YAML could read it as anything else; or a list of texts."""
    if not isinstance(value, str):
        return f"[{', '.join(_value(word) for word in value)}]"
    plain = _PLAIN.fullmatch(value) and value not in _WORDS_YAML_READS_OTHERWISE
    return value if plain else json.dumps(value, ensure_ascii=False)
