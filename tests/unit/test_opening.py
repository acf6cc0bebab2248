"""When something is open: on which days, until when, when next, and how it is said."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from bot.kb.entries import DaysOff, Hours, Workdays
from bot.kb.workdays import Calendar, compile_calendar
from bot.local.opening import (
    closing_in_words,
    day_in_words,
    hours_in_words,
    moment_in_words,
    opening_at,
    opening_on,
    span_in_words,
)

Spans = list[tuple[object, str, str]]


def hours(*spans: tuple[object, str, str]) -> list[Hours]:
    return [Hours.model_validate({"days": days, "from": opens, "to": closes}) for days, opens, closes in spans]


def shut(first: str, last: str, why: str = "维修") -> list[DaysOff]:
    days = {"from": date.fromisoformat(first), "to": date.fromisoformat(last)}
    return [DaysOff.model_validate({"name": why, **days})]


@pytest.fixture(scope="module")
def calendar() -> Calendar:
    return compile_calendar(Workdays(), date(2026, 11, 25))


TWICE: Spans = [("daily", "07:00", "09:00"), ("daily", "18:00", "20:00")]
OFFICE: Spans = [("workdays", "09:00", "17:00")]
ALWAYS: Spans = [("daily", "00:00", "24:00")]
NIGHT: Spans = [("daily", "22:00", "02:00")]
WEDNESDAYS: Spans = [("wed", "14:00", "16:00")]


@pytest.mark.parametrize(
    ("spans", "now", "is_open", "changes", "sure"),
    [
        pytest.param(TWICE, "2026-12-01T06:59", False, "2026-12-01T07:00", True, id="before-the-first"),
        pytest.param(TWICE, "2026-12-01T07:00", True, "2026-12-01T09:00", True, id="just-opened"),
        pytest.param(TWICE, "2026-12-01T09:00", False, "2026-12-01T18:00", True, id="just-closed"),
        pytest.param(TWICE, "2026-12-01T21:00", False, "2026-12-02T07:00", True, id="next-morning"),
        pytest.param(OFFICE, "2026-11-27T17:00", False, "2026-11-30T09:00", True, id="friday-evening"),
        pytest.param(OFFICE, "2026-10-10T10:00", True, "2026-10-10T17:00", True, id="a-saturday-that-is-worked"),
        pytest.param(OFFICE, "2026-10-01T10:00", False, "2026-10-08T09:00", True, id="a-holiday"),
        pytest.param(OFFICE, "2027-03-01T10:00", True, "2027-03-01T17:00", False, id="a-year-not-announced"),
        pytest.param(OFFICE, "2026-12-31T18:00", False, "2027-01-04T09:00", False, id="into-a-year-not-announced"),
        pytest.param(TWICE, "2027-02-06T08:00", True, "2027-02-06T09:00", True, id="daily-asks-no-calendar"),
        pytest.param(ALWAYS, "2026-12-01T03:00", True, None, True, id="always"),
        pytest.param(NIGHT, "2026-12-01T23:00", True, "2026-12-02T02:00", True, id="before-midnight"),
        pytest.param(NIGHT, "2026-12-01T01:59", True, "2026-12-01T02:00", True, id="after-midnight"),
        pytest.param(NIGHT, "2026-12-01T02:00", False, "2026-12-01T22:00", True, id="the-night-is-over"),
        pytest.param([("fri", "22:00", "02:00")], "2026-11-28T01:00", True, "2026-11-28T02:00", True, id="of-friday"),
        pytest.param(WEDNESDAYS, "2026-11-25T16:00", False, "2026-12-02T14:00", True, id="once-a-week"),
        pytest.param(WEDNESDAYS, "2026-10-07T15:00", True, "2026-10-07T16:00", False, id="on-a-holiday-it-may-not-be"),
        pytest.param([("weekends", "09:00", "11:00")], "2026-10-10T10:00", False, "2026-10-11T09:00", True,
                     id="a-worked-saturday-is-no-weekend"),
        pytest.param([("daily", "08:00", "20:00"), ("holidays", "10:00", "16:00")], "2026-10-01T09:00", False,
                     "2026-10-01T10:00", True, id="holidays-have-their-own-hours"),
        pytest.param([("daily", "08:00", "12:00"), ("daily", "12:00", "20:00")], "2026-12-01T11:00", True,
                     "2026-12-01T20:00", True, id="what-touches-is-one"),
        pytest.param([], "2026-12-01T11:00", False, None, True, id="never"),
    ],
)  # fmt: skip
def test_opening_at(
    calendar: Calendar, spans: Spans, now: str, is_open: bool, changes: str | None, sure: bool
) -> None:
    opening = opening_at(datetime.fromisoformat(now), hours(*spans), (), calendar)
    assert opening.is_open is is_open
    assert opening.changes == (datetime.fromisoformat(changes) if changes else None)
    assert opening.sure is sure


@pytest.mark.parametrize(
    ("spans", "now", "is_open", "changes", "why"),
    [
        pytest.param(TWICE, "2026-12-02T08:00", False, "2026-12-04T07:00", "维修", id="in-it"),
        pytest.param(TWICE, "2026-12-01T21:00", False, "2026-12-04T07:00", "", id="the-evening-before"),
        pytest.param(ALWAYS, "2026-12-01T12:00", True, "2026-12-02T00:00", "", id="always-open-until-it-begins"),
        pytest.param(NIGHT, "2026-12-01T23:00", True, "2026-12-02T00:00", "", id="a-night-ends-where-it-begins"),
        pytest.param(NIGHT, "2026-12-04T01:00", False, "2026-12-04T22:00", "", id="no-night-of-a-closed-day"),
        pytest.param(OFFICE, "2026-10-02T10:00", False, "2026-10-08T09:00", "国庆节放假", id="a-holiday"),
        pytest.param(WEDNESDAYS, "2026-10-01T10:00", False, "2026-10-07T14:00", "", id="not-because-of-the-holiday"),
    ],
)
def test_closed_days(
    calendar: Calendar, spans: Spans, now: str, is_open: bool, changes: str, why: str
) -> None:
    opening = opening_at(datetime.fromisoformat(now), hours(*spans), shut("2026-12-02", "2026-12-03"), calendar)
    assert (opening.is_open, opening.changes) == (is_open, datetime.fromisoformat(changes))
    assert opening.why == why


def test_closed_for_longer_than_is_looked_ahead(calendar: Calendar) -> None:
    opening = opening_at(datetime(2026, 12, 1, 8), hours(*TWICE), shut("2026-12-01", "2027-12-31", "停用"), calendar)
    assert (opening.is_open, opening.changes, opening.why) == (False, None, "停用")


@pytest.mark.parametrize(
    ("spans", "day", "told", "sure"),
    [
        pytest.param(TWICE, "2026-12-05", ["7:00–9:00", "18:00–20:00"], True, id="twice"),
        pytest.param(OFFICE, "2026-12-05", [], True, id="a-saturday"),
        pytest.param(OFFICE, "2027-01-02", [], False, id="not-announced"),
        pytest.param(NIGHT, "2026-12-05", ["22:00–次日2:00"], True, id="over-midnight"),
        pytest.param(ALWAYS, "2026-12-05", ["全天"], True, id="all-day"),
        pytest.param([("daily", "18:00", "24:00")], "2026-12-05", ["18:00–24:00"], True, id="until-midnight"),
        pytest.param([("sat", "09:00", "11:00")], "2026-10-03", ["9:00–11:00"], False, id="a-saturday-of-a-holiday"),
    ],
)
def test_opening_on(calendar: Calendar, spans: Spans, day: str, told: list[str], sure: bool) -> None:
    found = opening_on(date.fromisoformat(day), hours(*spans), (), calendar)
    assert [span_in_words(span) for span in found.spans] == told
    assert found.sure is sure


@pytest.mark.parametrize(
    ("spans", "words"),
    [
        pytest.param([], "", id="not-registered"),
        pytest.param([("daily", "07:00", "09:00")], "每天7:00–9:00", id="daily"),
        pytest.param(ALWAYS, "全天", id="all-day"),
        pytest.param([("workdays", "00:00", "24:00")], "工作日全天", id="all-day-on-some-days"),
        pytest.param([("daily", "00:00", "06:00")], "每天0:00–6:00", id="from-midnight"),
        pytest.param([("daily", "00:30", "06:00")], "每天0:30–6:00", id="just-after-midnight"),
        pytest.param([("daily", "18:00", "24:00")], "每天18:00–24:00", id="until-midnight"),
        pytest.param([("daily", "18:00", "00:00")], "每天18:00–次日0:00", id="until-midnight-said-otherwise"),
        pytest.param(NIGHT, "每天22:00–次日2:00", id="over-midnight"),
        pytest.param(TWICE, "每天7:00–9:00、18:00–20:00", id="twice-a-day"),
        pytest.param(
            [("workdays", "08:00", "12:00"), ("sat", "09:00", "11:00")], "工作日8:00–12:00；周六9:00–11:00", id="by-day"
        ),
        pytest.param([(["mon", "wed"], "10:00", "11:00")], "周一、周三10:00–11:00", id="several-days"),
        pytest.param([("holidays", "10:00", "11:00")], "法定节假日10:00–11:00", id="holidays"),
    ],
)
def test_hours_in_words(spans: Spans, words: str) -> None:
    assert hours_in_words(hours(*spans)) == words


@pytest.mark.parametrize("clock", ["24:30", "25:00", "7:00", "07:60", "noon"])
def test_impossible_times_are_refused(clock: str) -> None:
    with pytest.raises(ValueError, match="write a time"):
        hours(("daily", clock, "24:00"))


@pytest.mark.parametrize(("opens", "closes"), [("08:00", "08:00"), ("24:00", "08:00")])
def test_hours_that_never_open_are_refused(opens: str, closes: str) -> None:
    with pytest.raises(ValueError, match="is never open"):
        hours(("daily", opens, closes))


NOW = datetime(2026, 12, 1, 21)  # a Tuesday


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        pytest.param(0, "今天", id="today"),
        pytest.param(1, "明天", id="tomorrow"),
        pytest.param(2, "周四", id="in-two-days"),
        pytest.param(6, "周一", id="in-six-days"),
        pytest.param(7, "12月8日", id="in-a-week"),
        pytest.param(-1, "11月30日", id="yesterday"),
    ],
)
def test_days_in_words(ahead: int, words: str) -> None:
    assert day_in_words(NOW.date() + timedelta(days=ahead), NOW.date()) == words


def test_moments_in_words() -> None:
    assert moment_in_words(datetime(2026, 12, 2, 7), NOW) == "明天7:00"
    assert closing_in_words(datetime(2026, 12, 1, 22, 30), NOW) == "22:30"
    assert closing_in_words(datetime(2026, 12, 2), NOW) == "24:00"
    assert closing_in_words(datetime(2026, 12, 2, 2), NOW) == "明天2:00"
