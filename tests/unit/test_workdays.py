"""The working days of China: what the library knows, what the site's file corrects, and what is not known yet."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from bot.kb.entries import Workdays
from bot.kb.workdays import Calendar, compile_calendar

TODAY = date(2026, 11, 25)


def calendar(**own: Any) -> Calendar:
    return compile_calendar(Workdays.model_validate({"source": "通知", **own}), TODAY)


@pytest.fixture(scope="module")
def built_in() -> Calendar:
    return calendar()


@pytest.mark.parametrize(
    ("day", "works", "holiday", "special"),
    [
        pytest.param("2026-11-25", True, "", False, id="a-wednesday"),
        pytest.param("2026-11-28", False, "", False, id="a-saturday"),
        pytest.param("2026-10-01", False, "国庆节", True, id="a-statutory-day"),
        pytest.param("2026-10-05", False, "国庆节", True, id="a-day-for-one-on-a-weekend"),
        pytest.param("2026-10-06", False, "国庆节", True, id="a-day-exchanged-for-a-sunday"),
        pytest.param("2026-10-08", True, "", False, id="the-day-after"),
        pytest.param("2026-10-10", True, "", True, id="a-saturday-that-is-worked"),
        pytest.param("2026-02-15", False, "春节", True, id="the-sunday-before-the-holiday"),
        pytest.param("2026-02-16", False, "春节", True, id="the-eve"),
        pytest.param("2026-02-14", True, "", True, id="the-saturday-worked-for-it"),
        pytest.param("2026-04-04", False, "清明节", True, id="the-saturday-before"),
    ],
)
def test_days_of_2026(built_in: Calendar, day: str, works: bool, holiday: str, special: bool) -> None:
    asked = date.fromisoformat(day)
    assert built_in.works(asked) is works
    assert built_in.holiday(asked) == holiday
    assert built_in.is_holiday(asked) is bool(holiday)
    assert built_in.is_special(asked) is special
    assert built_in.is_known(asked)


def test_of_a_year_not_announced_the_statutory_days_are_known(built_in: Calendar) -> None:
    spring = date(2027, 2, 6)
    assert built_in.holiday(spring) == "春节"
    assert not built_in.is_known(spring)
    assert not any(day.year == 2027 for day in built_in.work)


def test_the_built_in_calendar_agrees_with_the_announcement_of_2026(built_in: Calendar) -> None:
    """33 days off in all, and six weekends worked, as the State Council announced them."""
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    holidays = [day for day in days if built_in.is_holiday(day)]
    worked = [day for day in days if day.weekday() >= 5 and built_in.works(day)]
    assert (len(holidays), [f"{day:%m-%d}" for day in worked]) == (
        33,
        ["01-04", "02-14", "02-28", "05-09", "09-20", "10-10"],
    )


def test_the_next_holiday(built_in: Calendar) -> None:
    days, name = built_in.next_holiday(TODAY)
    assert (days[0], days[-1], name) == (date(2027, 1, 1), date(2027, 1, 3), "元旦")
    assert built_in.next_days_of("春节", TODAY)[0] == date(2027, 2, 5)
    assert built_in.next_days_of("国庆节", date(2026, 10, 3))[0] == date(2026, 10, 3)
    assert built_in.next_days_of("春节", date(2028, 1, 1)) == ()
    assert built_in.next_holiday(date(2030, 1, 1)) == ((), "")


def test_a_year_written_whole_replaces_what_is_built_in() -> None:
    own = calendar(
        known=[2027],
        off=[{"name": "元旦", "from": date(2027, 1, 1), "to": date(2027, 1, 2)}],
        work=[date(2027, 1, 3)],
    )
    assert own.is_known(date(2027, 6, 1))
    assert own.holiday(date(2027, 1, 2)) == "元旦"
    assert own.works(date(2027, 1, 3))
    assert own.works(date(2027, 2, 8)), "the built-in Spring Festival does not count"
    assert own.holiday(date(2026, 10, 1)) == "国庆节", "other years stay"


def test_single_days_correct_a_known_year() -> None:
    own = calendar(off=[{"name": "台风停工", "from": TODAY, "to": TODAY}], work=[date(2026, 11, 29), date(2026, 10, 6)])
    assert own.holiday(TODAY) == "台风停工"
    assert own.works(date(2026, 11, 29))
    assert own.works(date(2026, 10, 6))
    assert own.holiday(date(2026, 10, 5)) == "国庆节"


@pytest.mark.parametrize(
    ("own", "said"),
    [
        pytest.param({"work": [TODAY]}, "days without a source", id="no-source"),
        pytest.param(
            {"source": "通知", "off": [{"name": "元旦", "from": TODAY, "to": TODAY - timedelta(days=1)}]},
            "ends before it begins",
            id="backwards",
        ),
    ],
)
def test_faulty_corrections(own: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Workdays.model_validate(own)


def test_it_can_be_kept_as_plain_data(built_in: Calendar) -> None:
    assert Calendar.model_validate_json(built_in.model_dump_json()) == built_in
