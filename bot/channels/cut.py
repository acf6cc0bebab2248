"""Cutting a text to a number of UTF-8 bytes where it hurts least."""

from __future__ import annotations

import unicodedata

ELLIPSIS = "…"

_SENTENCE = "。！？；\n"
_CLAUSE = "，、"
_JOINER = "\u200d"
_LONGEST_CLUSTER = 32  # characters; longer heaps of marks are noise and may be split


def cut(text: str, limit: int) -> str:
    """The text itself if it has at most `limit` bytes; else a beginning of it that, with 「…」, has.

    It ends after a sentence, or after a clause, if that keeps at least half of the room; else between two characters
    as a reader sees them: no emoji sequence, accent or flag is torn."""
    data = text.encode("utf-8")
    if len(data) <= limit:
        return text
    room = limit - len(ELLIPSIS.encode("utf-8"))
    if room < 0:
        return ""
    fits = len(data[:room].decode("utf-8", "ignore"))
    return text[: _end(text, fits)].rstrip() + ELLIPSIS


def _end(text: str, fits: int) -> int:
    for marks in (_SENTENCE, _CLAUSE):
        end = _whole(text, max(text.rfind(mark, 0, fits) for mark in marks) + 1)
        if end * 2 >= fits:
            return end
    return _whole(text, fits)


def _whole(text: str, end: int) -> int:
    """The last place at or before `end` that lies between two characters as a reader sees them."""
    for place in range(end, max(end - _LONGEST_CLUSTER, 0), -1):
        if not _torn(text, place):
            return place
    return end if end > _LONGEST_CLUSTER else 0


def _torn(text: str, place: int) -> bool:
    before, after = text[place - 1], text[place]
    return _extends(after) or before == _JOINER or (_is_flag(before) and _is_flag(after) and _odd_flags(text, place))


def _extends(char: str) -> bool:
    return (
        unicodedata.category(char) in ("Mn", "Mc", "Me")  # accents, variation selectors, keycaps
        or char == _JOINER
        or "\U0001f3fb" <= char <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= char <= "\U000e007f"  # tags of flags such as Scotland's
    )


def _is_flag(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _odd_flags(text: str, place: int) -> bool:
    start = place
    while start and _is_flag(text[start - 1]):
        start -= 1
    return (place - start) % 2 == 1
