"""The working days of China: statutory holidays, days off and make-up workdays, with what the site's file corrects."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

from bot.kb.entries import CalendarDay, Strict, Workdays

_LONGEST_RUN = 15
"""Days off in a row that are looked through; the longest holiday ever was nine."""
_EXCHANGED = "休息日"
_BESIDE = re.compile(r"（.*）")


class Calendar(Strict):
    """The days of a few years that are not what their weekday says. `known`: the years whose arrangement was announced;
    of others only the statutory days are known, not what is exchanged for them."""

    off: dict[CalendarDay, str]
    work: tuple[CalendarDay, ...]
    known: tuple[int, ...]

    def is_known(self, day: date) -> bool:
        """Whether the arrangement of the day's year was announced."""
        return day.year in self.known

    def works(self, day: date) -> bool:
        """Whether it is a working day."""
        return day in self.work or (day.weekday() < 5 and day not in self.off)

    def is_holiday(self, day: date) -> bool:
        """Whether it belongs to a holiday: a day off with a name, or a weekend that touches one."""
        return any(found in self.off for found in self._run(day))

    def is_special(self, day: date) -> bool:
        """Whether it is not what its weekday says: of a holiday, or a weekend that is worked."""
        return day in self.work or self.is_holiday(day)

    def holiday(self, day: date) -> str:
        """The name of the holiday the day belongs to; "" where it belongs to none."""
        names = Counter(name for found in self._run(day) if (name := self.off.get(found, "")))
        return names.most_common(1)[0][0] if names else ""

    def next_days_of(self, holiday: str, day: date) -> tuple[date, ...]:
        """The days off around the next holiday of that name, from `day` on; none as far as the calendar does not go."""
        first = min((found for found, name in self.off.items() if found >= day and name == holiday), default=None)
        return tuple(found for found in self._run(first) if found >= day) if first else ()

    def next_holiday(self, day: date) -> tuple[tuple[date, ...], str]:
        """The days off of the next holiday, from `day` on, and its name."""
        first = min((found for found, name in self.off.items() if found >= day and name), default=None)
        return (self.next_days_of(self.off[first], day), self.holiday(first)) if first else ((), "")

    def _run(self, day: date) -> Iterator[date]:
        """The days off in a row around a day; none where it is worked."""
        if self.works(day):
            return
        first = day
        while not self.works(first - timedelta(days=1)) and (day - first).days < _LONGEST_RUN:
            first -= timedelta(days=1)
        while not self.works(first) and (first - day).days < _LONGEST_RUN:
            yield first
            first += timedelta(days=1)


def compile_calendar(own: Workdays, day: date) -> Calendar:
    """The calendar of the years around a day: announced ones as the library knows them, then what `own` says."""
    import holidays  # a fifth of a second, which answers need not wait for: only who compiles the knowledge does

    years = range(day.year - 1, day.year + 2)
    found = holidays.country_holidays("CN", years=years, language="zh_CN")
    work = {made_up for made_up in found.weekend_workdays if made_up.year in years}
    announced = {made_up.year for made_up in work}
    off = {off_day: _named(name) for off_day, name in found.items()}
    off = {off_day: name for off_day, name in off.items() if off_day.year not in own.known}
    work = {made_up for made_up in work if made_up.year not in own.known}
    for holiday in own.off:
        off |= {holiday.first + timedelta(days=n): holiday.name for n in range(holiday.days)}
    work = (work - off.keys()) | set(own.work)
    return Calendar(
        off={off_day: name for off_day, name in sorted(off.items()) if off_day not in own.work},
        work=tuple(sorted(work)),
        known=tuple(sorted(announced | set(own.known))),
    )


def _named(name: str) -> str:
    """「清明节（补假）」 is of that holiday; a day that was exchanged for another has no name of its own."""
    return "" if name.startswith(_EXCHANGED) else _BESIDE.sub("", name)
