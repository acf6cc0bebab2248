"""Question or chatter: which of the two a line's characters are more usual in."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

_SMOOTHING = 0.5
_LEAST_SEEN = 2


class ChatterSense:
    """Learned from the ways of asking and from the chatter lines of the knowledge."""

    def __init__(self, questions: Iterable[str], chatter: Iterable[str]) -> None:
        """Both folded, without spaces."""
        asked, said = _counted(questions), _counted(chatter)
        asked_total = sum(asked.values()) + _SMOOTHING
        said_total = sum(said.values()) + _SMOOTHING
        self._odds = {
            gram: math.log((asked[gram] + _SMOOTHING) / asked_total) - math.log((said[gram] + _SMOOTHING) / said_total)
            for gram in asked.keys() | said.keys()
            if asked[gram] + said[gram] >= _LEAST_SEEN
        }

    def question_likelihood(self, text: str) -> float:
        """How much the folded text looks like a question to us rather than chatter, 0 to 1; 0.5 says nothing."""
        odds = [self._odds[gram] for gram in _grams(text) if gram in self._odds]
        if not odds:
            return 0.5
        return 1 / (1 + math.exp(-max(-20.0, min(20.0, sum(odds) / math.sqrt(len(odds))))))


def _counted(lines: Iterable[str]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for line in lines:
        counted.update(_grams(line))
    return counted


def _grams(text: str) -> set[str]:
    return set(text) | {text[n : n + 2] for n in range(len(text) - 1)}
