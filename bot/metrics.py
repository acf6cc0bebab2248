"""Turns → figures: pure sums. People are counted once, never by their messages, and small cells are hidden."""

from __future__ import annotations

import math
import statistics
from array import array
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from bot.records import Turn

LEAST_INSIDE = 5
"""Fewer distinct people in a cell are hidden from staff."""
LEAST_PUBLIC = 10
"""Fewer distinct people in a cell are hidden in anything public."""

Outcome = Literal["answered", "clarified", "unanswered", "out_of_scope"]
Key = TypeVar("Key", bound=Hashable)

_OUTCOMES: Mapping[Outcome, str] = {
    "answered": "答上的提问",
    "clarified": "先反问的提问",
    "unanswered": "没答上的提问",
    "out_of_scope": "与环保无关的提问",
}
_CENSUS = "全数统计，非抽样，无抽样区间"
_DISTINCT = "按人去重，不按消息数"
_ASKERS_ONLY = "提问者多为常看群、在家、关心此事的人，不代表全体居民"
_ALL_QUESTIONS = "全部提问（对话记录）"
_ALL_MESSAGES = "全部消息，含群里未@机器人的闲聊（对话记录）"
_MEDIAN = "全部提问答复用时的中位数，不含平台传输"
_P90 = "全部提问答复用时，最近秩法，不含平台传输"
_OWN_PLACE = "按会话登记的地点计，不含下级地点"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure as it is told. `low` and `high` bound sampled rates only; `value` of a rate is a share, 0 to 1."""

    figure: str
    name: str
    place: str | None
    first: date | None
    last: date | None
    value: float | None
    unit: str
    numerator: int | None = None
    denominator: int | None = None
    denominator_source: str | None = None
    low: float | None = None
    high: float | None = None
    method: str = _CENSUS
    n: int | None = None
    hidden: bool = False
    note: str | None = None

    def __post_init__(self) -> None:
        if self.denominator is not None and not (self.denominator_source and self.unit and self.method):
            raise ValueError(f"the rate {self.figure} lacks its unit, the source of its denominator, or its method")

    def record(self) -> dict[str, Any]:
        """The figure as the outside contract names its fields."""
        return {
            "figure": self.figure,
            "name": self.name,
            "place": self.place,
            "from": _iso(self.first),
            "to": _iso(self.last),
            "value": self.value,
            "unit": self.unit,
            "numerator": self.numerator,
            "denominator": self.denominator,
            "denominator_source": self.denominator_source,
            "low": self.low,
            "high": self.high,
            "method": self.method,
            "n": self.n,
            "hidden": self.hidden,
            "note": self.note,
        }

    def shown(self) -> str:
        """The value for people: 「203/373户（54.4%）」 for a rate, 「203人」 for a count."""
        if self.value is None:
            return "不显示" if self.hidden else "无法计算"
        if self.denominator is not None:
            return f"{self.numerator}/{self.denominator}{self.unit}（{self.value:.1%}）"
        return f"{self.value:g}{self.unit}" if isinstance(self.value, float) else f"{self.value}{self.unit}"


FIELDS = ("figure", "name", "place", "from", "to", "value", "unit", "numerator", "denominator", "denominator_source",
          "low", "high", "method", "n", "hidden", "note")  # fmt: skip
"""The fields of a figure's record, in order."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which turns count, and how their figures are labelled; their days and places the store has chosen.

    zone: of the site's days · first, last: the days looked at, both included; None: open on that side
    least: people below which a cell is hidden · place: the branch looked at, None for the whole site
    channel: only this one · skipped: channels left out (simulators) · staff: pseudonyms of staff, who are no residents
    """

    zone: ZoneInfo
    first: date | None = None
    last: date | None = None
    least: int = LEAST_INSIDE
    place: str | None = None
    channel: str | None = None
    skipped: frozenset[str] = frozenset()
    staff: frozenset[str] = frozenset()
    topic_names: Mapping[str, str] = field(default_factory=dict)
    place_names: Mapping[str, str] = field(default_factory=dict)

    def counts(self, turn: Turn) -> bool:
        """Whether a turn is a resident's message on a channel that counts."""
        if turn.kind != "message" or turn.user in self.staff:
            return False
        return turn.channel == self.channel if self.channel else turn.channel not in self.skipped


@dataclass(slots=True)
class Cell:
    """Turns of one kind, and the distinct people behind them."""

    turns: int = 0
    people: set[int] = field(default_factory=set)

    def add(self, person: int) -> None:
        """Count one more turn of a person."""
        self.turns += 1
        self.people.add(person)


