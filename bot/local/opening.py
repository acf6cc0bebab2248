"""When something is open: now, on a day, next. Times are those of the site's clocks, without a zone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from bot.kb.entries import DaysOff, Hours
from bot.kb.workdays import Calendar

_LOOKED_AHEAD = 62
"""Days that are looked through for the next opening."""
_ALWAYS = timedelta(days=8)
"""What is open so long without a break has no closing time worth telling."""
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MIDNIGHT = time()


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which something is open, from `opens` to before `closes`. `sure`: no notice may change it."""

    opens: datetime
    closes: datetime
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Opening:
    """Whether something is open at a moment. `changes`: when it closes, or opens next; None where it does not in sight.
    `sure`: no notice may change it; `why`: where it does not open at all that day, the reason or the holiday."""

    is_open: bool
    changes: datetime | None
    sure: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class DayHours:
    """When something opens on a day, earliest first, without the rest of the night before; the others as above."""

    spans: tuple[Span, ...]
    sure: bool
    why: str = ""


def opening_at(now: datetime, hours: Sequence[Hours], closed: Sequence[DaysOff], calendar: Calendar) -> Opening:
    """Whether what keeps these hours is open."""
    today = now.date()
    for span in _spans(today - timedelta(days=1), hours, closed, calendar):
        if span.closes <= now:
            continue
        if span.opens <= now:
            always = span.closes - now > _ALWAYS
            return Opening(True, None if always else span.closes, span.sure)
        foreseen = _foreseen(today, span.opens.date(), hours, calendar)
        why = opening_on(today, hours, closed, calendar).why
        return Opening(False, span.opens, span.sure and foreseen, why)
    last = today + timedelta(days=_LOOKED_AHEAD)
    why = opening_on(today, hours, closed, calendar).why
    return Opening(False, None, _foreseen(today, last, hours, calendar), why)


def opening_on(day: date, hours: Sequence[Hours], closed: Sequence[DaysOff], calendar: Calendar) -> DayHours:
    """When what keeps these hours opens on a day."""
    spans = tuple(_joined(_of_day(day, hours, closed, calendar)))
    sure = _foreseen(day, day, hours, calendar) and all(span.sure for span in spans)
    return DayHours(spans, sure, "" if spans else _why(day, hours, closed, calendar))


def _spans(first: date, hours: Sequence[Hours], closed: Sequence[DaysOff], calendar: Calendar) -> Iterator[Span]:
    """When it is open from a day on, earliest first, what touches joined."""
    days = (first + timedelta(days=n) for n in range(_LOOKED_AHEAD + 1))
    yield from _joined(span for day in days for span in _of_day(day, hours, closed, calendar))


def _of_day(day: date, hours: Sequence[Hours], closed: Sequence[DaysOff], calendar: Calendar) -> Iterator[Span]:
    """What begins on a day, earliest first; it ends before a day that is closed."""
    if _closure(day, closed):
        return
    tomorrow = day + timedelta(days=1)
    found = []
    for span in _counting(hours, day, calendar):
        names = [name for name in _names(span) if _applies(name, day, calendar)]
        if not names:
            continue
        opens = datetime.combine(day, time.fromisoformat(span.opens))
        closes = _closes(span, day)
        if closes.date() > day and _closure(tomorrow, closed):
            closes = datetime.combine(tomorrow, _MIDNIGHT)
        found.append(Span(opens, closes, any(_sure(name, day, calendar) for name in names)))
    yield from sorted(found, key=lambda span: (span.opens, span.closes))


def _joined(spans: Iterator[Span]) -> Iterator[Span]:
    current: Span | None = None
    for span in spans:
        if current is None:
            current = span
        elif span.opens <= current.closes:
            closes = max(current.closes, span.closes)
            current = replace(current, closes=closes, sure=current.sure and span.sure)
        else:
            yield current
            current = span
    if current:
        yield current


def _closes(span: Hours, day: date) -> datetime:
    tomorrow = day + timedelta(days=1)
    if span.closes == "24:00":
        return datetime.combine(tomorrow, _MIDNIGHT)
    return datetime.combine(day if span.closes > span.opens else tomorrow, time.fromisoformat(span.closes))


def _counting(hours: Sequence[Hours], day: date, calendar: Calendar) -> Sequence[Hours]:
    """The hours that count on a day: where some are given for holidays, they alone count on one."""
    if not calendar.is_holiday(day):
        return hours
    own = [span for span in hours if "holidays" in _names(span)]
    return own or hours


