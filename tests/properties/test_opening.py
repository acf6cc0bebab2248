"""Open or not, and what comes next: against looking at every minute by itself."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.kb.entries import DaysOff, Hours, Workdays
from bot.kb.workdays import Calendar, compile_calendar
from bot.local.opening import opening_at

CALENDAR = compile_calendar(Workdays(), date(2026, 11, 25))
STEP = timedelta(minutes=30)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_days = st.sampled_from(("daily", "workdays", "weekends", "holidays", *WEEKDAYS))
_clocks = st.integers(0, 48).map(lambda half_hours: f"{half_hours // 2:02}:{half_hours % 2 * 30:02}")
_spans = st.builds(lambda days, opens, closes: (days, opens, closes), _days, _clocks, _clocks)
_hours = st.lists(
    _spans.filter(lambda span: span[1] not in (span[2], "24:00")).map(
        lambda span: Hours.model_validate({"days": span[0], "from": span[1], "to": span[2]})
    ),
    max_size=4,
)
_moments = st.integers(0, 2 * 24 * 90).map(lambda half_hours: datetime(2026, 9, 15) + STEP * half_hours)
_closures = st.lists(
    st.builds(
        lambda first, days: DaysOff.model_validate(
            {"name": "维修", "from": first, "to": first + timedelta(days=days)}
        ),
        st.dates(date(2026, 9, 1), date(2026, 12, 31)),
        st.integers(0, 5),
    ),
    max_size=2,
)


def applies(name: str, day: date, calendar: Calendar) -> bool:
    """The rule of each word for days, written down once more."""
    return {
        "daily": True,
        "workdays": calendar.works(day),
        "weekends": day.weekday() in (5, 6) and not calendar.works(day),
        "holidays": calendar.is_holiday(day),
    }.get(name, name == WEEKDAYS[day.weekday()])


def is_open(moment: datetime, hours: list[Hours], closed: list[DaysOff]) -> bool:
    """Whether it is open, from the hours of the day and of the night before."""
    if any(found.first <= moment.date() <= found.last for found in closed):
        return False
    clock = f"{moment:%H:%M}"
    for ahead in (0, 1):
        day = moment.date() - timedelta(days=ahead)
        if any(found.first <= day <= found.last for found in closed):
            continue
        own = [span for span in hours if span.days == "holidays"] if CALENDAR.is_holiday(day) else []
        for span in own or hours:
            assert isinstance(span.days, str)
            if not applies(span.days, day, CALENDAR):
                continue
            overnight = span.closes <= span.opens
            if ahead and overnight and clock < span.closes:
                return True
            if not ahead and span.opens <= clock and (overnight or clock < span.closes):
                return True
    return False


@given(moment=_moments, hours=_hours, closed=_closures)
@settings(max_examples=300, deadline=None)
def test_open_is_what_every_minute_says(moment: datetime, hours: list[Hours], closed: list[DaysOff]) -> None:
    assert opening_at(moment, hours, closed, CALENDAR).is_open is is_open(moment, hours, closed)


@given(moment=_moments, hours=_hours, closed=_closures)
@settings(max_examples=150, deadline=None)
def test_it_stays_so_until_it_changes(moment: datetime, hours: list[Hours], closed: list[DaysOff]) -> None:
    opening = opening_at(moment, hours, closed, CALENDAR)
    until = opening.changes or moment + timedelta(days=8)
    assert until > moment
    while moment < until:
        assert is_open(moment, hours, closed) is opening.is_open
        moment += STEP
    if opening.changes:
        assert is_open(opening.changes, hours, closed) is not opening.is_open
