"""What one cell may hold: how a value of the YAML is shown to staff, and how what they typed is read back."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

JOINT = "；"
"""Stands between the parts of a list."""

_DAYS = {
    "daily": "每天", "workdays": "工作日", "weekends": "双休日", "holidays": "节假日", "mon": "周一", "tue": "周二",
    "wed": "周三", "thu": "周四", "fri": "周五", "sat": "周六", "sun": "周日",
}  # fmt: skip
_DAY_OF = {name: day for day, name in _DAYS.items()} | {
    "每日": "daily", "天天": "daily", "周末": "weekends", "周天": "sun", "星期天": "sun", "礼拜天": "sun",
    **{f"{week}{name[1]}": day for day, name in _DAYS.items() if name[0] == "周" for week in ("星期", "礼拜")},
}  # fmt: skip
_CLOCK = r"([0-9]{1,2})[:：]([0-9]{2})"
_HOURS = re.compile(rf"(.*?)\s*{_CLOCK}\s*(?:-|–|—|~|～|至|到)\s*{_CLOCK}\Z")
_DATE = re.compile(r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?(?: 00:00(?::00)?)?\Z")
_CLOSED = re.compile(r"([0-9][0-9\-/.年月日]*)\s*(?:(?:至|到|~|～)\s*([0-9][0-9\-/.年月日]*))?\s+(\S.*)\Z")


class Unreadable(Exception):
    """What stands in a cell cannot be taken over: what is wrong, and what would be right, in Chinese."""

    def __init__(self, what: str, mend: str) -> None:
        self.what, self.mend = what, mend
        super().__init__(f"{what} — {mend}")


class Kind(Protocol):
    """A kind of cell."""

    def show(self, value: Any) -> str:
        """A value of the YAML as it stands in the cell; None, and what is empty, as ""."""

    def read(self, text: str, old: Any) -> Any:
        """The value of a text that is not empty; `old` is the value before. Raises Unreadable."""


@dataclass(frozen=True, slots=True)
class Line:
    """A text of one line; `long`: of several."""

    long: bool = False

    def show(self, value: Any) -> str:
        return "" if value is None else str(value)

    def read(self, text: str, old: Any) -> str:
        if "\n" in text and not self.long:
            raise Unreadable("这里不能换行", "写成一行")
        if bad := next((char for char in text if not char.isprintable() and char != "\n"), None):
            raise Unreadable(f"有看不见的字符 U+{ord(bad):04X}", "删掉重新打一遍")
        return text


@dataclass(frozen=True, slots=True)
class Words:
    """A list of short texts, separated by ； or on lines of their own; `enumerated`: also by commas and 、."""

    enumerated: bool = True

    def show(self, value: Any) -> str:
        return JOINT.join(value or ())

    def read(self, text: str, old: Any) -> list[str]:
        separators = (r"[；;\n]", r"[，,]", "、") if self.enumerated else (r"[；;\n]",)
        words = [Line().read(word, None) for word in _split(text, separators, frozenset(old or ()))]
        if twice := next((word for n, word in enumerate(words) if word in words[:n]), None):
            raise Unreadable(f"「{twice}」写了两遍", "留一个")
        if not words:
            raise Unreadable("一个词也没有", "写上，或者清空这一格")
        return words


def _split(text: str, separators: Sequence[str], whole: frozenset[str]) -> list[str]:
    """The parts of a list; what is one of `whole` is not split further."""
    if text in whole or not separators:
        return [text] if text else []
    first, *others = separators
    return [word for part in re.split(first, text) for word in _split(part.strip(), others, whole)]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several values, each shown by a label. `also`: other labels that are understood."""

    labels: Mapping[str, str]
    what: str
    also: Mapping[str, str] = field(default_factory=dict)

    def show(self, value: Any) -> str:
        return "" if value is None else self.labels.get(str(value), str(value))

    def read(self, text: str, old: Any) -> str:
        by_label = {label: value for value, label in self.labels.items()}
        for known in (by_label, self.also, {value: value for value in self.labels}):
            if text in known:
                return known[text]
        near = difflib.get_close_matches(text, by_label, n=1, cutoff=0.5)
        listed = f"从下拉表里选：{'、'.join(by_label)}" if len(by_label) <= 15 else "从下拉表里选"
        raise Unreadable(f"「{text}」不是{self.what}", f"是「{near[0]}」吗？{listed}" if near else listed)

    @property
    def offered(self) -> Sequence[str]:
        """What the drop-down list offers."""
        return tuple(self.labels.values())


@dataclass(frozen=True, slots=True)
class Day:
    """A day."""

    def show(self, value: Any) -> str:
        return "" if value is None else str(value)

    def read(self, text: str, old: Any) -> date:
        return _day(text)


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number, 0 or more."""

    def show(self, value: Any) -> str:
        return "" if value is None else str(value)

    def read(self, text: str, old: Any) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text):
            raise Unreadable(f"「{text}」不是整数", "写成 373 这样")
        return int(text)


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """When something is open: 工作日 08:30-11:30；周六、周日 09:00-11:00."""

    def show(self, value: Any) -> str:
        return JOINT.join(f"{_days_shown(one.get('days', 'daily'))} {one['from']}-{one['to']}" for one in value or ())

    def read(self, text: str, old: Any) -> list[dict[str, Any]]:
        return [_hours(part.strip()) for part in re.split(r"[；;\n]", text) if part.strip()]


@dataclass(frozen=True, slots=True)
class Closed:
    """Days on which something is not open: 2026-12-10至2026-12-12 设备检修."""

    def show(self, value: Any) -> str:
        return JOINT.join(f"{one['from']}至{one['to']} {one['name']}" for one in value or ())

    def read(self, text: str, old: Any) -> list[dict[str, Any]]:
        return [_closed(part.strip()) for part in re.split(r"[；;\n]", text) if part.strip()]


def _days_shown(days: Any) -> str:
    return "、".join(_DAYS[day] for day in ([days] if isinstance(days, str) else days))


def _hours(text: str) -> dict[str, Any]:
    found = _HOURS.match(text)
    mend = "写成 工作日 08:30-11:30；周六 09:00-11:00"
    if not found:
        raise Unreadable(f"「{text}」不是时间", mend)
    names = [name for name in re.split(r"[、，,\s]+", found[1]) if name]
    if unknown := next((name for name in names if name not in _DAY_OF), None):
        raise Unreadable(f"「{unknown}」不是日子", f"用{'、'.join(_DAYS.values())}")
    opens, closes = (f"{int(hour):02}:{minute}" for hour, minute in (found.group(2, 3), found.group(4, 5)))
    for clock in (opens, closes):
        if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00", clock):
            raise Unreadable(f"「{clock}」不是时间", mend)
    days = [_DAY_OF[name] for name in names] or ["daily"]
    return {"days": days[0] if len(days) == 1 else days, "from": opens, "to": closes}


def _closed(text: str) -> dict[str, Any]:
    found = _CLOSED.match(text)
    if not found:
        raise Unreadable(f"「{text}」看不懂", "写成 2026-12-10至2026-12-12 设备检修")
    return {"name": found[3], "from": _day(found[1]), "to": _day(found[2] or found[1])}


def _day(text: str) -> date:
    found = _DATE.match(text)
    try:
        return date(*map(int, found.groups())) if found else _no_day(text)
    except ValueError as exc:
        raise Unreadable(f"没有「{text}」这一天", "写成 2027-06-30") from exc


def _no_day(text: str) -> date:
    raise Unreadable(f"「{text}」不是日期", "写成 2027-06-30")