class Sums:
    """Running sums. Memory grows with people, topics, places and weeks, and by 8 bytes a question."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.questions = Cell()
        self.replied = Cell()
        self.silent = Cell()
        self.outcomes: dict[Outcome, Cell] = {outcome: Cell() for outcome in _OUTCOMES}
        self.topics: defaultdict[str, Cell] = defaultdict(Cell)
        self.places: defaultdict[str, Cell] = defaultdict(Cell)
        self.weeks: defaultdict[date, Cell] = defaultdict(Cell)
        self.answer_ms = array("d")
        self.days: tuple[date, date] | None = None
        self._numbers: dict[str, int] = {}

    def add(self, turn: Turn) -> None:
        """Count one turn, if it counts; turns may come in any order."""
        if not self.scope.counts(turn):
            return
        person = self._numbers.setdefault(turn.user, len(self._numbers))
        day = turn.received_at.astimezone(self.scope.zone).date()
        self.days = (min(self.days[0], day), max(self.days[1], day)) if self.days else (day, day)
        if turn.reply.action == "silent":
            self.silent.add(person)
            return
        self.replied.add(person)
        if outcome := _outcome(turn):
            self.questions.add(person)
            self.answer_ms.append(turn.latency_ms)
            self.outcomes[outcome].add(person)
            self.topics[turn.reply.topic or ""].add(person)
            self.places[turn.place].add(person)
            self.weeks[_monday(day)].add(person)


def figures(sums: Sums) -> list[Figure]:
    """Every figure the sums allow, totals first."""
    telling = _Telling(sums)
    return [
        *telling.totals(),
        *telling.outcome_shares(),
        telling.silent_share(),
        *telling.answer_times(),
        *telling.by_topic(),
        *telling.by_place(),
        *telling.by_week(),
    ]


def figures_of(turns: Iterable[Turn], scope: Scope) -> list[Figure]:
    """The figures of some turns."""
    sums = Sums(scope)
    for turn in turns:
        sums.add(turn)
    return figures(sums)


def hidden_cells(cells: Mapping[Key, Cell], least: int) -> frozenset[Key]:
    """Which cells of a whole are not told: those of fewer than `least` people, and as many of the next smallest as keep
    the small ones from being worked out from the total."""
    hidden = {key for key, cell in cells.items() if 0 < len(cell.people) < least}
    shown = [key for key, cell in cells.items() if key not in hidden and cell.people]
    shown.sort(key=lambda key: (-len(cells[key].people), -cells[key].turns, str(key)))
    while hidden and shown and (len(hidden) == 1 or _people(cells, hidden) < least):
        hidden.add(shown.pop())
    return frozenset(hidden)


def _people(cells: Mapping[Key, Cell], keys: Iterable[Key]) -> int:
    return len(set().union(*(cells[key].people for key in keys)))


@dataclass(frozen=True, slots=True)
class _Telling:
    """Sums → figures."""

    sums: Sums

    def totals(self) -> Iterator[Figure]:
        asked = self.sums.questions
        people = len(asked.people)
        hide = bool(hidden_cells({"all": asked}, self._least))
        yield self._figure("askers", "提问人数", people, "人", asked, hide, method=_DISTINCT, note=_ASKERS_ONLY)
        yield self._figure("questions", "提问次数", asked.turns, "次", asked, hide)

    def outcome_shares(self) -> Iterator[Figure]:
        hidden = hidden_cells(self.sums.outcomes, self._least)
        for outcome, cell in self.sums.outcomes.items():
            name = f"{_OUTCOMES[outcome]}占比"
            yield self._share(f"share.{outcome}", name, cell, self.sums.questions, _ALL_QUESTIONS, outcome in hidden)

    def silent_share(self) -> Figure:
        silent, replied = self.sums.silent, self.sums.replied
        whole = Cell(silent.turns + replied.turns, silent.people | replied.people)
        hide = bool(hidden_cells({"silent": silent, "replied": replied}, self._least))
        return self._share("share.silent", "没有回复的消息占比", silent, whole, _ALL_MESSAGES, hide)

    def answer_times(self) -> Iterator[Figure]:
        hide = bool(hidden_cells({"all": self.sums.questions}, self._least))
        times = sorted(self.sums.answer_ms)
        note = None if times else "没有提问，无法计算"
        median = statistics.median(times) if times else None
        for figure, name, value, method in (
            ("answer_time.median", "答复用时中位数", median, _MEDIAN),
            ("answer_time.p90", "答复用时第90百分位数", _rank(times, 0.9), _P90),
        ):
            yield self._figure(figure, name, value, "毫秒", self.sums.questions, hide, method=method, note=note)

    def by_topic(self) -> Iterator[Figure]:
        names = {"": "未归入主题", **self.sums.scope.topic_names}
        hidden = hidden_cells(self.sums.topics, self._least)
        for slug, cell in sorted(self.sums.topics.items(), key=_largest_first):
            label = names.get(slug, slug)
            yield from self._pair(f"topic.{slug or 'none'}", label, cell, slug in hidden)

    def by_place(self) -> Iterator[Figure]:
        names = self.sums.scope.place_names
        hidden = hidden_cells(self.sums.places, self._least)
        for place, cell in sorted(self.sums.places.items(), key=_largest_first):
            yield from self._pair("place", names.get(place, place), cell, place in hidden, place=place, note=_OWN_PLACE)

    def by_week(self) -> Iterator[Figure]:
        hidden = hidden_cells(self.sums.weeks, self._least)
        for monday in _weeks(self.sums.weeks):
            cell = self.sums.weeks.get(monday, Cell())
            first, last = self._within(monday)
            year, week, _ = monday.isocalendar()
            yield from self._pair("week", f"{year}年第{week}周", cell, monday in hidden, first=first, last=last)

    @property
    def _least(self) -> int:
        return self.sums.scope.least

    @property
    def _span(self) -> tuple[date | None, date | None]:
        """The days looked at; where the period is open, those there is something of."""
        scope, days = self.sums.scope, self.sums.days or (None, None)
        return scope.first or days[0], scope.last or days[1]

    def _within(self, monday: date) -> tuple[date, date]:
        """The days of a week that lie in the period."""
        scope, sunday = self.sums.scope, monday + timedelta(days=6)
        return max(monday, scope.first or monday), min(sunday, scope.last or sunday)

    def _pair(self, cut: str, label: str, cell: Cell, hide: bool, **more: Any) -> Iterator[Figure]:
        people = len(cell.people)
        yield self._figure(f"askers.{cut}", f"提问人数：{label}", people, "人", cell, hide, method=_DISTINCT, **more)
        yield self._figure(f"questions.{cut}", f"提问次数：{label}", cell.turns, "次", cell, hide, **more)

    def _share(self, figure: str, name: str, part: Cell, whole: Cell, source: str, hide: bool) -> Figure:
        if not whole.turns:
            return self._figure(
                figure,
                name,
                None,
                "次",
                whole,
                False,
                numerator=0,
                denominator=0,
                source=source,
                note="分母为0，无法计算",
            )
        share = round(part.turns / whole.turns, 6)
        hide = hide or len(whole.people) < self._least
        return self._figure(
            figure, name, share, "次", whole, hide, numerator=part.turns, denominator=whole.turns, source=source
        )

    def _figure(
        self,
        figure: str,
        name: str,
        value: float | None,
        unit: str,
        cell: Cell,
        hide: bool,
        *,
        numerator: int | None = None,
        denominator: int | None = None,
        source: str | None = None,
        method: str = _CENSUS,
        note: str | None = None,
        place: str | None = None,
        first: date | None = None,
        last: date | None = None,
    ) -> Figure:
        return Figure(
            figure=figure,
            name=name,
            place=place or self.sums.scope.place,
            first=first or self._span[0],
            last=last or self._span[1],
            value=None if hide else value,
            unit=unit,
            numerator=None if hide else numerator,
            denominator=None if hide else denominator,
            denominator_source=source,
            method=method,
            n=None if hide else cell.turns,
            hidden=hide,
            note=self._why_hidden() if hide else note,
        )

    def _why_hidden(self) -> str:
        return f"少于{self._least}人，或可由合计推算出少于{self._least}人，为保护隐私不显示"


def _outcome(turn: Turn) -> Outcome | None:
    """What became of a question; None for what is none: a greeting, a call for a person, something recorded."""
    reply = turn.reply
    if reply.action == "answer":
        return "answered" if reply.topic else None
    if reply.action == "clarify":
        return "clarified"
    if reply.action == "fallback":
        return "out_of_scope" if reply.topic == "out_of_scope" else "unanswered"
    return None


def _largest_first(pair: tuple[str, Cell]) -> tuple[int, str]:
    return -len(pair[1].people), pair[0]


def _weeks(mondays: Iterable[date]) -> Iterator[date]:
    """Every Monday from the first to the last, also where nobody asked."""
    known = sorted(mondays)
    if known:
        yield from (known[0] + timedelta(days=7 * n) for n in range((known[-1] - known[0]).days // 7 + 1))


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _rank(ordered: Sequence[float], share: float) -> float | None:
    """The smallest value that at least `share` of them do not exceed."""
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else None


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
