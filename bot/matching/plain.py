"""Plain data, of which an index is made: read back in milliseconds (marshal); and patterns of many words."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable
from typing import Any

Plain = dict[str, Any]
"""Only dict, list, tuple, str, bytes, int, float and None inside."""


def numbers(values: Iterable[int]) -> bytes:
    """Pack whole numbers from 0 to 2**32 - 1."""
    return array("I", values).tobytes()


def unpacked(packed: bytes) -> array[int]:
    """What `numbers` packed."""
    found = array("I")
    found.frombytes(packed)
    return found


def weights(values: Iterable[float]) -> bytes:
    """Pack numbers in single precision."""
    return array("f", values).tobytes()


def unpacked_weights(packed: bytes) -> array[float]:
    """What `weights` packed."""
    found = array("f")
    found.frombytes(packed)
    return found


def any_of(words: Iterable[str]) -> re.Pattern[str]:
    """Any of the words; an empty one fits everywhere, and no word at all fits nowhere."""
    return re.compile("|".join(sorted(map(re.escape, set(words)), key=len, reverse=True)) or r"(?!)")
