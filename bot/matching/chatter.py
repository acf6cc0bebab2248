"""Question or chatter: which of the two a line's characters are more usual in."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

from bot.matching.plain import Plain

_SMOOTHING = 0.5
_LEAST_SEEN = 2
_WIDEST = 20.0


def compile_odds(questions: Iterable[str], chatter: Iterable[str]) -> Plain:
    """Log-odds of each n-gram for questions over chatter; both folded, without spaces."""
    asked, said = _counted(questions), _counted(chatter)
    asked_total = sum(asked.values()) + _SMOOTHING
    said_total = sum(said.values()) + _SMOOTHING
    return {
        gram: math.log((asked[gram] + _SMOOTHING) / asked_total) - math.log((said[gram] + _SMOOTHING) / said_total)
        for gram in sorted(asked.keys() | said.keys())
        if asked[gram] + said[gram] >= _LEAST_SEEN
    }


class ChatterSense:
    """Learned from the ways of asking and from the chatter lines of the knowledge."""

    def __init__(self, plain: Plain) -> None:
        self._odds: dict[str, float] = plain

    def question_likelihood(self, text: str) -> float:
        """How much the folded text looks like a question to us rather than chatter, 0 to 1; 0.5 says nothing."""
        odds = [self._odds[gram] for gram in _grams(text) if gram in self._odds]
        if not odds:
            return 0.5
        return 1 / (1 + math.exp(-max(-_WIDEST, min(_WIDEST, sum(odds) / math.sqrt(len(odds))))))


def _counted(lines: Iterable[str]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for line in lines:
        counted.update(list(_grams(line)))
    return counted


def _grams(text: str) -> dict[str, None]:
    return dict.fromkeys([*text, *(a + b for a, b in pairwise(text))])
