"""What is asked of a place: where, whether it is open, its hours, a day, the phone."""

from __future__ import annotations

from datetime import date

import pytest

from bot.kb.entries import Workdays
from bot.kb.workdays import Calendar, compile_calendar
from bot.local.question import wanted

TODAY = date(2026, 12, 1)  # a Tuesday


@pytest.fixture(scope="module")
def calendar() -> Calendar:
    return compile_calendar(Workdays(), TODAY)


@pytest.mark.parametrize(
    ("text", "aspect"),
    [
        ("旧衣箱", "general"),
        ("旧衣箱在哪", "where"),
        ("红桶怎么走", "where"),
        ("周末大件放哪里", "where"),
        ("垃圾房还开着吗", "now"),
        ("垃圾房几点关门", "now"),
        ("现在能扔垃圾吗", "now"),
        ("回收站开到几点", "now"),
        ("居委会有人吗", "now"),
        ("几点能扔垃圾", "hours"),
        ("大件车几号来", "hours"),
        ("物业几点上班", "hours"),
        ("周末开吗", "day"),
        ("明天收废品吗", "day"),
        ("国庆回收站开吗", "day"),
        ("电话多少", "phone"),
        ("电池箱满了找谁", "phone"),
        ("旧衣箱在哪儿电话多少", "phone"),
        ("十一点还能扔垃圾吗", "now"),
        ("十一号楼的垃圾房几点开", "hours"),
        ("1月扔垃圾的时间", "hours"),
    ],
)
def test_aspect(calendar: Calendar, text: str, aspect: str) -> None:
    assert wanted(text, TODAY, calendar).aspect == aspect


@pytest.mark.parametrize(
    ("text", "days", "called"),
    [
        pytest.param("明天开吗", ["2026-12-02"], "", id="tomorrow"),
        pytest.param("大后天开吗", ["2026-12-04"], "", id="in-three-days"),
        pytest.param("周二开吗", ["2026-12-01"], "", id="today"),
        pytest.param("礼拜一开吗", ["2026-12-07"], "", id="the-next-monday"),
        pytest.param("这周一开吗", ["2026-11-30"], "", id="of-this-week"),
        pytest.param("下周三开吗", ["2026-12-09"], "", id="of-next-week"),
        pytest.param("星期天开吗", ["2026-12-06"], "", id="sunday"),
        pytest.param("周末开吗", ["2026-12-05", "2026-12-06"], "周末", id="weekend"),
        pytest.param("下周末开吗", ["2026-12-12", "2026-12-13"], "周末", id="next-weekend"),
        pytest.param("双休日开吗", ["2026-12-05", "2026-12-06"], "周末", id="weekend-said-otherwise"),
        pytest.param("12月5日开吗", ["2026-12-05"], "", id="date"),
        pytest.param("12月5号开吗", ["2026-12-05"], "", id="date-as-spoken"),
        pytest.param("3月1日开吗", ["2027-03-01"], "", id="date-of-next-year"),
        pytest.param("2月30日开吗", [], "", id="no-such-day"),
        pytest.param("元旦开吗", ["2027-01-01", "2027-01-02", "2027-01-03"], "元旦", id="holiday"),
        pytest.param("放假开吗", ["2027-01-01", "2027-01-02", "2027-01-03"], "元旦", id="the-next-holiday"),
    ],
)
def test_days(calendar: Calendar, text: str, days: list[str], called: str) -> None:
    found = wanted(text, TODAY, calendar)
    assert ([day.isoformat() for day in found.days], found.called) == (days, called)


def test_on_sunday_the_weekend_is_what_is_left_of_it(calendar: Calendar) -> None:
    assert wanted("周末开吗", date(2026, 12, 6), calendar).days == (date(2026, 12, 6),)


def test_within_a_holiday_what_is_left_of_it(calendar: Calendar) -> None:
    found = wanted("国庆开吗", date(2026, 10, 5), calendar)
    assert [day.day for day in found.days] == [5, 6, 7]


@pytest.mark.parametrize(
    ("text", "pickup", "photo"),
    [
        pytest.param("大件车几号来", True, False, id="truck"),
        pytest.param("大件几点能放", False, False, id="hours"),
        pytest.param("旧衣箱拍张照", False, True, id="picture"),
    ],
)
def test_more(calendar: Calendar, text: str, pickup: bool, photo: bool) -> None:
    found = wanted(text, TODAY, calendar)
    assert (found.pickup, found.photo) == (pickup, photo)
