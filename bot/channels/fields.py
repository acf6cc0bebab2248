"""Checks of single field values, the same whether they came as XML or as JSON."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from bot.errors import Refused

LATEST_SECONDS = 4_133_980_800
"""The end of the year 2100: no honest moment lies beyond it."""

ID_CHARS = 200
"""The longest platform id or message id accepted, in characters."""

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_NOT_IN_IDS = re.compile("[\x00-\x1f\x7f\ufffe\uffff]")
_DIGITS = re.compile("[0-9]{1,20}", re.ASCII)


def without_controls(text: str) -> str:
    """The text without the control characters phones slip in; tab, line feed and carriage return stay."""
    return _CONTROLS.sub("", text)


def moment(seconds: float) -> datetime:
    """The aware UTC time of Unix `seconds`. Raises Refused(400) before 1970, after 2100 and for NaN."""
    if not 0 <= seconds < LATEST_SECONDS:
        raise Refused(400, "a time is out of range")
    return datetime.fromtimestamp(seconds, UTC)


def natural(text: str, below: int) -> int:
    """The number a field of decimal digits holds. Raises Refused(400) if it is none, or not under `below`."""
    if not _DIGITS.fullmatch(text):
        raise Refused(400, "a field is not a number")
    value = int(text)
    if value >= below:
        raise Refused(400, "a number is too large")
    return value


def identifier(text: str) -> str:
    """The id as given. Raises Refused(400) if it is longer than ID_CHARS or holds control characters."""
    if len(text) > ID_CHARS or _NOT_IN_IDS.search(text):
        raise Refused(400, "an id is too long or holds control characters")
    return text
