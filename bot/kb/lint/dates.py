"""What is over, what nobody has looked at for too long, and what soon will be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from bot import strict_yaml
from bot.kb.entries import Entry, Item
from bot.kb.lint.base import Finding, Linting
from bot.kb.workdays import compile_calendar

SOON = timedelta(days=30)
"""A review date, or a year of unknown working days, this near is told ahead."""


def check_dates(linting: Linting) -> Iterator[Finding]:
    """Expired and stale items and entries; years without working days. A review date of a whole file is told once."""
    shared: set[str] = set()
    for file, n, item in linting.items():
        yield from _validity(linting, file, ("items", n), f"item '{item.name}'", item)
        at: strict_yaml.Place = ("items", n, "review_by")
        if at in linting.documents[file].lines:
            yield from _review(linting, file, at, f"item '{item.name}'", item.review_by)
        elif file not in shared:
            shared.add(file)
            yield from _review(linting, file, ("review_by",), "the file", item.review_by)
    for file, n, _, entry in linting.entries():
        yield from _validity(linting, file, ("entries", n), f"entry '{entry.id}'", entry)
        if entry.answer or entry.review_by:  # what places.yaml answers needs no review of its own
            yield from _review(linting, file, ("entries", n, "review_by"), f"entry '{entry.id}'", entry.review_by)
    yield from _unknown_years(linting)


def _unknown_years(linting: Linting) -> Iterator[Finding]:
    """Years whose working days are asked for soon and were not announced when the calendar was made."""
    calendar = compile_calendar(linting.knowledge.workdays, linting.today)
    for year in sorted({linting.today.year, (linting.today + SOON).year} - set(calendar.known)):
        what = f"the days off and make-up workdays of {year} are not known"
        mend = "upgrade the package holidays, or write the year into this file"
        yield linting.finding("unknown-year", linting.file("workdays.yaml"), (), what, mend)


def _validity(linting: Linting, file: str, at: strict_yaml.Place, what: str, thing: Item | Entry) -> Iterator[Finding]:
    last = (*at, "valid_to")
    if thing.valid_from and thing.valid_to and thing.valid_to < thing.valid_from:
        told = f"{what} ends on {thing.valid_to}, before it begins on {thing.valid_from}"
        yield linting.finding("never-valid", file, last, told, "correct one of the two days", blocks=True)
    elif thing.valid_to and thing.valid_to < linting.today:
        told = f"{what} has expired: it is valid to {thing.valid_to} only and not answered any more"
        yield linting.finding("expired", file, last, told, "remove it, or give it a later valid_to")


def _review(
    linting: Linting, file: str, at: strict_yaml.Place, what: str, review_by: date | None
) -> Iterator[Finding]:
    mend = "check it, then set a later review_by"
    if review_by is None:
        told = f"{what} has no review_by"
        yield linting.finding("no-review", file, at, told, "add the day by which to check it again")
    elif review_by < linting.today:
        yield linting.finding("stale", file, at, f"{what} was to be reviewed by {review_by}", mend)
    elif review_by - linting.today <= SOON:
        days = (review_by - linting.today).days
        yield linting.finding("stale-soon", file, at, f"{what} is to be reviewed by {review_by}, in {days} days", mend)
