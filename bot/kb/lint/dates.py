"""What is over, what nobody has looked at for too long, and what soon will be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from bot import strict_yaml
from bot.kb.entries import Entry, Item
from bot.kb.lint.base import Finding, Linting

SOON = timedelta(days=30)
"""A review date this near is told ahead."""


def check_dates(linting: Linting) -> Iterator[Finding]:
    """Expired and stale items and entries. A review date that a whole file shares is told once."""
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
