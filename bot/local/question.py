"""What somebody who asks for a facility or a contact wants to hear first: where it is, whether it is open, when …"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from bot.kb.workdays import Calendar

Aspect = Literal["general", "where", "now", "hours", "day", "phone"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be told first. `days`: the days asked for; `called`: 「周末」, or the holiday they are; `pickup`: when
    things are taken away; `photo`: a picture too."""

    aspect: Aspect = "general"
    days: tuple[date, ...] = ()
    called: str = ""
    pickup: bool = False
    photo: bool = False


_PHONE = re.compile(r"电话|号码|热线|联系|微信|[找问打](?:给)?(?:谁|哪个|哪位|什么人)")
_PHOTO = re.compile(r"照片|拍照|拍个|拍张|图片|长什么样")
_NOW = re.compile(
    r"现在|这会|这个点|今天|今晚|还[能可开收要]|开着|开没开|开了[吗没]|关了|关门了|锁了|开门[吗没]|开门了|有人[吗没]"
    r"|几点钟?(?:关|锁|结束|下班|停|收摊|上锁)|到几点|开到|关门时间|下班了|赶得上|来得及"
)
_HOURS = re.compile(
    r"几点|几时|什么时候|啥时|时间|时段|几号|哪天|哪一天|(?:周|星期|礼拜)几|多久|多少天|上班|下班|开门|关门"
    r"|中午|晚上|早上|夜里|半夜|24小时"
)
_PICKUP = re.compile(
    r"车(?:几|什么|啥|哪|来|到|今)|清运|拉走|运走|清空|来收|来拉|收[走的]|几号|哪天|哪一天|(?:周|星期|礼拜)几|多久"
)
_WHERE = re.compile(r"哪里|哪儿|哪边|在哪|怎么走|怎么去|位置|地址|地点|定位|几号楼|几楼|哪个门|哪栋|哪幢")

_WEEK = re.compile(r"(下+|这|本)?个?(?:周|星期|礼拜)([一二三四五六日天末])|双休日?")
_FROM_NOW = {"大后天": 3, "后天": 2, "明天": 1, "明早": 1, "明晚": 1, "明日": 1}
_DATE = re.compile(r"(1[0-2]|[1-9])月(3[01]|[12][0-9]|[1-9])(?:日|号)?(?!楼)")
_HOLIDAYS = (
    ("元旦", re.compile("元旦")),
    ("春节", re.compile("春节|过年|除夕|大年|年三十")),
    ("清明节", re.compile("清明")),
    ("劳动节", re.compile("五一|劳动节")),
    ("端午节", re.compile("端午")),
    ("中秋节", re.compile("中秋")),
    ("国庆节", re.compile("国庆|十一(?![点月号栋楼幢层个])")),
)
_ANY_HOLIDAY = re.compile(r"节假日|放假|过节|假期|法定")
_MONDAY_FIRST = "一二三四五六日"


def wanted(text: str, today: date, calendar: Calendar) -> Wanted:
    """What a folded question asks first; `today`: the site's day."""
    photo = bool(_PHOTO.search(text))
    if _PHONE.search(text):
        return Wanted("phone", photo=photo)
    if _WHERE.search(text):
        return Wanted("where", photo=photo)
    days, called = _days(text, today, calendar)
    if days:
        return Wanted("day", days, called, photo=photo)
    if _NOW.search(text):
        return Wanted("now", photo=photo)
    if _HOURS.search(text):
        return Wanted("hours", pickup=bool(_PICKUP.search(text)), photo=photo)
    return Wanted(photo=photo)


def _days(text: str, today: date, calendar: Calendar) -> tuple[tuple[date, ...], str]:
    """The days asked for, from today on, and what they are called together."""
    for name, pattern in _HOLIDAYS:
        if pattern.search(text):
            return calendar.next_days_of(name, today), name
    if _ANY_HOLIDAY.search(text):
        return calendar.next_holiday(today)
    if found := _DATE.search(text):
        return _dated(int(found.group(1)), int(found.group(2)), today), ""
    if found := _WEEK.search(text):
        name = found.group(2) or "末"
        return _of_week(found.group(1) or "", name, today), "周末" if name == "末" else ""
    ahead = next((n for word, n in _FROM_NOW.items() if word in text), None)
    return ((today + timedelta(days=ahead),) if ahead else ()), ""


def _dated(month: int, day: int, today: date) -> tuple[date, ...]:
    """That day of the year, this year or the next; none that no calendar has."""
    for year in (today.year, today.year + 1):
        try:
            found = date(year, month, day)
        except ValueError:
            continue
        if found >= today:
            return (found,)
    return ()


def _of_week(which: str, name: str, today: date) -> tuple[date, ...]:
    """「周三」 is the next one, today included, 「下周三」 the one of next week; 「周末」 is what is left of it."""
    monday = today - timedelta(days=today.weekday())
    weeks = which.count("下")
    if name == "末":
        weekend = (monday + timedelta(days=7 * weeks + n) for n in (5, 6))
        return tuple(day for day in weekend if day >= today)
    day = monday + timedelta(days=7 * weeks + _MONDAY_FIRST.index(name.replace("天", "日")))
    return (day if which or day >= today else day + timedelta(days=7),)
