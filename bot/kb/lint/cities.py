"""What a city's file should say and does not."""

from __future__ import annotations

from collections.abc import Iterator

from bot.kb.cities import lacking
from bot.kb.lint.base import Finding, Linting


def check_cities(linting: Linting) -> Iterator[Finding]:
    """Bins without a colour, items that cities differ on, rules of another city, a phone for the whole city."""
    for city, at, what, mend in lacking(linting.knowledge):
        yield linting.finding("city-lacks", linting.file(f"cities/{city}.yaml"), at, what, mend)