def _names(span: Hours) -> tuple[str, ...]:
    return (span.days,) if isinstance(span.days, str) else span.days


def _applies(name: str, day: date, calendar: Calendar) -> bool:
    if name == "daily":
        return True
    if name == "workdays":
        return calendar.works(day)
    if name == "weekends":
        return day.weekday() >= 5 and not calendar.works(day)
    if name == "holidays":
        return calendar.is_holiday(day)
    return _WEEKDAYS[day.weekday()] == name


def _sure(name: str, day: date, calendar: Calendar) -> bool:
    """Whether hours given for such days surely hold on that one: on a Wednesday that is a holiday they may not."""
    if name == "daily":
        return True
    if name in ("workdays", "holidays"):
        return calendar.is_known(day)
    return calendar.is_known(day) and not calendar.is_special(day)


def _foreseen(first: date, last: date, hours: Sequence[Hours], calendar: Calendar) -> bool:
    """Whether the calendar knows the days from `first` to `last`, or the hours do not ask it."""
    asked = any(name != "daily" for span in hours for name in _names(span))
    return not asked or (calendar.is_known(first) and calendar.is_known(last))


def _closure(day: date, closed: Sequence[DaysOff]) -> DaysOff | None:
    return next((found for found in closed if found.first <= day <= found.last), None)


def _why(day: date, hours: Sequence[Hours], closed: Sequence[DaysOff], calendar: Calendar) -> str:
    """Why something is not open on a day: its own reason, or the holiday that its workdays give way to."""
    if found := _closure(day, closed):
        return found.name
    holiday = calendar.holiday(day) if any("workdays" in _names(span) for span in hours) else ""
    return f"{holiday}放假" if holiday else ""


def hours_in_words(hours: Sequence[Hours]) -> str:
    """「每天7:00–9:00、18:00–20:00」."""
    by_days: dict[str, list[str]] = {}
    for span in hours:
        by_days.setdefault("、".join(_DAY_NAMES[name] for name in _names(span)), []).append(_span_in_words(span))
    told = "；".join(f"{days}{'、'.join(spans)}" for days, spans in by_days.items())
    return "全天" if told == "每天全天" else told


def _span_in_words(span: Hours) -> str:
    if (span.opens, span.closes) == ("00:00", "24:00"):
        return "全天"
    next_day = "次日" if span.closes < span.opens else ""
    return f"{_clock(span.opens)}–{next_day}{_clock(span.closes)}"


_DAY_NAMES = {
    "daily": "每天", "workdays": "工作日", "weekends": "双休日", "holidays": "法定节假日", "mon": "周一", "tue": "周二",
    "wed": "周三", "thu": "周四", "fri": "周五", "sat": "周六", "sun": "周日",
}  # fmt: skip


def span_in_words(span: Span) -> str:
    """「8:30–11:30」; 「全天」 for a whole day."""
    closes = span.closes
    if closes - span.opens >= timedelta(days=1):
        return "全天"
    overnight = closes.date() > span.opens.date() and closes.time() != _MIDNIGHT
    ends = "24:00" if closes.time() == _MIDNIGHT else _clock(f"{closes:%H:%M}")
    return f"{_clock(f'{span.opens:%H:%M}')}–{'次日' if overnight else ''}{ends}"


def moment_in_words(moment: datetime, now: datetime) -> str:
    """「今天18:00」 「明天8:30」 「周四8:30」 「12月10日8:30」, seen from `now`."""
    return f"{day_in_words(moment.date(), now.date())}{_clock(f'{moment:%H:%M}')}"


def closing_in_words(closes: datetime, now: datetime) -> str:
    """「20:00」, 「24:00」, or of a later day 「明天2:00」."""
    if closes == datetime.combine(now.date() + timedelta(days=1), _MIDNIGHT):
        return "24:00"
    return _clock(f"{closes:%H:%M}") if closes.date() == now.date() else moment_in_words(closes, now)


def day_in_words(day: date, today: date) -> str:
    """「今天」 「明天」 「周四」 「12月10日」: a weekday within the week that begins today, then the date."""
    return weekday_in_words(day, today) if 0 <= (day - today).days < 7 else f"{day.month}月{day.day}日"


def weekday_in_words(day: date, today: date) -> str:
    """「今天」 「明天」 「周四」."""
    return {0: "今天", 1: "明天"}.get((day - today).days, _DAY_NAMES[_WEEKDAYS[day.weekday()]])


def _clock(clock: str) -> str:
    return clock.removeprefix("0")
